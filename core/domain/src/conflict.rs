//! What becomes of a command whose author had not seen what somebody else did meanwhile. No edit is lost in silence: what
//! loses, by whatever policy, is told to whom it belonged, and can be restored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Uuid;
use crate::command::Command;
use crate::entity::{Entity, EntityKind, EntityRef, Fields};
use crate::execute::{Effects, Stop, execute};
use crate::policy::{Policies, Policy};
use crate::read::{Change, Context, Lookup, Read, ReadError};
use crate::rejection::{Reason, Rejection};
use crate::text::{Merge, merge};
use crate::time::Timestamp;
use crate::visibility::{may_see, redact};
use crate::vocabulary::TaskStatus;

/// When somebody meant something, by the server's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intent {
    /// The time; never after the server's own.
    pub at: Timestamp,
    /// Whether it was measured. A phone that had not met the server since it was switched on does not know: what it sends
    /// counts by its order of arrival.
    pub certain: bool,
}

/// Who wrote the value that a field has, and when they meant it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The commit.
    #[serde(rename = "s")]
    pub seq: u64,
    /// The entity's version since then.
    #[serde(rename = "v")]
    pub version: u64,
    /// When it was meant, by the server's clock.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// Whether that was measured.
    #[serde(rename = "c")]
    pub certain: bool,
    /// Who meant it.
    #[serde(rename = "b")]
    pub by: Uuid,
    /// The operation.
    #[serde(rename = "o")]
    pub operation: Uuid,
}

/// The stamps of one entity's fields, by their wire names. What was never changed since the entity came to be has none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamps(pub BTreeMap<String, Stamp>);

impl Stamps {
    /// The field's; where there is none, what the entity says of its last change: that is of no certain time.
    fn of(&self, entity: &Entity, field: &str) -> Stamp {
        self.0.get(field).cloned().unwrap_or_else(|| Stamp {
            seq: 0,
            version: entity.version(),
            at: entity.updated_at(),
            certain: false,
            by: entity.updated_by(),
            operation: Uuid::nil(),
        })
    }

    /// The fields that a person who saw `version` has not seen as they are.
    pub fn since(&self, version: u64) -> impl Iterator<Item = (&String, &Stamp)> {
        self.0.iter().filter(move |(_, stamp)| stamp.version > version)
    }
}

/// One field that somebody else changed meanwhile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldConflict {
    /// Its wire name.
    pub field: String,
    /// What the person had before them when they acted; `null`: empty, or not known.
    pub base: Value,
    /// What they meant it to become; `null`: empty, or their command would not have been possible.
    pub mine: Value,
    /// What it is now; `null`: empty.
    pub theirs: Value,
    /// Who made it so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Uuid>,
    /// When they meant that, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What decides about this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

/// An edit, and what its author knew.
#[derive(Debug, Clone, Copy)]
pub struct Edit<'a> {
    /// What they want.
    pub command: &'a Command,
    /// Who they are.
    pub context: &'a Context<'a>,
    /// When they meant it.
    pub intent: Intent,
    /// The values that they saw of the fields that it names or changes.
    pub base: &'a Fields,
    /// The version of the primary entity that they saw.
    pub base_version: Option<u64>,
    /// They know that they overwrite what is in `base`.
    pub force: bool,
    /// The conflict that they settle by it.
    pub settles: &'a Settles,
    /// How the property decides.
    pub policies: &'a Policies,
    /// Who wrote what the primary entity is now.
    pub stamps: &'a Stamps,
}

/// The conflict that an edit settles, as its author was told of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settles {
    /// The fields that were in conflict.
    pub fields: Vec<FieldConflict>,
    /// The version of the entity then.
    pub version: Option<u64>,
}

impl Settles {
    /// Whether the value that a field has was part of the conflict, or came while the person had not chosen yet.
    fn concerns(&self, field: &str, stamp: &Stamp) -> bool {
        self.fields.iter().any(|it| it.field == field)
            || self.version.is_some_and(|version| stamp.version > version)
    }
}

/// What is to be done with an edit.
#[derive(Debug, Clone, PartialEq)]
pub enum Ruling {
    /// It takes effect, as far as the policies let it.
    Taken(Taken),
    /// A person decides: the fields in conflict.
    Person {
        /// Each with base, mine and theirs.
        fields: Vec<FieldConflict>,
        /// Why what the policies would have made of it is against the rules.
        rejection: Option<Rejection>,
    },
}

/// An edit that takes effect.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Taken {
    /// What of it is done; `None`: nothing.
    pub command: Option<Command>,
    /// What that does.
    pub effects: Effects,
    /// Values that lost by it: its own, and those of others that its author had not seen.
    pub lost: Vec<Lost>,
    /// Whether it was in conflict.
    pub contested: bool,
}

/// What the policies make of an edit.
enum Verdict {
    /// Nobody else changed what it is about.
    Clean,
    Decided(Decision),
    Manual(Vec<FieldConflict>),
}

#[derive(Default)]
struct Decision {
    /// What of it is to be done; `None`: nothing.
    command: Option<Command>,
    /// Its values that lost.
    lost: Vec<Lost>,
    /// The fields that were in conflict, for where the rules then refuse.
    contested: Vec<FieldConflict>,
    /// The fields of which both edits are in the text that it makes.
    merged: Vec<String>,
}

/// A value that lost to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Lost {
    /// The field.
    pub field: String,
    /// What the loser saw before; `null`: empty, or not known.
    pub base: Value,
    /// The commit that the lost value was written in: what the field was before is what its author saw. None: `base` says it.
    pub written_in: Option<u64>,
    /// What they wanted.
    pub lost: Value,
    /// What it is instead.
    pub kept: Value,
    /// Whose value is lost.
    pub lost_by: Uuid,
    /// Whose is kept.
    pub kept_by: Uuid,
    /// When the lost value was meant.
    pub meant_at: Timestamp,
    /// What decided.
    pub policy: Policy,
    /// Whether the times that it may have gone by were measured.
    pub certain: bool,
}

/// Says what is to be done with an edit: compares what its author saw with what is there now, lets the policies decide where
/// others changed the same, and the rules ([`execute`]) what follows.
///
/// Only the primary entity is compared; consequences elsewhere have guards of their own. What only adds (a comment, an
/// acknowledgement) conflicts with nothing, and what the actor may not see is left to the rules, which say NOT_FOUND and
/// give nothing away.
pub fn decide(edit: &Edit<'_>, read: &dyn Read) -> Result<Ruling, Stop> {
    let decision = match resolve(edit, read)? {
        Verdict::Clean => Decision { command: Some(edit.command.clone()), ..Decision::default() },
        Verdict::Decided(decision) => decision,
        Verdict::Manual(fields) => return Ok(Ruling::Person { fields, rejection: None }),
    };
    let effects = match decision.command.as_ref().map(|command| execute(command, edit.context, read)) {
        None => Effects::default(),
        Some(Ok(effects)) => effects,
        Some(Err(Stop::Rejected(rejection))) if !decision.contested.is_empty() => {
            return Ok(Ruling::Person { fields: decision.contested, rejection: Some(rejection) });
        }
        Some(Err(stop)) => return Err(stop),
    };
    let mut lost = decision.lost;
    lost.extend(put_aside(edit, &effects.changes, &decision.merged));
    let contested = !decision.contested.is_empty();
    Ok(Ruling::Taken(Taken { command: decision.command, effects, lost, contested }))
}

fn resolve(edit: &Edit<'_>, read: &dyn Read) -> Result<Verdict, Stop> {
    let Some(current) = current(edit, read)? else { return Ok(Verdict::Clean) };
    if edit.command.deletes() {
        let unseen = unseen_by_deleter(edit, &current);
        return Ok(if unseen.is_empty() { Verdict::Clean } else { Verdict::Manual(unseen) });
    }
    let as_seen = with_fields(&current, edit.base)?;
    let changed = changed_since(edit, &current, &as_seen);
    if changed.is_empty() {
        return Ok(Verdict::Clean);
    }
    let foreseen = meant(edit, &as_seen, read)?;
    let was_possible = foreseen.is_some();
    let meant = match foreseen {
        Some(meant) => meant,
        // Where it is not possible on what is there either, that is the answer.
        None => after(edit, execute(edit.command, edit.context, read)?, &current),
    };
    let contested: Vec<FieldConflict> = changed
        .iter()
        .map(|name| conflict(edit, &current, name, value(&as_seen, name), value(&meant, name)))
        .filter(|it| it.mine != it.theirs && it.mine != it.base)
        .collect();
    if !was_possible && !contested.is_empty() {
        return Ok(Verdict::Manual(contested));
    }
    // Named with the value that they saw: that is no edit of theirs.
    let untouched = changed.iter().filter(|name| value(&meant, name) == value(&as_seen, name));
    let mut dropped: Vec<&str> = untouched.map(|name| name.as_str()).collect();
    let (mut decision, mut merged) = (Decision::default(), Vec::new());
    for conflict in &contested {
        match winner(edit, &current, conflict) {
            Winner::Mine => {}
            Winner::Theirs => {
                decision.lost.push(mine_lost(edit, &current, conflict));
                dropped.push(conflict.field.as_str());
            }
            Winner::Both(value) => merged.push((conflict.field.as_str(), value)),
            Winner::Person => return Ok(Verdict::Manual(contested)),
        }
    }
    decision.merged = merged.iter().map(|(field, _)| (*field).to_owned()).collect();
    decision.command = match edit.command.is_patch() {
        true => edit.command.amended(&dropped, merged),
        false => Some(edit.command.clone()).filter(|_| decision.lost.is_empty()),
    };
    if decision.command.is_none() && !decision.lost.is_empty() {
        // It is done whole or not at all (or nothing is left of it): then all that it meant is lost.
        let all = wanted(edit.base, &as_seen, &meant, &current).into_iter();
        let all = all.map(|(field, base, mine)| conflict(edit, &current, &field, base, mine));
        decision.lost = all.map(|it| mine_lost(edit, &current, &it)).collect();
    }
    decision.contested = contested;
    Ok(Verdict::Decided(decision))
}

/// What an edit wanted of an entity that somebody deleted, as it was `last`; nothing where its author saw nothing of it, or
/// may not know.
pub fn against_deleted(edit: &Edit<'_>, last: &Entity, read: &dyn Read) -> Result<Vec<FieldConflict>, Stop> {
    if edit.base.is_empty() || !may_see(last, edit.context.actor) {
        return Ok(Vec::new());
    }
    let last = redact(last.clone(), edit.context.actor);
    let as_seen = with_fields(&last, edit.base)?;
    let meant = meant(edit, &as_seen, read)?;
    let fields = edit.base.keys().filter(|name| last.field(name).is_some());
    Ok(fields
        .map(|name| FieldConflict {
            field: name.clone(),
            base: value(&as_seen, name),
            mine: meant.as_ref().map_or(Value::Null, |entity| value(entity, name)),
            theirs: Value::Null,
            by: None,
            at: None,
            policy: Some(Policy::Manual),
        })
        // Named with the value that they saw: that is no edit of theirs.
        .filter(|it| it.mine != it.base)
        .collect())
}

/// The primary entity as the actor sees it, where there is anything to compare.
fn current(edit: &Edit<'_>, read: &dyn Read) -> Result<Option<Entity>, ReadError> {
    let knows_nothing = edit.base.is_empty() && !(edit.command.deletes() && edit.base_version.is_some());
    if edit.command.is_append_only() || knows_nothing {
        return Ok(None);
    }
    let EntityRef { kind, id } = edit.command.primary();
    Ok(match read.read(kind, id)? {
        Lookup::Known(entity) if may_see(&entity, edit.context.actor) => {
            Some(redact(entity, edit.context.actor))
        }
        Lookup::Known(_) | Lookup::Absent | Lookup::Unknown => None,
    })
}

/// The fields that are not as the author saw them.
fn changed_since<'a>(edit: &Edit<'a>, current: &Entity, as_seen: &Entity) -> Vec<&'a String> {
    let kind = current.kind();
    let names = edit.base.keys().filter(|name| as_seen.field(name) != current.field(name));
    names.filter(|name| edit.policies.of(&kind, name) != Policy::Derived).collect()
}

/// Each field that somebody meant to change, and that is not so anyway: what they saw, and what they wanted.
fn wanted(base: &Fields, as_seen: &Entity, meant: &Entity, current: &Entity) -> Vec<(String, Value, Value)> {
    let all = base.keys().map(|name| (name.clone(), value(as_seen, name), value(meant, name)));
    all.filter(|(name, base, mine)| mine != base && *mine != value(current, name)).collect()
}

/// The primary entity as the effects leave it.
fn after(edit: &Edit<'_>, effects: Effects, current: &Entity) -> Entity {
    let primary = Some(edit.command.primary());
    let change = effects.changes.into_iter().find(|change| change.reference() == primary);
    change.and_then(|change| change.after).unwrap_or_else(|| current.clone())
}

fn conflict(edit: &Edit<'_>, current: &Entity, field: &str, base: Value, mine: Value) -> FieldConflict {
    let stamp = edit.stamps.of(current, field);
    FieldConflict {
        field: field.to_owned(),
        base,
        mine,
        theirs: value(current, field),
        by: Some(stamp.by),
        at: Some(stamp.at),
        policy: Some(edit.policies.of(&current.kind(), field)),
    }
}

/// The version that the author saw. One that the entity never had (in a history that was lost, or made up) is none that says
/// anything of this one.
fn seen_version(edit: &Edit<'_>, entity: &Entity) -> Option<u64> {
    edit.base_version.map(|seen| if seen > entity.version() { 0 } else { seen })
}

/// Whoever removes something has seen all of it, or is asked.
fn unseen_by_deleter(edit: &Edit<'_>, current: &Entity) -> Vec<FieldConflict> {
    let Some(seen) = seen_version(edit, current) else { return Vec::new() };
    let (kind, me) = (current.kind(), edit.context.actor.id);
    let unseen = edit
        .stamps
        .since(seen)
        .filter(|(field, stamp)| stamp.by != me && edit.policies.of(&kind, field) != Policy::Derived);
    let mut fields: Vec<FieldConflict> =
        unseen.map(|(field, _)| conflict(edit, current, field, Value::Null, Value::Null)).collect();
    if !fields.is_empty() {
        let new: Vec<String> = fields.iter().map(|it| it.field.clone()).collect();
        let known = edit.settles.fields.iter().filter(|it| !new.contains(&it.field));
        fields.extend(known.map(|it| conflict(edit, current, &it.field, Value::Null, Value::Null)));
    }
    fields
}

/// Which of two values stays.
enum Winner {
    Mine,
    Theirs,
    /// One made of both.
    Both(Value),
    Person,
}

fn winner(edit: &Edit<'_>, current: &Entity, conflict: &FieldConflict) -> Winner {
    let stamp = edit.stamps.of(current, &conflict.field);
    match conflict.policy.as_ref().unwrap_or(&Policy::Manual) {
        Policy::LastWriteWins => later(edit, &stamp),
        Policy::Guarded => guarded(edit, &stamp, current, conflict),
        Policy::MergeText => merged_text(conflict),
        Policy::ServerWins => Winner::Theirs,
        Policy::AppendOnly | Policy::Derived => Winner::Mine,
        Policy::Manual | Policy::Other(_) => Winner::Person,
    }
}

/// The later intent; of two at the same time a lot decides, the random half of their ids (the other half is a phone's time). A time that was not measured counts for nothing:
/// then it is the order of arrival.
fn later(edit: &Edit<'_>, theirs: &Stamp) -> Winner {
    let measured = edit.intent.certain && theirs.certain;
    let lot = |operation: Uuid| operation.as_u64_pair().1;
    let mine = (edit.intent.at, lot(edit.context.operation));
    if !measured || mine > (theirs.at, lot(theirs.operation)) { Winner::Mine } else { Winner::Theirs }
}

fn guarded(edit: &Edit<'_>, stamp: &Stamp, current: &Entity, conflict: &FieldConflict) -> Winner {
    if !matches!(current, Entity::Task(_)) {
        return later(edit, stamp);
    }
    match (progress(&conflict.mine), progress(&conflict.theirs)) {
        (Some(mine), Some(theirs)) if mine > theirs => Winner::Mine,
        (Some(mine), Some(theirs)) if mine < theirs => Winner::Theirs,
        _ => Winner::Person,
    }
}

/// How far a task is in its life; both its ends are equally far.
fn progress(status: &Value) -> Option<u8> {
    match TaskStatus::from(status.as_str()?) {
        TaskStatus::Pending => Some(0),
        TaskStatus::InProgress => Some(1),
        TaskStatus::Completed | TaskStatus::Cancelled => Some(2),
        TaskStatus::Other(_) => None,
    }
}

/// Whether one status simply comes after the other, so that nothing of it is lost: not where the other went back behind
/// what the author saw, or may have.
fn follows(edit: &Edit<'_>, kind: &EntityKind, before: &Value, after: &Value, field: &str) -> bool {
    let completed = Some(TaskStatus::Completed.as_str());
    let Some(now) = progress(before).filter(|now| *now < 2) else { return false };
    let went_back = match edit.base.get(field) {
        Some(seen) => progress(seen).is_none_or(|seen| seen > now),
        None => edit.base_version.is_some(),
    };
    *kind == EntityKind::Task && after.as_str() == completed && !went_back
}

fn merged_text(conflict: &FieldConflict) -> Winner {
    match (conflict.base.as_str(), conflict.mine.as_str(), conflict.theirs.as_str()) {
        (Some(base), Some(mine), Some(theirs)) => match merge(base, mine, theirs) {
            Merge::Merged(text) => Winner::Both(text.into()),
            Merge::Overlap => Winner::Person,
        },
        _ => Winner::Person,
    }
}

fn mine_lost(edit: &Edit<'_>, current: &Entity, conflict: &FieldConflict) -> Lost {
    let stamp = edit.stamps.of(current, &conflict.field);
    Lost {
        field: conflict.field.clone(),
        base: conflict.base.clone(),
        written_in: None,
        lost: conflict.mine.clone(),
        kept: conflict.theirs.clone(),
        lost_by: edit.context.actor.id,
        kept_by: stamp.by,
        meant_at: edit.intent.at,
        policy: conflict.policy.clone().unwrap_or(Policy::Manual),
        certain: edit.intent.certain && stamp.certain,
    }
}

/// The values of others that an edit, as it is carried out, puts aside without its author having seen them; and with `force`
/// those that the author was in conflict with, and overwrites all the same.
pub fn overridden(edit: &Edit<'_>, changes: &[Change]) -> Vec<Lost> {
    put_aside(edit, changes, &[])
}

fn put_aside(edit: &Edit<'_>, changes: &[Change], merged: &[String]) -> Vec<Lost> {
    let primary = Some(edit.command.primary());
    let change = changes.iter().find(|change| change.reference() == primary);
    let Some((before, after)) = change.and_then(|it| it.before.as_ref().map(|before| (before, &it.after)))
    else {
        return Vec::new();
    };
    if edit.command.is_append_only() {
        return Vec::new();
    }
    let changed = match after {
        Some(after) => before.diff(after).0.into_iter().collect(),
        None => edit.stamps.0.keys().map(|field| (field.clone(), value(before, field))).collect::<Vec<_>>(),
    };
    let unmerged = changed.into_iter().filter(|(field, _)| !merged.contains(field));
    unmerged.filter_map(|(field, was)| theirs_lost(edit, before, after.as_ref(), field, was)).collect()
}

fn theirs_lost(
    edit: &Edit<'_>,
    before: &Entity,
    after: Option<&Entity>,
    field: String,
    was: Value,
) -> Option<Lost> {
    let (kind, me) = (before.kind(), edit.context.actor.id);
    let policy = edit.policies.of(&kind, &field);
    let stamp = edit.stamps.0.get(&field)?;
    let kept = after.map_or(Value::Null, |after| value(after, &field));
    let seen = edit.base.get(&field);
    let version = seen_version(edit, before);
    // Who deletes without saying what they saw has been asked nothing.
    let blind = after.is_none() && version.is_none();
    let known = seen.map_or(version.is_some_and(|it| stamp.version <= it), |seen| *seen == was) || blind;
    let without_loss = match policy {
        Policy::Derived | Policy::AppendOnly => true,
        Policy::Guarded => !edit.force && follows(edit, &kind, &was, &kept, &field),
        _ => false,
    };
    let overruled = edit.force && edit.settles.concerns(&field, stamp);
    if stamp.by == me || without_loss || (known && !overruled) {
        return None;
    }
    Some(Lost {
        base: Value::Null,
        written_in: Some(stamp.seq).filter(|seq| *seq > 0),
        lost: was,
        kept,
        lost_by: stamp.by,
        kept_by: me,
        meant_at: stamp.at,
        policy: if edit.force { Policy::Manual } else { policy },
        certain: edit.intent.certain && stamp.certain,
        field,
    })
}

/// A parked edit as its author's phone has it.
#[derive(Debug, Clone, Copy)]
pub struct Parked<'a> {
    /// What they want.
    pub command: &'a Command,
    /// The values that they saw.
    pub base: &'a Fields,
    /// The fields in conflict, as the server told of them.
    pub told: &'a [FieldConflict],
    /// The entity, as it was then.
    pub then: Option<&'a Entity>,
}

/// What a parked edit is in conflict about by now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dispute {
    /// The fields that the server told of, with what they have become, and those that others have changed since.
    pub fields: Vec<FieldConflict>,
    /// All that the edit wants and that is not so; more than `fields` where it has fields that nobody else changed.
    pub wanted: Vec<FieldConflict>,
}

/// See [`Dispute`]. `now`: the entity as its author sees it; `None`: it is gone.
pub fn dispute(
    parked: &Parked<'_>,
    now: Option<&Entity>,
    context: &Context<'_>,
    read: &dyn Read,
) -> Result<Dispute, Stop> {
    let told = parked.told.iter().map(|it| as_it_is(parked, it, now));
    let mut fields: Vec<FieldConflict> = told.collect();
    let Some(now) = now else { return Ok(Dispute { wanted: fields.clone(), fields }) };
    let last = last_change(parked, now);
    let moved = |name: String, base, mine| FieldConflict {
        policy: Some(Policies::default().of(&now.kind(), &name)).filter(|it| *it != Policy::Derived),
        theirs: value(now, &name),
        by: last.map(|(by, _)| by),
        at: last.map(|(_, at)| at),
        field: name,
        base,
        mine,
    };
    let known: Vec<String> = fields.iter().map(|it| it.field.clone()).collect();
    if parked.command.deletes() {
        let since = parked.then.map(|then| then.diff(now).0).unwrap_or_default();
        let new = since.into_iter().map(|(name, _)| name).filter(|name| !known.contains(name));
        fields.extend(new.map(|name| moved(name, Value::Null, Value::Null)).filter(|it| it.policy.is_some()));
        return Ok(Dispute { fields, wanted: Vec::new() });
    }
    let as_seen = with_fields(now, parked.base)?;
    let Some(meant) = on_what_was_seen(parked.command, context, &as_seen, read)? else {
        return Ok(Dispute { wanted: fields.clone(), fields });
    };
    let all = wanted(parked.base, &as_seen, &meant, now).into_iter();
    let all: Vec<FieldConflict> = all.map(|(name, base, mine)| moved(name, base, mine)).collect();
    let new =
        all.iter().filter(|it| !known.contains(&it.field) && it.base != it.theirs && it.policy.is_some());
    fields.extend(new.cloned());
    let told = |it: &FieldConflict| fields.iter().find(|told| told.field == it.field).cloned();
    let wanted = all.into_iter().map(|it| told(&it).unwrap_or(it)).collect();
    Ok(Dispute { fields, wanted })
}

/// Who changed the entity since, and when they did; `None`: more than one may have.
fn last_change(parked: &Parked<'_>, now: &Entity) -> Option<(Uuid, Timestamp)> {
    let once = parked.then.is_some_and(|then| now.version() == then.version() + 1);
    once.then(|| (now.updated_by(), now.updated_at()))
}

/// A field in conflict with what it is by now; who made it so is told where that is known.
fn as_it_is(parked: &Parked<'_>, told: &FieldConflict, now: Option<&Entity>) -> FieldConflict {
    let theirs = now.map_or(Value::Null, |entity| value(entity, &told.field));
    if theirs == told.theirs {
        return told.clone();
    }
    let (by, at) = now.and_then(|now| last_change(parked, now)).unzip();
    FieldConflict { theirs, by, at, ..told.clone() }
}

/// The stamps of what a change writes. What was meant upon having seen the value before is never earlier than that.
pub fn stamps_of(change: &Change, written: &Stamp, earlier: &Stamps) -> Stamps {
    let (Some(before), Some(after)) = (&change.before, &change.after) else { return Stamps::default() };
    let fields = before.diff(after).0.into_iter().map(|(field, _)| {
        let at = earlier.0.get(&field).map_or(written.at, |stamp| written.at.max(stamp.at));
        (field, Stamp { at, ..written.clone() })
    });
    Stamps(fields.collect())
}

fn value(entity: &Entity, field: &str) -> Value {
    entity.field(field).unwrap_or(Value::Null)
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

/// What the person meant the entity to become: the command on what they saw. `None`: it would have been refused.
fn meant(edit: &Edit<'_>, as_seen: &Entity, read: &dyn Read) -> Result<Option<Entity>, Stop> {
    on_what_was_seen(edit.command, edit.context, as_seen, read)
}

fn on_what_was_seen(
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
