//! One condition, in SQL and in Rust.

use innsync_domain::{Department, Entity, EntityKind, Timestamp, Uuid};
use rusqlite::types::Value;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    Status(Vec<Box<str>>),
    Priority(Vec<Box<str>>),
    Floor(i32),
    AssignedTo(Uuid),
    Unassigned,
    Suite(Uuid),
    Task(Uuid),
    Department(Department),
    Unread,
    Open,
    OnDuty,
    DueBefore(Timestamp),
    UnexpiredAt(Timestamp),
}

/// What no row meets.
const NEVER: &str = "FALSE";

impl Condition {
    /// Appends the condition on a row of that kind to `sql`, and its values to `values`.
    pub(super) fn sql(&self, kind: &EntityKind, sql: &mut String, values: &mut Vec<Value>) {
        use EntityKind::{Alert, Announcement, Employee, Note, Notification, Suite, Task};
        let mut put = |text: &str, value: Option<Value>| {
            sql.push_str(text);
            values.extend(value);
        };
        match (self, kind) {
            (Self::Status(any_of), Suite | Task | Employee) => one_of("status", any_of, sql, values),
            (Self::Priority(any_of), Task | Notification | Announcement) => {
                one_of("priority", any_of, sql, values);
            }
            (Self::Priority(any_of), Alert) => one_of("severity", any_of, sql, values),
            (Self::Floor(floor), Suite) => put("floor = ?", Some(i64::from(*floor).into())),
            (Self::AssignedTo(employee), Task) => put("assigned_to = ?", Some(blob(employee))),
            (Self::Unassigned, Task) => put("assigned_to IS NULL", None),
            (Self::Suite(suite), Task | Note) => put("suite_id = ?", Some(blob(suite))),
            (Self::Suite(suite), Alert) => put("related_suite_id = ?", Some(blob(suite))),
            (Self::Task(task), Note) => put("task_id = ?", Some(blob(task))),
            (Self::Task(task), Alert) => put("related_task_id = ?", Some(blob(task))),
            (Self::Task(task), Notification) => put("related_entity_id = ?", Some(blob(task))),
            (Self::Department(department), Task) => {
                put("(department IS NULL OR department = ?)", Some(text(department.as_str())));
            }
            (Self::Department(department), Employee) => {
                put("department = ?", Some(text(department.as_str())));
            }
            (Self::Unread, Notification) => put("read_at IS NULL", None),
            (Self::Open, Task) => put("status IN ('PENDING', 'IN_PROGRESS')", None),
            (Self::Open, Alert) => put("resolved_at IS NULL", None),
            (Self::OnDuty, Employee) => put("is_on_duty = 1", None),
            (Self::DueBefore(moment), Task) => put("due_at < ?", Some(moment.as_millis().into())),
            (Self::UnexpiredAt(moment), Announcement) => {
                put("(expires_at IS NULL OR expires_at > ?)", Some(moment.as_millis().into()));
            }
            _ => put(NEVER, None),
        }
    }

    /// Whether the row meets it.
    pub(super) fn matches(&self, entity: &Entity) -> bool {
        match (self, entity) {
            (Self::Status(any_of), Entity::Suite(it)) => among(any_of, it.status.as_str()),
            (Self::Status(any_of), Entity::Task(it)) => among(any_of, it.status.as_str()),
            (Self::Status(any_of), Entity::Employee(it)) => among(any_of, it.status.as_str()),
            (Self::Priority(any_of), Entity::Task(it)) => among(any_of, it.priority.as_str()),
            (Self::Priority(any_of), Entity::Notification(it)) => among(any_of, it.priority.as_str()),
            (Self::Priority(any_of), Entity::Announcement(it)) => among(any_of, it.priority.as_str()),
            (Self::Priority(any_of), Entity::Alert(it)) => among(any_of, it.severity.as_str()),
            (Self::Floor(floor), Entity::Suite(it)) => it.floor == *floor,
            (Self::AssignedTo(employee), Entity::Task(it)) => it.assigned_to == Some(*employee),
            (Self::Unassigned, Entity::Task(it)) => it.assigned_to.is_none(),
            (Self::Suite(suite), Entity::Task(it)) => it.suite_id == Some(*suite),
            (Self::Suite(suite), Entity::Note(it)) => it.suite_id == Some(*suite),
            (Self::Suite(suite), Entity::Alert(it)) => it.related_suite_id == Some(*suite),
            (Self::Task(task), Entity::Note(it)) => it.task_id == Some(*task),
            (Self::Task(task), Entity::Alert(it)) => it.related_task_id == Some(*task),
            (Self::Task(task), Entity::Notification(it)) => it.related_entity_id == Some(*task),
            (Self::Department(wanted), Entity::Task(it)) => {
                it.department.as_ref().is_none_or(|department| department.as_str() == wanted.as_str())
            }
            (Self::Department(wanted), Entity::Employee(it)) => it.department.as_str() == wanted.as_str(),
            (Self::Unread, Entity::Notification(it)) => it.read_at.is_none(),
            (Self::Open, Entity::Task(it)) => it.status.is_open(),
            (Self::Open, Entity::Alert(it)) => it.resolved_at.is_none(),
            (Self::OnDuty, Entity::Employee(it)) => it.is_on_duty,
            (Self::DueBefore(moment), Entity::Task(it)) => it.due_at.is_some_and(|due| due < *moment),
            (Self::UnexpiredAt(moment), Entity::Announcement(it)) => {
                it.expires_at.is_none_or(|expires| expires > *moment)
            }
            _ => false,
        }
    }
}

fn one_of(column: &str, any_of: &[Box<str>], sql: &mut String, values: &mut Vec<Value>) {
    sql.push_str(column);
    if let [word] = any_of {
        sql.push_str(" = ?");
        return values.push(text(word));
    }
    sql.push_str(" IN (");
    for (at, word) in any_of.iter().enumerate() {
        sql.push_str(if at == 0 { "?" } else { ", ?" });
        values.push(text(word));
    }
    sql.push(')');
}

fn among(any_of: &[Box<str>], word: &str) -> bool {
    any_of.iter().any(|one| **one == *word)
}

fn text(word: &str) -> Value {
    Value::Text(word.to_owned())
}

fn blob(id: &Uuid) -> Value {
    Value::Blob(id.as_bytes().to_vec())
}
