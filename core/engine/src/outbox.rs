//! What the phone keeps of a command that is not yet confirmed.

use innsync_domain::{EntityRef, FieldConflict, Rejection, Timestamp, Uuid};
use innsync_protocol::{Deleted, EntityRow, Op};
use serde::{Deserialize, Serialize};

/// An operation in the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueuedOp {
    /// As it is sent.
    pub op: Op,
    /// Its place in the order of this phone's intents.
    pub order: u64,
    /// What its prediction read and wrote.
    pub footprint: Footprint,
    /// How far it is.
    pub state: OpState,
    /// How often it was sent, those times apart that a token was refused.
    pub attempts: u32,
}

impl QueuedOp {
    /// Whether a person may discard it: it has never left the phone, or the server did not take it. What was sent without an
    /// answer may be carried out already.
    pub fn may_be_discarded(&self) -> bool {
        match self.state {
            OpState::Queued => self.attempts == 0,
            OpState::Parked { .. } => true,
            OpState::Sent | OpState::Applied { .. } => false,
        }
    }
}

/// An operation that a person chose to forget. It is kept for a while, so that what was lost by mistake can be looked up,
/// handed in and done again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Discarded {
    /// When, by the server's clock as far as the phone knows it.
    pub at: Timestamp,
    /// The operation as it was.
    pub op: QueuedOp,
}

/// The entities that an operation's prediction read or wrote. It waits for every earlier one that shares an entity,
/// unless both only read it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Footprint {
    /// Written (the primary entity first).
    pub writes: Vec<EntityRef>,
    /// Only read.
    pub reads: Vec<EntityRef>,
}

impl Footprint {
    /// Whether one of the two must wait for the other.
    pub fn conflicts_with(&self, other: &Self) -> bool {
        let writes_any = |writer: &Self, of: &Self| {
            writer.writes.iter().any(|entity| of.writes.contains(entity) || of.reads.contains(entity))
        };
        writes_any(self, other) || writes_any(other, self)
    }
}

/// How far an operation is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
pub enum OpState {
    /// Saved on the phone, waiting for its turn.
    Queued,
    /// Sent, not yet answered. After a restart of the app it is sent again: the server knows it by its id.
    Sent,
    /// Taken by the server; stays over the mirror until the cursor has reached its commit.
    Applied {
        /// Its commit.
        seq: u64,
        /// The primary entity's version after it.
        version: u64,
    },
    /// Not taken; a person decides. Leaves the prediction, and holds back only its own entity's lane and dependents.
    Parked {
        /// Why.
        reason: ParkReason,
    },
}

/// Why an operation is parked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
pub enum ParkReason {
    /// The server refused it.
    Rejected {
        /// Why.
        rejection: Rejection,
    },
    /// Somebody else changed the same fields.
    Conflict {
        /// The entity as it was on the server.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        current: Option<EntityRow>,
        /// Each field with base, mine and theirs.
        fields: Vec<FieldConflict>,
        /// Why it is not possible on what is there now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rejection: Option<Rejection>,
        /// Who deleted the entity.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deleted: Option<Deleted>,
    },
}

/// What [`crate::Input::Undo`] would take back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undoable {
    /// The operation.
    pub operation: Uuid,
    /// Its command's name, `COMPLETE_TASK`.
    pub command: String,
    /// The entity it is about.
    pub entity: EntityRef,
    /// Whether it has not left the phone: then it is as if it had never been. Else it is undone by doing the opposite, which
    /// the rules may refuse.
    pub unsent: bool,
}

/// What the app holds of a command that it gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The operation's id. Read marks join an operation that still waits, and then have its id.
    pub id: Uuid,
    /// The command's name, `COMPLETE_TASK`.
    pub command: String,
    /// The entity it is about.
    pub entity: EntityRef,
    /// How far it is; `None`: confirmed, its effect is in the mirror, and it has left the outbox.
    pub state: Option<OpState>,
}
