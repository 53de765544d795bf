//! Who lost what, told from the server's commits and from the operations as they were sent alone: written after
//! docs/conflicts.md, and not with the rules of the product, so that a mistake there is seen here (G8).

use std::collections::BTreeMap;

use innsync_domain::text::{Merge, merge};
use innsync_domain::{
    Change, Command, Conflict, Entity, EntityKind, EntityRef, FieldConflict, Fields, Policies, Policy,
    Timestamp, Uuid,
};
use innsync_protocol::{Op, OpOutcome};
use innsync_server::authority::Committed;
use serde_json::Value;

use crate::failure::{Checked, Violation};
use crate::model::Rows;
use crate::sometimes::Sometimes;

/// Who gave a field its value.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    by: Uuid,
    op: Uuid,
    seq: u64,
    version: u64,
    /// When it was meant, by the server's clock, and whether that was measured.
    at: Timestamp,
    certain: bool,
    /// What it was before.
    before: Value,
}

/// An operation that was answered as a conflict.
#[derive(Debug, Clone)]
pub(crate) struct Contested {
    pub(crate) op: Op,
    /// The fields of the sheet.
    pub(crate) fields: Vec<FieldConflict>,
    /// The head when it was answered.
    head: u64,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Losses {
    written: BTreeMap<EntityRef, BTreeMap<String, Written>>,
    contested: BTreeMap<Uuid, Contested>,
    /// The fields that were sent once more in place of an operation in conflict.
    sent_again: BTreeMap<Uuid, Vec<String>>,
    head: u64,
}

/// An operation that took effect, and what it did.
struct Taken<'a> {
    op: &'a Op,
    policies: &'a Policies,
    now: Timestamp,
    primary: EntityRef,
    before: Option<&'a Entity>,
    after: Option<&'a Entity>,
    records: Vec<&'a Conflict>,
    wanted: Fields,
    /// The conflict in whose place it is.
    settles: Option<&'a Contested>,
}

impl Losses {
    /// The server has answered an operation for the first time. `rows`: what is there after it.
    pub(crate) fn answered(
        &mut self,
        op: &Op,
        outcome: &OpOutcome,
        committed: Option<&Committed>,
        rows: &Rows,
        policies: &Policies,
        now: Timestamp,
    ) -> Checked<Vec<Sometimes>> {
        let mut reached = Vec::new();
        if let Some(earlier) = op.supersedes {
            let fields = wanted(&op.command, op.author).into_iter().map(|(field, _)| field);
            self.sent_again.entry(earlier).or_default().extend(fields);
        }
        match (outcome, committed) {
            (OpOutcome::Conflict { fields, deleted, .. }, _) => {
                if !fields.is_empty() {
                    reached.push(Sometimes::ParkedFields);
                }
                if deleted.is_some() {
                    reached.push(Sometimes::EditOfDeleted);
                } else if op.command.deletes() {
                    reached.push(Sometimes::DeletionOfEdited);
                }
                let contested = Contested { op: op.clone(), fields: fields.clone(), head: self.head };
                self.contested.insert(op.id, contested);
            }
            (OpOutcome::Applied { .. } | OpOutcome::Merged { .. }, Some(committed)) => {
                self.takes_effect(op, committed, rows, policies, now, &mut reached)?;
                self.written(committed, Some((op, now)));
            }
            _ => {}
        }
        Ok(reached)
    }

    /// A commit: who wrote which field. `None`: not by an operation of a phone.
    pub(crate) fn written(&mut self, committed: &Committed, by: Option<(&Op, Timestamp)>) {
        self.head = committed.seq;
        for change in committed.changes.iter() {
            let Some(reference) = change.reference() else { continue };
            let (Some(before), Some(after)) = (&change.before, &change.after) else {
                self.written.remove(&reference);
                continue;
            };
            let fields = self.written.entry(reference).or_default();
            for (field, was) in before.diff(after).0 {
                let (at, certain) = by.map_or((committed.at, true), |(op, now)| meant(op, now));
                let at = fields.get(&field).map_or(at, |earlier| at.max(earlier.at));
                let written = Written {
                    by: committed.by,
                    op: by.map_or(Uuid::nil(), |(op, _)| op.id),
                    seq: committed.seq,
                    version: after.version(),
                    at,
                    certain,
                    before: was,
                };
                fields.insert(field, written);
            }
        }
    }

    fn takes_effect(
        &self,
        op: &Op,
        committed: &Committed,
        rows: &Rows,
        policies: &Policies,
        now: Timestamp,
        reached: &mut Vec<Sometimes>,
    ) -> Checked {
        if let Command::KeepTheirs { operation, .. } = &op.command {
            return self.gives_up(op, *operation, rows);
        }
        if let Command::DismissConflicts { .. } = &op.command {
            reached.push(Sometimes::Dismissed);
        }
        let primary = op.command.primary();
        let is_primary = |change: &&Change| change.reference().as_ref() == Some(&primary);
        let change = committed.changes.iter().find(is_primary);
        let current = rows.get(&primary);
        let taken = Taken {
            op,
            policies,
            now,
            before: change.map_or(current, |change| change.before.as_ref()),
            after: change.map_or(current, |change| change.after.as_ref()),
            records: committed.changes.iter().filter_map(record).collect(),
            wanted: wanted(&op.command, op.author),
            settles: op.supersedes.and_then(|earlier| self.contested.get(&earlier)),
            primary,
        };
        taken.records.iter().try_for_each(|record| self.is_true(&taken, record))?;
        if op.command.is_append_only() || op.command.creates() {
            return Ok(());
        }
        match (taken.before, taken.after) {
            (Some(before), Some(after)) => {
                for (field, was) in before.diff(after).0 {
                    self.overrides(&taken, &field, &was, reached)?;
                }
                for (field, wanted) in &taken.wanted {
                    self.has_what_it_wanted(&taken, field, wanted, reached)?;
                }
            }
            (Some(_), None) => self.deletes(&taken)?,
            _ => {}
        }
        if matches!(op.command, Command::RestoreValue { .. }) && taken.records.is_empty() {
            reached.push(Sometimes::Restored);
        }
        Ok(())
    }

    fn of(&self, taken: &Taken<'_>, field: &str) -> Option<&Written> {
        self.written.get(&taken.primary)?.get(field)
    }

    /// The commit gives a field another value: whoever had given it the one before has a record, if the author of this had
    /// not seen it, or knew that it was in conflict.
    fn overrides(
        &self,
        taken: &Taken<'_>,
        field: &str,
        was: &Value,
        reached: &mut Vec<Sometimes>,
    ) -> Checked {
        let policy = taken.policies.of(&taken.primary.kind, field);
        let Some(written) = self.of(taken, field) else { return Ok(()) };
        if matches!(policy, Policy::Derived | Policy::AppendOnly) {
            return Ok(());
        }
        self.last_write_wins(taken, field, was, &policy, written, reached)?;
        if written.by == taken.op.author || written.by.is_nil() {
            return Ok(());
        }
        let op = taken.op;
        let seen =
            op.base.get(field) == Some(was) || op.base_version.is_some_and(|seen| written.version <= seen);
        // They knew of it and overruled it, or it came while they had not chosen yet.
        let is_overruled = op.force && taken.in_dispute(field, written);
        if seen && !is_overruled {
            return Ok(());
        }
        let after = taken.value(field);
        let is_merged = policy == Policy::MergeText
            && op.base.get(field) != Some(was)
            && taken.has_both_words(field, was, &after);
        let is_step_forward = field == "status"
            && policy == Policy::Guarded
            && taken.primary.kind == EntityKind::Task
            && progress(&after) > progress(was)
            && progress(was) >= progress(&written.before);
        let excused = is_merged || is_step_forward;
        let theirs = |it: &&&Conflict| it.lost_by == written.by && it.field == field && it.lost == *was;
        if excused || taken.records.iter().any(|it| theirs(&it)) {
            return Ok(());
        }
        Err(taken.wrong(field, &format!("{was} of {} became {after} without a record", written.by)))
    }

    /// The later intent stays, by the server's clock; times that were not measured count for nothing.
    fn last_write_wins(
        &self,
        taken: &Taken<'_>,
        field: &str,
        was: &Value,
        policy: &Policy,
        written: &Written,
        reached: &mut Vec<Sometimes>,
    ) -> Checked {
        let op = taken.op;
        let contested = op.base.get(field).is_some_and(|seen| seen != was);
        if *policy != Policy::LastWriteWins || !contested || taken.wanted.get(field) == Some(was) {
            return Ok(());
        }
        if taken.wins(written) {
            reached.push(Sometimes::LastWriteMine);
            return Ok(());
        }
        Err(taken.wrong(field, &format!("{was} was meant later, and is {}", taken.value(field))))
    }

    /// What an operation that took effect wanted is there, or its author has a record.
    fn has_what_it_wanted(
        &self,
        taken: &Taken<'_>,
        field: &str,
        wanted: &Value,
        reached: &mut Vec<Sometimes>,
    ) -> Checked {
        let (is, me) = (taken.value(field), taken.op.author);
        let policy = taken.policies.of(&taken.primary.kind, field);
        // What a form names as its author saw it is no edit of theirs.
        if is == *wanted || taken.op.base.get(field) == Some(wanted) {
            return Ok(());
        }
        let was = taken.before.and_then(|before| before.field(field)).unwrap_or_default();
        if policy == Policy::MergeText && taken.has_both_words(field, &was, &is) {
            reached.push(Sometimes::MergedText);
            return Ok(());
        }
        let mine = |it: &&&Conflict| it.lost_by == me && it.field == field && it.lost == *wanted;
        let has_record = taken.records.iter().any(|it| mine(&it));
        if has_record
            && policy == Policy::LastWriteWins
            && let Some(written) = self.of(taken, field)
        {
            reached.push(Sometimes::LastWriteTheirs);
            if taken.wins(written) && is_patch(&taken.op.command) {
                return Err(taken.wrong(field, &format!("{wanted} was meant later, and it is {is}")));
            }
        }
        if has_record {
            return Ok(());
        }
        Err(taken.wrong(field, &format!("its author wanted {wanted}, it is {is}, and they have no record")))
    }

    /// Whoever deletes something has seen all that others changed of it, or knows that it is in conflict.
    fn deletes(&self, taken: &Taken<'_>) -> Checked {
        let (op, Some(seen)) = (taken.op, taken.op.base_version) else { return Ok(()) };
        for (field, written) in self.written.get(&taken.primary).into_iter().flatten() {
            let policy = taken.policies.of(&taken.primary.kind, field);
            if written.by == op.author || written.by.is_nil() || policy == Policy::Derived {
                continue;
            }
            let unseen = written.version > seen;
            if !op.force && unseen {
                return Err(taken.wrong(field, &format!("deleted, and {} changed it unseen", written.by)));
            }
            let was = taken.before.and_then(|before| before.field(field)).unwrap_or_default();
            let theirs = |it: &&&Conflict| it.lost_by == written.by && it.field == *field && it.lost == was;
            let excused = policy == Policy::AppendOnly || !(op.force && taken.in_dispute(field, written));
            if !excused && !taken.records.iter().any(|it| theirs(&it)) {
                return Err(taken.wrong(field, &format!("deleted, and {} has no record", written.by)));
            }
        }
        Ok(())
    }

    /// Whoever keeps what is there has a record of what they give up.
    fn gives_up(&self, op: &Op, earlier: Uuid, rows: &Rows) -> Checked {
        let Some(contested) = self.contested.get(&earlier) else { return Ok(()) };
        let primary = contested.op.command.primary();
        let has_record = |field: &str| {
            rows.values().any(|row| match row {
                Entity::Conflict(it) => {
                    it.lost_by == op.author && it.entity_id == primary.id && it.field == field
                }
                _ => false,
            })
        };
        let listed = contested.fields.iter().map(|it| (it.field.clone(), it.mine.clone()));
        let wanted = wanted(&contested.op.command, op.author).into_iter();
        for (field, mine) in listed.chain(wanted) {
            let is = rows.get(&primary).and_then(|row| row.field(&field)).unwrap_or_default();
            let sent_again = self.sent_again.get(&earlier).is_some_and(|it| it.contains(&field));
            if is == mine || sent_again || has_record(&field) {
                continue;
            }
            let detail =
                format!("{} gave up {field} of {} {}, without a record", op.author, primary.kind, primary.id);
            return Err(Violation::new("G8", detail));
        }
        Ok(())
    }

    /// A record says what was so.
    fn is_true(&self, taken: &Taken<'_>, record: &Conflict) -> Checked {
        let field = record.field.as_str();
        let about = EntityRef::new(record.entity_type.clone(), record.entity_id);
        let was = taken.before.and_then(|before| before.field(field)).unwrap_or_default();
        let is = taken.value(field);
        let of_author = record.lost_by == taken.op.author;
        let lost = match of_author {
            true => taken.wanted.get(field).is_none_or(|wanted| *wanted == record.lost),
            false => {
                let written = self.of(taken, field).filter(|written| written.by == record.lost_by);
                let saw = |written: &Written| record.base.is_null() || record.base == written.before;
                record.lost == was && written.is_some_and(saw)
            }
        };
        let kept = record.kept.is_null() || record.kept == is;
        if about == taken.primary && lost && kept && (record.lost != is || taken.after.is_none()) {
            return Ok(());
        }
        Err(taken.wrong(field, &format!("a record that is not true: {record:?}; it was {was}, is {is}")))
    }
}

impl Taken<'_> {
    /// The field as it is now.
    fn value(&self, field: &str) -> Value {
        self.after.and_then(|after| after.field(field)).unwrap_or_default()
    }

    /// Whether the author was told that the field is in conflict.
    fn in_sheet(&self, field: &str) -> bool {
        self.settles.is_some_and(|it| it.fields.iter().any(|it| it.field == field))
    }

    /// Whether it was so, or the value came after the author had been told.
    fn in_dispute(&self, field: &str, written: &Written) -> bool {
        self.in_sheet(field) || self.settles.is_some_and(|it| written.seq > it.head)
    }

    /// Whether this was meant later than what is there.
    fn wins(&self, written: &Written) -> bool {
        let (at, certain) = meant(self.op, self.now);
        let lot = |operation: Uuid| operation.as_u64_pair().1;
        !(certain && written.certain) || (at, lot(self.op.id)) > (written.at, lot(written.op))
    }

    /// Whether a text has what both put in; and, of what really happened, whether merging makes the same of it whoever comes
    /// first.
    fn has_both_words(&self, field: &str, was: &Value, is: &Value) -> bool {
        let base = self.op.base.get(field).and_then(Value::as_str);
        let mine = self.wanted.get(field).and_then(Value::as_str);
        let (Some(base), Some(mine), Some(theirs), Some(is)) = (base, mine, was.as_str(), is.as_str()) else {
            return false;
        };
        let (one, other) = (merge(base, mine, theirs), merge(base, theirs, mine));
        let (in_base, in_mine, in_theirs, there) = (words(base), words(mine), words(theirs), words(is));
        let count = |of: &BTreeMap<&str, i64>, word: &str| of.get(word).copied().unwrap_or(0);
        let all = in_base.keys().chain(in_mine.keys()).chain(in_theirs.keys());
        let mut kept = all.map(|word| {
            let base = count(&in_base, word);
            let (me, them) = (count(&in_mine, word) - base, count(&in_theirs, word) - base);
            // What both did alike is done once.
            let together = if me > 0 && them > 0 { me.max(them) } else { me + them };
            count(&there, word) >= base + together
        });
        one == other && one == Merge::Merged(is.to_owned()) && kept.all(|kept| kept)
    }

    fn wrong(&self, field: &str, what: &str) -> Violation {
        let EntityRef { kind, id } = &self.primary;
        let (command, op, author) = (self.op.command.name(), self.op.id, self.op.author);
        Violation::new("G8", format!("{command} {op} of {author}: {field} of {kind} {id}: {what}"))
    }
}

/// When an operation was meant, by the server's clock, and whether that was measured; else it counts from its arrival.
fn meant(op: &Op, now: Timestamp) -> (Timestamp, bool) {
    match op.intent.corrected {
        Some(at) => (at.min(now), true),
        None => (now, false),
    }
}

fn record(change: &Change) -> Option<&Conflict> {
    match (&change.before, &change.after) {
        (None, Some(Entity::Conflict(record))) => Some(record),
        _ => None,
    }
}

/// What a command says that fields shall be.
fn wanted(command: &Command, author: Uuid) -> Fields {
    let one = |field: &str, value: Value| Fields::from_iter([(field.to_owned(), value)]);
    let patch = |patch: serde_json::Result<Value>| match patch {
        Ok(Value::Object(fields)) => fields,
        _ => Fields::new(),
    };
    match command {
        Command::EditTask { patch: it, .. } => patch(serde_json::to_value(it)),
        Command::EditNote { patch: it, .. } => patch(serde_json::to_value(it)),
        Command::EditSuite { patch: it, .. } => patch(serde_json::to_value(it)),
        Command::EditEmployee { patch: it, .. } => patch(serde_json::to_value(it)),
        Command::AssignTask { assignee, .. } => one("assignedTo", assignee.to_string().into()),
        Command::TakeTask { .. } => one("assignedTo", author.to_string().into()),
        Command::ReleaseTask { .. } => one("assignedTo", Value::Null),
        Command::StartTask { .. } => one("status", "IN_PROGRESS".into()),
        Command::CompleteTask { .. } => one("status", "COMPLETED".into()),
        Command::CancelTask { .. } => one("status", "CANCELLED".into()),
        Command::ReopenTask { .. } => one("status", "PENDING".into()),
        Command::SetSuiteStatus { status, .. } => one("status", status.as_str().into()),
        Command::SetEmployeeStatus { status, .. } => one("status", status.as_str().into()),
        Command::SetDuty { is_on_duty, .. } => one("isOnDuty", (*is_on_duty).into()),
        Command::RestoreValue { field, value, .. } => one(field, value.clone()),
        _ => Fields::new(),
    }
}

fn is_patch(command: &Command) -> bool {
    use Command::{EditEmployee, EditNote, EditSuite, EditTask};
    matches!(command, EditTask { .. } | EditNote { .. } | EditSuite { .. } | EditEmployee { .. })
}

/// How far a task is in its life.
fn progress(status: &Value) -> u8 {
    match status.as_str() {
        Some("IN_PROGRESS") => 1,
        Some("COMPLETED" | "CANCELLED") => 2,
        _ => 0,
    }
}

fn words(text: &str) -> BTreeMap<&str, i64> {
    let mut words = BTreeMap::new();
    for word in text.split(|it: char| !it.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *words.entry(word).or_default() += 1;
    }
    words
}
