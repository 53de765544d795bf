//! How the rules read the world and say what they change in it.

use std::fmt;

use crate::Uuid;
use crate::entity::{Entity, EntityKind, EntityRef};
use crate::time::Timestamp;

/// What is known of an entity.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    /// It is here.
    Known(Entity),
    /// There is none, for certain.
    Absent,
    /// It may exist, but this reader does not see it (a phone, of what is hidden from its person).
    Unknown,
}

/// The world as the rules read it: by id alone.
pub trait Read {
    /// Looks up one entity.
    fn read(&self, kind: EntityKind, id: Uuid) -> Result<Lookup, ReadError>;
}

/// The store below a [`Read`] failed; the text says how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("reading failed: {0}")]
pub struct ReadError(pub String);

/// Who does what when.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The operation's id; what rules create gets its id from it.
    pub operation: Uuid,
    /// Who acts.
    pub actor: &'a crate::Person,
    /// When they meant it.
    pub at: Timestamp,
}

/// One entity before and after. Created: no `before`; deleted: no `after`. Both equal: nothing changed, but somebody's
/// sight of it may have (see [`crate::project`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// As it was.
    pub before: Option<Entity>,
    /// As it is.
    pub after: Option<Entity>,
}

impl Change {
    /// Which entity changes. `None` only for a change without `before` and `after`, which nothing makes.
    pub fn reference(&self) -> Option<EntityRef> {
        self.after.as_ref().or(self.before.as_ref()).map(Entity::reference)
    }

    /// Writes the server's version, time and author into `after`, if anything changed. A conflict is decided when its record
    /// is written, by the server's clock.
    pub fn stamp(&mut self, at: Timestamp, by: Uuid) {
        let version = self.before.as_ref().map_or(0, Entity::version);
        if self.before != self.after
            && let Some(after) = &mut self.after
        {
            let mut by = by;
            if let (None, Entity::Conflict(record)) = (&self.before, &mut *after) {
                record.decided_at = at;
                // Hidden from its owner.
                by = if record.kept_by.is_nil() { Uuid::nil() } else { by };
            }
            after.stamp(version + 1, at, by);
        }
    }
}

/// A consequence that a rule would have had, but whose guard did not hold.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Skipped {
    /// The entity that was left as it is.
    #[serde(flatten)]
    pub entity: EntityRef,
    /// Why, as a code: `SUITE_NOT_DIRTY`, `SUITE_GONE`, `SUITE_NOT_VISIBLE`.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} left as it is: {}", self.entity.kind, self.entity.id, self.reason)
    }
}
