//! Whether somebody else changed, meanwhile, what a person acted on. No edit is lost in silence: what would lose is a
//! conflict, field by field.

use serde_json::Value;

use crate::Uuid;
use crate::command::Command;
use crate::entity::{Entity, EntityKind, EntityRef, Fields};
use crate::execute::{Stop, execute};
use crate::read::{Context, Lookup, Read, ReadError};
use crate::rejection::{Reason, Rejection};
use crate::visibility::{may_see, redact};

/// One field that somebody else changed meanwhile.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldConflict {
    /// Its wire name.
    pub field: String,
    /// What the person had before them when they acted; `null`: empty.
    pub base: Value,
    /// What they meant it to become; `null`: empty, or their command would not have been possible.
    pub mine: Value,
    /// What it is now; `null`: empty.
    pub theirs: Value,
}

/// What comparing with the base values found.
#[derive(Debug, Clone, PartialEq)]
pub enum BaseCheck {
    /// The command may go ahead.
    Clean,
    /// Others changed fields that it depends on, to something else than it would have.
    Conflict(Vec<FieldConflict>),
}

/// Compares `base`, the values that a person saw of the fields that their command touches, with what is there now.
///
/// Only the primary entity is compared; consequences elsewhere have guards of their own. What only adds (a comment, an
/// acknowledgement) conflicts with nothing, and what the actor may not see is left to [`execute`], which says NOT_FOUND
/// and gives nothing away.
pub fn check_base(
    command: &Command,
    context: &Context<'_>,
    base: &Fields,
    read: &dyn Read,
) -> Result<BaseCheck, Stop> {
    if command.is_append_only() || base.is_empty() {
        return Ok(BaseCheck::Clean);
    }
    let EntityRef { kind, id } = command.primary();
    let current = match read.read(kind.clone(), id)? {
        Lookup::Known(entity) if may_see(&entity, context.actor) => redact(entity, context.actor),
        Lookup::Known(_) | Lookup::Absent | Lookup::Unknown => return Ok(BaseCheck::Clean),
    };
    let as_seen = with_fields(&current, base)?;
    let changed: Vec<&String> =
        base.keys().filter(|name| as_seen.field(name) != current.field(name)).collect();
    if changed.is_empty() {
        return Ok(BaseCheck::Clean);
    }
    let meant = meant(command, context, &as_seen, read)?;
    let value = |entity: &Entity, name: &str| entity.field(name).unwrap_or(Value::Null);
    let conflicts: Vec<FieldConflict> = changed
        .into_iter()
        .map(|name| FieldConflict {
            field: name.clone(),
            base: value(&as_seen, name),
            mine: meant.as_ref().map_or(Value::Null, |entity| value(entity, name)),
            theirs: value(&current, name),
        })
        .filter(|conflict| meant.is_none() || conflict.mine != conflict.theirs)
        .collect();
    Ok(if conflicts.is_empty() { BaseCheck::Clean } else { BaseCheck::Conflict(conflicts) })
}

/// The entity as the person saw it. Names that are no fields of it here are passed over.
fn with_fields(current: &Entity, base: &Fields) -> Result<Entity, Stop> {
    let malformed = |error: serde_json::Error| {
        let message = format!("The base values are not those of such an entity: {error}.");
        Rejection::permanent(Reason::InvalidField, message).about(current.reference()).field("base")
    };
    let mut value = serde_json::to_value(current).map_err(malformed)?;
    if let Some(fields) = value.as_object_mut() {
        for (name, seen) in base.iter().filter(|(name, _)| current.field(name).is_some()) {
            if seen.is_null() {
                fields.remove(name);
            } else {
                fields.insert(name.clone(), seen.clone());
            }
        }
    }
    Entity::from_value(&current.kind(), value).map_err(|error| malformed(error).into())
}

/// What the person meant the entity to become: the command on what they saw. `None`: it would have been refused, or have
/// removed it.
fn meant(
    command: &Command,
    context: &Context<'_>,
    as_seen: &Entity,
    read: &dyn Read,
) -> Result<Option<Entity>, Stop> {
    let view = AsSeen { entity: as_seen, read };
    match execute(command, context, &view) {
        Ok(effects) => {
            let reference = Some(as_seen.reference());
            match effects.changes.into_iter().find(|change| change.reference() == reference) {
                Some(change) => Ok(change.after),
                None => Ok(Some(as_seen.clone())),
            }
        }
        Err(Stop::Rejected(_) | Stop::Unknown(_)) => Ok(None),
        Err(Stop::Failed(error)) => Err(error.into()),
    }
}

/// The world as it is, but for one entity.
struct AsSeen<'a> {
    entity: &'a Entity,
    read: &'a dyn Read,
}

impl Read for AsSeen<'_> {
    fn read(&self, kind: EntityKind, id: Uuid) -> Result<Lookup, ReadError> {
        if self.entity.id() == id && self.entity.kind() == kind {
            return Ok(Lookup::Known(self.entity.clone()));
        }
        self.read.read(kind, id)
    }
}
