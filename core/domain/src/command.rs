//! Everything that a person can do. A tap, a REST call and a queued offline operation are the same value.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::conflict::FieldConflict;
use crate::entity::{Audience, EntityKind, EntityRef, Fields};
use crate::mutant::{self, Mutant};
use crate::time::Timestamp;
use crate::vocabulary::{
    AnnouncementPriority, Department, EmployeeStatus, Priority, Role, Severity, SuiteStatus, TaskStatus,
    TaskType,
};

/// Something that a person does. On the wire `{"type":"ASSIGN_TASK","taskId":…,"assignee":…}`.
///
/// Ids of what a command creates are in it, made on the phone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
pub enum Command {
    /// Adds a suite.
    CreateSuite {
        /// Its id.
        suite_id: Uuid,
        /// What is written on its door.
        suite_number: String,
        /// Its storey.
        floor: i32,
        /// What state it is in.
        #[serde(default = "vacant_clean")]
        status: SuiteStatus,
    },
    /// Changes a suite's number or floor.
    EditSuite {
        /// Which one.
        suite_id: Uuid,
        /// What to change.
        patch: SuitePatch,
    },
    /// Changes a suite's status: check-in, checkout, cleaning, inspection, out of service.
    SetSuiteStatus {
        /// Which one.
        suite_id: Uuid,
        /// The status it shall have.
        status: SuiteStatus,
    },
    /// Removes a suite.
    DeleteSuite {
        /// Which one.
        suite_id: Uuid,
    },

    /// Creates a task, or reports one. A task of type EMERGENCY raises an alert.
    CreateTask {
        /// Its id.
        task_id: Uuid,
        /// What is to be done.
        title: String,
        /// At length.
        #[serde(default)]
        description: String,
        /// What kind of work.
        #[serde(default = "general", rename = "taskType")]
        task_type: TaskType,
        /// How urgent. An EMERGENCY task always has EMERGENCY.
        #[serde(default = "normal")]
        priority: Priority,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        suite_id: Option<Uuid>,
        /// Who shall do it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assigned_to: Option<Uuid>,
        /// Until when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due_at: Option<Timestamp>,
        /// How bad, of an EMERGENCY; CRITICAL unless said otherwise.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        severity: Option<Severity>,
    },
    /// Changes what a task says.
    EditTask {
        /// Which one.
        task_id: Uuid,
        /// What to change.
        patch: TaskPatch,
    },
    /// Gives a task to somebody.
    AssignTask {
        /// Which one.
        task_id: Uuid,
        /// To whom.
        assignee: Uuid,
    },
    /// Takes an unassigned task for oneself.
    TakeTask {
        /// Which one.
        task_id: Uuid,
    },
    /// Begins the work.
    StartTask {
        /// Which one.
        task_id: Uuid,
    },
    /// Reports the work done.
    CompleteTask {
        /// Which one.
        task_id: Uuid,
    },
    /// Gives a task back: unassigned and pending again.
    ReleaseTask {
        /// Which one.
        task_id: Uuid,
    },
    /// Makes a completed or cancelled task pending again.
    ReopenTask {
        /// Which one.
        task_id: Uuid,
    },
    /// Calls a task off.
    CancelTask {
        /// Which one.
        task_id: Uuid,
    },
    /// Removes a task.
    DeleteTask {
        /// Which one.
        task_id: Uuid,
    },

    /// Writes a note.
    CreateNote {
        /// Its id.
        note_id: Uuid,
        /// Its heading.
        title: String,
        /// Its text.
        #[serde(default)]
        content: String,
        /// The suite it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        suite_id: Option<Uuid>,
        /// The task it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task_id: Option<Uuid>,
        /// Who may see it.
        #[serde(default)]
        audience: Audience,
    },
    /// Changes a note.
    EditNote {
        /// Which one.
        note_id: Uuid,
        /// What to change.
        patch: NotePatch,
    },
    /// Removes a note.
    DeleteNote {
        /// Which one.
        note_id: Uuid,
    },
    /// Says something to a note.
    AddComment {
        /// Which note.
        note_id: Uuid,
        /// The comment's id.
        comment_id: Uuid,
        /// What is said.
        text: String,
    },

    /// Adds somebody to the staff. How they sign in is set on the server beside it.
    CreateEmployee {
        /// Their id.
        employee_id: Uuid,
        /// Their name.
        name: String,
        /// What they may do.
        role: Role,
        /// Where they work.
        department: Department,
    },
    /// Changes name, role or department.
    EditEmployee {
        /// Whose.
        employee_id: Uuid,
        /// What to change.
        patch: EmployeePatch,
    },
    /// Removes somebody from the staff; their open tasks become unassigned.
    DeleteEmployee {
        /// Whom.
        employee_id: Uuid,
    },
    /// Goes on or off duty.
    SetDuty {
        /// Who.
        employee_id: Uuid,
        /// On or off.
        is_on_duty: bool,
    },
    /// Says what one is doing. OFF_DUTY is going off duty.
    SetEmployeeStatus {
        /// Who.
        employee_id: Uuid,
        /// What.
        status: EmployeeStatus,
    },

    /// Alarms everybody on duty: a task of type EMERGENCY, with an alert.
    RaiseEmergency {
        /// The id of the emergency's task.
        task_id: Uuid,
        /// The heading.
        title: String,
        /// What is the matter.
        description: String,
        /// How bad.
        #[serde(default = "critical")]
        severity: Severity,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        suite_id: Option<Uuid>,
    },
    /// Says that one has seen the alert.
    AcknowledgeAlert {
        /// Which one.
        alert_id: Uuid,
    },
    /// Ends an emergency.
    ResolveAlert {
        /// Which one.
        alert_id: Uuid,
    },

    /// Tells all staff something.
    Announce {
        /// Its id.
        announcement_id: Uuid,
        /// Its heading.
        title: String,
        /// Its text.
        message: String,
        /// How prominently.
        #[serde(default = "announcement_normal")]
        priority: AnnouncementPriority,
        /// Until when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// Announces a change of shift. Who is on duty is not changed by it: people go on and off duty themselves.
    ChangeShift {
        /// Its id.
        shift_id: Uuid,
        /// What ended.
        old_shift: String,
        /// What began.
        new_shift: String,
        /// Who is on duty from now on.
        on_duty_employees: Vec<Uuid>,
    },

    /// Marks notifications of one's own as read.
    MarkRead {
        /// Which ones.
        notification_ids: Vec<Uuid>,
    },

    /// Writes a value of one's own that lost a conflict after all: what an edit of that field would do.
    RestoreValue {
        /// Which conflict.
        conflict_id: Uuid,
        /// What kind of thing it is about.
        entity_type: EntityKind,
        /// Which one.
        entity_id: Uuid,
        /// The field, by its wire name.
        field: String,
        /// The value that lost; `null`: empty.
        value: Value,
    },
    /// Keeps other people's values in place of those that one wanted. What is given up can be restored.
    KeepTheirs {
        /// The operation that was in conflict.
        operation: Uuid,
        /// What kind of thing it is about.
        entity_type: EntityKind,
        /// Which one.
        entity_id: Uuid,
        /// The fields in conflict.
        fields: Vec<FieldConflict>,
    },
    /// Puts conflicts of one's own aside, as read.
    DismissConflicts {
        /// Which ones.
        conflict_ids: Vec<Uuid>,
    },
}

fn vacant_clean() -> SuiteStatus {
    SuiteStatus::VacantClean
}
fn general() -> TaskType {
    TaskType::General
}
fn normal() -> Priority {
    Priority::Normal
}
fn critical() -> Severity {
    Severity::Critical
}
fn announcement_normal() -> AnnouncementPriority {
    AnnouncementPriority::Normal
}

impl Command {
    /// The name on the wire, `ASSIGN_TASK`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateSuite { .. } => "CREATE_SUITE",
            Self::EditSuite { .. } => "EDIT_SUITE",
            Self::SetSuiteStatus { .. } => "SET_SUITE_STATUS",
            Self::DeleteSuite { .. } => "DELETE_SUITE",
            Self::CreateTask { .. } => "CREATE_TASK",
            Self::EditTask { .. } => "EDIT_TASK",
            Self::AssignTask { .. } => "ASSIGN_TASK",
            Self::TakeTask { .. } => "TAKE_TASK",
            Self::StartTask { .. } => "START_TASK",
            Self::CompleteTask { .. } => "COMPLETE_TASK",
            Self::ReleaseTask { .. } => "RELEASE_TASK",
            Self::ReopenTask { .. } => "REOPEN_TASK",
            Self::CancelTask { .. } => "CANCEL_TASK",
            Self::DeleteTask { .. } => "DELETE_TASK",
            Self::CreateNote { .. } => "CREATE_NOTE",
            Self::EditNote { .. } => "EDIT_NOTE",
            Self::DeleteNote { .. } => "DELETE_NOTE",
            Self::AddComment { .. } => "ADD_COMMENT",
            Self::CreateEmployee { .. } => "CREATE_EMPLOYEE",
            Self::EditEmployee { .. } => "EDIT_EMPLOYEE",
            Self::DeleteEmployee { .. } => "DELETE_EMPLOYEE",
            Self::SetDuty { .. } => "SET_DUTY",
            Self::SetEmployeeStatus { .. } => "SET_EMPLOYEE_STATUS",
            Self::RaiseEmergency { .. } => "RAISE_EMERGENCY",
            Self::AcknowledgeAlert { .. } => "ACKNOWLEDGE_ALERT",
            Self::ResolveAlert { .. } => "RESOLVE_ALERT",
            Self::Announce { .. } => "ANNOUNCE",
            Self::ChangeShift { .. } => "CHANGE_SHIFT",
            Self::MarkRead { .. } => "MARK_READ",
            Self::RestoreValue { .. } => "RESTORE_VALUE",
            Self::KeepTheirs { .. } => "KEEP_THEIRS",
            Self::DismissConflicts { .. } => "DISMISS_CONFLICTS",
        }
    }

    /// The entity that the command is about; the one that a conflict would be shown on.
    /// Of several read marks or conflicts, the first.
    pub fn primary(&self) -> EntityRef {
        let (kind, id) = match self {
            Self::CreateSuite { suite_id, .. }
            | Self::EditSuite { suite_id, .. }
            | Self::SetSuiteStatus { suite_id, .. }
            | Self::DeleteSuite { suite_id } => (EntityKind::Suite, *suite_id),
            Self::CreateTask { task_id, .. }
            | Self::EditTask { task_id, .. }
            | Self::AssignTask { task_id, .. }
            | Self::TakeTask { task_id }
            | Self::StartTask { task_id }
            | Self::CompleteTask { task_id }
            | Self::ReleaseTask { task_id }
            | Self::ReopenTask { task_id }
            | Self::CancelTask { task_id }
            | Self::DeleteTask { task_id }
            | Self::RaiseEmergency { task_id, .. } => (EntityKind::Task, *task_id),
            Self::CreateNote { note_id, .. }
            | Self::EditNote { note_id, .. }
            | Self::DeleteNote { note_id }
            | Self::AddComment { note_id, .. } => (EntityKind::Note, *note_id),
            Self::CreateEmployee { employee_id, .. }
            | Self::EditEmployee { employee_id, .. }
            | Self::DeleteEmployee { employee_id }
            | Self::SetDuty { employee_id, .. }
            | Self::SetEmployeeStatus { employee_id, .. } => (EntityKind::Employee, *employee_id),
            Self::AcknowledgeAlert { alert_id } | Self::ResolveAlert { alert_id } => {
                (EntityKind::Alert, *alert_id)
            }
            Self::Announce { announcement_id, .. } => (EntityKind::Announcement, *announcement_id),
            Self::ChangeShift { shift_id, .. } => (EntityKind::Shift, *shift_id),
            Self::MarkRead { notification_ids } => {
                (EntityKind::Notification, notification_ids.first().copied().unwrap_or_default())
            }
            Self::RestoreValue { entity_type, entity_id, .. } => (entity_type.clone(), *entity_id),
            Self::KeepTheirs { operation, fields, .. } => {
                let first = fields.first().map_or("", |it| it.field.as_str());
                (EntityKind::Conflict, given_up_id(*operation, first))
            }
            Self::DismissConflicts { conflict_ids } => {
                (EntityKind::Conflict, conflict_ids.first().copied().unwrap_or_default())
            }
        };
        EntityRef::new(kind, id)
    }

    /// Whether the command only ever adds to its entity, so that nothing others do meanwhile is a conflict with it.
    pub fn is_append_only(&self) -> bool {
        matches!(
            self,
            Self::AddComment { .. }
                | Self::AcknowledgeAlert { .. }
                | Self::ResolveAlert { .. }
                | Self::MarkRead { .. }
                | Self::KeepTheirs { .. }
                | Self::DismissConflicts { .. }
        )
    }

    /// Whether its entity is gone by it.
    pub fn deletes(&self) -> bool {
        matches!(
            self,
            Self::DeleteSuite { .. }
                | Self::DeleteTask { .. }
                | Self::DeleteNote { .. }
                | Self::DeleteEmployee { .. }
        )
    }

    /// Whether its entity comes into being by it.
    pub fn creates(&self) -> bool {
        matches!(
            self,
            Self::CreateSuite { .. }
                | Self::CreateTask { .. }
                | Self::CreateNote { .. }
                | Self::CreateEmployee { .. }
                | Self::RaiseEmergency { .. }
                | Self::Announce { .. }
                | Self::ChangeShift { .. }
        )
    }

    /// Whether nobody's work depends on it: it has no lane, and later ones make it superfluous.
    pub fn is_cosmetic(&self) -> bool {
        matches!(self, Self::MarkRead { .. })
    }

    /// The command that gives one field of an entity a value (`null`: empties it); `None` where no command does.
    pub fn setting(entity: &EntityRef, field: &str, value: &Value) -> Option<Self> {
        let id = entity.id;
        let patch = || Map::from_iter([(field.to_owned(), value.clone())]).into();
        match (&entity.kind, field) {
            (EntityKind::Suite, "status") => {
                Some(Self::SetSuiteStatus { suite_id: id, status: value.as_str()?.into() })
            }
            (EntityKind::Suite, _) => Some(Self::EditSuite { suite_id: id, patch: read(patch())? }),
            (EntityKind::Task, "status") => match TaskStatus::from(value.as_str()?) {
                TaskStatus::Pending => Some(Self::ReopenTask { task_id: id }),
                TaskStatus::InProgress => Some(Self::StartTask { task_id: id }),
                TaskStatus::Completed => Some(Self::CompleteTask { task_id: id }),
                TaskStatus::Cancelled => Some(Self::CancelTask { task_id: id }),
                TaskStatus::Other(_) => None,
            },
            (EntityKind::Task, "assignedTo") if value.is_null() => Some(Self::ReleaseTask { task_id: id }),
            (EntityKind::Task, "assignedTo") => {
                Some(Self::AssignTask { task_id: id, assignee: read(value.clone())? })
            }
            (EntityKind::Task, _) => Some(Self::EditTask { task_id: id, patch: read(patch())? }),
            (EntityKind::Note, _) => Some(Self::EditNote { note_id: id, patch: read(patch())? }),
            (EntityKind::Employee, "status") => {
                Some(Self::SetEmployeeStatus { employee_id: id, status: value.as_str()?.into() })
            }
            (EntityKind::Employee, "isOnDuty") => {
                Some(Self::SetDuty { employee_id: id, is_on_duty: value.as_bool()? })
            }
            (EntityKind::Employee, _) => Some(Self::EditEmployee { employee_id: id, patch: read(patch())? }),
            _ => None,
        }
        // Fields that no patch has are passed over when it is read.
        .filter(|command| !command.changes_nothing())
    }

    /// The command without some of the fields that it changes, and with other values for some; `None`: nothing is left of
    /// it. What is not a patch is done whole or not at all.
    pub(crate) fn amended(&self, without: &[&str], with: Vec<(&str, Value)>) -> Option<Self> {
        if without.is_empty() && with.is_empty() {
            return Some(self.clone());
        }
        let amended = match self {
            Self::EditSuite { suite_id, patch } => {
                Self::EditSuite { suite_id: *suite_id, patch: amend(patch, without, with)? }
            }
            Self::EditTask { task_id, patch } => {
                Self::EditTask { task_id: *task_id, patch: amend(patch, without, with)? }
            }
            Self::EditNote { note_id, patch } => {
                Self::EditNote { note_id: *note_id, patch: amend(patch, without, with)? }
            }
            Self::EditEmployee { employee_id, patch } => {
                Self::EditEmployee { employee_id: *employee_id, patch: amend(patch, without, with)? }
            }
            Self::RestoreValue { conflict_id, entity_type, entity_id, field, .. } if without.is_empty() => {
                let (_, value) = with.into_iter().find(|(name, _)| name == field)?;
                Self::RestoreValue {
                    conflict_id: *conflict_id,
                    entity_type: entity_type.clone(),
                    entity_id: *entity_id,
                    field: field.clone(),
                    value,
                }
            }
            _ => return None,
        };
        Some(amended).filter(|command| !command.changes_nothing())
    }

    /// The command with other values for fields that it may edit; `None` where it cannot edit one of them.
    pub fn with_values(&self, values: &Fields) -> Option<Self> {
        let with = values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let amended = self.amended(&[], with)?;
        let named = amended.named_fields();
        values.keys().all(|name| named.contains(name)).then_some(amended)
    }

    /// The command without some of the fields that it names; `None`: nothing is left of it, or it is done whole or not at
    /// all.
    pub fn without_fields(&self, fields: &[&str]) -> Option<Self> {
        if self.is_patch() { self.amended(fields, Vec::new()) } else { None }
    }

    /// Whether it is a set of fields, each of which may be changed or left by itself.
    pub(crate) fn is_patch(&self) -> bool {
        matches!(
            self,
            Self::EditSuite { .. }
                | Self::EditTask { .. }
                | Self::EditNote { .. }
                | Self::EditEmployee { .. }
                | Self::RestoreValue { .. }
        )
    }

    /// The fields that it names, by their wire names; of what is no patch: none.
    pub fn named_fields(&self) -> Vec<String> {
        self.named_values().into_iter().map(|(name, _)| name).collect()
    }

    /// What it makes of each field that it names; of what is no patch: nothing.
    pub fn named_values(&self) -> Fields {
        let patch = match self {
            Self::EditSuite { patch, .. } => serde_json::to_value(patch),
            Self::EditTask { patch, .. } => serde_json::to_value(patch),
            Self::EditNote { patch, .. } => serde_json::to_value(patch),
            Self::EditEmployee { patch, .. } => serde_json::to_value(patch),
            Self::RestoreValue { field, value, .. } => {
                return Fields::from_iter([(field.clone(), value.clone())]);
            }
            _ => return Fields::new(),
        };
        match patch {
            Ok(Value::Object(fields)) => fields,
            _ => Fields::new(),
        }
    }

    /// Whether it is a patch of no fields.
    fn changes_nothing(&self) -> bool {
        match self {
            Self::EditSuite { patch, .. } => *patch == SuitePatch::default(),
            Self::EditTask { patch, .. } => *patch == TaskPatch::default(),
            Self::EditNote { patch, .. } => *patch == NotePatch::default(),
            Self::EditEmployee { patch, .. } => *patch == EmployeePatch::default(),
            _ => false,
        }
    }
}

/// The id of the record of a value that lost: by the operation that lost it or made it lose, and the field.
pub fn conflict_id(operation: Uuid, field: &str) -> Uuid {
    crate::derived_id(operation, &format!("conflict:{field}"))
}

/// The id of the record of a value that somebody gave up for another in an operation of theirs.
pub(crate) fn given_up_id(operation: Uuid, field: &str) -> Uuid {
    crate::derived_id(operation, &format!("given-up:{field}"))
}

/// By way of text, as entities are read.
fn read<T: DeserializeOwned>(value: Value) -> Option<T> {
    serde_json::from_str(&value.to_string()).ok()
}

fn amend<P: Serialize + DeserializeOwned>(
    patch: &P,
    without: &[&str],
    with: Vec<(&str, Value)>,
) -> Option<P> {
    let Value::Object(mut fields) = serde_json::to_value(patch).ok()? else { return None };
    for name in without {
        fields.remove(*name);
    }
    if !with.is_empty() && mutant::is(Mutant::MergeDropsFields) {
        fields.clear();
    }
    fields.extend(with.into_iter().map(|(name, value)| (name.to_owned(), value)));
    read(fields.into())
}

/// What to change of a suite; what is left out stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SuitePatch {
    /// What is written on its door.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite_number: Option<String>,
    /// Its storey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<i32>,
}

/// What to change of a task; what is left out stays, `null` clears.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TaskPatch {
    /// What is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// At length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What kind of work; never to or from EMERGENCY.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub task_type: Option<TaskType>,
    /// How urgent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Where.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub suite_id: Option<Option<Uuid>>,
    /// Until when.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Option<Timestamp>>,
}

/// What to change of a note; what is left out stays, `null` clears.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NotePatch {
    /// Its heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The suite it is about.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub suite_id: Option<Option<Uuid>>,
    /// The task it is about.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub task_id: Option<Option<Uuid>>,
    /// Who may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
}

/// What to change of an employee; what is left out stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EmployeePatch {
    /// The name that others see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What they may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Where they work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<Department>,
}

/// A field that is there: `null` is `Some(None)`, where serde alone would take it for left out.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_itself_as_it_is_written() {
        let command = Command::AssignTask { task_id: Uuid::nil(), assignee: Uuid::max() };
        let value = serde_json::to_value(&command).unwrap();
        assert_eq!(value["type"], command.name());
        assert_eq!(value["taskId"], Uuid::nil().to_string());
        assert_eq!(serde_json::from_value::<Command>(value).unwrap(), command);
    }

    #[test]
    fn the_least_that_a_task_needs_is_an_id_and_a_title() {
        let command: Command = serde_json::from_str(
            r#"{"type":"CREATE_TASK","taskId":"00000000-0000-0000-0000-000000000000","title":"Clean Suite 101"}"#,
        )
        .unwrap();
        let Command::CreateTask { task_type, priority, .. } = command else { panic!("{command:?}") };
        assert_eq!((task_type, priority), (TaskType::General, Priority::Normal));
    }

    #[test]
    fn null_clears_and_left_out_stays() {
        let patch: TaskPatch = serde_json::from_str(r#"{"dueAt":null}"#).unwrap();
        assert_eq!(patch.due_at, Some(None));
        assert_eq!(patch.suite_id, None);
        assert_eq!(serde_json::to_string(&patch).unwrap(), r#"{"dueAt":null}"#);
    }
}
