//! InnSync for applications: everything that a shell needs, behind one handle.
//!
//! ```no_run
//! # async fn shift() -> Result<(), innsync_client::Error> {
//! use innsync_client::{Command, Options};
//!
//! let options = Options::new("https://sync.example.com", "seaside", "ana", "/data/innsync");
//! let innsync = innsync_client::sign_in(options, "her password").await?;
//! innsync.connect();
//! for card in innsync.my_tasks().await?.tasks {
//!     innsync.execute(Command::CompleteTask { task_id: card.task.id }).await?; // saved on the phone; no network awaited
//! }
//! # Ok(()) }
//! ```
//!
//! # Life
//!
//! [`sign_in`] needs the network once; [`open`] reopens what is on the phone without it. One thread per handle owns
//! the engine and the database: it takes one input after the other, commits what follows from it, and only then lets
//! frames leave and observers hear. Sockets and HTTP run on a small runtime of the crate's own, so a handle works under
//! any executor and behind a foreign-function interface. Clones are the same handle; after the last one is dropped, or
//! [`InnSync::close`], the database is closed and can be opened again.
//!
//! A phone's app is taken to the background by [`InnSync::background`], which sends and fetches what it can within the time
//! that the platform gives and then closes the database; [`InnSync::resume`] takes it back, and [`InnSync::push_received`]
//! for as long as a push notification is worth.
//!
//! # What is told, and how
//!
//! Data comes by [`InnSync::live`] and [`InnSync::watch`], what happened by [`InnSync::on`] and [`InnSync::events`],
//! what must be shown or sounded by [`InnSync::effects`]. All streams are pulled, bounded, and stopped by a synchronous
//! `stop()`; see [`Stream`].
//!
//! # Log
//!
//! By `tracing`, or as a stream by [`log_lines`]. ERROR: a bug, with the id that the shell saw. WARN: something failed that goes on by itself. INFO: the
//! life of handle and connection. DEBUG: each request by path and status. Tokens, passwords, texts that people wrote
//! and frames are never logged at any level. [`InnSync::diagnostics`] has the last lines, where [`keep_log_lines`] was called.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod actor;
mod clock;
mod diff;
mod drivers;
mod error;
mod files;
mod handle;
mod live;
mod log;
mod mailbox;
mod opening;
mod options;
mod random;
mod screens;
mod session;
mod shared;
mod stores;
mod stream;
mod subscription;
mod topic;

pub use clock::{Clock, SystemClock};
pub use error::Error;
pub use handle::{Backgrounded, InnSync, Outcome, PendingWork, PushOutcome};
pub use live::{Change, LiveQuery, Update};
pub use log::{LogLevel, LogLine, keep_log_lines, log_lines};
pub use options::{Account, Options, accounts, open, sign_in};
pub use screens::{
    Choice, ConflictSheet, Conflicts, Dashboard, Emergency, Floor, Inbox, InboxItem, LostValue, MyTasks,
    Screen, SheetChoice, SheetField, SuiteBoard, SuiteCard, SyncLine, SyncState, TaskCard, Unassigned,
    Urgent,
};
pub use session::{FileSessions, MemorySessions, SessionError, SessionStore};
pub use stores::{Store, Stored, Stores};
pub use stream::{Batch, Stream};
pub use subscription::Subscription;

pub use innsync_domain::{
    self as domain, Command, Entity, EntityKind, EntityRef, Event, Rejection, Timestamp, Uuid,
};
pub use innsync_engine::{
    ClientEvent, ConnectionState, Discarded, Effect, EffectBody, Now, OpState, ParkReason, Progress,
    QueuedOp, Receipt, Session, Settlement, SignInReason, SyncStatus, ToastLevel, Undoable, Unfinished,
};
pub use innsync_protocol::Deleted;
pub use innsync_store::{Order, Query};
