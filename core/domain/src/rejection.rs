//! Why a command is refused, and what a phone does about it.

use crate::entity::EntityRef;
use crate::vocabulary::closed_set;

closed_set!(
    /// What a phone does with an operation that did not succeed; declared by the server.
    ErrorClass {
        /// Try again later, by itself.
        Transient = "TRANSIENT",
        /// Sign in again; the operation waits and spends no retry.
        Auth = "AUTH",
        /// Somebody else changed the same fields; a person decides.
        Conflict = "CONFLICT",
        /// It will never succeed as it is; a person edits or discards it.
        Permanent = "PERMANENT",
        /// This release of the app is too old for the server, or too new.
        Incompatible = "INCOMPATIBLE",
        /// An operation that it depends on did not succeed.
        Dependency = "DEPENDENCY",
    }
);
closed_set!(
    /// Why a command was refused.
    Reason {
        /// The actor may see it, but may not do that.
        Forbidden = "FORBIDDEN",
        /// There is no such entity, or the actor may not see it.
        NotFound = "NOT_FOUND",
        /// The entity's state does not allow it.
        IllegalTransition = "ILLEGAL_TRANSITION",
        /// A field has a value that it must not have.
        InvalidField = "INVALID_FIELD",
        /// The id (or the suite number) is taken.
        AlreadyExists = "ALREADY_EXISTS",
        /// Somebody else has already taken the task.
        AlreadyTaken = "ALREADY_TAKEN",
        /// Only for people on duty.
        NotOnDuty = "NOT_ON_DUTY",
        /// The suite already has an open cleaning task.
        CleaningAlreadyOpen = "CLEANING_ALREADY_OPEN",
        /// Something still open refers to it.
        InUse = "IN_USE",
        /// The command or a value in it is of a newer release.
        UnknownCommand = "UNKNOWN_COMMAND",
        /// The operation's author is not who signed in.
        WrongAuthor = "WRONG_AUTHOR",
        /// The operation's id was used before for something else.
        IdReused = "ID_REUSED",
        /// An operation that it depends on did not succeed.
        DependencyFailed = "DEPENDENCY_FAILED",
        /// Somebody changed it since it was shown, or since it was done.
        ChangedMeanwhile = "CHANGED_MEANWHILE",
        /// The operation does not wait for a decision about a conflict.
        NotInConflict = "NOT_IN_CONFLICT",
        /// There is nothing that could be taken back.
        NothingToUndo = "NOTHING_TO_UNDO",
    }
);

/// Why a command was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[error("{message}")]
#[serde(rename_all = "camelCase")]
pub struct Rejection {
    /// What a phone does about it.
    pub class: ErrorClass,
    /// The reason, for programs.
    pub reason: Reason,
    /// The reason, in English, with what to do about it.
    pub message: String,
    /// The entity that stood in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<EntityRef>,
    /// The field that is wrong, by its wire name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Rejection {
    /// A refusal that no retry will change.
    pub fn permanent(reason: Reason, message: impl Into<String>) -> Self {
        let class = match reason {
            Reason::UnknownCommand => ErrorClass::Incompatible,
            Reason::DependencyFailed => ErrorClass::Dependency,
            _ => ErrorClass::Permanent,
        };
        Self { class, reason, message: message.into(), entity: None, field: None }
    }

    /// Names the entity that stood in the way.
    #[must_use]
    pub fn about(mut self, entity: EntityRef) -> Self {
        self.entity = Some(entity);
        self
    }

    /// Names the field that is wrong.
    #[must_use]
    pub fn field(mut self, name: &str) -> Self {
        self.field = Some(name.to_owned());
        self
    }
}
