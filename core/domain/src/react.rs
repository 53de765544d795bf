//! What only the authority adds to a command's effects, since it takes knowing sets of entities: whom to notify, the
//! alert of an emergency, the tasks of somebody who leaves, and whether a suite number is free.
//!
//! It looks at the changes rather than at the command: however a task came to be assigned, its assignee is told.

use crate::Uuid;
use crate::command::Command;
use crate::derived_id;
use crate::entity::{Alert, Employee, Entity, EntityKind, EntityRef, Fields, Notification, Suite, Task};
use crate::execute::{Effects, Scratch, Stop, alert_ids, unassign};
use crate::read::{Change, Context, Lookup, Read, ReadError};
use crate::rejection::{Reason, Rejection};
use crate::vocabulary::{EmployeeStatus, NotificationPriority, NotificationType, Role, Severity, TaskType};

/// Facts about sets of entities, which only the authority knows. All are as they were before the command's effects.
pub trait Directory {
    /// Everybody on the staff.
    fn employees(&self) -> Result<Vec<Employee>, ReadError>;
    /// The open tasks of type EMERGENCY and the unresolved alerts.
    fn open_emergencies(&self) -> Result<Vec<Entity>, ReadError>;
    /// The open tasks (PENDING, IN_PROGRESS) that are assigned to somebody.
    fn open_tasks_of(&self, employee: Uuid) -> Result<Vec<Task>, ReadError>;
    /// Whether a suite other than `except` has that number.
    fn suite_number_taken(&self, number: &str, except: Uuid) -> Result<bool, ReadError>;
}

/// Says what follows from `effects` that only the authority can know; `read` and `directory` show the state before them.
///
/// Besides true changes there are some whose before and after are equal: somebody came on duty or left, and
/// [`crate::project`] makes of them that open emergencies come into their sight or leave it.
pub fn react(
    command: &Command,
    context: &Context<'_>,
    effects: &Effects,
    read: &dyn Read,
    directory: &dyn Directory,
) -> Result<Vec<Change>, Stop> {
    for change in &effects.changes {
        refuse_taken_number(change, directory)?;
    }
    let mut changes = unassign_tasks_of_the_departed(context, effects, read, directory)?;
    let mut news = Vec::new();
    let mut staff = None;
    for change in effects.changes.iter().chain(&changes) {
        let Some(Entity::Task(task)) = &change.after else { continue };
        let before = match &change.before {
            Some(Entity::Task(before)) => Some(before),
            _ => None,
        };
        if let Some(assignee) = newly_assigned(before, task).filter(|assignee| *assignee != context.actor.id)
        {
            news.push(tell_assignee(context, task, assignee));
        }
        let available = newly_available(before, task);
        let emergency = before.is_none() && task.task_type == TaskType::Emergency;
        if !available && !emergency {
            continue;
        }
        let staff: &Vec<Employee> = match &mut staff {
            Some(known) => known,
            unknown => unknown.insert(staff_after(effects, directory)?),
        };
        if emergency {
            news.extend(raise_alert(command, context, task, read, staff)?);
        } else {
            news.extend(tell_department(context, task, staff));
        }
    }
    changes.extend(news);
    changes.extend(emergencies_in_and_out_of_sight(effects, directory)?);
    Ok(changes)
}

fn refuse_taken_number(change: &Change, directory: &dyn Directory) -> Result<(), Stop> {
    let number = |entity: &Option<Entity>| match entity {
        Some(Entity::Suite(suite)) => Some(suite.suite_number.clone()),
        _ => None,
    };
    let Some(Entity::Suite(Suite { id, suite_number, .. })) = &change.after else { return Ok(()) };
    if number(&change.before).as_ref() != Some(suite_number)
        && directory.suite_number_taken(suite_number, *id)?
    {
        let message = format!("There is another suite {suite_number}; choose another number.");
        return Err(Rejection::permanent(Reason::AlreadyExists, message)
            .about(EntityRef::new(EntityKind::Suite, *id))
            .field("suiteNumber")
            .into());
    }
    Ok(())
}

fn unassign_tasks_of_the_departed(
    context: &Context<'_>,
    effects: &Effects,
    read: &dyn Read,
    directory: &dyn Directory,
) -> Result<Vec<Change>, Stop> {
    let mut scratch = Scratch::new(context, read);
    for change in &effects.changes {
        if let Change { before: Some(Entity::Employee(departed)), after: None } = change {
            for task in directory.open_tasks_of(departed.id)? {
                unassign(&mut scratch, &task)?;
            }
        }
    }
    Ok(scratch.finish().changes)
}

/// The staff as the command leaves it.
fn staff_after(effects: &Effects, directory: &dyn Directory) -> Result<Vec<Employee>, ReadError> {
    let mut staff = directory.employees()?;
    for change in &effects.changes {
        if let Some(Entity::Employee(before)) = &change.before {
            staff.retain(|employee| employee.id != before.id);
        }
        if let Some(Entity::Employee(after)) = &change.after {
            staff.push(after.clone());
        }
    }
    Ok(staff)
}

/// The assignee, if they were not that before.
fn newly_assigned(before: Option<&Task>, task: &Task) -> Option<Uuid> {
    task.assigned_to.filter(|_| before.and_then(|before| before.assigned_to) != task.assigned_to)
}

/// Whether the task is there to be taken and was not before.
fn newly_available(before: Option<&Task>, task: &Task) -> bool {
    let available = |task: &Task| {
        task.status.is_open() && task.assigned_to.is_none() && task.task_type != TaskType::Emergency
    };
    available(task) && !before.is_some_and(available)
}

fn tell_assignee(context: &Context<'_>, task: &Task, assignee: Uuid) -> Change {
    Notice {
        name: format!("assigned:{}:{assignee}", task.id),
        notification_type: NotificationType::TaskAssigned,
        title: "New Task Assigned",
        message: &task.title,
        priority: NotificationPriority::Normal,
        task: task.id,
    }
    .to(assignee, context)
}

/// Tells those of the department who could take it now. A task of no department rings nobody.
fn tell_department(context: &Context<'_>, task: &Task, staff: &[Employee]) -> Vec<Change> {
    let free = |employee: &&Employee| {
        employee.is_on_duty
            && employee.status == EmployeeStatus::Available
            && task.department.as_ref() == Some(&employee.department)
            && employee.id != context.actor.id
    };
    let notice = |employee: &Employee| {
        Notice {
            name: format!("available:{}:{}", task.id, employee.id),
            notification_type: NotificationType::TaskAvailable,
            title: "New Unassigned Task",
            message: &task.title,
            priority: NotificationPriority::Normal,
            task: task.id,
        }
        .to(employee.id, context)
    };
    staff.iter().filter(free).map(notice).collect()
}

/// The alert of a new emergency, and word of it to every other manager.
fn raise_alert(
    command: &Command,
    context: &Context<'_>,
    task: &Task,
    read: &dyn Read,
    staff: &[Employee],
) -> Result<Vec<Change>, Stop> {
    // Each of them is over: it ended when a task of this id was deleted.
    let mut ids = alert_ids(task.id);
    let id = loop {
        let Some(id) = ids.next() else { return Ok(Vec::new()) };
        if !matches!(read.read(EntityKind::Alert, id)?, Lookup::Known(_)) {
            break id;
        }
    };
    let severity = match command {
        Command::RaiseEmergency { severity, .. } => severity.clone(),
        Command::CreateTask { severity: Some(severity), .. } => severity.clone(),
        _ => Severity::Critical,
    };
    let message = if task.description.trim().is_empty() { &task.title } else { &task.description };
    let alert = Alert {
        id,
        title: task.title.clone(),
        message: message.clone(),
        severity,
        related_task_id: Some(task.id),
        related_suite_id: task.suite_id,
        raised_by: context.actor.id,
        raised_at: context.at,
        acknowledgements: Vec::new(),
        resolved_at: None,
        resolved_by: None,
        version: 0,
        updated_at: context.at,
        updated_by: context.actor.id,
        extra: Fields::new(),
    };
    let mut changes = vec![Change { before: None, after: Some(alert.into()) }];
    for manager in staff.iter().filter(|it| it.role == Role::Manager && it.id != context.actor.id) {
        let notice = Notice {
            name: format!("emergency:{}:{}", task.id, manager.id),
            notification_type: NotificationType::Emergency,
            title: "Emergency",
            message,
            priority: NotificationPriority::Urgent,
            task: task.id,
        };
        changes.push(notice.to(manager.id, context));
    }
    Ok(changes)
}

/// For every open emergency a change that changes nothing, if somebody came on duty or left it.
fn emergencies_in_and_out_of_sight(
    effects: &Effects,
    directory: &dyn Directory,
) -> Result<Vec<Change>, ReadError> {
    let duty_changed = |change: &Change| match (&change.before, &change.after) {
        (Some(Entity::Employee(before)), Some(Entity::Employee(after))) => {
            before.is_on_duty != after.is_on_duty
        }
        _ => false,
    };
    if !effects.changes.iter().any(duty_changed) {
        return Ok(Vec::new());
    }
    let same = |entity: Entity| Change { before: Some(entity.clone()), after: Some(entity) };
    Ok(directory.open_emergencies()?.into_iter().map(same).collect())
}

/// News for one person, about a task.
struct Notice<'a> {
    /// What its id is derived from, within the operation.
    name: String,
    notification_type: NotificationType,
    title: &'a str,
    message: &'a str,
    priority: NotificationPriority,
    task: Uuid,
}

impl Notice<'_> {
    fn to(self, recipient_id: Uuid, context: &Context<'_>) -> Change {
        let notification = Notification {
            id: derived_id(context.operation, &self.name),
            recipient_id,
            notification_type: self.notification_type,
            title: self.title.to_owned(),
            message: self.message.to_owned(),
            priority: self.priority,
            related_entity_id: Some(self.task),
            read_at: None,
            version: 0,
            updated_at: context.at,
            updated_by: context.actor.id,
            extra: Fields::new(),
        };
        Change { before: None, after: Some(notification.into()) }
    }
}
