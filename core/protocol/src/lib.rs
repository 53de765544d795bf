//! The wire of InnSync: WebSocket frames, operations and their outcomes, the feed, the snapshot, REST bodies, close codes
//! and limits. Pure types with their JSON; no sockets. `docs/protocol.md` tells the same in prose, with an example of each.
//!
//! Wire types are named in this crate alone.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cursor;
mod digest;
mod feed;
mod frame;
mod hint;
pub mod limits;
mod op;
mod problem;
mod rest;
mod snapshot;

pub use cursor::{Cursor, Mark};
pub use digest::Digest;
pub use feed::{Commit, Delta, Reset, ResetReason, SyncAnswer};
pub use frame::{ClientFrame, CloseCode, Connected, FrameError, HeartbeatAck, Resume, ServerFrame};
pub use hint::PushHint;
pub use op::{Deleted, EntityRow, IntentTime, Op, OpOutcome, OpResult, PushAnswer, PushRequest};
pub use problem::{PROBLEM_JSON, Problem};
pub use rest::{PropertyInfo, RefreshRequest, SessionAnswer, SessionRequest};
pub use snapshot::{SnapshotLine, SnapshotRequest, SnapshotResume, SnapshotStart};

/// The WebSocket subprotocol that an InnSync client offers; a socket without it is served the seed's typed events.
pub const SUBPROTOCOL: &str = "innsync.v1";

/// The version of operations and rows that this release writes.
pub const SCHEMA: u32 = 1;
