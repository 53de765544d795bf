//! Values that lost a conflict: kept for whom they belonged to, restored, put aside.

use crate::Uuid;
use crate::command::{Command, conflict_id, given_up_id};
use crate::conflict::{FieldConflict, Lost};
use crate::entity::{Conflict, EntityKind, EntityRef, Fields};
use crate::execute::scratch::Found;
use crate::execute::{Scratch, Stop, check, run};
use crate::limits;
use crate::mutant::{self, Mutant};
use crate::policy::Policy;
use crate::time::Timestamp;
use crate::visibility::may_see;

fn reference(id: Uuid) -> EntityRef {
    EntityRef::new(EntityKind::Conflict, id)
}

/// The records of what lost by an operation, with their ids; `decided_at` as the server's clock had it. Nobody's values
/// (those of the property's first day) are not kept.
pub fn records(operation: Uuid, entity: &EntityRef, lost: Vec<Lost>, decided_at: Timestamp) -> Vec<Conflict> {
    let known = lost.into_iter().filter(|it| !it.lost_by.is_nil());
    let known =
        known.filter(|it| it.policy != Policy::LastWriteWins || !mutant::is(Mutant::LoserNotRecorded));
    known
        .map(|it| Conflict {
            id: conflict_id(operation, &it.field),
            entity_type: entity.kind.clone(),
            entity_id: entity.id,
            field: it.field,
            base: it.base,
            lost: it.lost,
            kept: it.kept,
            lost_by: it.lost_by,
            kept_by: it.kept_by,
            meant_at: it.meant_at,
            decided_at,
            policy: it.policy,
            certain: it.certain,
            seen_at: None,
            restored_at: None,
            version: 0,
            updated_at: decided_at,
            updated_by: it.kept_by,
            extra: Fields::new(),
        })
        .collect()
}

/// Writes a value that lost after all, by the rules for such an edit.
pub(super) fn restore(s: &mut Scratch<'_>, command: &Command) -> Result<(), Stop> {
    let Command::RestoreValue { conflict_id, entity_type, entity_id, field, value } = command else {
        return Ok(());
    };
    let entity = EntityRef::new(entity_type.clone(), *entity_id);
    let Some(edit) = Command::setting(&entity, field, value) else {
        let message = "This value cannot be restored by itself; change what it belongs to instead.";
        return Err(check::invalid("field", message).about(entity).into());
    };
    run(s, &edit)?;
    match s.find::<Conflict>(*conflict_id)? {
        Found::Known(mut conflict)
            if may_see(&conflict.clone().into(), s.actor())
                && (&conflict.entity_type, &conflict.entity_id, &conflict.field)
                    == (entity_type, entity_id, field) =>
        {
            let at = s.context().at;
            conflict.restored_at = conflict.restored_at.or(Some(at));
            conflict.seen_at = conflict.seen_at.or(Some(at));
            s.put(conflict)
        }
        // It is kept for some weeks alone; the value is in the command.
        Found::Known(_) | Found::Absent | Found::Unknown => Ok(()),
    }
}

/// Keeps what others wrote, and a record of what was given up for it.
pub(super) fn keep_theirs(s: &mut Scratch<'_>, command: &Command) -> Result<(), Stop> {
    let Command::KeepTheirs { operation, entity_type, entity_id, fields } = command else { return Ok(()) };
    check::count("fields", fields.len(), limits::CONFLICT_FIELDS)?;
    if fields.is_empty() {
        return Err(check::invalid("fields", "Name at least one field.").into());
    }
    let (me, at) = (s.actor().id, s.context().at);
    let lost = fields.iter().map(|it| given_up(it, me, at)).collect();
    for record in records(*operation, &EntityRef::new(entity_type.clone(), *entity_id), lost, at) {
        let id = given_up_id(*operation, &record.field);
        // Done on another phone of theirs already.
        if !matches!(s.find::<Conflict>(id)?, Found::Known(_)) {
            s.put(Conflict { id, seen_at: Some(at), ..record })?;
        }
    }
    Ok(())
}

fn given_up(field: &FieldConflict, me: Uuid, at: Timestamp) -> Lost {
    Lost {
        field: field.field.clone(),
        base: field.base.clone(),
        written_in: None,
        lost: field.mine.clone(),
        kept: field.theirs.clone(),
        lost_by: me,
        kept_by: field.by.unwrap_or_default(),
        meant_at: at,
        policy: Policy::Manual,
        certain: true,
    }
}

/// Puts conflicts aside. Of several, those that are gone are skipped; where all are, it is refused.
pub(super) fn dismiss(s: &mut Scratch<'_>, ids: &[Uuid]) -> Result<(), Stop> {
    check::count("conflictIds", ids.len(), limits::READ_MARKS)?;
    let Some(first) = ids.first() else {
        return Err(check::invalid("conflictIds", "Name at least one conflict.").into());
    };
    let mut any = false;
    for id in ids {
        match s.find::<Conflict>(*id)? {
            Found::Known(mut conflict) if may_see(&conflict.clone().into(), s.actor()) => {
                any = true;
                conflict.seen_at = conflict.seen_at.or(Some(s.context().at));
                s.put(conflict)?;
            }
            Found::Known(_) | Found::Absent => s.skip(reference(*id), "CONFLICT_GONE"),
            Found::Unknown => s.skip(reference(*id), "CONFLICT_NOT_VISIBLE"),
        }
    }
    if any { Ok(()) } else { s.primary::<Conflict>(*first).map(|_| ()) }
}
