//! SQLite on a disk that fails.
//!
//! A [`Disk`] is a folder. Databases in it are real files, with SQLite's own locks, write-ahead log and shared memory: a
//! shim over the platform's file system ([`install`]) counts every operation on them, lets planned ones fail, and keeps
//! in mind what a power loss would take away.
//!
//! ```text
//!   SQLite ──▶ shim (vfs.rs) ──▶ the platform's own file system ──▶ real files in the folder
//!                 │  counts, fails as planned (disk.rs)
//!                 └─ what is durable, and what was written since the last sync (media.rs)
//! ```
//!
//! - **A process dies** ([`Fault::Crash`], [`Disk::crash`]): every further operation fails until [`Disk::restart`]. What was
//!   written is there, synced or not; of the write that it died in, a part.
//! - **The power fails** ([`Disk::power_loss`]): of what was written and not synced, some is there, some is not, some is
//!   torn, as the seed says. See [`Disk::power_loss`] for what is taken for granted.
//! - **An operation fails**: [`Fault::Io`], [`Fault::Full`], [`Fault::Busy`].
//!
//! Nothing is truly synced, so tests are quick and the machine's own disk has no say. Nor does SQLite sleep, look at the
//! clock or ask the system for randomness: it gets virtual time, and numbers from a seed ([`seed_sqlite`]).
//!
//! SQLite's generator of random numbers is one for the whole process: runs that must be equal to the byte are made one
//! after another, and parallel ones in processes of their own. The kinds and order of operations do not depend on it.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod disk;
mod media;
mod vfs;

pub use disk::{Disk, DiskError, Fault, Kind, Planned, Strike};
pub use vfs::{install, seed_sqlite};
