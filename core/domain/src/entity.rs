//! The things a motel has. Each is declared once, by [`entity!`], which also writes its JSON reader and writer (fields of
//! a newer release are kept in `extra` and written back) and its field-by-field comparison.

use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::policy::Policy;
use crate::time::Timestamp;
use crate::vocabulary::{
    AnnouncementPriority, Department, EmployeeStatus, NotificationPriority, NotificationType, Priority, Role,
    Severity, SuiteStatus, TaskStatus, TaskType, closed_set,
};

/// Some fields of an entity by their wire names; an absent optional field is `null`.
pub type Fields = Map<String, Value>;

/// How a field is written: optional ones are left out while empty.
trait Field: Serialize {
    fn is_absent(&self) -> bool {
        false
    }
    fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}
impl<T: Serialize> Field for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}
impl Field for Value {
    fn is_absent(&self) -> bool {
        self.is_null()
    }
}
macro_rules! fields_always_written {
    ($($type:ty),+) => { $(impl Field for $type {})+ };
}
fields_always_written!(
    String,
    bool,
    i32,
    u64,
    Uuid,
    Timestamp,
    SuiteStatus,
    TaskType,
    TaskStatus,
    Priority,
    EmployeeStatus,
    Role,
    Department,
    Severity,
    AnnouncementPriority,
    NotificationPriority,
    NotificationType,
    EntityKind,
    Policy,
    Audience,
    Vec<Comment>,
    Vec<Acknowledgement>,
    Vec<Uuid>
);

/// A field that may be missing in the text: optional ones are then empty, the others are an error.
trait Missing: Sized {
    fn missing<E: de::Error>(name: &'static str) -> Result<Self, E> {
        Err(E::missing_field(name))
    }
}
impl<T> Missing for Option<T> {
    fn missing<E: de::Error>(_: &'static str) -> Result<Self, E> {
        Ok(None)
    }
}
macro_rules! required {
    ($($type:ty),+) => { $(impl Missing for $type {})+ };
}
required!(
    String,
    bool,
    i32,
    u64,
    Uuid,
    Timestamp,
    SuiteStatus,
    TaskType,
    TaskStatus,
    Priority,
    EmployeeStatus,
    Role,
    Department,
    Severity,
    AnnouncementPriority,
    NotificationPriority,
    NotificationType,
    EntityKind,
    Policy,
    Audience
);
macro_rules! empty_when_missing {
    ($($type:ty),+) => {
        $(impl Missing for $type {
            fn missing<E: de::Error>(_: &'static str) -> Result<Self, E> {
                Ok(Self::default())
            }
        })+
    };
}
empty_when_missing!(Value, Vec<Comment>, Vec<Acknowledgement>, Vec<Uuid>);

macro_rules! entity {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $field:ident / $wire:literal : $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            /// Its id, for good.
            pub id: Uuid,
            $($(#[$doc])* pub $field: $type,)+
            /// How often the server has changed it; 1 when created. 0: not yet on the server.
            pub version: u64,
            /// When the server last changed it (on a phone, before that: when the person did).
            pub updated_at: Timestamp,
            /// Who last changed it.
            pub updated_by: Uuid,
            /// Fields of a newer release, kept and written back.
            pub extra: Fields,
        }

        impl $name {
            /// The wire names of the fields that commands change.
            pub const FIELDS: &'static [&'static str] = &[$($wire),+];

            /// One field by its wire name; `null` for an empty optional one, `None` where there is no such field.
            pub fn field(&self, name: &str) -> Option<Value> {
                match name {
                    $($wire => Some(self.$field.to_value()),)+
                    other => self.extra.get(other).cloned(),
                }
            }

            /// The fields whose values differ, first as they are here, then as they are in `other`.
            pub fn diff(&self, other: &Self) -> (Fields, Fields) {
                let (mut mine, mut theirs) = (Fields::new(), Fields::new());
                $(if self.$field != other.$field {
                    mine.insert($wire.to_owned(), self.$field.to_value());
                    theirs.insert($wire.to_owned(), other.$field.to_value());
                })+
                for name in self.extra.keys().chain(other.extra.keys()) {
                    let (left, right) = (self.extra.get(name), other.extra.get(name));
                    if left != right {
                        mine.insert(name.clone(), left.cloned().unwrap_or(Value::Null));
                        theirs.insert(name.clone(), right.cloned().unwrap_or(Value::Null));
                    }
                }
                (mine, theirs)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("id", &self.id)?;
                $(if !self.$field.is_absent() {
                    map.serialize_entry($wire, &self.$field)?;
                })+
                map.serialize_entry("version", &self.version)?;
                map.serialize_entry("updatedAt", &self.updated_at)?;
                map.serialize_entry("updatedBy", &self.updated_by)?;
                for (name, value) in &self.extra {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[allow(non_camel_case_types)]
                enum Key { id, $($field,)+ version, updated_at, updated_by, unknown(String) }
                struct KeyVisitor;
                impl<'de> DeserializeSeed<'de> for KeyVisitor {
                    type Value = Key;
                    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
                        deserializer.deserialize_identifier(self)
                    }
                }
                impl Visitor<'_> for KeyVisitor {
                    type Value = Key;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a field name")
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<Key, E> {
                        Ok(match text {
                            "id" => Key::id,
                            $($wire => Key::$field,)+
                            "version" => Key::version,
                            "updatedAt" => Key::updated_at,
                            "updatedBy" => Key::updated_by,
                            other => Key::unknown(other.to_owned()),
                        })
                    }
                }
                struct EntityVisitor;
                impl<'de> Visitor<'de> for EntityVisitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("a ", stringify!($name), " object"))
                    }
                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut id: Option<Uuid> = None;
                        $(let mut $field: Option<$type> = None;)+
                        let (mut version, mut updated_at, mut updated_by) = (None, None, None);
                        let mut extra = Fields::new();
                        while let Some(key) = map.next_key_seed(KeyVisitor)? {
                            match key {
                                Key::id => id = Some(map.next_value()?),
                                $(Key::$field => $field = Some(map.next_value()?),)+
                                Key::version => version = Some(map.next_value()?),
                                Key::updated_at => updated_at = Some(map.next_value()?),
                                Key::updated_by => updated_by = Some(map.next_value()?),
                                Key::unknown(name) => { extra.insert(name, map.next_value()?); }
                            }
                        }
                        Ok($name {
                            id: id.ok_or_else(|| de::Error::missing_field("id"))?,
                            $($field: match $field {
                                Some(value) => value,
                                None => <$type as Missing>::missing($wire)?,
                            },)+
                            version: version.ok_or_else(|| de::Error::missing_field("version"))?,
                            updated_at: updated_at.ok_or_else(|| de::Error::missing_field("updatedAt"))?,
                            updated_by: updated_by.ok_or_else(|| de::Error::missing_field("updatedBy"))?,
                            extra,
                        })
                    }
                }
                deserializer.deserialize_map(EntityVisitor)
            }
        }
    };
}

entity!(
    /// A room or suite that guests stay in.
    Suite {
        /// What is written on its door, 1 to 20 characters.
        suite_number / "suiteNumber": String,
        /// Its storey.
        floor / "floor": i32,
        /// What state it is in.
        status / "status": SuiteStatus,
        /// The one open cleaning task for it, if there is one; kept by the rules.
        open_cleaning_task / "openCleaningTask": Option<Uuid>,
    }
);
entity!(
    /// A piece of work.
    Task {
        /// What is to be done, in a few words.
        title / "title": String,
        /// What is to be done, at length; may be empty.
        description / "description": String,
        /// What kind of work it is.
        task_type / "type": TaskType,
        /// How urgent it is.
        priority / "priority": Priority,
        /// How far it has come.
        status / "status": TaskStatus,
        /// The suite it is about.
        suite_id / "suiteId": Option<Uuid>,
        /// Who is to do it; empty: whoever takes it.
        assigned_to / "assignedTo": Option<Uuid>,
        /// The department that it is for, from its type; empty: all of them.
        department / "department": Option<Department>,
        /// When it should be done.
        due_at / "dueAt": Option<Timestamp>,
        /// Who created or reported it.
        created_by / "createdBy": Uuid,
        /// When that was, by the creator's intent.
        created_at / "createdAt": Timestamp,
    }
);
entity!(
    /// Somebody who works here.
    Employee {
        /// The name that others see.
        name / "name": String,
        /// What the person is allowed to do.
        role / "role": Role,
        /// Where the person works.
        department / "department": Department,
        /// What the person is doing just now; OFF_DUTY exactly while not on duty.
        status / "status": EmployeeStatus,
        /// Whether the person is at work.
        is_on_duty / "isOnDuty": bool,
    }
);
entity!(
    /// Something written down for others, with their comments.
    Note {
        /// Its heading.
        title / "title": String,
        /// Its text.
        content / "content": String,
        /// The suite it is about.
        suite_id / "suiteId": Option<Uuid>,
        /// The task it is about.
        task_id / "taskId": Option<Uuid>,
        /// Who may see it.
        audience / "audience": Audience,
        /// Who wrote it.
        created_by / "createdBy": Uuid,
        /// When that was, by the author's intent.
        created_at / "createdAt": Timestamp,
        /// What others said to it, oldest first; only ever appended to.
        comments / "comments": Vec<Comment>,
    }
);
entity!(
    /// News for one person, shown in the inbox.
    Notification {
        /// Whom it is for.
        recipient_id / "recipientId": Uuid,
        /// Why it was sent.
        notification_type / "type": NotificationType,
        /// Its heading.
        title / "title": String,
        /// Its text.
        message / "message": String,
        /// How prominently it is shown.
        priority / "priority": NotificationPriority,
        /// The task (or other entity) that it is about.
        related_entity_id / "relatedEntityId": Option<Uuid>,
        /// When the recipient read it.
        read_at / "readAt": Option<Timestamp>,
    }
);
entity!(
    /// An emergency that everybody on duty is alarmed about until they acknowledge it.
    Alert {
        /// Its heading.
        title / "title": String,
        /// What is the matter.
        message / "message": String,
        /// How bad it is.
        severity / "severity": Severity,
        /// The emergency's task.
        related_task_id / "relatedTaskId": Option<Uuid>,
        /// Where it is.
        related_suite_id / "relatedSuiteId": Option<Uuid>,
        /// Who raised it.
        raised_by / "raisedBy": Uuid,
        /// When that was.
        raised_at / "raisedAt": Timestamp,
        /// Who has acknowledged it and when, in the server's order. The raiser and managers see all, others their own.
        acknowledgements / "acknowledgements": Vec<Acknowledgement>,
        /// When it was resolved.
        resolved_at / "resolvedAt": Option<Timestamp>,
        /// Who resolved it.
        resolved_by / "resolvedBy": Option<Uuid>,
    }
);
entity!(
    /// Something that all staff are told.
    Announcement {
        /// Its heading.
        title / "title": String,
        /// Its text.
        message / "message": String,
        /// How prominently it is shown.
        priority / "priority": AnnouncementPriority,
        /// When it is no longer of interest.
        expires_at / "expiresAt": Option<Timestamp>,
        /// Who made it.
        created_by / "createdBy": Uuid,
        /// When that was.
        created_at / "createdAt": Timestamp,
    }
);
entity!(
    /// A change of shift, as it was announced.
    Shift {
        /// The shift that ended.
        old_shift / "oldShift": String,
        /// The shift that began.
        new_shift / "newShift": String,
        /// Who is on duty from now on.
        on_duty_employees / "onDutyEmployees": Vec<Uuid>,
        /// Who announced it.
        created_by / "createdBy": Uuid,
        /// When that was.
        created_at / "createdAt": Timestamp,
    }
);
entity!(
    /// A value of one person's that lost to another's, kept so that it can be restored; theirs alone.
    Conflict {
        /// What kind of thing it is about.
        entity_type / "entityType": EntityKind,
        /// Which one; it may be gone by now.
        entity_id / "entityId": Uuid,
        /// The field, by its wire name.
        field / "field": String,
        /// What they saw before; `null`: empty, or not known.
        base / "base": Value,
        /// What they wanted; `null`: empty.
        lost / "lost": Value,
        /// What it became instead; `null`: empty, or hidden from them.
        kept / "kept": Value,
        /// Whose value lost.
        lost_by / "lostBy": Uuid,
        /// Whose was kept.
        kept_by / "keptBy": Uuid,
        /// When the lost value was meant, by the server's clock.
        meant_at / "meantAt": Timestamp,
        /// When it was decided.
        decided_at / "decidedAt": Timestamp,
        /// What decided.
        policy / "policy": Policy,
        /// Whether the times that it went by were measured; if not, the order of arrival decided.
        certain / "certain": bool,
        /// When the person put it aside.
        seen_at / "seenAt": Option<Timestamp>,
        /// When they restored it.
        restored_at / "restoredAt": Option<Timestamp>,
    }
);

/// What one person said to a note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comment {
    /// Its id, from whoever wrote it.
    pub id: Uuid,
    /// Who wrote it.
    pub author: Uuid,
    /// What they wrote.
    pub text: String,
    /// When they wrote it.
    pub created_at: Timestamp,
    /// Fields of a newer release.
    #[serde(flatten)]
    pub extra: Fields,
}

/// One person's acknowledgement of an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Acknowledgement {
    /// Who acknowledged.
    pub employee_id: Uuid,
    /// When, by their own intent.
    pub at: Timestamp,
    /// Fields of a newer release.
    #[serde(flatten)]
    pub extra: Fields,
}

/// Who may see a note, besides its author. On the wire `{"kind":"ALL_STAFF"}`, `{"kind":"DEPARTMENT","department":…}`,
/// `{"kind":"MANAGERS"}` or `{"kind":"PEOPLE","people":[…]}`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Audience {
    /// Everybody of the property.
    #[default]
    AllStaff,
    /// One department, and managers.
    Department {
        /// Which one.
        department: Department,
    },
    /// Managers alone.
    Managers,
    /// The people named.
    People {
        /// Their ids.
        people: Vec<Uuid>,
    },
    /// An audience of a newer release, as it came: here only author and managers see such a note.
    #[serde(untagged)]
    Other(Fields),
}

closed_set!(
    /// The kinds of entity.
    EntityKind {
        Suite = "SUITE",
        Task = "TASK",
        Employee = "EMPLOYEE",
        Note = "NOTE",
        Notification = "NOTIFICATION",
        Alert = "ALERT",
        Announcement = "ANNOUNCEMENT",
        Shift = "SHIFT",
        Conflict = "CONFLICT",
    }
);

/// One entity by kind and id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntityRef {
    /// Its kind.
    #[serde(rename = "entityType")]
    pub kind: EntityKind,
    /// Its id.
    pub id: Uuid,
}

impl EntityRef {
    /// The entity of that kind with that id.
    pub fn new(kind: EntityKind, id: Uuid) -> Self {
        Self { kind, id }
    }
}

macro_rules! any_entity {
    ($($name:ident),+) => {
        /// Any one entity. Written as the entity itself; its kind stands beside it on the wire.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs)]
        pub enum Entity { $($name($name)),+ }

        impl Entity {
            /// What kind of entity it is.
            pub fn kind(&self) -> EntityKind {
                match self { $(Self::$name(_) => EntityKind::$name),+ }
            }
            /// Its id.
            pub fn id(&self) -> Uuid {
                match self { $(Self::$name(it) => it.id),+ }
            }
            /// Its version.
            pub fn version(&self) -> u64 {
                match self { $(Self::$name(it) => it.version),+ }
            }
            /// When it was last changed.
            pub fn updated_at(&self) -> Timestamp {
                match self { $(Self::$name(it) => it.updated_at),+ }
            }
            /// Who last changed it.
            pub fn updated_by(&self) -> Uuid {
                match self { $(Self::$name(it) => it.updated_by),+ }
            }
            /// Writes version, time and author of a change into it.
            pub fn stamp(&mut self, version: u64, at: Timestamp, by: Uuid) {
                match self {
                    $(Self::$name(it) => { it.version = version; it.updated_at = at; it.updated_by = by; })+
                }
            }
            /// One field by its wire name; see [`Suite::field`].
            pub fn field(&self, name: &str) -> Option<Value> {
                match self { $(Self::$name(it) => it.field(name)),+ }
            }
            /// The fields that differ from `other`, as here and as there; everything where the kinds differ.
            pub fn diff(&self, other: &Self) -> (Fields, Fields) {
                match (self, other) {
                    $((Self::$name(mine), Self::$name(theirs)) => mine.diff(theirs),)+
                    _ => (Fields::new(), Fields::new()),
                }
            }
            /// Reads an entity of a known kind from its JSON text.
            pub fn from_json(kind: &EntityKind, text: &str) -> Result<Self, serde_json::Error> {
                match kind {
                    $(EntityKind::$name => serde_json::from_str(text).map(Self::$name),)+
                    EntityKind::Other(kind) => Err(unknown_kind(kind)),
                }
            }
            /// Reads an entity of a known kind from a JSON value.
            pub fn from_value(kind: &EntityKind, value: Value) -> Result<Self, serde_json::Error> {
                // By way of text: readers of values for all kinds would be twice the code in every app.
                Self::from_json(kind, &value.to_string())
            }
        }

        impl Serialize for Entity {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$name(it) => it.serialize(serializer)),+ }
            }
        }

        $(impl From<$name> for Entity {
            fn from(it: $name) -> Self {
                Self::$name(it)
            }
        })+
    };
}
any_entity!(Suite, Task, Employee, Note, Notification, Alert, Announcement, Shift, Conflict);

fn unknown_kind(kind: &str) -> serde_json::Error {
    de::Error::custom(format_args!("an entity of the unknown kind {kind}"))
}

impl Entity {
    /// Kind and id.
    pub fn reference(&self) -> EntityRef {
        EntityRef::new(self.kind(), self.id())
    }

    /// What it is called: a suite by its number, a person by their name, else its heading; empty where it has none.
    pub fn title(&self) -> String {
        match self {
            Self::Suite(it) => it.suite_number.clone(),
            Self::Employee(it) => it.name.clone(),
            other => other.field("title").and_then(|it| Some(it.as_str()?.to_owned())).unwrap_or_default(),
        }
    }

    /// Its JSON text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What the rules need to know of a person: who acts, or who looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The employee's id.
    pub id: Uuid,
    /// What they may do.
    pub role: Role,
    /// Where they work.
    pub department: Department,
    /// Whether they are at work.
    pub is_on_duty: bool,
}

impl From<&Employee> for Person {
    fn from(employee: &Employee) -> Self {
        Self {
            id: employee.id,
            role: employee.role.clone(),
            department: employee.department.clone(),
            is_on_duty: employee.is_on_duty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite() -> Suite {
        serde_json::from_str(
            r#"{"id":"00000000-0000-0000-0000-000000000101","suiteNumber":"101","floor":1,"status":"OCCUPIED",
                "version":3,"updatedAt":"2026-11-22T08:00:00.000Z","updatedBy":"00000000-0000-0000-0000-000000000001",
                "view":"sea"}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_field_of_a_newer_release_is_kept_and_written_back() {
        let suite = suite();
        assert_eq!(suite.extra["view"], "sea");
        let text = serde_json::to_string(&suite).unwrap();
        assert!(text.contains(r#""view":"sea""#), "{text}");
        assert_eq!(serde_json::from_str::<Suite>(&text).unwrap(), suite);
    }

    #[test]
    fn an_empty_optional_field_is_left_out_and_null_in_a_comparison() {
        let before = suite();
        let mut after = before.clone();
        after.open_cleaning_task = Some(Uuid::nil());
        assert!(!serde_json::to_string(&before).unwrap().contains("openCleaningTask"));
        let (was, is) = before.diff(&after);
        assert_eq!(was["openCleaningTask"], Value::Null);
        assert_eq!(is["openCleaningTask"], Uuid::nil().to_string());
        assert_eq!(was.len(), 1);
    }

    #[test]
    fn a_missing_field_is_named_in_the_error() {
        let error =
            serde_json::from_str::<Suite>(r#"{"id":"00000000-0000-0000-0000-000000000101"}"#).unwrap_err();
        assert!(error.to_string().contains("suiteNumber"), "{error}");
    }
}
