//! Everything that can happen to the engine.

use std::fmt;

use innsync_domain::{Command, EntityKind, Timestamp, Uuid};
use innsync_protocol::CloseCode;
use serde::{Deserialize, Serialize};

/// Something happened. Inputs are values, so the last of them are a flight recorder and a run can be replayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// The app asks to be connected, and to stay so.
    Connect,
    /// The app asks to be disconnected, and to stay so. Closes 1000 `Client disconnect`.
    Disconnect,
    /// A person signed in (again), or the shell had newer tokens.
    SignedIn(Session),
    /// A person did something. Answered by [`crate::Output::Executed`].
    Execute {
        /// Names the answer.
        request: u64,
        /// The operation's id, a UUID version 7 from the driver.
        id: Uuid,
        /// What.
        command: Command,
        /// Operations that must succeed before.
        depends_on: Vec<Uuid>,
    },
    /// A parked operation shall be tried again, under a new id and in its old place. Refused at once, it stays parked, with the
    /// new reason. Answered by [`crate::Output::Operation`].
    Retry {
        /// The parked operation.
        parked: Uuid,
        /// The new one.
        id: Uuid,
    },
    /// A parked operation shall be tried again with another command about the same entity; else as [`Input::Retry`]. Refused at
    /// once, it stays parked as it was. Answered by [`crate::Output::Executed`].
    Edit {
        /// Names the answer.
        request: u64,
        /// The parked operation.
        parked: Uuid,
        /// The new one.
        id: Uuid,
        /// What is wanted now.
        command: Command,
    },
    /// A person settles a conflict. Answered by [`crate::Output::Executed`]; refused at once, the operation stays parked as it
    /// was.
    Settle {
        /// Names the answer.
        request: u64,
        /// The parked operation.
        parked: Uuid,
        /// The id of the operation that settles it.
        id: Uuid,
        /// The version of the entity that they were shown; `None`: it was gone. If it has moved on, it is refused
        /// (`CHANGED_MEANWHILE`).
        seen: Option<u64>,
        /// What they chose.
        choice: crate::Settlement,
    },
    /// What this person did last on this phone shall be taken back: discarded while it has not left the phone, else undone by
    /// commands that do the opposite ([`innsync_domain::inverse`]). Answered by [`crate::Output::Executed`] with what was
    /// discarded (no state) or the last of these commands; refused (`NOTHING_TO_UNDO`, `CHANGED_MEANWHILE`, by the rules)
    /// nothing is done.
    Undo {
        /// Names the answer.
        request: u64,
        /// The id of the operation that undoes it.
        id: Uuid,
    },
    /// An operation shall be forgotten, by a person's choice. Only a parked one, or one that has never left the phone, is
    /// ([`crate::QueuedOp::may_be_discarded`]).
    Discard {
        /// The operation.
        id: Uuid,
    },
    /// As [`Input::Discard`], with all that builds on it ([`crate::Engine::dependents`]), as far as that may be discarded.
    DiscardWithDependents {
        /// The operation.
        id: Uuid,
    },
    /// A frame that is not a command; queued while offline.
    Send {
        /// Its JSON text.
        text: String,
    },
    /// The socket of that generation did something. Older generations are ignored.
    Socket {
        /// Which socket, as [`crate::Output::OpenSocket`] named it.
        generation: u64,
        /// What it did.
        event: SocketEvent,
    },
    /// An HTTP request was answered, or failed.
    Http {
        /// Which one, as [`crate::Output::Http`] named it.
        id: u64,
        /// How.
        answer: Result<HttpAnswer, HttpFailure>,
    },
    /// Lines of a snapshot's body arrived, in order; the last chunk is followed by [`Input::Http`] with an empty body.
    SnapshotLines {
        /// Which request.
        id: u64,
        /// Whole lines without their ends, at most [`crate::limits::ROWS_PER_TRANSACTION`].
        lines: Vec<String>,
    },
    /// The deadline of [`crate::Engine::next_deadline`] has come (or any other time: a tick too many does nothing).
    Tick,
    /// The platform says that there is a network again, another one, or none.
    NetworkChanged {
        /// Whether there is one.
        available: bool,
    },
    /// A caller waits for everything that the server has now, and for every operation of now. Whatever waits is tried.
    /// Answered by [`crate::Output::UpToDate`]; by another engine over the same store it is not.
    Barrier {
        /// Names the answer.
        request: u64,
    },
    /// Nobody waits for that answer any more.
    GiveUpBarrier {
        /// Which one.
        request: u64,
    },
    /// The app came to the foreground.
    Foreground,
    /// The app is about to sleep, or a push woke it: whatever waits is tried now, and a pull begun after this asks for what is
    /// new, also where a socket brings it. [`crate::Engine::rest`] tells what comes of it.
    Sync {
        /// Until when somebody waits for it (in `boot_ms`): what is sent until then is followed by a pull.
        until: u64,
    },
    /// The shell has shown an effect.
    Presented {
        /// Which one.
        effect: Uuid,
    },
    /// Everything on the phone but the outbox shall be fetched anew.
    Refetch,
    /// Everything on the phone but the outbox shall be forgotten, and fetched when the network allows.
    ClearCache,
    /// Everything of one kind shall be forgotten, and fetched when the network allows; the outbox stays.
    ClearKind {
        /// Which kind.
        kind: EntityKind,
    },
    /// The last step's batch could not be committed: nothing of it happened. Whoever waits for its
    /// [`crate::Output::Executed`] is answered by the driver.
    CommitFailed,
}

/// What a socket did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum SocketEvent {
    /// A text frame came.
    Frame(String),
    /// Several came while the engine was busy: as one after the other, but one step, so one transaction.
    Frames(Vec<String>),
    /// It was closed by the server.
    Closed {
        /// The close code; 1006 where there was none.
        code: u16,
        /// The reason given.
        reason: String,
    },
    /// It could not be opened, or broke.
    Failed(String),
}

impl SocketEvent {
    /// A close with that code.
    pub fn closed(code: CloseCode, reason: &str) -> Self {
        Self::Closed { code: code.0, reason: reason.to_owned() }
    }
}

/// An HTTP answer as far as the engine reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// `Retry-After` in milliseconds, where given.
    pub retry_after_ms: Option<u64>,
    /// The body; empty for a snapshot, whose lines came before.
    pub body: String,
}

/// No HTTP answer was had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpFailure {
    /// Why, for the log.
    pub detail: String,
}

/// What proves who the person is. Kept by the shell's token store, never in the database.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// For `Authorization: Bearer`.
    pub access_token: String,
    /// For the next refresh.
    pub refresh_token: String,
    /// When the access token expires, by the server's clock.
    pub expires_at: Timestamp,
}

// It holds secrets, so it prints without them.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session {{ expires_at: {}, .. }}", self.expires_at)
    }
}
