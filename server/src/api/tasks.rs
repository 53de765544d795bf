//! Tasks. A PATCH may mix fields with status and assignee (the seed's §3.2): it becomes the steps that lead there.

use innsync_domain::{
    Command, EntityKind, EntityRef, Person, Priority, Severity, Task, TaskPatch, TaskStatus, TaskType, Uuid,
    task_steps,
};
use innsync_protocol::Problem;

use super::body::Body;
use super::plan::{Ids, Plan};

fn about(id: Uuid) -> EntityRef {
    EntityRef::new(EntityKind::Task, id)
}

pub(super) fn create(mut body: Body, ids: &mut Ids<'_>) -> Result<Plan, Problem> {
    let task_id = ids.chosen(&mut body)?;
    let task_type = body.choice("type", TaskType::KNOWN)?.unwrap_or(TaskType::General);
    let command = Command::CreateTask {
        task_id,
        title: body.required("title")?,
        description: body.maybe("description")?.unwrap_or_default(),
        priority: body.choice("priority", Priority::KNOWN)?.unwrap_or(Priority::Normal),
        suite_id: body.maybe("suiteId")?,
        assigned_to: body.maybe("assignedTo")?,
        due_at: body.maybe("dueAt")?,
        severity: body.choice("severity", Severity::KNOWN)?,
        task_type,
    };
    body.choice("status", &[TaskStatus::Pending])?;
    body.ignore(&["department", "createdBy", "createdAt"]);
    Plan::create(vec![command], about(task_id), body)
}

pub(super) fn patch(current: &Task, actor: &Person, mut body: Body) -> Result<Plan, Problem> {
    let patch = TaskPatch {
        title: body.optional("title")?,
        description: body.optional("description")?,
        task_type: body.choice("type", TaskType::KNOWN)?,
        priority: body.choice("priority", Priority::KNOWN)?,
        suite_id: body.clearable("suiteId")?,
        due_at: body.clearable("dueAt")?,
    };
    let assignee = body.clearable("assignedTo")?;
    let status = body.choice("status", TaskStatus::KNOWN)?;
    let commands = task_steps(current, actor, patch, assignee, status);
    Plan::change(commands, about(current.id), body, Some(&current.clone().into()))
}

pub(super) fn step(task_id: Uuid, name: &str, mut body: Body) -> Result<Plan, Problem> {
    let command = match name {
        "start" => Command::StartTask { task_id },
        "take" => Command::TakeTask { task_id },
        "release" => Command::ReleaseTask { task_id },
        "reopen" => Command::ReopenTask { task_id },
        "cancel" => Command::CancelTask { task_id },
        "assign" => Command::AssignTask { task_id, assignee: body.required("assignee")? },
        _ => Command::CompleteTask { task_id },
    };
    Plan::change(vec![command], about(task_id), body, None)
}
