//! The motel of these stories: ana and ben clean, maria manages.

use innsync_domain::{
    Command, Department, Employee, EmployeeStatus, Entity, EntityKind, EntityRef, Fields, Note, Priority,
    Role, Suite, SuiteStatus, Task, TaskStatus, TaskType, Timestamp, Uuid,
};
use innsync_engine::{Batch, Effect, EffectBody, Footprint, OpState, QueuedOp, ToastLevel, Write};
use innsync_protocol::{IntentTime, Op};
use innsync_store::{Store, WriteSet};

/// Ids by what they name: `id("ana")`.
pub(crate) fn id(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

pub(crate) fn morning() -> Timestamp {
    Timestamp::parse("2026-11-22T08:30:00Z").unwrap()
}

pub(crate) fn suite(number: &str, floor: i32, status: SuiteStatus) -> Suite {
    Suite {
        id: id(number),
        suite_number: number.to_owned(),
        floor,
        status,
        open_cleaning_task: None,
        version: 1,
        updated_at: morning(),
        updated_by: id("maria"),
        extra: Fields::new(),
    }
}

pub(crate) fn task(title: &str) -> Task {
    Task {
        id: id(title),
        title: title.to_owned(),
        description: String::new(),
        task_type: TaskType::Cleaning,
        priority: Priority::Normal,
        status: TaskStatus::Pending,
        suite_id: Some(id("101")),
        assigned_to: Some(id("ana")),
        department: Some(Department::Housekeeping),
        due_at: None,
        created_by: id("maria"),
        created_at: morning(),
        version: 1,
        updated_at: morning(),
        updated_by: id("maria"),
        extra: Fields::new(),
    }
}

pub(crate) fn employee(name: &str) -> Employee {
    Employee {
        id: id(name),
        name: name.to_owned(),
        role: Role::Housekeeper,
        department: Department::Housekeeping,
        status: EmployeeStatus::Available,
        is_on_duty: true,
        version: 1,
        updated_at: morning(),
        updated_by: id("maria"),
        extra: Fields::new(),
    }
}

pub(crate) fn note(title: &str, content: &str) -> Note {
    let json = format!(
        r#"{{"id":"{}","title":"{title}","content":"{content}","audience":{{"kind":"ALL_STAFF"}},"createdBy":"{}",
        "createdAt":"{}","version":1,"updatedAt":"{}","updatedBy":"{}"}}"#,
        id(title),
        id("maria"),
        morning(),
        morning(),
        id("maria")
    );
    serde_json::from_str(&json).unwrap()
}

pub(crate) fn start(order: u64, title: &str) -> QueuedOp {
    let task = EntityRef::new(EntityKind::Task, id(title));
    QueuedOp {
        op: Op {
            id: id(&format!("start {title}")),
            author: id("ana"),
            device: "handset-1".to_owned(),
            depends_on: Vec::new(),
            supersedes: None,
            intent: IntentTime { boot_id: "boot".to_owned(), boot_ms: 1, wall: morning(), corrected: None },
            base_version: Some(1),
            base: Fields::new(),
            force: false,
            schema: 1,
            command: Command::StartTask { task_id: task.id },
        },
        order,
        footprint: Footprint { writes: vec![task], reads: Vec::new() },
        state: OpState::Queued,
        attempts: 0,
    }
}

pub(crate) fn toast(cause: &str) -> Effect {
    Effect {
        id: id(cause),
        at: morning(),
        body: EffectBody::Toast {
            level: ToastLevel::Info,
            key: "task.assigned".to_owned(),
            args: [("title".to_owned(), cause.to_owned())].into(),
            duration_ms: 3_000,
        },
    }
}

pub(crate) fn of(entity: impl Into<Entity>) -> EntityRef {
    entity.into().reference()
}

pub(crate) fn show(entity: impl Into<Entity>) -> Write {
    Write::Show(entity.into())
}

pub(crate) fn write(store: &mut Store, writes: impl Into<Vec<Write>>) -> WriteSet {
    store.commit(&Batch { writes: writes.into() }).unwrap()
}
