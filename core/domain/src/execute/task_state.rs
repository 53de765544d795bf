//! Tasks: whose they are and how far they have come. IN_PROGRESS implies assigned.

use crate::Uuid;
use crate::entity::{Employee, EntityKind, EntityRef, Task};
use crate::execute::scratch::Found;
use crate::execute::task::{employee_exists, reference};
use crate::execute::{Scratch, Stop, alert, check, cleaning, permission};
use crate::rejection::{Reason, Rejection};
use crate::transition::task_transition_allowed;
use crate::visibility::may_see;
use crate::vocabulary::TaskStatus;

/// Gives an open task to somebody. Work that another had begun is pending again.
pub(super) fn assign(s: &mut Scratch<'_>, id: Uuid, assignee: Uuid) -> Result<(), Stop> {
    let before = s.primary::<Task>(id)?;
    directing(s, id, "Only a supervisor or manager may assign tasks.")?;
    if before.assigned_to == Some(assignee) {
        return Ok(());
    }
    if !before.status.is_open() {
        return Err(closed(&before, "assigned").into());
    }
    employee_exists(s, "assignee", assignee)?;
    let after = Task { assigned_to: Some(assignee), status: TaskStatus::Pending, ..before.clone() };
    update(s, &before, after)
}

/// Takes an unassigned task of one's department for oneself.
///
/// A task that is gone to somebody else meanwhile is ALREADY_TAKEN even where it is now hidden: one could see it while
/// it was unassigned, and hears no more than that.
pub(super) fn take(s: &mut Scratch<'_>, id: Uuid) -> Result<(), Stop> {
    let actor = s.actor();
    let before = match s.find::<Task>(id)? {
        Found::Known(task) => task,
        Found::Absent => return Err(check::not_found(reference(id)).into()),
        Found::Unknown => return Err(Stop::Unknown(reference(id))),
    };
    let unassigned = Task { assigned_to: None, ..before.clone() };
    if !may_see(&before.clone().into(), actor) && !may_see(&unassigned.into(), actor) {
        return Err(check::not_found(reference(id)).into());
    }
    if before.assigned_to == Some(actor.id) {
        return Ok(());
    }
    let message = "Tasks are taken by people of their department; ask a supervisor.";
    check::permitted(permission::is_of_department(actor, &before), reference(id), message)?;
    if !actor.is_on_duty {
        return Err(check::not_on_duty(reference(id), "Go on duty to take tasks.").into());
    }
    if before.assigned_to.is_some() {
        let message = "Somebody else has already taken this task.";
        return Err(Rejection::permanent(Reason::AlreadyTaken, message).about(reference(id)).into());
    }
    if !before.status.is_open() {
        return Err(closed(&before, "taken").into());
    }
    let after = Task { assigned_to: Some(actor.id), ..before.clone() };
    update(s, &before, after)
}

/// Begins the work. An unassigned task becomes the starter's (a supervisor's or manager's).
pub(super) fn start(s: &mut Scratch<'_>, id: Uuid) -> Result<(), Stop> {
    let before = s.primary::<Task>(id)?;
    working(s, &before, "start")?;
    let assigned_to = before.assigned_to.or(Some(s.actor().id));
    step(s, &before, Task { assigned_to, status: TaskStatus::InProgress, ..before.clone() })
}

/// Reports the work done.
pub(super) fn complete(s: &mut Scratch<'_>, id: Uuid) -> Result<(), Stop> {
    let before = s.primary::<Task>(id)?;
    working(s, &before, "complete")?;
    step(s, &before, Task { status: TaskStatus::Completed, ..before.clone() })
}

/// Calls a task off.
pub(super) fn cancel(s: &mut Scratch<'_>, id: Uuid) -> Result<(), Stop> {
    let before = s.primary::<Task>(id)?;
    directing(s, id, "Only a supervisor or manager may cancel tasks.")?;
    step(s, &before, Task { status: TaskStatus::Cancelled, ..before.clone() })
}

/// Gives an open task back: unassigned and pending again.
pub(super) fn release(s: &mut Scratch<'_>, id: Uuid) -> Result<(), Stop> {
    let before = s.primary::<Task>(id)?;
    working(s, &before, "release")?;
    if !before.status.is_open() {
        return Err(closed(&before, "released").into());
    }
    unassign(s, &before)
}

/// Makes a completed or cancelled task pending again, for whoever had it; if they have left the staff, for anyone.
pub(super) fn reopen(s: &mut Scratch<'_>, id: Uuid) -> Result<(), Stop> {
    let before = s.primary::<Task>(id)?;
    directing(s, id, "Only a supervisor or manager may reopen tasks.")?;
    match before.status {
        TaskStatus::Pending => return Ok(()),
        TaskStatus::Completed | TaskStatus::Cancelled => {}
        TaskStatus::InProgress | TaskStatus::Other(_) => {
            let message =
                format!("The task is {}; only completed or cancelled ones are reopened.", before.status);
            return Err(check::illegal(reference(id), message).into());
        }
    }
    let mut after = Task { status: TaskStatus::Pending, ..before.clone() };
    if let Some(assignee) = before.assigned_to
        && let Found::Absent = s.find::<Employee>(assignee)?
    {
        after.assigned_to = None;
    }
    update(s, &before, after)
}

/// Makes an open task nobody's and pending.
pub(crate) fn unassign(s: &mut Scratch<'_>, before: &Task) -> Result<(), Stop> {
    update(s, before, Task { assigned_to: None, status: TaskStatus::Pending, ..before.clone() })
}

/// A step along the table of transitions; no step where it is already there.
fn step(s: &mut Scratch<'_>, before: &Task, after: Task) -> Result<(), Stop> {
    if before.status == after.status {
        return Ok(());
    }
    if !task_transition_allowed(&before.status, &after.status) {
        let message =
            format!("The task is {} and cannot become {}; reopen it first.", before.status, after.status);
        return Err(check::illegal(reference(before.id), message).into());
    }
    update(s, before, after)
}

/// Writes the task and what follows from it: the suite of a cleaning, the alert of an emergency.
fn update(s: &mut Scratch<'_>, before: &Task, after: Task) -> Result<(), Stop> {
    s.put(after.clone())?;
    cleaning::follow(s, Some(before), Some(&after))?;
    if before.status.is_open() && !after.status.is_open() { alert::end_with_task(s, &after) } else { Ok(()) }
}

fn directing(s: &Scratch<'_>, id: Uuid, message: &str) -> Result<(), Rejection> {
    check::permitted(permission::may_direct(s.actor()), EntityRef::new(EntityKind::Task, id), message)
}

fn working(s: &Scratch<'_>, task: &Task, what: &str) -> Result<(), Rejection> {
    let message = format!("Only its assignee, a supervisor or a manager may {what} a task.");
    check::permitted(permission::may_work_on(s.actor(), task), reference(task.id), &message)
}

fn closed(task: &Task, what: &str) -> Rejection {
    let message = format!("The task is {} and cannot be {what}; reopen it first.", task.status);
    check::illegal(reference(task.id), message)
}
