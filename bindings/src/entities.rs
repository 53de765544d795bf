//! The things a motel has, as they are shown to the person.

use innsync_client::domain;
use innsync_client::{Timestamp, Uuid};

use crate::mirror::{ToCore, ToShell, record};
use crate::vocabulary::{
    AnnouncementPriority, Department, EmployeeStatus, EntityKind, NotificationPriority, NotificationType,
    Policy, Priority, Role, Severity, SuiteStatus, TaskStatus, TaskType,
};
use crate::{JsonObject, JsonValue};

record!(
    /// A room or suite that guests stay in.
    Suite = domain::Suite {
        /// Its id, for good.
        id: Uuid,
        /// What is written on its door.
        suite_number: String,
        /// Its storey.
        floor: i32,
        /// What state it is in.
        status: SuiteStatus,
        /// The one open cleaning task for it, if there is one.
        open_cleaning_task: Option<Uuid>,
        /// How often the server has changed it; 0: not yet on the server.
        version: u64,
        /// When it was last changed.
        updated_at: Timestamp,
        /// Who last changed it.
        updated_by: Uuid,
    } without extra
);
record!(
    /// A piece of work.
    Task = domain::Task {
        /// Its id, for good.
        id: Uuid,
        /// What is to be done, in a few words.
        title: String,
        /// What is to be done, at length; may be empty.
        description: String,
        /// What kind of work it is.
        task_type: TaskType,
        /// How urgent it is.
        priority: Priority,
        /// How far it has come.
        status: TaskStatus,
        /// The suite it is about.
        suite_id: Option<Uuid>,
        /// Who is to do it; none: whoever takes it.
        assigned_to: Option<Uuid>,
        /// The department that it is for; none: all of them.
        department: Option<Department>,
        /// When it should be done.
        due_at: Option<Timestamp>,
        /// Who created or reported it.
        created_by: Uuid,
        /// When that was.
        created_at: Timestamp,
        /// How often the server has changed it; 0: not yet on the server.
        version: u64,
        /// When it was last changed.
        updated_at: Timestamp,
        /// Who last changed it.
        updated_by: Uuid,
    } without extra
);
record!(
    /// Somebody who works here.
    Employee = domain::Employee {
        /// Their id, for good.
        id: Uuid,
        /// The name that others see.
        name: String,
        /// What the person is allowed to do.
        role: Role,
        /// Where the person works.
        department: Department,
        /// What the person is doing just now.
        status: EmployeeStatus,
        /// Whether the person is at work.
        is_on_duty: bool,
        /// How often the server has changed it; 0: not yet on the server.
        version: u64,
        /// When it was last changed.
        updated_at: Timestamp,
        /// Who last changed it.
        updated_by: Uuid,
    } without extra
);
record!(
    /// Something written down for others, with their comments.
    Note = domain::Note {
        /// Its id, for good.
        id: Uuid,
        /// Its heading.
        title: String,
        /// Its text.
        content: String,
        /// The suite it is about.
        suite_id: Option<Uuid>,
        /// The task it is about.
        task_id: Option<Uuid>,
        /// Who may see it.
        audience: Audience,
        /// Who wrote it.
        created_by: Uuid,
        /// When that was.
        created_at: Timestamp,
        /// What others said to it, oldest first.
        comments: Vec<Comment>,
        /// How often the server has changed it; 0: not yet on the server.
        version: u64,
        /// When it was last changed.
        updated_at: Timestamp,
        /// Who last changed it.
        updated_by: Uuid,
    } without extra
);
record!(
    /// What one person said to a note.
    Comment = domain::Comment {
        /// Its id.
        id: Uuid,
        /// Who wrote it.
        author: Uuid,
        /// What they wrote.
        text: String,
        /// When they wrote it.
        created_at: Timestamp,
    } without extra
);
record!(
    /// News for one person, shown in the inbox.
    Notification = domain::Notification {
        /// Its id, for good.
        id: Uuid,
        /// Whom it is for.
        recipient_id: Uuid,
        /// Why it was sent.
        notification_type: NotificationType,
        /// Its heading.
        title: String,
        /// Its text.
        message: String,
        /// How prominently it is shown.
        priority: NotificationPriority,
        /// The task (or other entity) that it is about.
        related_entity_id: Option<Uuid>,
        /// When the recipient read it.
        read_at: Option<Timestamp>,
        /// How often the server has changed it.
        version: u64,
        /// When it was last changed.
        updated_at: Timestamp,
        /// Who last changed it.
        updated_by: Uuid,
    } without extra
);
record!(
    /// An emergency that everybody on duty is alarmed about until they acknowledge it.
    Alert = domain::Alert {
        /// Its id, for good.
        id: Uuid,
        /// Its heading.
        title: String,
        /// What is the matter.
        message: String,
        /// How bad it is.
        severity: Severity,
        /// The emergency's task.
        related_task_id: Option<Uuid>,
        /// Where it is.
        related_suite_id: Option<Uuid>,
        /// Who raised it.
        raised_by: Uuid,
        /// When that was.
        raised_at: Timestamp,
        /// Who has acknowledged it. The raiser and managers see all, others their own.
        acknowledgements: Vec<Acknowledgement>,
        /// When it was resolved.
        resolved_at: Option<Timestamp>,
        /// Who resolved it.
        resolved_by: Option<Uuid>,
        /// How often the server has changed it; 0: not yet on the server.
        version: u64,
        /// When it was last changed.
        updated_at: Timestamp,
        /// Who last changed it.
        updated_by: Uuid,
    } without extra
);
record!(
    /// One person's acknowledgement of an alert.
    Acknowledgement = domain::Acknowledgement {
        /// Who acknowledged.
        employee_id: Uuid,
        /// When.
        at: Timestamp,
    } without extra
);
record!(
    /// Something that all staff are told.
    Announcement = domain::Announcement {
        /// Its id, for good.
        id: Uuid,
        /// Its heading.
        title: String,
        /// Its text.
        message: String,
        /// How prominently it is shown.
        priority: AnnouncementPriority,
        /// When it is no longer of interest.
        expires_at: Option<Timestamp>,
        /// Who made it.
        created_by: Uuid,
        /// When that was.
        created_at: Timestamp,
        /// How often the server has changed it; 0: not yet on the server.
        version: u64,
        /// When it was last changed.
        updated_at: Timestamp,
        /// Who last changed it.
        updated_by: Uuid,
    } without extra
);
record!(
    /// A change of shift, as it was announced.
    Shift = domain::Shift {
        /// Its id, for good.
        id: Uuid,
        /// The shift that ended.
        old_shift: String,
        /// The shift that began.
        new_shift: String,
        /// Who is on duty from now on.
        on_duty_employees: Vec<Uuid>,
        /// Who announced it.
        created_by: Uuid,
        /// When that was.
        created_at: Timestamp,
        /// How often the server has changed it; 0: not yet on the server.
        version: u64,
        /// When it was last changed.
        updated_at: Timestamp,
        /// Who last changed it.
        updated_by: Uuid,
    } without extra
);
record!(
    /// A value of the person's that lost to somebody else's, kept for 30 days so that it can be restored. Values are JSON,
    /// `null`: empty.
    Conflict = domain::Conflict {
        /// Its id, for good.
        id: Uuid,
        /// What kind of thing it is about.
        entity_type: EntityKind,
        /// Which one; it may be gone by now.
        entity_id: Uuid,
        /// The field, by its wire name.
        field: String,
        /// What the person saw before; `null`: empty, or not known.
        base: JsonValue,
        /// What they wanted.
        lost: JsonValue,
        /// What it became instead; `null`: empty, or hidden from them.
        kept: JsonValue,
        /// Whose value lost.
        lost_by: Uuid,
        /// Whose was kept.
        kept_by: Uuid,
        /// When the lost value was meant.
        meant_at: Timestamp,
        /// When it was decided.
        decided_at: Timestamp,
        /// What decided.
        policy: Policy,
        /// Whether the times that it went by were measured; if not, the order of arrival decided.
        certain: bool,
        /// When the person put it aside.
        seen_at: Option<Timestamp>,
        /// When they restored it.
        restored_at: Option<Timestamp>,
        /// How often the server has changed it; 0: not yet on the server.
        version: u64,
        /// When it was last changed.
        updated_at: Timestamp,
        /// Who last changed it.
        updated_by: Uuid,
    } without extra
);

/// Who may see a note.
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
pub enum Audience {
    /// Everybody of the property.
    AllStaff,
    /// One department, and managers.
    OneDepartment {
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
    /// An audience of a newer release.
    Unknown {
        /// As it came; given back, it must be a JSON object.
        json: JsonObject,
    },
}

impl ToShell for domain::Audience {
    type Shell = Audience;
    fn to_shell(self) -> Audience {
        match self {
            Self::AllStaff => Audience::AllStaff,
            Self::Department { department } => Audience::OneDepartment { department: department.to_shell() },
            Self::Managers => Audience::Managers,
            Self::People { people } => Audience::People { people },
            Self::Other(fields) => Audience::Unknown { json: JsonObject(fields) },
        }
    }
}

impl ToCore for Audience {
    type Core = domain::Audience;
    fn to_core(self) -> Self::Core {
        match self {
            Self::AllStaff => Self::Core::AllStaff,
            Self::OneDepartment { department } => Self::Core::Department { department: department.to_core() },
            Self::Managers => Self::Core::Managers,
            Self::People { people } => Self::Core::People { people },
            Self::Unknown { json } => Self::Core::Other(json.0),
        }
    }
}

record!(
    /// One entity by kind and id.
    EntityRef = domain::EntityRef {
        /// Its kind.
        kind: EntityKind,
        /// Its id.
        id: Uuid,
    }
);

impl ToCore for EntityRef {
    type Core = domain::EntityRef;
    fn to_core(self) -> Self::Core {
        Self::Core::new(self.kind.to_core(), self.id)
    }
}

// A variant must not have the name of a type that is used inside of it: Kotlin would take it for that.
macro_rules! entity {
    ($($(#[$doc:meta])* $variant:ident($kind:ident)),+ $(,)?) => {
        /// An entity of any kind.
        #[allow(clippy::enum_variant_names)]
        #[derive(Debug, Clone, PartialEq, uniffi::Enum)]
        pub enum Entity {
            $($(#[$doc])* $variant {
                /// The entity.
                value: $kind,
            },)+
        }
        impl ToShell for domain::Entity {
            type Shell = Entity;
            fn to_shell(self) -> Entity {
                match self {
                    $(Self::$kind(value) => Entity::$variant { value: value.to_shell() },)+
                }
            }
        }
    };
}
entity!(
    /// A room or suite.
    OfSuite(Suite),
    /// A piece of work.
    OfTask(Task),
    /// Somebody who works here.
    OfEmployee(Employee),
    /// Something written down.
    OfNote(Note),
    /// News for one person.
    OfNotification(Notification),
    /// An emergency's alarm.
    OfAlert(Alert),
    /// Something told to all.
    OfAnnouncement(Announcement),
    /// A change of shift.
    OfShift(Shift),
    /// A value that lost to somebody else's.
    OfConflict(Conflict),
);
