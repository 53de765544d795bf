//! What a command does: the rules of the house, the same on a phone (to predict) and on the server (to decide).
//!
//! Every command goes the same way: its primary entity must be visible to the actor (else NOT_FOUND, or
//! [`Stop::Unknown`] where this reader cannot tell), the actor must be allowed to do it (else FORBIDDEN), the state must
//! allow it (else ILLEGAL_TRANSITION and the like). Then come the consequences elsewhere; where their guard does not
//! hold they are left out and reported in [`Effects::skipped`].
//!
//! What is already as the command wants it gives no change and no refusal.

mod alert;
mod check;
mod cleaning;
mod conflict;
mod employee;
mod news;
mod note;
mod permission;
mod scratch;
mod suite;
mod task;
mod task_state;

use crate::command::Command;
use crate::entity::EntityRef;
use crate::read::{Change, Context, Read, ReadError, Skipped};
use crate::rejection::Rejection;

pub(crate) use alert::alert_ids;
pub use conflict::records;
pub(crate) use scratch::Scratch;
pub(crate) use task_state::unassign;

/// What a command does, and what it looked at to know.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Effects {
    /// What changes, the primary entity first. New entities have version 0, others the version they had; the authority
    /// writes the true one with [`Change::stamp`].
    pub changes: Vec<Change>,
    /// The footprint: every entity that was read or written, each once, in the order of the first touch.
    pub reads: Vec<EntityRef>,
    /// Consequences that were left out because their guard did not hold.
    pub skipped: Vec<Skipped>,
}

/// Why a command has no effects.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Stop {
    /// The rules refuse it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// It is about an entity that this reader does not see: only the server can tell.
    #[error("{} {} is not visible here; only the server can tell", .0.kind, .0.id)]
    Unknown(EntityRef),
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] ReadError),
}

/// Says what `command` does in the world that `read` shows, or why not. Pure: the same arguments give the same effects.
pub fn execute(command: &Command, context: &Context<'_>, read: &dyn Read) -> Result<Effects, Stop> {
    let mut scratch = Scratch::new(context, read);
    run(&mut scratch, command)?;
    Ok(scratch.finish())
}

fn run(s: &mut Scratch<'_>, command: &Command) -> Result<(), Stop> {
    match command {
        Command::CreateSuite { suite_id, suite_number, floor, status } => {
            suite::create(s, *suite_id, suite_number, *floor, status)
        }
        Command::EditSuite { suite_id, patch } => suite::edit(s, *suite_id, patch),
        Command::SetSuiteStatus { suite_id, status } => suite::set_status(s, *suite_id, status),
        Command::DeleteSuite { suite_id } => suite::delete(s, *suite_id),

        Command::CreateTask { .. } | Command::RaiseEmergency { .. } => task::create(s, command),
        Command::EditTask { task_id, patch } => task::edit(s, *task_id, patch),
        Command::DeleteTask { task_id } => task::delete(s, *task_id),
        Command::AssignTask { task_id, assignee } => task_state::assign(s, *task_id, *assignee),
        Command::TakeTask { task_id } => task_state::take(s, *task_id),
        Command::StartTask { task_id } => task_state::start(s, *task_id),
        Command::CompleteTask { task_id } => task_state::complete(s, *task_id),
        Command::ReleaseTask { task_id } => task_state::release(s, *task_id),
        Command::ReopenTask { task_id } => task_state::reopen(s, *task_id),
        Command::CancelTask { task_id } => task_state::cancel(s, *task_id),

        Command::CreateNote { .. } => note::create(s, command),
        Command::EditNote { note_id, patch } => note::edit(s, *note_id, patch),
        Command::DeleteNote { note_id } => note::delete(s, *note_id),
        Command::AddComment { note_id, comment_id, text } => note::comment(s, *note_id, *comment_id, text),

        Command::CreateEmployee { employee_id, name, role, department } => {
            employee::create(s, *employee_id, name, role, department)
        }
        Command::EditEmployee { employee_id, patch } => employee::edit(s, *employee_id, patch),
        Command::DeleteEmployee { employee_id } => employee::delete(s, *employee_id),
        Command::SetDuty { employee_id, is_on_duty } => employee::set_duty(s, *employee_id, *is_on_duty),
        Command::SetEmployeeStatus { employee_id, status } => employee::set_status(s, *employee_id, status),

        Command::AcknowledgeAlert { alert_id } => alert::acknowledge(s, *alert_id),
        Command::ResolveAlert { alert_id } => alert::resolve(s, *alert_id),

        Command::Announce { .. } => news::announce(s, command),
        Command::ChangeShift { .. } => news::change_shift(s, command),
        Command::MarkRead { notification_ids } => news::mark_read(s, notification_ids),

        Command::RestoreValue { .. } => conflict::restore(s, command),
        Command::KeepTheirs { .. } => conflict::keep_theirs(s, command),
        Command::DismissConflicts { conflict_ids } => conflict::dismiss(s, conflict_ids),
    }
}
