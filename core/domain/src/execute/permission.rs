//! The permission table of the protocol, line by line. Each says yes or no of what the actor can see; transitions of
//! suites are in [`crate::transition`].

use crate::Uuid;
use crate::entity::{Alert, Note, Person, Task};
use crate::vocabulary::{Role, TaskStatus, TaskType};

/// create task: supervisor, manager: any; front desk: any unassigned; others: MAINTENANCE or GENERAL, unassigned.
/// Emergencies have a line of their own, [`may_raise_emergency`].
pub(super) fn may_create_task(actor: &Person, task_type: &TaskType, assigned: bool) -> bool {
    match actor.role {
        Role::Supervisor | Role::Manager => true,
        Role::FrontDesk => !assigned,
        Role::Housekeeper | Role::Maintenance | Role::Other(_) => {
            !assigned && matches!(task_type, TaskType::Maintenance | TaskType::General)
        }
    }
}

/// raise an emergency: anyone on duty; supervisors and managers off duty, too.
pub(super) fn may_raise_emergency(actor: &Person) -> bool {
    actor.is_on_duty || actor.role.directs()
}

/// assign, cancel, reopen: supervisor, manager.
pub(super) fn may_direct(actor: &Person) -> bool {
    actor.role.directs()
}

/// take: anyone (on duty) in its department; a task without one is everybody's.
pub(super) fn is_of_department(actor: &Person, task: &Task) -> bool {
    task.department.as_ref().is_none_or(|department| *department == actor.department)
}

/// start, complete, release: the assignee, supervisor, manager.
pub(super) fn may_work_on(actor: &Person, task: &Task) -> bool {
    task.assigned_to == Some(actor.id) || actor.role.directs()
}

/// edit task: supervisor, manager; its creator while PENDING.
pub(super) fn may_edit_task(actor: &Person, task: &Task) -> bool {
    actor.role.directs() || (task.created_by == actor.id && task.status == TaskStatus::Pending)
}

/// create, edit, delete suite; delete task; create, edit, delete employee: manager.
pub(super) fn may_manage(actor: &Person) -> bool {
    actor.role == Role::Manager
}

/// edit, delete note: author, supervisor, manager.
pub(super) fn may_edit_note(actor: &Person, note: &Note) -> bool {
    note.created_by == actor.id || actor.role.directs()
}

/// duty and status: oneself; supervisor, manager: anyone.
pub(super) fn may_set_duty(actor: &Person, employee: Uuid) -> bool {
    employee == actor.id || actor.role.directs()
}

/// resolve an emergency: raiser, supervisor, manager.
pub(super) fn may_resolve(actor: &Person, alert: &Alert) -> bool {
    alert.raised_by == actor.id || actor.role.directs()
}
