//! Tasks: creating, editing, deleting. Their states are in `task_state.rs`.

use crate::Uuid;
use crate::command::{Command, TaskPatch};
use crate::entity::{Employee, EntityKind, EntityRef, Fields, Person, Task};
use crate::execute::scratch::Found;
use crate::execute::{Scratch, Stop, alert, check, cleaning, permission};
use crate::limits;
use crate::rejection::Rejection;
use crate::vocabulary::{Priority, TaskStatus, TaskType};

pub(super) fn reference(id: Uuid) -> EntityRef {
    EntityRef::new(EntityKind::Task, id)
}

/// Creates a task, or raises an emergency: the same thing but for who may. The alert is the server's, see
/// [`crate::react`].
pub(super) fn create(s: &mut Scratch<'_>, command: &Command) -> Result<(), Stop> {
    let Some(mut task) = draft(s, command)? else { return Ok(()) };
    may_create(s.actor(), &task)?;
    check::title("title", &task.title)?;
    check::length("description", &task.description, limits::TEXT_CHARS)?;
    if task.task_type == TaskType::Emergency {
        task.priority = Priority::Emergency;
    }
    check_priority(&task)?;
    s.fresh::<Task>(task.id)?;
    if let Some(suite) = task.suite_id {
        check::suite_exists(s, suite)?;
    }
    if let Some(assignee) = task.assigned_to {
        employee_exists(s, "assignedTo", assignee)?;
    }
    s.put(task.clone())?;
    cleaning::follow(s, None, Some(&task))
}

/// The task as the command has it, unchecked but for values of a newer release.
fn draft(s: &Scratch<'_>, command: &Command) -> Result<Option<Task>, Rejection> {
    let (at, by) = (s.context().at, s.actor().id);
    let blank = |id: Uuid, title: &str, description: &str, task_type: &TaskType| Task {
        id,
        title: title.to_owned(),
        description: description.to_owned(),
        task_type: task_type.clone(),
        priority: Priority::Emergency,
        status: TaskStatus::Pending,
        suite_id: None,
        assigned_to: None,
        department: task_type.department(),
        due_at: None,
        created_by: by,
        created_at: at,
        version: 0,
        updated_at: at,
        updated_by: by,
        extra: Fields::new(),
    };
    Ok(match command {
        Command::CreateTask {
            task_id,
            title,
            description,
            task_type,
            priority,
            suite_id,
            assigned_to,
            due_at,
            severity,
        } => {
            check::known("taskType", task_type.as_str(), task_type.is_known())?;
            check::known("priority", priority.as_str(), priority.is_known())?;
            if let Some(severity) = severity {
                check::known("severity", severity.as_str(), severity.is_known())?;
            }
            Some(Task {
                priority: priority.clone(),
                suite_id: *suite_id,
                assigned_to: *assigned_to,
                due_at: *due_at,
                ..blank(*task_id, title, description, task_type)
            })
        }
        Command::RaiseEmergency { task_id, title, description, severity, suite_id } => {
            check::known("severity", severity.as_str(), severity.is_known())?;
            Some(Task { suite_id: *suite_id, ..blank(*task_id, title, description, &TaskType::Emergency) })
        }
        _ => None,
    })
}

fn may_create(actor: &Person, task: &Task) -> Result<(), Rejection> {
    let assigned = task.assigned_to.is_some();
    if task.task_type == TaskType::Emergency {
        if !permission::may_raise_emergency(actor) {
            let message = "Go on duty to raise an emergency, or call a manager.";
            return Err(check::not_on_duty(reference(task.id), message));
        }
        let message = "Only a supervisor or manager may assign tasks; leave it unassigned.";
        return check::permitted(!assigned || permission::may_direct(actor), reference(task.id), message);
    }
    let message = "Your role may report MAINTENANCE or GENERAL tasks and the front desk any, unassigned; ask a supervisor.";
    check::permitted(
        permission::may_create_task(actor, &task.task_type, assigned),
        reference(task.id),
        message,
    )
}

/// EMERGENCY tasks, and they alone, have the priority EMERGENCY.
fn check_priority(task: &Task) -> Result<(), Rejection> {
    match (task.task_type == TaskType::Emergency, task.priority == Priority::Emergency) {
        (true, false) => Err(check::invalid("priority", "An emergency keeps the priority EMERGENCY.")),
        (false, true) => {
            Err(check::invalid("priority", "EMERGENCY is for emergencies; raise one, or choose URGENT."))
        }
        (true, true) | (false, false) => Ok(()),
    }
}

/// Somebody who shall do a task: they must not be missing for certain.
pub(super) fn employee_exists(s: &mut Scratch<'_>, field: &str, id: Uuid) -> Result<(), Stop> {
    match s.find::<Employee>(id)? {
        Found::Absent => Err(check::invalid(field, "There is no such person; choose another.").into()),
        Found::Known(_) | Found::Unknown => Ok(()),
    }
}

/// Changes what a task says.
pub(super) fn edit(s: &mut Scratch<'_>, id: Uuid, patch: &TaskPatch) -> Result<(), Stop> {
    let before = s.primary::<Task>(id)?;
    let message = "Only its creator while it is PENDING, a supervisor or a manager may edit a task.";
    check::permitted(permission::may_edit_task(s.actor(), &before), reference(id), message)?;
    let mut after = before.clone();
    if let Some(task_type) = &patch.task_type {
        retype(s.actor(), &mut after, task_type)?;
    }
    if let Some(priority) = &patch.priority {
        check::known("priority", priority.as_str(), priority.is_known())?;
        after.priority = priority.clone();
        check_priority(&after)?;
    }
    if let Some(title) = &patch.title {
        check::title("title", title)?;
        after.title.clone_from(title);
    }
    if let Some(description) = &patch.description {
        check::length("description", description, limits::TEXT_CHARS)?;
        after.description.clone_from(description);
    }
    if let Some(suite) = patch.suite_id {
        if let Some(suite) = suite.filter(|_| suite != before.suite_id) {
            check::suite_exists(s, suite)?;
        }
        after.suite_id = suite;
    }
    if let Some(due_at) = patch.due_at {
        after.due_at = due_at;
    }
    s.put(after.clone())?;
    cleaning::follow(s, Some(&before), Some(&after))
}

/// Changes the type, and with it the department. Nobody retypes a task to what they might not have created.
fn retype(actor: &Person, task: &mut Task, task_type: &TaskType) -> Result<(), Rejection> {
    check::known("type", task_type.as_str(), task_type.is_known())?;
    if task.task_type == *task_type {
        return Ok(());
    }
    if task.task_type == TaskType::Emergency || *task_type == TaskType::Emergency {
        let message = "A task cannot become an emergency or cease to be one; raise one, or cancel it.";
        return Err(check::invalid("type", message));
    }
    let message = format!("Your role does not create {task_type} tasks; ask a supervisor.");
    check::permitted(permission::may_create_task(actor, task_type, false), reference(task.id), &message)?;
    task.task_type = task_type.clone();
    task.department = task_type.department();
    Ok(())
}

/// Removes a task; its suite no longer waits for it, its alert is over.
pub(super) fn delete(s: &mut Scratch<'_>, id: Uuid) -> Result<(), Stop> {
    let task = s.primary::<Task>(id)?;
    check::permitted(permission::may_manage(s.actor()), reference(id), "Only a manager may delete tasks.")?;
    s.remove(reference(id))?;
    cleaning::follow(s, Some(&task), None)?;
    if task.status.is_open() { alert::end_with_task(s, &task) } else { Ok(()) }
}
