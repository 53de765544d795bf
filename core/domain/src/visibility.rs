//! Who sees what. [`may_see`] is the one rule; live frames, catch-up, snapshots, results and conflicts all pass it.

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

use crate::Uuid;
use crate::entity::{Alert, Audience, Entity, EntityKind, EntityRef, Fields, Note, Person, Task};
use crate::read::Change;
use crate::vocabulary::{Role, TaskType};

/// Whether a person may see an entity. People of another property are no concern here: nothing of theirs is ever asked.
///
/// | entity | who sees it |
/// | --- | --- |
/// | suite, employee, announcement, shift | all staff |
/// | task | supervisors and managers: all; others: assigned to them, unassigned in their department or in none, created by them, open emergencies while on duty |
/// | note | its author, managers, and its audience |
/// | notification | its recipient |
/// | conflict | whose value lost |
/// | alert | its raiser, managers, and until it is resolved whoever is on duty |
pub fn may_see(entity: &Entity, person: &Person) -> bool {
    match entity {
        Entity::Suite(_) | Entity::Employee(_) | Entity::Announcement(_) | Entity::Shift(_) => true,
        Entity::Task(task) => may_see_task(task, person),
        Entity::Note(note) => may_see_note(note, person),
        Entity::Notification(notification) => notification.recipient_id == person.id,
        Entity::Conflict(conflict) => conflict.lost_by == person.id,
        Entity::Alert(alert) => {
            sees_all_acknowledgements(alert, person) || (person.is_on_duty && alert.resolved_at.is_none())
        }
    }
}

fn may_see_task(task: &Task, person: &Person) -> bool {
    if person.role.directs() || task.created_by == person.id || task.assigned_to == Some(person.id) {
        return true;
    }
    if task.task_type == TaskType::Emergency {
        return person.is_on_duty && task.status.is_open();
    }
    let ours = task.department.as_ref().is_none_or(|department| *department == person.department);
    task.assigned_to.is_none() && ours
}

fn may_see_note(note: &Note, person: &Person) -> bool {
    let in_audience = match &note.audience {
        Audience::AllStaff => true,
        Audience::Department { department } => *department == person.department,
        Audience::People { people } => people.contains(&person.id),
        Audience::Managers | Audience::Other(_) => false,
    };
    in_audience || note.created_by == person.id || person.role == Role::Manager
}

/// The raiser wants to know whom the alarm has reached; managers, too.
fn sees_all_acknowledgements(alert: &Alert, person: &Person) -> bool {
    alert.raised_by == person.id || person.role == Role::Manager
}

/// The entity without what this person, who may see it, may not see of it: others' acknowledgements of an alert.
pub fn redact(mut entity: Entity, person: &Person) -> Entity {
    if let Entity::Alert(alert) = &mut entity
        && !sees_all_acknowledgements(alert, person)
    {
        without_others(alert, person.id);
    }
    entity
}

/// The alert as if nobody else had acknowledged it. Each acknowledgement was one version, and the last one's author and
/// time stand in the row: they go, too, or they would tell who it was and when.
fn without_others(alert: &mut Alert, me: Uuid) {
    let all = alert.acknowledgements.len();
    alert.acknowledgements.retain(|it| it.employee_id == me);
    let hidden = all - alert.acknowledgements.len();
    alert.version = alert.version.saturating_sub(hidden as u64);
    let raised = (alert.raised_at, alert.raised_by);
    let mine = alert.acknowledgements.last().map(|it| (it.at, it.employee_id));
    let resolved = alert.resolved_at.zip(alert.resolved_by);
    (alert.updated_at, alert.updated_by) = resolved.or(mine).unwrap_or(raised);
}

/// A change as one person sees it. On the wire `{"op":"UPSERT","entityType":"TASK","entity":{…},"before":{…},"created":false}`
/// or `{"op":"REMOVE","entityType":"TASK","id":"…","deleted":true}`.
#[derive(Debug, Clone, PartialEq)]
pub enum ViewChange {
    /// It is there, and so it is now.
    Upsert {
        /// As it is.
        entity: Entity,
        /// What the changed fields were before, by their wire names; `None`: the viewer did not see it before.
        before: Option<Fields>,
        /// Whether it was created just now. Neither created nor `before`: sight of it was gained.
        created: bool,
    },
    /// It is no longer there for this viewer.
    Remove {
        /// What.
        entity: EntityRef,
        /// Whether it was deleted; if not, sight of it was lost.
        deleted: bool,
    },
    /// Something of a newer release.
    Unsupported {
        /// The kind of entity, as it came.
        kind: EntityKind,
    },
}

impl ViewChange {
    /// Which entity it is about; `None` for what this release does not know.
    pub fn reference(&self) -> Option<EntityRef> {
        match self {
            Self::Upsert { entity, .. } => Some(entity.reference()),
            Self::Remove { entity, .. } => Some(entity.clone()),
            Self::Unsupported { .. } => None,
        }
    }
}

/// What one person sees of a change, if anything.
///
/// `before` and `after` are the viewer before and after the commit; they differ where it changes the viewer's own
/// employee row. A change that the viewer sees nothing of but a new version is still an Upsert, so that versions on
/// phones stay true.
pub fn project(change: &Change, before: &Person, after: &Person) -> Option<ViewChange> {
    let was = change.before.as_ref().filter(|entity| may_see(entity, before));
    let is = change.after.as_ref().filter(|entity| may_see(entity, after));
    match (was, is) {
        (None, None) => None,
        (Some(was), None) => {
            Some(ViewChange::Remove { entity: was.reference(), deleted: change.after.is_none() })
        }
        (None, Some(is)) => {
            let entity = redact(is.clone(), after);
            Some(ViewChange::Upsert { entity, before: None, created: change.before.is_none() })
        }
        (Some(was), Some(is)) => {
            let (was, is) = (redact(was.clone(), before), redact(is.clone(), after));
            if was == is {
                return None;
            }
            let (prior, _) = was.diff(&is);
            Some(ViewChange::Upsert { entity: is, before: Some(prior), created: false })
        }
    }
}

impl Serialize for ViewChange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Upsert { entity, before, created } => {
                map.serialize_entry("op", "UPSERT")?;
                map.serialize_entry("entityType", &entity.kind())?;
                map.serialize_entry("entity", entity)?;
                if let Some(before) = before {
                    map.serialize_entry("before", before)?;
                }
                map.serialize_entry("created", created)?;
            }
            Self::Remove { entity, deleted } => {
                map.serialize_entry("op", "REMOVE")?;
                map.serialize_entry("entityType", &entity.kind)?;
                map.serialize_entry("id", &entity.id)?;
                map.serialize_entry("deleted", deleted)?;
            }
            Self::Unsupported { kind } => {
                map.serialize_entry("op", "UNSUPPORTED")?;
                map.serialize_entry("entityType", kind)?;
            }
        }
        map.end()
    }
}

/// A change as it is written, with what depends on the kind not yet read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    op: String,
    #[serde(default = "no_kind")]
    entity_type: EntityKind,
    entity: Option<Box<RawValue>>,
    before: Option<Fields>,
    #[serde(default)]
    created: bool,
    id: Option<Box<RawValue>>,
    #[serde(default)]
    deleted: bool,
}

fn no_kind() -> EntityKind {
    EntityKind::Other("".into())
}

impl<'de> Deserialize<'de> for ViewChange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { op, entity_type: kind, entity, before, created, id, deleted } =
            Written::deserialize(deserializer)?;
        match op.as_str() {
            "UPSERT" if kind.is_known() => {
                let text = entity.ok_or_else(|| de::Error::missing_field("entity"))?;
                let entity = Entity::from_json(&kind, text.get()).map_err(de::Error::custom)?;
                Ok(Self::Upsert { entity, before, created })
            }
            "REMOVE" if kind.is_known() => {
                let text = id.ok_or_else(|| de::Error::missing_field("id"))?;
                let id: Uuid = serde_json::from_str(text.get()).map_err(de::Error::custom)?;
                Ok(Self::Remove { entity: EntityRef::new(kind, id), deleted })
            }
            _ => Ok(Self::Unsupported { kind }),
        }
    }
}
