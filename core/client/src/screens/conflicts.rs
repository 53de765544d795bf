//! What lost to other people's edits, and what waits for a person to choose.

use std::collections::HashMap;

use innsync_domain::text::spans;
use innsync_domain::{
    Command, Conflict, Context, Dispute, Employee, Entity, EntityKind, EntityRef, FieldConflict, Lookup,
    Parked, Person, Read, ReadError, Reason, Rejection, Stop, Uuid, dispute, execute,
};
use innsync_engine::{OpState, ParkReason, QueuedOp, StoreError, StoreRead};
use innsync_protocol::EntityRow;
use innsync_store::{Query, Store};
use serde_json::Value;

use super::glance::Glance;
use super::records::{Choice, ConflictSheet, Conflicts, LostValue, SheetChoice, SheetField};

pub(super) fn conflicts(glance: &Glance<'_>) -> Result<Conflicts, StoreError> {
    let names = names(glance)?;
    let mut open = Vec::new();
    for queued in glance.store().outbox()? {
        if let OpState::Parked { reason: reason @ ParkReason::Conflict { .. } } = &queued.state {
            open.push(sheet(glance, &names, &queued, reason)?);
        }
    }
    let mut lost = Vec::new();
    for conflict in glance.query::<Conflict>(&Query::conflicts())? {
        let about = EntityRef::new(conflict.entity_type.clone(), conflict.entity_id);
        let entity = glance.store().shown(&about.kind, about.id)?;
        lost.push(LostValue {
            title: entity.as_ref().map(Entity::title).unwrap_or_default(),
            kept_by_name: names.get(&conflict.kept_by).cloned(),
            label_key: label_key(&about.kind, &conflict.field),
            restorable: entity.is_some() && conflict.restored_at.is_none(),
            conflict,
        });
    }
    let unseen = lost.iter().filter(|it| it.conflict.seen_at.is_none()).count();
    Ok(Conflicts { open, lost, unseen: u32::try_from(unseen).unwrap_or(u32::MAX) })
}

fn names(glance: &Glance<'_>) -> Result<HashMap<Uuid, String>, StoreError> {
    Ok(glance.query::<Employee>(&Query::employees())?.into_iter().map(|one| (one.id, one.name)).collect())
}

fn sheet(
    glance: &Glance<'_>,
    names: &HashMap<Uuid, String>,
    queued: &QueuedOp,
    reason: &ParkReason,
) -> Result<ConflictSheet, StoreError> {
    let ParkReason::Conflict { fields: told, rejection, deleted, current } = reason else {
        return Err(StoreError::Other("not a conflict".to_owned()));
    };
    let command = &queued.op.command;
    let about = command.primary();
    let now = glance.store().mirror(&about.kind, about.id)?;
    let updated_by = deleted.as_ref().map(|it| it.by).or(now.as_ref().map(Entity::updated_by));
    let parked =
        Parked { command, base: &queued.op.base, told, then: current.as_ref().map(|EntityRow(then)| then) };
    let dispute = disputed(glance, queued.op.id, &parked, now.as_ref())?;
    let fields: Vec<SheetField> = dispute.fields.iter().map(|it| field(names, command, it)).collect();
    let choices = choices(glance, queued, &fields, now.is_none())?;
    Ok(ConflictSheet {
        operation: queued.op.id,
        command: command.name().to_owned(),
        title: now.as_ref().map(Entity::title).unwrap_or_default(),
        version: now.as_ref().map(Entity::version),
        updated_by,
        updated_by_name: updated_by.and_then(|by| names.get(&by).cloned()),
        updated_at: deleted.as_ref().map(|it| it.at).or(now.as_ref().map(Entity::updated_at)),
        deleted: now.is_none(),
        explanation: rejection.as_ref().map(|it| it.message.clone()),
        entity: about,
        fields,
        choices,
    })
}

/// What it is in conflict about by now.
fn disputed(
    glance: &Glance<'_>,
    operation: Uuid,
    parked: &Parked<'_>,
    now: Option<&Entity>,
) -> Result<Dispute, StoreError> {
    let Some(Entity::Employee(me)) = glance.store().shown(&EntityKind::Employee, glance.me)? else {
        return Ok(Dispute { fields: parked.told.to_vec(), wanted: Vec::new() });
    };
    let person = Person::from(&me);
    let context = Context { operation, actor: &person, at: glance.now };
    dispute(parked, now, &context, &OnPhone(glance.store()))
        .map_err(|stop| StoreError::Other(stop.to_string()))
}

fn field(names: &HashMap<Uuid, String>, command: &Command, it: &FieldConflict) -> SheetField {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is_text = [&it.base, &it.mine, &it.theirs].iter().all(|value| value.is_string());
    // Words are compared where people write words; a status is one.
    let is_prose = is_text && matches!(it.field.as_str(), "title" | "description" | "content");
    let diff = |from: &Value, to: &Value| if is_prose { spans(&text(from), &text(to)) } else { Vec::new() };
    SheetField {
        label_key: label_key(&command.primary().kind, &it.field),
        editable: command.with_values(&[(it.field.clone(), it.mine.clone())].into_iter().collect()).is_some(),
        suggestion: is_prose
            .then(|| suggestion(&text(&it.base), &text(&it.mine), &text(&it.theirs)))
            .flatten(),
        base_to_mine: diff(&it.base, &it.mine),
        base_to_theirs: diff(&it.base, &it.theirs),
        mine_to_theirs: diff(&it.mine, &it.theirs),
        by_name: it.by.and_then(|by| names.get(&by).cloned()),
        at: it.at,
        base: it.base.clone(),
        mine: it.mine.clone(),
        field: it.field.clone(),
        theirs: it.theirs.clone(),
    }
}

/// Both edits in one text, where they are at different places.
fn suggestion(base: &str, mine: &str, theirs: &str) -> Option<Value> {
    match innsync_domain::text::merge(base, mine, theirs) {
        innsync_domain::text::Merge::Merged(text) => Some(text.into()),
        innsync_domain::text::Merge::Overlap => None,
    }
}

fn choices(
    glance: &Glance<'_>,
    queued: &QueuedOp,
    fields: &[SheetField],
    gone: bool,
) -> Result<Vec<SheetChoice>, StoreError> {
    let message = "It is not there any more.";
    let gone = gone.then(|| Rejection::permanent(Reason::NotFound, message));
    let refused = if gone.is_some() { gone } else { refusal(glance, queued)? };
    let merge = fields.iter().all(|it| it.editable) && !fields.is_empty();
    let choice = |choice, recommended, refusal: Option<Rejection>| SheetChoice {
        choice,
        recommended,
        possible: refusal.is_none(),
        refusal: refusal.map(|it| it.message),
    };
    let mut choices = vec![choice(Choice::Theirs, true, None), choice(Choice::Mine, false, refused.clone())];
    if merge {
        choices.push(choice(Choice::Merged, false, refused));
    }
    choices.push(choice(Choice::Later, false, None));
    Ok(choices)
}

/// Why what the person wanted is not possible on what is there now.
fn refusal(glance: &Glance<'_>, queued: &QueuedOp) -> Result<Option<Rejection>, StoreError> {
    let Some(Entity::Employee(me)) = glance.store().shown(&EntityKind::Employee, glance.me)? else {
        return Ok(None);
    };
    let person = Person::from(&me);
    let context = Context { operation: queued.op.id, actor: &person, at: glance.now };
    match execute(&queued.op.command, &context, &OnPhone(glance.store())) {
        Err(Stop::Rejected(rejection)) => Ok(Some(rejection)),
        Err(Stop::Failed(ReadError(detail))) => Err(StoreError::Other(detail)),
        Ok(_) | Err(Stop::Unknown(_)) => Ok(None),
    }
}

/// What the phone shows, for the rules to look at.
struct OnPhone<'a>(&'a Store);

impl Read for OnPhone<'_> {
    fn read(&self, kind: EntityKind, id: Uuid) -> Result<Lookup, ReadError> {
        let shown = self.0.shown(&kind, id).map_err(|error| ReadError(error.to_string()))?;
        Ok(shown.map_or(Lookup::Unknown, Lookup::Known))
    }
}

/// Names a field in the person's language: `field.task.title`.
fn label_key(kind: &EntityKind, field: &str) -> String {
    format!("field.{}.{field}", kind.as_str().to_lowercase())
}
