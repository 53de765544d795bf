//! Everything that the engine asks for and tells, after its batch is on disk.

use std::fmt;

use innsync_domain::{Event, Rejection, Timestamp, Uuid};
use serde::{Deserialize, Serialize};

use crate::input::Session;
use crate::limits::EFFECT_MAX_AGE_MS;
use crate::outbox::Receipt;
use crate::status::{ConnectionState, SyncStatus};

/// What the driver does or tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Opens a WebSocket with the access token, and reports as [`crate::Input::Socket`] of that generation. There is one
    /// socket at a time: an older one is dropped.
    OpenSocket {
        /// Names it.
        generation: u64,
        /// The access token.
        token: Secret,
    },
    /// Sends a text frame.
    SendFrame {
        /// On which socket.
        generation: u64,
        /// The text.
        text: String,
    },
    /// Closes the socket.
    CloseSocket {
        /// Which one.
        generation: u64,
        /// The close code.
        code: u16,
        /// The reason.
        reason: &'static str,
    },
    /// Makes an HTTP request and reports as [`crate::Input::Http`] (a snapshot: lines first).
    Http(HttpRequest),
    /// The tokens changed: the shell's token store keeps them.
    SaveSession(Session),
    /// A person must sign in again. What is on the phone stays usable.
    SignInRequired(SignInReason),
    /// The answer to [`crate::Input::Execute`] or [`crate::Input::Edit`].
    Executed {
        /// Which one.
        request: u64,
        /// Saved on the phone; or refused at once, with nothing changed.
        result: Result<Receipt, Rejection>,
    },
    /// The answer to [`crate::Input::Barrier`]: everything that the server had at the call is here, and every earlier
    /// operation is confirmed or parked.
    UpToDate {
        /// Which one.
        request: u64,
    },
    /// An operation's state changed.
    Operation(Receipt),
    /// Something happened that subscribers listen for.
    Event(ClientEvent),
    /// Something must be shown or sounded; stays until presented or withdrawn.
    Effect(Effect),
    /// An effect that was not presented yet is not to be: it is too old, one of too many, or of an emergency that is over.
    Withdrawn(Uuid),
    /// The connection's state changed.
    Connection(ConnectionState),
    /// The sync status changed.
    Status(SyncStatus),
}

/// A token on its way to a header. Prints as `…`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// An HTTP request to the server.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpRequest {
    /// Names it.
    pub id: u64,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path and query, from `/v1` on.
    pub path: String,
    /// For `Authorization: Bearer`; left out for a refresh.
    pub token: Option<Secret>,
    /// A JSON body. May hold a refresh token: not for logs.
    pub body: Option<Secret>,
    /// Whether the answer's body comes as [`crate::Input::SnapshotLines`].
    pub streams_lines: bool,
}

/// Why a person must sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInReason {
    /// There are no tokens.
    NoSession,
    /// The server does not take the refresh token any more.
    Expired,
}

/// What subscribers hear: the seed's manager events, and the typed events of its §2.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientEvent {
    /// `connected`
    Connected,
    /// `disconnected`
    Disconnected {
        /// The close code; 1006 where the link broke.
        code: u16,
        /// The reason.
        reason: String,
    },
    /// `error`
    Error {
        /// What went wrong, for a log.
        detail: String,
    },
    /// `error`: a mistake in InnSync; it goes on from what is on disk.
    Bug {
        /// What the log has, too; to be told to support.
        id: String,
    },
    /// `reconnect_failed`
    ReconnectFailed,
    /// A typed event, from what changed.
    Domain(Event),
    /// A frame of a type that this release does not know.
    Other {
        /// Its type.
        name: String,
        /// Its whole JSON text.
        text: String,
    },
}

impl ClientEvent {
    /// The name to subscribe by: `connected`, `disconnected`, `error`, `reconnect_failed`, `notification`, or the type.
    pub fn name(&self) -> &str {
        match self {
            Self::Connected => "connected",
            Self::Disconnected { .. } => "disconnected",
            Self::Error { .. } | Self::Bug { .. } => "error",
            Self::ReconnectFailed => "reconnect_failed",
            // The seed's manager emits these two in lower case.
            Self::Domain(event) => match event.name() {
                "NOTIFICATION" => "notification",
                name => name,
            },
            Self::Other { name, .. } => match name.as_str() {
                "BROADCAST" => "broadcast",
                name => name,
            },
        }
    }
}

/// Something that the shell shows or sounds, once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// Its id, from what caused it: the same cause never gives another.
    pub id: Uuid,
    /// When it arose, by the phone's clock.
    pub at: Timestamp,
    /// What to do.
    pub body: EffectBody,
}

/// What to show or sound. Texts are message keys with arguments, for the shell to say in the person's language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
pub enum EffectBody {
    /// A short message.
    Toast {
        /// How it looks.
        level: ToastLevel,
        /// The message's key: `suite.created`, `task.assigned`, `connection.lost`, …
        key: String,
        /// Its arguments by name.
        args: std::collections::BTreeMap<String, String>,
        /// Milliseconds on the screen.
        duration_ms: u32,
    },
    /// The emergency screen, until acknowledged.
    EmergencyModal {
        /// The alert.
        alert_id: Uuid,
        /// Its heading.
        title: String,
        /// What is the matter.
        message: String,
    },
    /// An emergency that rang here does not concern this person any more (resolved, acknowledged, out of sight): its screen
    /// goes, its sound ends. May also come where neither was shown.
    EmergencyOver {
        /// The alert.
        alert_id: Uuid,
    },
    /// A sound.
    Sound {
        /// `task-assigned` or `emergency`.
        name: String,
        /// Whether it goes on until stopped.
        looping: bool,
    },
    /// A system notification, for when the app is in the background.
    SystemNotification {
        /// The message's key.
        key: String,
        /// Its arguments by name.
        args: std::collections::BTreeMap<String, String>,
    },
}

impl Effect {
    /// Whether it is news no more at that time of the phone's clock: toasts and short sounds are for the moment.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        let for_the_moment = match self.body {
            EffectBody::Toast { .. } => true,
            EffectBody::Sound { looping, .. } => !looping,
            EffectBody::EmergencyModal { .. }
            | EffectBody::EmergencyOver { .. }
            | EffectBody::SystemNotification { .. } => false,
        };
        for_the_moment && now.as_millis().saturating_sub(self.at.as_millis()) > EFFECT_MAX_AGE_MS
    }

    /// Whether it is part of an emergency that goes on: such effects are never given up.
    pub(crate) fn is_alarm(&self) -> bool {
        matches!(self.body, EffectBody::EmergencyModal { .. } | EffectBody::Sound { looping: true, .. })
    }
}

/// How a toast looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ToastLevel {
    /// News.
    Info,
    /// Something went well.
    Success,
    /// Look at it.
    Warning,
    /// Something went wrong.
    Error,
}
