//! What a command will do, as far as this phone can tell: the rules of the domain over what its person sees.

use std::cell::RefCell;

use innsync_domain::mutant::{self, Mutant};
use innsync_domain::{
    Command, Context, Dispute, Effects, Entity, EntityKind, EntityRef, Fields, Lookup, Parked, Person, Read,
    ReadError, Rejection, Role, Stop, Timestamp, Uuid, ViewChange, dispute, execute, project,
};

use crate::outbox::Footprint;
use crate::store::StoreError;

/// Rows as they stand somewhere: in the mirror, on the screen, or in the middle of a replay.
pub(crate) trait Rows {
    fn row(&self, entity: &EntityRef) -> Result<Option<Entity>, StoreError>;
}

/// Who predicts, and how much they know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observer {
    /// Whose phone it is.
    pub(crate) employee: Uuid,
    /// Whether a whole snapshot is here: then what is not here, and would be seen if it existed, does not exist.
    pub(crate) has_data: bool,
}

/// What can be said of a command.
pub(crate) enum Outlook {
    /// It does that.
    Foreseen(Prediction),
    /// The rules refuse it.
    Refused(Rejection),
    /// It touches what this phone does not see: only the server can tell.
    Unforeseen,
    /// The phone does not know its own person yet.
    Nobody,
}

/// Rows as a command leaves them; `None`: gone from sight.
pub(crate) type PredictedRows = Vec<(EntityRef, Option<Entity>)>;

/// What a command changes on the screen.
pub(crate) struct Prediction {
    pub(crate) rows: PredictedRows,
    pub(crate) footprint: Footprint,
    /// The primary entity's version and, of the fields that change or that the command names, the values before.
    pub(crate) base_version: Option<u64>,
    pub(crate) base: Fields,
}

/// Predicts a command over `rows`.
pub(crate) fn predict(
    command: &Command,
    operation: Uuid,
    at: Timestamp,
    observer: Observer,
    rows: &dyn Rows,
) -> Result<Outlook, StoreError> {
    let own = EntityRef::new(EntityKind::Employee, observer.employee);
    let Some(Entity::Employee(employee)) = rows.row(&own)? else { return Ok(Outlook::Nobody) };
    let person = Person::from(&employee);
    let sight = Sight { rows, person: &person, has_data: observer.has_data, failure: RefCell::new(None) };
    match execute(command, &Context { operation, actor: &person, at }, &sight) {
        Ok(effects) => Ok(Outlook::Foreseen(prediction(command, effects, own, &person, rows)?)),
        Err(Stop::Rejected(rejection)) => Ok(Outlook::Refused(rejection)),
        Err(Stop::Unknown(_)) => Ok(Outlook::Unforeseen),
        Err(Stop::Failed(ReadError(detail))) => {
            Err(sight.failure.into_inner().unwrap_or(StoreError::Other(detail)))
        }
    }
}

/// What a parked operation is in conflict about by now, over `rows`. `None`: the phone does not know its own person.
pub(crate) fn dispute_over(
    parked: &Parked<'_>,
    now: Option<&Entity>,
    operation: Uuid,
    at: Timestamp,
    observer: Observer,
    rows: &dyn Rows,
) -> Result<Option<Dispute>, StoreError> {
    let own = EntityRef::new(EntityKind::Employee, observer.employee);
    let Some(Entity::Employee(employee)) = rows.row(&own)? else { return Ok(None) };
    let person = Person::from(&employee);
    let sight = Sight { rows, person: &person, has_data: observer.has_data, failure: RefCell::new(None) };
    match dispute(parked, now, &Context { operation, actor: &person, at }, &sight) {
        Ok(dispute) => Ok(Some(dispute)),
        Err(Stop::Failed(ReadError(detail))) => {
            Err(sight.failure.into_inner().unwrap_or(StoreError::Other(detail)))
        }
        Err(stop) => Err(StoreError::Other(stop.to_string())),
    }
}

/// The footprint of an operation that nothing is foreseen of: its primary entity. Who may do what depends on the
/// person's own row (role, duty), so every operation reads that.
pub(crate) fn least_footprint(command: &Command, employee: Uuid) -> Footprint {
    let own = EntityRef::new(EntityKind::Employee, employee);
    let primary = command.primary();
    let reads = if own == primary { Vec::new() } else { vec![own] };
    Footprint { writes: vec![primary], reads }
}

fn prediction(
    command: &Command,
    effects: Effects,
    own: EntityRef,
    person: &Person,
    rows: &dyn Rows,
) -> Result<Prediction, StoreError> {
    let primary = command.primary();
    let after = effects.changes.iter().find_map(|change| match &change.after {
        Some(Entity::Employee(it)) if it.id == person.id => Some(Person::from(it)),
        _ => None,
    });
    let after = after.as_ref().unwrap_or(person);
    let seen = rows.row(&primary)?;
    let mut made = Prediction {
        rows: Vec::new(),
        footprint: Footprint { writes: vec![primary.clone()], reads: Vec::new() },
        // Version 0: not yet on the server; the operation that creates it says when it is.
        base_version: seen.as_ref().map(Entity::version).filter(|version| *version > 0),
        base: Fields::new(),
    };
    for change in &effects.changes {
        let Some(reference) = change.reference() else { continue };
        if reference == primary
            && let (Some(before), Some(now)) = (&change.before, &change.after)
        {
            made.base = before.diff(now).0;
            for name in command.named_fields() {
                if let Some(seen) = before.field(&name) {
                    made.base.entry(name).or_insert(seen);
                }
            }
        }
        if !made.footprint.writes.contains(&reference) {
            made.footprint.writes.push(reference.clone());
        }
        match project(change, person, after) {
            Some(ViewChange::Upsert { entity, .. }) => made.rows.push((reference, Some(entity))),
            Some(ViewChange::Remove { .. }) => made.rows.push((reference, None)),
            Some(ViewChange::Unsupported { .. }) | None => {}
        }
    }
    for read in effects.reads.into_iter().chain([own]) {
        if mutant::is(Mutant::FootprintForgotten) {
            break;
        }
        if !made.footprint.writes.contains(&read) && !made.footprint.reads.contains(&read) {
            made.footprint.reads.push(read);
        }
    }
    Ok(made)
}

/// The world as one person sees it on their phone.
struct Sight<'a> {
    rows: &'a dyn Rows,
    person: &'a Person,
    has_data: bool,
    /// What [`ReadError`] has no room for.
    failure: RefCell<Option<StoreError>>,
}

impl Sight<'_> {
    /// Whether this person would see it, whatever it were.
    fn would_see(&self, kind: &EntityKind) -> bool {
        self.has_data
            && match kind {
                EntityKind::Suite | EntityKind::Employee | EntityKind::Announcement | EntityKind::Shift => {
                    true
                }
                EntityKind::Task => self.person.role.directs(),
                EntityKind::Note | EntityKind::Alert => self.person.role == Role::Manager,
                EntityKind::Notification | EntityKind::Conflict | EntityKind::Other(_) => false,
            }
    }
}

impl Read for Sight<'_> {
    fn read(&self, kind: EntityKind, id: Uuid) -> Result<Lookup, ReadError> {
        let unseen = if self.would_see(&kind) { Lookup::Absent } else { Lookup::Unknown };
        match self.rows.row(&EntityRef::new(kind, id)) {
            Ok(Some(entity)) => Ok(Lookup::Known(entity)),
            Ok(None) => Ok(unseen),
            Err(error) => {
                let detail = ReadError(error.to_string());
                *self.failure.borrow_mut() = Some(error);
                Err(detail)
            }
        }
    }
}
