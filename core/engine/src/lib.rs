//! The phone's sync engine as one deterministic state machine without I/O: connection, heartbeat, backoff, catch-up,
//! snapshot, outbox, overlay, and what must be told to a person.
//!
//! ```text
//!            input, now                 batch                      outputs
//!  driver ───────────────▶ prepare ───────────────▶ store ─ok─▶ apply ───────▶ sockets, HTTP, observers
//!                          (pure)                     └─failed─▶ Input::CommitFailed
//! ```
//!
//! [`Engine::prepare`] reads the store and says what shall be written and done; the driver commits the batch in one
//! transaction; [`Engine::apply`] cannot fail; only then do frames leave and screens change: disk ≥ memory ≥ wire ≥
//! screen. Time comes by argument and randomness lives in the state, so a run replays to the byte.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod barrier;
mod clock;
mod commands;
mod connection;
mod diagnosis;
mod draft;
mod effects;
mod engine;
mod explain;
mod feed;
mod frames;
mod http;
mod input;
mod lanes;
pub mod limits;
mod link;
mod notices;
mod outbox;
mod output;
mod overlay;
mod predict;
mod push;
mod queue;
mod random;
mod record;
mod replay;
mod rest;
mod results;
mod session;
mod settle;
mod snapshot;
mod state;
mod status;
mod step;
mod store;
mod undo;
mod verify;

pub use clock::Now;
pub use diagnosis::{Diagnosis, NextDeadline, Parked, Waiting};
pub use engine::{Config, Engine, EngineError, Step};
pub use innsync_protocol::Digest;
pub use input::{HttpAnswer, HttpFailure, Input, Session, SocketEvent};
pub use outbox::{Discarded, Footprint, OpState, ParkReason, QueuedOp, Receipt, Undoable};
pub use output::{ClientEvent, Effect, EffectBody, HttpRequest, Output, Secret, SignInReason, ToastLevel};
pub use random::backoff_bound;
pub use record::{redacted, redacted_detail};
pub use rest::{Rest, Unfinished};
pub use settle::Settlement;
pub use status::{ConnectionState, Progress, SyncStatus};
pub use store::{Batch, Meta, StoreError, StoreRead, Write};
pub use verify::verify;
