//! Everything that a person can do.

use innsync_client::{Timestamp, Uuid};

use crate::JsonValue;
use crate::entities::Audience;
use crate::mirror::{ToCore, ToShell};
use crate::outbox::FieldConflict;
use crate::vocabulary::{
    AnnouncementPriority, Department, EmployeeStatus, EntityKind, Priority, Role, Severity, SuiteStatus,
    TaskType,
};

macro_rules! commands {
    ($($(#[$doc:meta])* $variant:ident { $($(#[$field_doc:meta])* $field:ident : $type:ty),+ $(,)? }),+ $(,)?) => {
        /// Something that a person does. Ids of what it creates come from `newId`.
        #[derive(Debug, Clone, PartialEq, uniffi::Enum)]
        pub enum Command {
            $($(#[$doc])* $variant { $($(#[$field_doc])* $field: $type,)+ },)+
        }
        impl ToCore for Command {
            type Core = innsync_client::Command;
            fn to_core(self) -> Self::Core {
                match self {
                    $(Self::$variant { $($field),+ } => Self::Core::$variant { $($field: $field.to_core()),+ },)+
                }
            }
        }
        impl ToShell for innsync_client::Command {
            type Shell = Command;
            fn to_shell(self) -> Command {
                match self {
                    $(Self::$variant { $($field),+ } => Command::$variant { $($field: $field.to_shell()),+ },)+
                }
            }
        }
    };
}
commands!(
    /// Adds a suite.
    CreateSuite {
        /// Its id.
        suite_id: Uuid,
        /// What is written on its door, 1 to 20 characters.
        suite_number: String,
        /// Its storey.
        floor: i32,
        /// What state it is in.
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
        /// At length; may be empty.
        description: String,
        /// What kind of work.
        task_type: TaskType,
        /// How urgent. An EMERGENCY task always has EMERGENCY.
        priority: Priority,
        /// Where.
        suite_id: Option<Uuid>,
        /// Who shall do it.
        assigned_to: Option<Uuid>,
        /// Until when.
        due_at: Option<Timestamp>,
        /// How bad, of an EMERGENCY; CRITICAL unless said otherwise.
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
        /// Its text; may be empty.
        content: String,
        /// The suite it is about.
        suite_id: Option<Uuid>,
        /// The task it is about.
        task_id: Option<Uuid>,
        /// Who may see it.
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
        severity: Severity,
        /// Where.
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
        priority: AnnouncementPriority,
        /// Until when.
        expires_at: Option<Timestamp>,
    },
    /// Announces a change of shift. Who is on duty is not changed by it.
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
    /// Writes a value of one's own that lost a conflict after all; see `restore`.
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
        value: JsonValue,
    },
    /// Keeps other people's values in place of those that one wanted; see `settle`.
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
    /// Puts conflicts of one's own aside; see `dismiss`.
    DismissConflicts {
        /// Which ones.
        conflict_ids: Vec<Uuid>,
    },
);

/// What to do with a field that may be empty; where there is none of it, the field stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum IdEdit {
    /// It becomes empty.
    Clear,
    /// It becomes this.
    Set {
        /// The id.
        id: Uuid,
    },
}

/// What to do with a time that may be empty; where there is none of it, the time stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum TimeEdit {
    /// It becomes empty.
    Clear,
    /// It becomes this.
    Set {
        /// The time.
        at: Timestamp,
    },
}

impl ToCore for IdEdit {
    type Core = Option<Uuid>;
    fn to_core(self) -> Self::Core {
        match self {
            Self::Clear => None,
            Self::Set { id } => Some(id),
        }
    }
}

impl ToCore for TimeEdit {
    type Core = Option<Timestamp>;
    fn to_core(self) -> Self::Core {
        match self {
            Self::Clear => None,
            Self::Set { at } => Some(at),
        }
    }
}

impl From<Option<Uuid>> for IdEdit {
    fn from(id: Option<Uuid>) -> Self {
        id.map_or(Self::Clear, |id| Self::Set { id })
    }
}

impl From<Option<Timestamp>> for TimeEdit {
    fn from(at: Option<Timestamp>) -> Self {
        at.map_or(Self::Clear, |at| Self::Set { at })
    }
}

macro_rules! patch {
    ($(#[$meta:meta])* $name:ident {
        $($(#[$doc:meta])* $field:ident : $type:ty $(, or empty: $edit:ident)?);+ $(;)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Default, uniffi::Record)]
        pub struct $name {
            $($(#[$doc])* #[uniffi(default = None)] pub $field: Option<$type>,)+
        }
        impl ToCore for $name {
            type Core = innsync_client::domain::$name;
            fn to_core(self) -> Self::Core {
                Self::Core { $($field: self.$field.to_core()),+ }
            }
        }
        impl ToShell for innsync_client::domain::$name {
            type Shell = $name;
            fn to_shell(self) -> $name {
                $name { $($field: patch!(@shell self.$field $(, $edit)?)),+ }
            }
        }
    };
    (@shell $value:expr) => { $value.to_shell() };
    (@shell $value:expr, $edit:ident) => { $value.map($edit::from) };
}
patch!(
    /// What to change of a suite; what is left out stays.
    SuitePatch {
        /// What is written on its door.
        suite_number: String;
        /// Its storey.
        floor: i32;
    }
);
patch!(
    /// What to change of a task; what is left out stays.
    TaskPatch {
        /// What is to be done.
        title: String;
        /// At length.
        description: String;
        /// What kind of work; never to or from EMERGENCY.
        task_type: TaskType;
        /// How urgent.
        priority: Priority;
        /// Where.
        suite_id: IdEdit, or empty: IdEdit;
        /// Until when.
        due_at: TimeEdit, or empty: TimeEdit;
    }
);
patch!(
    /// What to change of a note; what is left out stays.
    NotePatch {
        /// Its heading.
        title: String;
        /// Its text.
        content: String;
        /// The suite it is about.
        suite_id: IdEdit, or empty: IdEdit;
        /// The task it is about.
        task_id: IdEdit, or empty: IdEdit;
        /// Who may see it.
        audience: Audience;
    }
);
patch!(
    /// What to change of an employee; what is left out stays.
    EmployeePatch {
        /// The name that others see.
        name: String;
        /// What they may do.
        role: Role;
        /// Where they work.
        department: Department;
    }
);
