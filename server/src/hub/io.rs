//! What goes into the hub and what comes out of it.

use std::fmt;
use std::sync::Arc;

use innsync_domain::{Person, Timestamp, Uuid};
use innsync_protocol::{CloseCode, Cursor, PropertyInfo, SyncAnswer};

use crate::authority::Committed;

/// A frame's text; cloning it copies no text.
pub type Text = axum::extract::ws::Utf8Bytes;

/// One socket. The driver numbers them, and uses no number twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// Which of the two protocols a socket speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKind {
    /// It offered the subprotocol [`innsync_protocol::SUBPROTOCOL`].
    InnSync,
    /// Any other: the seed's typed events.
    Seed,
}

/// The clocks, as the driver has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The wall clock; may jump.
    pub wall: Timestamp,
    /// Milliseconds of a clock that never jumps, from any start.
    pub mono_ms: u64,
}

/// What a good token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFacts {
    /// Where it is good.
    pub property: Arc<str>,
    /// Whose it is.
    pub employee: Uuid,
    /// The sign-in that it came from.
    pub session: Uuid,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// A socket whose token was good.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Which one.
    pub conn: ConnId,
    /// What it speaks.
    pub kind: ClientKind,
    /// The property, as CONNECTED tells it.
    pub property: PropertyInfo,
    /// Who is there, as the ledger had them at `head`.
    pub viewer: Person,
    /// The property's head when `viewer` was read (before it, to be safe).
    pub head: Cursor,
    /// What its token says.
    pub token: TokenFacts,
}

/// An access token on its way to be checked; prints without it.
#[derive(Clone, PartialEq, Eq)]
pub struct Unchecked(pub String);

impl fmt::Debug for Unchecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unchecked(..)")
    }
}

/// Something happened.
// A commit is larger than the rest; inputs are moved once and never stored.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub enum HubInput {
    /// A socket was opened, and its token is good.
    Opened(Box<Opened>),
    /// A text frame came.
    Text {
        /// On which socket.
        conn: ConnId,
        /// What it says.
        text: Text,
    },
    /// A binary frame came, which nobody should send.
    Binary {
        /// On which socket.
        conn: ConnId,
    },
    /// A ping or pong came: a sign of life.
    Alive {
        /// On which socket.
        conn: ConnId,
    },
    /// A frame over [`innsync_protocol::limits::FRAME_BYTES`] came.
    Oversize {
        /// On which socket.
        conn: ConnId,
    },
    /// More waits for a socket than [`innsync_protocol::limits::QUEUED_FRAMES`] or `QUEUED_BYTES`.
    Overflowed {
        /// Which one.
        conn: ConnId,
    },
    /// A socket is gone.
    Closed {
        /// Which one.
        conn: ConnId,
    },
    /// The authority committed something. In the order of commits for each property.
    Committed(Committed),
    /// The answer to [`HubOutput::CatchUp`].
    CaughtUp {
        /// For which socket.
        conn: ConnId,
        /// The question's ticket.
        ticket: u64,
        /// What the ledger says; `None` where it could not be read.
        answer: Option<SyncAnswer>,
    },
    /// The answer to [`HubOutput::CheckToken`].
    TokenChecked {
        /// For which socket.
        conn: ConnId,
        /// What the token says; `None`: it is not good.
        facts: Option<TokenFacts>,
    },
    /// Somebody signed out: sockets of that sign-in are closed.
    SessionEnded {
        /// The sign-in.
        session: Uuid,
    },
    /// The server stops: everybody is sent away, politely.
    Drain,
    /// Time has passed; to be fed every second or so.
    Tick,
}

/// Something is to be done. Outputs for one socket are in the order of its frames.
#[derive(Debug, Clone, PartialEq)]
pub enum HubOutput {
    /// A frame is to be sent.
    Send {
        /// On which socket.
        conn: ConnId,
        /// What it says.
        text: Text,
    },
    /// A socket is to be closed, after what was sent before. The hub has forgotten it already.
    Close {
        /// Which one.
        conn: ConnId,
        /// With which code.
        code: CloseCode,
        /// And why, in English.
        reason: &'static str,
    },
    /// `Reader::catch_up` is to be asked; [`HubInput::CaughtUp`] answers.
    CatchUp {
        /// For which socket.
        conn: ConnId,
        /// Stands in the answer.
        ticket: u64,
        /// Which feed.
        property: Arc<str>,
        /// Who looks.
        viewer: Uuid,
        /// From where on.
        cursor: Cursor,
        /// Operations whose outcomes are wanted.
        pending: Vec<Uuid>,
    },
    /// An access token is to be checked; [`HubInput::TokenChecked`] answers.
    CheckToken {
        /// For which socket.
        conn: ConnId,
        /// The token.
        token: Unchecked,
    },
}
