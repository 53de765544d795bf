//! What a person is told of connection and sync.

use innsync_domain::Timestamp;
use serde::Serialize;

use crate::http::{Answers, Purpose};
use crate::session::Standing;
use crate::state::State;

/// The seed's four states (§1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConnectionState {
    /// Not connected, and not trying.
    Disconnected,
    /// Trying for the first time.
    Connecting,
    /// The server said CONNECTED.
    Connected,
    /// Was connected or tried, and tries again.
    Reconnecting,
}

impl ConnectionState {
    /// As the seed writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "DISCONNECTED",
            Self::Connecting => "CONNECTING",
            Self::Connected => "CONNECTED",
            Self::Reconnecting => "RECONNECTING",
        }
    }
}

/// How far a snapshot has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Rows that are here.
    pub rows: u64,
    /// Rows in all.
    pub of: u64,
    /// How many of its sections are whole: suites, staff, the person's own tasks and notifications, alerts, the rest.
    pub sections: u8,
}

/// What a person is told of sync (seed §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncStatus {
    /// The connection.
    pub connection: ConnectionState,
    /// Whether the server answers.
    pub is_online: bool,
    /// Operations saved on the phone and not yet confirmed (parked ones apart).
    pub pending_changes: u32,
    /// How far the snapshot under way is, if there is one.
    pub progress: Option<Progress>,
    /// Operations that need a person.
    pub parked: u32,
    /// Whether operations are under way, or changes being fetched or, on a new connection, still asked for.
    pub sync_in_progress: bool,
    /// When the outbox was last drained, by the phone's clock.
    pub last_sync_time: Option<Timestamp>,
    /// The server's time of which the phone last knew that it had everything.
    pub up_to_date_as_of: Option<Timestamp>,
    /// Whether a whole snapshot is here, and nothing of it was cleared since.
    pub has_data: bool,
    /// Whether a person must sign in before anything is sent.
    pub needs_sign_in: bool,
    /// Failed attempts to reconnect, as long as there is no connection (the seed's `reconnectAttempts`).
    pub reconnect_attempts: u32,
    /// Frames of the app's own that wait for a connection (the length of the seed's `messageQueue`); changes that wait are
    /// `pending_changes`.
    pub queued_messages: u32,
}

impl SyncStatus {
    /// Before anything is known.
    pub const BLANK: Self = Self {
        connection: ConnectionState::Disconnected,
        is_online: false,
        pending_changes: 0,
        progress: None,
        parked: 0,
        sync_in_progress: false,
        last_sync_time: None,
        up_to_date_as_of: None,
        has_data: false,
        needs_sign_in: false,
        reconnect_attempts: 0,
        queued_messages: 0,
    };

    /// Nothing in it is remembered for its own sake: it follows from what is stored, the connection, and what is under way.
    pub(crate) fn of(state: &State) -> Self {
        let standing = state.session.standing();
        let connection = state.link.state(standing);
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            connection,
            is_online: state.link.wanted
                && (connection == ConnectionState::Connected || state.requests.answers == Answers::Ours),
            pending_changes: count(state.outbox.pending()),
            progress: state.snapshots.progress(),
            parked: count(state.outbox.parked()),
            sync_in_progress: state.requests.find(Purpose::Push).is_some()
                || state.requests.find(Purpose::Pull).is_some()
                || state.snapshot_under_way()
                || (state.link.is_live() && state.feed.is_behind()),
            last_sync_time: state.meta.last_sync_time,
            up_to_date_as_of: state.meta.up_to_date_as_of,
            has_data: state.meta.has_data,
            needs_sign_in: standing == Standing::Missing,
            reconnect_attempts: if state.link.is_live() { 0 } else { state.link.failures },
            queued_messages: count(state.frames.len()),
        }
    }
}
