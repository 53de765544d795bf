//! What InnSync is about, in one pure crate: the things a motel has, what people may do with them, what follows
//! from it, and who sees what.
//!
//! Everything a person does is a [`Command`]. [`execute`] says what it changes or why not, on the phone (to predict) and
//! on the server (to decide) alike; [`react`] adds what only the server can know (whom to notify). [`project`] says what
//! of a change a person may see, and [`derive()`] turns what they see into the typed events that shells and other clients
//! listen for.
//!
//! Nothing here knows a clock, a random source, a disk or a network: times and ids come in by argument, so the same
//! call gives the same bytes everywhere.

#![cfg_attr(test, allow(clippy::unwrap_used))]
// A refusal is read by a person and an entity is moved once or twice: boxing either would cost every caller more than
// it saves.
#![allow(clippy::result_large_err, clippy::large_enum_variant)]

mod command;
mod conflict;
mod entity;
mod event;
mod execute;
pub mod limits;
pub mod mutant;
mod policy;
mod react;
mod read;
mod rejection;
pub mod text;
mod time;
mod transition;
mod undo;
mod visibility;
mod vocabulary;

pub use command::{Command, EmployeePatch, NotePatch, SuitePatch, TaskPatch, conflict_id};
pub use conflict::{
    Dispute, Edit, FieldConflict, Intent, Lost, Parked, Ruling, Settles, Stamp, Stamps, Taken,
    against_deleted, decide, dispute, overridden, stamps_of,
};
pub use entity::{
    Acknowledgement, Alert, Announcement, Audience, Comment, Conflict, Employee, Entity, EntityKind,
    EntityRef, Fields, Note, Notification, Person, Shift, Suite, Task,
};
pub use event::{Event, derive};
pub use execute::{Effects, Stop, execute, records};
pub use policy::{Policies, Policy, PolicyError};
pub use react::{Directory, react};
pub use read::{Change, Context, Lookup, Read, ReadError, Skipped};
pub use rejection::{ErrorClass, Reason, Rejection};
pub use time::{ParseTimestampError, Timestamp};
pub use transition::{suite_transition_allowed, task_transition_allowed};
pub use undo::{inverse, task_steps};
pub use uuid::Uuid;
pub use visibility::{ViewChange, may_see, project, redact};
pub use vocabulary::{
    AnnouncementPriority, Department, EmployeeStatus, NotificationPriority, NotificationType, Priority, Role,
    Severity, SuiteStatus, TaskStatus, TaskType,
};

/// The id of something that a rule creates in consequence of an operation: the same on every phone and on the server.
///
/// A version 5 UUID (RFC 9562 §5.5) of `name` in the namespace of the operation's id.
pub fn derived_id(operation: Uuid, name: &str) -> Uuid {
    Uuid::new_v5(&operation, name.as_bytes())
}
