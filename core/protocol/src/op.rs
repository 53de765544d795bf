//! Operations: commands on their way from a phone's outbox to the server, and what became of them.

use innsync_domain::{
    Command, Entity, EntityKind, ErrorClass, FieldConflict, Fields, Reason, Rejection, Skipped, Timestamp,
    Uuid,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
use serde_json::value::RawValue;

/// When a person meant something, by the clocks of their phone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IntentTime {
    /// Which boot of the phone; clocks are comparable within one alone.
    pub boot_id: String,
    /// Milliseconds since that boot, sleep included.
    pub boot_ms: u64,
    /// The wall clock, as the phone had it.
    pub wall: Timestamp,
    /// The wall clock by the server's, where the phone met the server in that same boot. Left out: uncertain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<Timestamp>,
}

impl IntentTime {
    /// The best that is known.
    pub fn best(&self) -> Timestamp {
        self.corrected.unwrap_or(self.wall)
    }
}

/// A command with all that the server needs to take it exactly once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Op {
    /// Its id (UUID version 7), the idempotency key.
    pub id: Uuid,
    /// Who meant it; must be whose token sends it.
    pub author: Uuid,
    /// The phone that it was queued on.
    pub device: String,
    /// Operations that must have succeeded before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<Uuid>,
    /// The parked operation that a person edited or retried into this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<Uuid>,
    /// When it was meant.
    pub intent: IntentTime,
    /// The version of the primary entity that the person saw. Left out: it creates one, or nothing was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_version: Option<u64>,
    /// The values that the person saw in the fields of the primary entity that the command names or changes.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub base: Fields,
    /// The author knows that what is in `base` is overwritten, having been shown it in conflict with what they wanted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// The version of this envelope, [`crate::SCHEMA`].
    pub schema: u32,
    /// What is to be done.
    pub command: Command,
}

/// `POST /v1/ops`. Each operation is read by itself, so that one that cannot be read fails alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PushRequest {
    /// At most [`crate::limits::OPS_PER_PUSH`], in the order of intent.
    pub ops: Vec<Box<RawValue>>,
}

/// The answer to a push: a result for each operation, in the same order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PushAnswer {
    /// One for each operation.
    pub results: Vec<OpResult>,
}

/// What became of one operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpResult {
    /// Which operation. Nil where its id could not be read.
    pub id: Uuid,
    /// What became of it.
    pub result: OpOutcome,
}

/// What became of an operation. On the wire `{"status":"APPLIED","seq":7,"version":3}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
pub enum OpOutcome {
    /// It took effect.
    Applied {
        /// Its commit.
        seq: u64,
        /// The primary entity's version after it; 0 where there is none (deleted).
        version: u64,
        /// Consequences whose guard did not hold.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        skipped: Vec<Skipped>,
    },
    /// It took effect beside other people's changes to the same entity.
    Merged {
        /// Its commit.
        seq: u64,
        /// The primary entity's version after it.
        version: u64,
        /// Consequences whose guard did not hold.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        skipped: Vec<Skipped>,
    },
    /// Somebody else changed the same fields since; nothing was done.
    Conflict {
        /// The entity as it is, as far as its author may see it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        current: Option<EntityRow>,
        /// The fields, each with what the author saw, wants, and what is there.
        fields: Vec<FieldConflict>,
        /// Why what the policies made of it is not possible either.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rejection: Option<Rejection>,
        /// Who deleted the entity.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deleted: Option<Deleted>,
    },
    /// It was refused; nothing was done.
    Rejected {
        /// What a phone does about it.
        class: ErrorClass,
        /// Why, and about what.
        rejection: Rejection,
    },
    /// It had been decided before; this is the stored outcome.
    Duplicate {
        /// What became of it then.
        of: Box<OpOutcome>,
    },
    /// Not now; nothing was done.
    Retry {
        /// Milliseconds to wait at least.
        after: u64,
    },
}

/// Who deleted something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// Who.
    pub by: Uuid,
    /// When the server did it.
    pub at: Timestamp,
}

impl OpOutcome {
    /// A conflict of which no more can be told.
    pub fn bare_conflict() -> Self {
        Self::Conflict { current: None, fields: Vec::new(), rejection: None, deleted: None }
    }

    /// A refusal.
    pub fn rejected(rejection: Rejection) -> Self {
        Self::Rejected { class: rejection.class.clone(), rejection }
    }

    /// A refusal of what cannot be read or is of a newer release.
    pub fn incompatible(message: impl Into<String>) -> Self {
        Self::rejected(Rejection::permanent(Reason::UnknownCommand, message))
    }

    /// The outcome itself, of a duplicate the stored one.
    pub fn settled(&self) -> &Self {
        match self {
            Self::Duplicate { of } => of.settled(),
            other => other,
        }
    }

    /// The commit that it took effect in.
    pub fn seq(&self) -> Option<u64> {
        match self.settled() {
            Self::Applied { seq, .. } | Self::Merged { seq, .. } => Some(*seq),
            _ => None,
        }
    }
}

/// An entity with its kind beside it: `{"entityType":"TASK","entity":{…}}`.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityRow(pub Entity);

impl Serialize for EntityRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("entityType", &self.0.kind())?;
        map.serialize_entry("entity", &self.0)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for EntityRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Row {
            entity_type: EntityKind,
            entity: serde_json::Value,
        }
        let row = Row::deserialize(deserializer)?;
        Entity::from_value(&row.entity_type, row.entity).map(Self).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_survives_the_wire() {
        let outcomes = [
            OpOutcome::Applied { seq: 7, version: 3, skipped: vec![] },
            OpOutcome::rejected(Rejection::permanent(Reason::Forbidden, "no").field("status")),
            OpOutcome::Duplicate { of: Box::new(OpOutcome::Retry { after: 5 }) },
            OpOutcome::bare_conflict(),
        ];
        for outcome in outcomes {
            let text = serde_json::to_string(&outcome).unwrap();
            assert_eq!(serde_json::from_str::<OpOutcome>(&text).unwrap(), outcome, "{text}");
        }
    }

    #[test]
    fn a_duplicate_is_settled_as_its_first_outcome() {
        let first = OpOutcome::Applied { seq: 7, version: 1, skipped: vec![] };
        let again = OpOutcome::Duplicate { of: Box::new(first.clone()) };
        assert_eq!(again.settled(), &first);
        assert_eq!(again.seq(), Some(7));
    }
}
