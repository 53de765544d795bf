//! The typed events of the seed (§2), derived from what a viewer sees of a change: by the server for the seed's clients,
//! by the core on a phone for its shell.

use serde_json::{Value, json};

use crate::Uuid;
use crate::entity::{
    Alert, Announcement, Comment, Employee, Entity, EntityKind, EntityRef, Fields, Note, Notification, Shift,
    Task,
};
use crate::time::Timestamp;
use crate::visibility::ViewChange;
use crate::vocabulary::{EmployeeStatus, TaskStatus};

/// Something that happened, as the seed tells it (§2.1, §2.2). `timestamp`: when the server committed it.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Event {
    /// `ENTITY_CREATED`; also for what came into the viewer's sight.
    EntityCreated { entity: Entity, created_by: Uuid, timestamp: Timestamp },
    /// `ENTITY_UPDATED`: the changed fields as they were and as they are, the latter with the new version.
    EntityUpdated { entity: EntityRef, before: Fields, after: Fields, updated_by: Uuid, timestamp: Timestamp },
    /// `ENTITY_DELETED`; also for what went out of the viewer's sight.
    EntityDeleted { entity: EntityRef, deleted_by: Uuid, timestamp: Timestamp },
    /// `TASK_ASSIGNED`.
    TaskAssigned { task: Task, assigned_to: Uuid, assigned_by: Uuid, timestamp: Timestamp },
    /// `TASK_STATUS_CHANGED`.
    TaskStatusChanged {
        task_id: Uuid,
        old_status: TaskStatus,
        new_status: TaskStatus,
        changed_by: Uuid,
        timestamp: Timestamp,
    },
    /// `EMPLOYEE_STATUS_CHANGED`.
    EmployeeStatusChanged {
        employee_id: Uuid,
        old_status: EmployeeStatus,
        new_status: EmployeeStatus,
        is_on_duty: bool,
        timestamp: Timestamp,
    },
    /// `NOTE_COMMENT_ADDED`.
    NoteCommentAdded { note_id: Uuid, comment: Comment, timestamp: Timestamp },
    /// `NOTIFICATION`.
    Notification { notification: Notification, timestamp: Timestamp },
    /// `EMERGENCY_ALERT`; also for an open one that the viewer finds on coming on duty.
    EmergencyAlert { alert: Alert, timestamp: Timestamp },
    /// `SYSTEM_ANNOUNCEMENT`.
    SystemAnnouncement { announcement: Announcement, timestamp: Timestamp },
    /// `SHIFT_CHANGE`.
    ShiftChange { shift: Shift, timestamp: Timestamp },
}

impl Event {
    /// The `type` on the wire, `TASK_ASSIGNED`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::EntityCreated { .. } => "ENTITY_CREATED",
            Self::EntityUpdated { .. } => "ENTITY_UPDATED",
            Self::EntityDeleted { .. } => "ENTITY_DELETED",
            Self::TaskAssigned { .. } => "TASK_ASSIGNED",
            Self::TaskStatusChanged { .. } => "TASK_STATUS_CHANGED",
            Self::EmployeeStatusChanged { .. } => "EMPLOYEE_STATUS_CHANGED",
            Self::NoteCommentAdded { .. } => "NOTE_COMMENT_ADDED",
            Self::Notification { .. } => "NOTIFICATION",
            Self::EmergencyAlert { .. } => "EMERGENCY_ALERT",
            Self::SystemAnnouncement { .. } => "SYSTEM_ANNOUNCEMENT",
            Self::ShiftChange { .. } => "SHIFT_CHANGE",
        }
    }

    /// The whole event as the seed has it: `{"type":…,"data":{…,"timestamp":…}}`, the generic ones with `entityType`.
    pub fn to_json(&self) -> Value {
        let data = self.data();
        match self {
            Self::EntityCreated { .. } | Self::EntityUpdated { .. } | Self::EntityDeleted { .. } => {
                json!({ "type": self.name(), "entityType": self.entity().kind, "data": data })
            }
            _ => json!({ "type": self.name(), "data": data }),
        }
    }

    /// The entity that it is about; it decides the rooms that hear it.
    pub fn entity(&self) -> EntityRef {
        match self {
            Self::EntityCreated { entity, .. } => entity.reference(),
            Self::EntityUpdated { entity, .. } | Self::EntityDeleted { entity, .. } => entity.clone(),
            Self::TaskAssigned { task, .. } => EntityRef::new(EntityKind::Task, task.id),
            Self::TaskStatusChanged { task_id, .. } => EntityRef::new(EntityKind::Task, *task_id),
            Self::EmployeeStatusChanged { employee_id, .. } => {
                EntityRef::new(EntityKind::Employee, *employee_id)
            }
            Self::NoteCommentAdded { note_id, .. } => EntityRef::new(EntityKind::Note, *note_id),
            Self::Notification { notification, .. } => {
                EntityRef::new(EntityKind::Notification, notification.id)
            }
            Self::EmergencyAlert { alert, .. } => EntityRef::new(EntityKind::Alert, alert.id),
            Self::SystemAnnouncement { announcement, .. } => {
                EntityRef::new(EntityKind::Announcement, announcement.id)
            }
            Self::ShiftChange { shift, .. } => EntityRef::new(EntityKind::Shift, shift.id),
        }
    }

    fn data(&self) -> Value {
        match self {
            Self::EntityCreated { entity, created_by, timestamp } => {
                let name = camel(&entity.kind());
                json!({ name: entity, "createdBy": created_by, "timestamp": timestamp })
            }
            Self::EntityUpdated { entity, before, after, updated_by, timestamp } => {
                let id = format!("{}Id", camel(&entity.kind));
                let changes = json!({ "before": before, "after": after });
                json!({ id: entity.id, "changes": changes, "updatedBy": updated_by, "timestamp": timestamp })
            }
            Self::EntityDeleted { entity, deleted_by, timestamp } => {
                let id = format!("{}Id", camel(&entity.kind));
                json!({ id: entity.id, "deletedBy": deleted_by, "timestamp": timestamp })
            }
            Self::TaskAssigned { task, assigned_to, assigned_by, timestamp } => json!({
                "taskId": task.id, "task": task, "assignedTo": assigned_to, "assignedBy": assigned_by,
                "timestamp": timestamp,
            }),
            Self::TaskStatusChanged { task_id, old_status, new_status, changed_by, timestamp } => json!({
                "taskId": task_id, "oldStatus": old_status, "newStatus": new_status, "changedBy": changed_by,
                "timestamp": timestamp,
            }),
            Self::EmployeeStatusChanged { employee_id, old_status, new_status, is_on_duty, timestamp } => {
                json!({
                    "employeeId": employee_id, "oldStatus": old_status, "newStatus": new_status,
                    "isOnDuty": is_on_duty, "timestamp": timestamp,
                })
            }
            Self::NoteCommentAdded { note_id, comment, timestamp } => {
                json!({ "noteId": note_id, "comment": comment, "timestamp": timestamp })
            }
            Self::Notification { notification, timestamp } => {
                json!({ "notification": notification, "timestamp": timestamp })
            }
            Self::EmergencyAlert { alert, timestamp } => without_nulls(json!({
                "title": alert.title, "message": alert.message, "severity": alert.severity,
                "relatedTaskId": alert.related_task_id, "relatedSuiteId": alert.related_suite_id,
                "timestamp": timestamp,
            })),
            Self::SystemAnnouncement { announcement, timestamp } => without_nulls(json!({
                "title": announcement.title, "message": announcement.message, "priority": announcement.priority,
                "expiresAt": announcement.expires_at, "timestamp": timestamp,
            })),
            Self::ShiftChange { shift, timestamp } => json!({
                "oldShift": shift.old_shift, "newShift": shift.new_shift,
                "onDutyEmployees": shift.on_duty_employees, "timestamp": timestamp,
            }),
        }
    }
}

/// `TASK` as it stands in field names: `task`.
fn camel(kind: &EntityKind) -> String {
    kind.as_str().to_lowercase()
}

/// Optional fields are left out, not null.
fn without_nulls(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    value
}

/// The events that tell `viewer` of a change that `by` made and the server committed at `at`: every one that applies,
/// the generic first. What the viewer sees no field of changing (others' acknowledgements) tells nothing.
pub fn derive(change: &ViewChange, by: Uuid, at: Timestamp, viewer: Uuid) -> Vec<Event> {
    match change {
        ViewChange::Upsert { entity, before: None, created } => appeared(entity, *created, by, at, viewer),
        ViewChange::Upsert { entity, before: Some(before), .. } => changed(entity, before, by, at),
        ViewChange::Remove { entity, .. } => {
            vec![Event::EntityDeleted { entity: entity.clone(), deleted_by: by, timestamp: at }]
        }
        ViewChange::Unsupported { .. } => Vec::new(),
    }
}

/// Created, or come into sight.
fn appeared(entity: &Entity, created: bool, by: Uuid, timestamp: Timestamp, viewer: Uuid) -> Vec<Event> {
    let generic = |created_by| Event::EntityCreated { entity: entity.clone(), created_by, timestamp };
    match entity {
        Entity::Notification(it) => vec![Event::Notification { notification: it.clone(), timestamp }],
        Entity::Alert(it) if created || it.resolved_at.is_none() => {
            vec![Event::EmergencyAlert { alert: it.clone(), timestamp }]
        }
        Entity::Announcement(it) => vec![Event::SystemAnnouncement { announcement: it.clone(), timestamp }],
        Entity::Shift(it) => vec![Event::ShiftChange { shift: it.clone(), timestamp }],
        Entity::Task(task) => {
            let assignee = task.assigned_to.filter(|assignee| created || *assignee == viewer);
            let assigned = assignee.map(|assignee| assigned(task, assignee, by, timestamp));
            std::iter::once(generic(task.created_by)).chain(assigned).collect()
        }
        Entity::Note(note) => vec![generic(note.created_by)],
        Entity::Suite(_) | Entity::Employee(_) | Entity::Alert(_) | Entity::Conflict(_) => vec![generic(by)],
    }
}

fn assigned(task: &Task, assigned_to: Uuid, assigned_by: Uuid, timestamp: Timestamp) -> Event {
    Event::TaskAssigned { task: task.clone(), assigned_to, assigned_by, timestamp }
}

/// Seen before, and different now.
fn changed(entity: &Entity, before: &Fields, by: Uuid, timestamp: Timestamp) -> Vec<Event> {
    if before.is_empty() {
        return Vec::new();
    }
    let generic = Event::EntityUpdated {
        entity: entity.reference(),
        before: before.clone(),
        after: after(entity, before),
        updated_by: by,
        timestamp,
    };
    let specific = match entity {
        Entity::Task(task) => task_changed(task, before, by, timestamp),
        Entity::Employee(employee) => employee_changed(employee, before, timestamp),
        Entity::Note(note) => comments_added(note, before, timestamp),
        _ => Vec::new(),
    };
    std::iter::once(generic).chain(specific).collect()
}

/// The changed fields as they are, and what every change brings: without the version, a client's next edit (§5.1) would
/// look stale.
fn after(entity: &Entity, before: &Fields) -> Fields {
    let mut after: Fields =
        before.keys().map(|name| (name.clone(), entity.field(name).unwrap_or(Value::Null))).collect();
    after.insert("version".to_owned(), json!(entity.version()));
    after.insert("updatedAt".to_owned(), json!(entity.updated_at()));
    after.insert("updatedBy".to_owned(), json!(entity.updated_by()));
    after
}

fn task_changed(task: &Task, before: &Fields, by: Uuid, timestamp: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    if let Some(assignee) = task.assigned_to.filter(|_| before.contains_key("assignedTo")) {
        events.push(assigned(task, assignee, by, timestamp));
    }
    if let Some(old) = before.get("status").and_then(Value::as_str) {
        events.push(Event::TaskStatusChanged {
            task_id: task.id,
            old_status: old.into(),
            new_status: task.status.clone(),
            changed_by: by,
            timestamp,
        });
    }
    events
}

fn employee_changed(employee: &Employee, before: &Fields, timestamp: Timestamp) -> Vec<Event> {
    if !before.contains_key("status") && !before.contains_key("isOnDuty") {
        return Vec::new();
    }
    let old = before.get("status").and_then(Value::as_str);
    vec![Event::EmployeeStatusChanged {
        employee_id: employee.id,
        old_status: old.map_or_else(|| employee.status.clone(), EmployeeStatus::from),
        new_status: employee.status.clone(),
        is_on_duty: employee.is_on_duty,
        timestamp,
    }]
}

fn comments_added(note: &Note, before: &Fields, timestamp: Timestamp) -> Vec<Event> {
    let Some(old) = before.get("comments").and_then(Value::as_array) else { return Vec::new() };
    let old: Vec<&str> = old.iter().filter_map(|comment| comment.get("id")?.as_str()).collect();
    let is_new = |comment: &&Comment| !old.contains(&comment.id.to_string().as_str());
    let added =
        |comment: &Comment| Event::NoteCommentAdded { note_id: note.id, comment: comment.clone(), timestamp };
    note.comments.iter().filter(is_new).map(added).collect()
}
