//! One socket, as the hub knows it.

use innsync_domain::{Person, Timestamp};
use innsync_protocol::{Cursor, HeartbeatAck, Mark, ServerFrame};

use super::io::{ClientKind, Now, Text, TokenFacts};

/// How far an InnSync connection is with its feed.
///
/// ```text
///             RESUME                    last answer
///  Waiting ───────────▶ CatchingUp ───────────────▶ Live
///     ▲                     │  ▲ a little more        │
///     └──── RESET ──────────┴──┴───── RESET ──────────┘
/// ```
#[derive(Debug)]
pub(super) enum Flow {
    /// Before RESUME, or after RESET: nothing of the feed is sent. The seed's sockets stay here.
    Waiting,
    /// The ledger is asked. Commits that come by meanwhile are in its answer, or in the next.
    CatchingUp {
        /// Of the question.
        ticket: u64,
        /// When a heartbeat came that is yet to be answered, by the clock that never jumps.
        owed_ack: Option<u64>,
    },
    /// All commits up to here were sent, as far as the viewer may see them.
    Live {
        /// The end of the last cursor-bearing frame.
        at: Cursor,
    },
}

/// One socket.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) kind: ClientKind,
    pub(super) viewer: Person,
    /// Commits up to this one were there before it.
    pub(super) since: u64,
    pub(super) token: TokenFacts,
    /// When the last frame came, by the clock that never jumps.
    pub(super) heard_ms: u64,
    pub(super) flow: Flow,
}

impl Conn {
    /// Whether the connection's token has been out of date for longer than `grace_ms`.
    pub(super) fn is_expired(&self, now: Timestamp, grace_ms: i64) -> bool {
        now > self.token.expires_at.plus_millis(grace_ms)
    }
}

/// A HEARTBEAT_ACK for a range.
pub(super) fn ack(now: Now, from: u64, to: Cursor) -> Text {
    let Cursor { epoch, seq, mark } = to;
    let timestamp = now.wall.as_millis();
    ServerFrame::HeartbeatAck(HeartbeatAck { timestamp, epoch, from, to: seq, mark }).to_json().into()
}

/// A HEARTBEAT_ACK that says "I hear you" and nothing of the feed: its empty range ends before every commit, so it moves
/// no phone's cursor.
pub(super) fn bare_ack(now: Now, epoch: u64) -> Text {
    ack(now, 0, Cursor { epoch, seq: 0, mark: Mark(0) })
}
