//! The phone's SQLite: what a person sees, what of it is not yet confirmed, and what must still be told to them.
//!
//! [`Store`] is the one writer. It hands the engine what it reads ([`StoreRead`](innsync_engine::StoreRead)) and commits
//! its batches, each in one transaction; [`Store::commit`] says which shown rows changed, so that live queries know
//! whether they are concerned. [`Reader`]s are for screens: connections of their own that never wait for the writer.
//!
//! ```text
//!  shown rows    suites, tasks, employees, notes, …     one column for each field, `extra` for those of newer releases
//!  base          the server's state beneath pending operations
//!  outbox        the pending operations        effects   what to show or sound, once
//!  stage_*       a snapshot on its way in      meta      cursor and the like
//!  quarantine    what could not be read
//! ```
//!
//! No SQLite lock that keeps others from writing is held between calls. Nothing that cannot be opened or read is ever
//! deleted.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod column;
mod database;
#[cfg(test)]
mod disk_tests;
mod engine_reads;
mod error;
mod migrate;
mod open;
mod quarantine;
mod query;
mod reader;
mod store;
mod table;
mod write;

pub use error::OpenError;
pub use migrate::FORMAT;
pub use quarantine::Quarantined;
pub use query::{Order, Query, Word};
pub use reader::{Reader, View};
pub use store::{Store, WriteSet};
