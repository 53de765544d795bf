//! Connection and sync.

use innsync_client::Timestamp;

use crate::mirror::{choice, record};

choice!(
    /// The connection's state.
    ConnectionState = innsync_client::ConnectionState {
        /// Not connected, and not trying.
        Disconnected,
        /// Trying for the first time.
        Connecting,
        /// The server has said so.
        Connected,
        /// Was connected or tried, and tries again.
        Reconnecting,
    }
);
record!(
    /// How far a snapshot has come.
    Progress = innsync_client::Progress {
        /// Rows that are here.
        rows: u64,
        /// Rows in all.
        of: u64,
        /// How many of its five sections are whole: suites, staff, the person's own tasks and notifications, alerts, the rest.
        sections: u8,
    }
);
record!(
    /// What a person is told of sync.
    SyncStatus = innsync_client::SyncStatus {
        /// The connection.
        connection: ConnectionState,
        /// Whether the server answers.
        is_online: bool,
        /// Operations saved on the phone and not yet confirmed (parked ones apart).
        pending_changes: u32,
        /// How far the snapshot under way is; none: there is none.
        progress: Option<Progress>,
        /// Operations that need a person.
        parked: u32,
        /// Whether operations are under way, or changes being fetched.
        sync_in_progress: bool,
        /// When the outbox was last drained, by the phone's clock.
        last_sync_time: Option<Timestamp>,
        /// The server's time of which the phone last knew that it had everything.
        up_to_date_as_of: Option<Timestamp>,
        /// Whether a whole snapshot is here, and nothing of it was cleared since.
        has_data: bool,
        /// Whether a person must sign in before anything is sent.
        needs_sign_in: bool,
        /// Failed attempts to reconnect, as long as there is no connection.
        reconnect_attempts: u32,
        /// Frames of the app's own that wait for a connection.
        queued_messages: u32,
    }
);
choice!(
    /// What the sync line says, the first that applies.
    SyncState = innsync_client::SyncState {
        /// "Update the app. Until then nothing can be changed or sent; nothing is lost." A newer release wrote the database.
        UpdateRequired,
        /// "Sign in to send your changes."
        SignInRequired,
        /// "{parked} change(s) need you."
        NeedsYou,
        /// "Offline. {pending} change(s) saved on the phone."
        Offline,
        /// "Fetching the property's data."
        FirstSync,
        /// "Sending {pending} change(s)."
        Syncing,
        /// "Up to date."
        UpToDate,
    }
);
record!(
    /// The one honest line about sync.
    SyncLine = innsync_client::SyncLine {
        /// What to say.
        state: SyncState,
        /// Changes saved on the phone, not yet confirmed.
        pending: u32,
        /// Changes that need a person.
        parked: u32,
        /// The server's time of which the phone last knew that it had everything.
        up_to_date_as_of: Option<Timestamp>,
    }
);
