//! What waits to be confirmed, and what a person must decide.

use innsync_client::domain;
use innsync_client::{Timestamp, Uuid};

use crate::JsonValue;
use crate::entities::{Entity, EntityRef};
use crate::mirror::{ToCore, ToShell, record};
use crate::vocabulary::{ErrorClass, Policy, Reason};

record!(
    /// What the app holds of a command that it gave.
    Receipt = innsync_client::Receipt {
        /// The operation's id.
        id: Uuid,
        /// The command's name, `COMPLETE_TASK`.
        command: String,
        /// The entity it is about.
        entity: EntityRef,
        /// How far it is; none: confirmed, and no longer in the outbox.
        state: Option<OpState>,
    }
);

/// An operation in the outbox.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct QueuedOp {
    /// Its id.
    pub id: Uuid,
    /// The command's name, `COMPLETE_TASK`.
    pub command: String,
    /// The entity it is about.
    pub entity: EntityRef,
    /// How far it is.
    pub state: OpState,
    /// How often it was sent.
    pub attempts: u32,
    /// Whether a person may discard it: it is parked, or has never left the phone.
    pub may_be_discarded: bool,
    /// The operations that must succeed before it is sent.
    pub depends_on: Vec<Uuid>,
}

impl ToShell for innsync_client::QueuedOp {
    type Shell = QueuedOp;
    fn to_shell(self) -> QueuedOp {
        QueuedOp {
            may_be_discarded: self.may_be_discarded(),
            id: self.op.id,
            command: self.op.command.name().to_owned(),
            entity: self.op.command.primary().to_shell(),
            state: self.state.to_shell(),
            attempts: self.attempts,
            depends_on: self.op.depends_on,
        }
    }
}

record!(
    /// An operation that a person chose to forget. It is kept for 30 days.
    Discarded = innsync_client::Discarded {
        /// When, by the server's clock as far as the phone knows it.
        at: Timestamp,
        /// The operation as it was.
        op: QueuedOp,
    }
);

record!(
    /// What `undo` would take back.
    Undoable = innsync_client::Undoable {
        /// The operation.
        operation: Uuid,
        /// Its command's name, `COMPLETE_TASK`.
        command: String,
        /// The thing it is about.
        entity: EntityRef,
        /// Whether it has not left the phone: then it is as if it had never been. Else the opposite is done, which the rules may
        /// refuse.
        unsent: bool,
    }
);

/// How far an operation is.
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
pub enum OpState {
    /// Saved on the phone, waiting for its turn.
    Queued,
    /// Sent, not yet answered.
    Sent,
    /// Taken by the server.
    Applied {
        /// Its commit.
        seq: u64,
        /// The entity's version after it.
        version: u64,
    },
    /// Not taken; a person decides.
    Parked {
        /// Why.
        reason: ParkReason,
    },
}

/// Why an operation is parked.
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
pub enum ParkReason {
    /// The server refused it.
    Rejected {
        /// Why.
        rejection: Rejection,
    },
    /// Somebody else changed the same fields.
    Conflict {
        /// The entity as it was on the server; none: it is gone.
        current: Option<Entity>,
        /// Each field with base, mine and theirs.
        fields: Vec<FieldConflict>,
        /// Why it is not possible on what is there now.
        rejection: Option<Rejection>,
        /// Who deleted the entity.
        deleted: Option<Deleted>,
    },
}

impl ToShell for innsync_client::OpState {
    type Shell = OpState;
    fn to_shell(self) -> OpState {
        match self {
            Self::Queued => OpState::Queued,
            Self::Sent => OpState::Sent,
            Self::Applied { seq, version } => OpState::Applied { seq, version },
            Self::Parked { reason } => OpState::Parked { reason: reason.to_shell() },
        }
    }
}

impl ToShell for innsync_client::ParkReason {
    type Shell = ParkReason;
    fn to_shell(self) -> ParkReason {
        match self {
            Self::Rejected { rejection } => ParkReason::Rejected { rejection: rejection.to_shell() },
            Self::Conflict { current, fields, rejection, deleted } => ParkReason::Conflict {
                current: current.map(|row| row.0.to_shell()),
                fields: fields.to_shell(),
                rejection: rejection.to_shell(),
                deleted: deleted.to_shell(),
            },
        }
    }
}

record!(
    /// Why a command was refused.
    Rejection = domain::Rejection {
        /// What to do about it.
        class: ErrorClass,
        /// The reason, for programs.
        reason: Reason,
        /// The reason, in English, with what to do about it.
        message: String,
        /// The entity that stood in the way.
        entity: Option<EntityRef>,
        /// The field that is wrong, by its wire name.
        field: Option<String>,
    }
);
record!(
    /// One field that somebody else changed meanwhile; values are JSON, `null`: empty.
    FieldConflict = domain::FieldConflict {
        /// Its wire name.
        field: String,
        /// What the person had before them.
        base: JsonValue,
        /// What they meant it to become.
        mine: JsonValue,
        /// What it is now.
        theirs: JsonValue,
        /// Who made it so.
        by: Option<Uuid>,
        /// When they meant that, by the server's clock.
        at: Option<Timestamp>,
        /// What decides about this field.
        policy: Option<Policy>,
    }
);
impl ToCore for FieldConflict {
    type Core = domain::FieldConflict;
    fn to_core(self) -> Self::Core {
        Self::Core {
            field: self.field,
            base: self.base.to_core(),
            mine: self.mine.to_core(),
            theirs: self.theirs.to_core(),
            by: self.by,
            at: self.at,
            policy: self.policy.to_core(),
        }
    }
}
record!(
    /// Who deleted something, and when.
    Deleted = innsync_client::Deleted {
        /// Who.
        by: Uuid,
        /// When the server did it.
        at: Timestamp,
    }
);

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, uniffi::Enum)]
pub enum Outcome {
    /// Its effect is on the server, and in what the phone shows.
    Confirmed,
    /// It was not taken; a person decides.
    Parked {
        /// Why.
        reason: ParkReason,
    },
    /// A person discarded it.
    Discarded,
}

impl ToShell for innsync_client::Outcome {
    type Shell = Outcome;
    fn to_shell(self) -> Outcome {
        match self {
            Self::Confirmed => Outcome::Confirmed,
            Self::Parked(reason) => Outcome::Parked { reason: reason.to_shell() },
            Self::Discarded => Outcome::Discarded,
        }
    }
}

/// What becomes of unsent work at sign-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum PendingWork {
    /// Waits until all was sent, at most so long; else `Timeout`, and the person stays signed in.
    Send {
        /// Milliseconds.
        timeout_ms: u64,
    },
    /// Stays on the phone, until the person signs in again.
    Keep,
    /// Is discarded, by the person's choice; what has left the phone without an answer can't be, and stays.
    Discard,
}

impl crate::mirror::ToCore for PendingWork {
    type Core = innsync_client::PendingWork;
    fn to_core(self) -> Self::Core {
        match self {
            Self::Send { timeout_ms } => Self::Core::Send(std::time::Duration::from_millis(timeout_ms)),
            Self::Keep => Self::Core::Keep,
            Self::Discard => Self::Core::Discard,
        }
    }
}
