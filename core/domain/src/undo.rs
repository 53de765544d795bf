//! Taking back what one just did, by commands that do the opposite. The rules hold for these as for any others: undo does
//! nothing that its person may not do by hand.

use serde_json::Value;

use crate::Uuid;
use crate::command::{Command, TaskPatch};
use crate::entity::{Employee, Entity, EntityRef, Fields, Person, Task};
use crate::vocabulary::{EmployeeStatus, TaskStatus, TaskType};

/// The commands that make of the primary entity what it was before `command` (`before`) out of what that made of it
/// (`after`), in order. `None`: there is no way back, as from a comment, an alarm or a deletion.
pub fn inverse(
    command: &Command,
    before: Option<&Entity>,
    after: Option<&Entity>,
    actor: &Person,
) -> Option<Vec<Command>> {
    match (before, after) {
        (None, Some(created)) => uncreate(command, created).map(|it| vec![it]),
        (Some(before), Some(after)) if is_plain_patch(command) => {
            unpatch(command, before, after).map(|it| vec![it])
        }
        (Some(Entity::Task(before)), Some(Entity::Task(after))) => task_back(before, after, actor),
        (Some(Entity::Employee(before)), Some(Entity::Employee(after))) => Some(employee_back(before, after)),
        (Some(Entity::Suite(before)), Some(Entity::Suite(after))) if before.status != after.status => {
            // The cleaning that came of it is not wanted any more.
            let opened = after.open_cleaning_task.filter(|_| before.open_cleaning_task.is_none());
            let cancel = opened.map(|task_id| Command::CancelTask { task_id });
            let back = Command::SetSuiteStatus { suite_id: before.id, status: before.status.clone() };
            Some(cancel.into_iter().chain([back]).collect())
        }
        _ => None,
    }
    .filter(|commands| !commands.is_empty())
}

/// Whether it is undone by a patch of the same fields: not where a value was restored by a step (a task's status).
fn is_plain_patch(command: &Command) -> bool {
    match command {
        Command::RestoreValue { entity_type, entity_id, field, value, .. } => {
            let entity = EntityRef::new(entity_type.clone(), *entity_id);
            Command::setting(&entity, field, value).is_some_and(|it| it.is_patch())
        }
        command => command.is_patch(),
    }
}

fn uncreate(command: &Command, created: &Entity) -> Option<Command> {
    match (command, created) {
        (Command::CreateSuite { suite_id, .. }, _) => Some(Command::DeleteSuite { suite_id: *suite_id }),
        // Everybody was alarmed.
        (Command::CreateTask { .. }, Entity::Task(task)) if task.task_type == TaskType::Emergency => None,
        (Command::CreateTask { task_id, .. }, _) => Some(Command::DeleteTask { task_id: *task_id }),
        (Command::CreateNote { note_id, .. }, _) => Some(Command::DeleteNote { note_id: *note_id }),
        (Command::CreateEmployee { employee_id, .. }, _) => {
            Some(Command::DeleteEmployee { employee_id: *employee_id })
        }
        _ => None,
    }
}

/// The same patch, with what the fields were; without those that it left as they were.
fn unpatch(command: &Command, before: &Entity, after: &Entity) -> Option<Command> {
    let was = |name: &str| before.field(name).unwrap_or(Value::Null);
    if let Command::RestoreValue { field, .. } = command {
        return Command::setting(&before.reference(), field, &was(field));
    }
    let named = command.named_fields();
    let (changed, left): (Vec<&String>, Vec<&String>) =
        named.iter().partition(|name| before.field(name) != after.field(name));
    let left: Vec<&str> = left.into_iter().map(String::as_str).collect();
    let command = if left.is_empty() { command.clone() } else { command.without_fields(&left)? };
    let values: Fields = changed.into_iter().map(|name| (name.clone(), was(name))).collect();
    command.with_values(&values)
}

fn employee_back(before: &Employee, after: &Employee) -> Vec<Command> {
    let employee_id = before.id;
    let mut commands = Vec::new();
    let mut status = after.status.clone();
    if before.is_on_duty != after.is_on_duty {
        commands.push(Command::SetDuty { employee_id, is_on_duty: before.is_on_duty });
        status = if before.is_on_duty { EmployeeStatus::Available } else { EmployeeStatus::OffDuty };
    }
    if before.status != status {
        commands.push(Command::SetEmployeeStatus { employee_id, status: before.status.clone() });
    }
    commands
}

fn task_back(before: &Task, after: &Task, actor: &Person) -> Option<Vec<Command>> {
    let task_id = before.id;
    let began = after.status == TaskStatus::InProgress && before.status == TaskStatus::Pending;
    if !began || after.assigned_to != before.assigned_to {
        let assignee = Some(before.assigned_to).filter(|was| *was != after.assigned_to);
        let status = Some(before.status.clone());
        return Some(task_steps(after, actor, TaskPatch::default(), assignee, status));
    }
    // Nobody has a task and has not begun it but by being given it.
    let given = match before.assigned_to? {
        me if me == actor.id && !actor.role.directs() => Command::TakeTask { task_id },
        assignee => Command::AssignTask { task_id, assignee },
    };
    Some(vec![Command::ReleaseTask { task_id }, given])
}

/// The commands that make of a task what somebody wants of it: reopen it, edit it, give it to somebody, go on with it.
/// `assignee`, `target`: `None` leaves it as it is.
pub fn task_steps(
    current: &Task,
    actor: &Person,
    patch: TaskPatch,
    assignee: Option<Option<Uuid>>,
    target: Option<TaskStatus>,
) -> Vec<Command> {
    let task_id = current.id;
    let mut status = current.status.clone();
    let mut commands = Vec::new();
    if !status.is_open() && target.as_ref().is_some_and(|target| *target != status) {
        commands.push(Command::ReopenTask { task_id });
        status = TaskStatus::Pending;
    }
    if patch != TaskPatch::default() {
        commands.push(Command::EditTask { task_id, patch });
    }
    match assignee.filter(|assignee| *assignee != current.assigned_to) {
        Some(None) => commands.push(Command::ReleaseTask { task_id }),
        Some(Some(me)) if me == actor.id && !actor.role.directs() => {
            commands.push(Command::TakeTask { task_id });
        }
        Some(Some(assignee)) => commands.push(Command::AssignTask { task_id, assignee }),
        None => {}
    }
    if matches!(commands.last(), Some(Command::ReleaseTask { .. } | Command::AssignTask { .. })) {
        status = TaskStatus::Pending;
    }
    commands.extend(target.filter(|target| *target != status).map(|target| match target {
        TaskStatus::InProgress => Command::StartTask { task_id },
        TaskStatus::Completed => Command::CompleteTask { task_id },
        TaskStatus::Cancelled => Command::CancelTask { task_id },
        TaskStatus::Pending | TaskStatus::Other(_) => Command::ReleaseTask { task_id },
    }));
    commands
}
