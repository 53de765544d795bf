//! The reference: what the property should look like, from the operations alone. Each operation that the server says it
//! has taken is executed here once more, on plain maps; phones and server are compared with what comes of it.

use std::collections::BTreeMap;

use innsync_domain::{
    Change, Context, Directory, Edit, Employee, Entity, EntityKind, EntityRef, Intent, Lookup, Lost, Person,
    Policies, Read, ReadError, Ruling, Settles, Stamp, Stamps, Stop, Taken, Task, TaskType, Timestamp, Uuid,
    against_deleted, decide, may_see, react, records, redact, stamps_of,
};
use innsync_protocol::{Cursor, EntityRow, Mark, Op, OpOutcome};
use innsync_server::authority::Committed;

use crate::failure::{Checked, Violation};
use crate::losses::Losses;
use crate::sometimes::Sometimes;

pub(crate) type Rows = BTreeMap<EntityRef, Entity>;

/// One commit.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) by: Uuid,
    /// The operation; `None`: set up before the run.
    pub(crate) op: Option<Uuid>,
    /// When it was meant, by the server's clock.
    intent: Intent,
    pub(crate) changes: Vec<Change>,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    rows: Rows,
    /// Who wrote which field.
    stamps: BTreeMap<EntityRef, Stamps>,
    /// Commit n is at n - 1.
    log: Vec<Entry>,
    /// And its mark.
    marks: Vec<Mark>,
    /// What became of each operation.
    outcomes: BTreeMap<Uuid, OpOutcome>,
    /// The last commit that the server's log does not have any more.
    horizon: u64,
    /// How the property decides between edits.
    pub(crate) policies: Policies,
    /// What is known of who lost what, by other means.
    pub(crate) losses: Losses,
}

impl Model {
    pub(crate) fn head(&self) -> u64 {
        self.log.len() as u64
    }

    /// Commits after `from` up to `to`.
    pub(crate) fn entries(&self, from: u64, to: u64) -> &[Entry] {
        let (from, to) = (from as usize, (to as usize).min(self.log.len()));
        self.log.get(from..to).unwrap_or_default()
    }

    pub(crate) fn outcome(&self, op: Uuid) -> Option<&OpOutcome> {
        self.outcomes.get(&op)
    }

    /// The server has forgotten the log up to that commit.
    pub(crate) fn forgotten(&mut self, up_to: u64) {
        self.horizon = self.horizon.max(up_to);
    }

    pub(crate) fn confirmed(&self) -> u64 {
        self.log.iter().filter(|entry| entry.op.is_some()).count() as u64
    }

    /// A commit of the set-up, as the server reports it.
    pub(crate) fn adopt(&mut self, committed: &Committed) {
        self.losses.written(committed, None);
        let intent = Intent { at: committed.at, certain: true };
        let changes = committed.changes.to_vec();
        self.apply(Entry { by: committed.by, op: None, intent, changes });
        self.marks.push(committed.mark);
    }

    /// The mark that the server gave to the commit after those whose marks are known.
    pub(crate) fn marked(&mut self, mark: Mark) {
        self.marks.push(mark);
    }

    /// Whether that place is one in this history.
    pub(crate) fn has(&self, cursor: &Cursor) -> bool {
        let before = cursor.seq.checked_sub(1);
        before.is_none_or(|before| self.marks.get(before as usize) == Some(&cursor.mark))
    }

    /// The server has answered an operation: executes it here and compares. `author` is whose token sent it.
    pub(crate) fn answered(&mut self, op: &Op, outcome: &OpOutcome, now: Timestamp) -> Checked {
        if let OpOutcome::Retry { .. } = outcome {
            return Ok(());
        }
        if let Some(known) = self.outcomes.get(&op.id) {
            let told = self.told_again(op.author, known);
            return match *outcome.settled() == told {
                true => Ok(()),
                false => Err(wrong(op, format!("first {known:?}, then {outcome:?}"))),
            };
        }
        if let OpOutcome::Duplicate { .. } = outcome {
            return Err(wrong(op, "called a duplicate, but it never came before".to_owned()));
        }
        self.outcomes.insert(op.id, outcome.clone());
        let failed = |id: &Uuid| self.outcomes.get(id).is_some_and(|outcome| outcome.seq().is_none());
        if op.depends_on.iter().any(failed) {
            return match outcome {
                OpOutcome::Rejected { .. } => Ok(()),
                _ => Err(wrong(op, format!("what it depends on failed, but {outcome:?}"))),
            };
        }
        match (self.decide(op, now)?, outcome) {
            (Decided::Takes(changes), OpOutcome::Applied { seq, .. } | OpOutcome::Merged { seq, .. }) => {
                if *seq != self.head() + 1 {
                    return Err(wrong(op, format!("commit {seq} after {}", self.head())));
                }
                self.apply(Entry { by: op.author, op: Some(op.id), intent: intent_of(op, now), changes });
                Ok(())
            }
            (Decided::Conflicts | Decided::Gone, OpOutcome::Conflict { .. }) => Ok(()),
            (Decided::Refuses | Decided::Gone, OpOutcome::Rejected { .. }) => Ok(()),
            (decision, outcome) => Err(wrong(op, format!("{outcome:?}, but the reference {decision:?}"))),
        }
    }

    /// After [`Model::answered`]: whoever lost by it has a record.
    pub(crate) fn loses(
        &mut self,
        op: &Op,
        outcome: &OpOutcome,
        committed: Option<&Committed>,
        now: Timestamp,
    ) -> Checked<Vec<Sometimes>> {
        let Self { losses, rows, policies, .. } = self;
        losses.answered(op, outcome, committed, rows, policies, now)
    }

    /// An outcome as its author may hear it now: of a conflict about what has gone out of their sight, only that it was
    /// one (G25).
    fn told_again(&self, author: Uuid, outcome: &OpOutcome) -> OpOutcome {
        let OpOutcome::Conflict { current: Some(then), .. } = outcome else { return outcome.clone() };
        let now = self.rows.get(&then.0.reference());
        match (now, self.person(author)) {
            (Some(now), Some(author)) if may_see(now, &author) => outcome.clone(),
            _ => OpOutcome::bare_conflict(),
        }
    }

    fn decide(&self, op: &Op, now: Timestamp) -> Checked<Decided> {
        let Some(actor) = self.person(op.author) else { return Ok(Decided::Refuses) };
        let context = Context { operation: op.id, actor: &actor, at: op.intent.best().min(now) };
        let (settles, no_stamps) = (self.settled_by(op), Stamps::default());
        let edit = Edit {
            command: &op.command,
            context: &context,
            intent: intent_of(op, now),
            base: &op.base,
            base_version: op.base_version,
            force: op.force,
            settles: &settles,
            policies: &self.policies,
            stamps: self.stamps.get(&op.command.primary()).unwrap_or(&no_stamps),
        };
        let taken = match decide(&edit, self) {
            Ok(Ruling::Taken(taken)) => taken,
            Ok(Ruling::Person { .. }) => return Ok(Decided::Conflicts),
            Err(Stop::Rejected(_)) if self.was_deleted(&edit) => return Ok(Decided::Gone),
            Err(Stop::Rejected(_)) => return Ok(Decided::Refuses),
            Err(stop) => return Err(wrong(op, stop.to_string())),
        };
        match self.what_follows(&taken, &context) {
            Ok(changes) => Ok(Decided::Takes(self.with_records(op, taken.lost, changes, now))),
            Err(Stop::Rejected(_)) => Ok(Decided::Refuses),
            Err(stop) => Err(wrong(op, stop.to_string())),
        }
    }

    fn settled_by(&self, op: &Op) -> Settles {
        match op.supersedes.filter(|_| op.force).and_then(|earlier| self.outcomes.get(&earlier)) {
            Some(OpOutcome::Conflict { fields, current, .. }) => {
                let version = current.as_ref().map(|EntityRow(then)| then.version());
                Settles { fields: fields.clone(), version }
            }
            _ => Settles::default(),
        }
    }

    /// What the command does, and what follows from it.
    fn what_follows(&self, taken: &Taken, context: &Context<'_>) -> Result<Vec<Change>, Stop> {
        let Some(command) = &taken.command else { return Ok(Vec::new()) };
        let reactions = react(command, context, &taken.effects, self, self)?;
        let mut changes: Vec<Change> = Vec::new();
        for change in taken.effects.changes.iter().cloned().chain(reactions) {
            let same = |earlier: &&mut Change| earlier.reference() == change.reference();
            match changes.iter_mut().find(same) {
                Some(earlier) => earlier.after = change.after,
                None => changes.push(change),
            }
        }
        Ok(changes)
    }

    /// The changes with the records of what lost by them, as they are committed.
    fn with_records(
        &self,
        op: &Op,
        lost: Vec<Lost>,
        mut changes: Vec<Change>,
        now: Timestamp,
    ) -> Vec<Change> {
        let primary = op.command.primary();
        let change = changes.iter().find(|change| change.reference().as_ref() == Some(&primary)).cloned();
        let now_there = match &change {
            Some(change) => change.after.clone(),
            None => self.rows.get(&primary).cloned(),
        };
        let lost = lost.into_iter().map(|it| match it.written_in {
            Some(seq) if seq <= self.horizon => it,
            Some(seq) => Lost { base: self.seen_before(&it, &primary, seq), ..it },
            None => it,
        });
        for mut record in records(op.id, &primary, lost.collect(), now) {
            let sees = self.person(record.lost_by).zip(now_there.as_ref());
            if !sees.is_some_and(|(viewer, entity)| may_see(entity, &viewer)) {
                (record.kept, record.kept_by) = (serde_json::Value::Null, Uuid::nil());
            }
            let record = Entity::from(record);
            if !self.rows.contains_key(&record.reference()) {
                changes.push(Change { before: None, after: Some(record) });
            }
        }
        changes.iter_mut().for_each(|change| change.stamp(now, op.author));
        changes
    }

    /// What the author of a commit had before them in the field that they wrote.
    fn seen_before(&self, lost: &Lost, entity: &EntityRef, seq: u64) -> serde_json::Value {
        let entry = (seq as usize).checked_sub(1).and_then(|at| self.log.get(at));
        let changes = entry.into_iter().flat_map(|entry| &entry.changes);
        let before =
            changes.filter(|it| it.reference().as_ref() == Some(entity)).find_map(|it| it.before.clone());
        let seen = before.zip(self.person(lost.lost_by)).filter(|(before, author)| may_see(before, author));
        let seen = seen.and_then(|(before, author)| redact(before, &author).field(&lost.field));
        seen.unwrap_or_default()
    }

    /// Whether somebody deleted what it is about, and its author may know.
    fn was_deleted(&self, edit: &Edit<'_>) -> bool {
        let primary = edit.command.primary();
        let changes = self.log.iter().rev().flat_map(|entry| entry.changes.iter().rev());
        let mut deletions =
            changes.filter(|it| it.after.is_none() && it.reference().as_ref() == Some(&primary));
        let last = deletions.next().and_then(|change| change.before.as_ref());
        !self.rows.contains_key(&primary)
            && last
                .is_some_and(|last| against_deleted(edit, last, self).is_ok_and(|fields| !fields.is_empty()))
    }

    fn apply(&mut self, entry: Entry) {
        for change in &entry.changes {
            let Some(reference) = change.reference() else { continue };
            self.stamp(&reference, change, &entry);
            match &change.after {
                Some(after) => self.rows.insert(reference, after.clone()),
                None => self.rows.remove(&reference),
            };
        }
        self.log.push(entry);
    }

    fn stamp(&mut self, reference: &EntityRef, change: &Change, entry: &Entry) {
        let (Some(_), Some(after)) = (&change.before, &change.after) else {
            self.stamps.remove(reference);
            return;
        };
        let written = Stamp {
            seq: self.head() + 1,
            version: after.version(),
            at: entry.intent.at,
            certain: entry.intent.certain,
            by: entry.by,
            operation: entry.op.unwrap_or_default(),
        };
        let stamps = self.stamps.entry(reference.clone()).or_default();
        let new = stamps_of(change, &written, stamps);
        stamps.0.extend(new.0);
    }

    pub(crate) fn person(&self, id: Uuid) -> Option<Person> {
        person(&self.rows, id)
    }

    /// All rows as they were at commit `seq`.
    pub(crate) fn rows_at(&self, seq: u64) -> Rows {
        let mut rows = self.rows.clone();
        for entry in self.log.iter().skip(seq as usize).rev() {
            for change in entry.changes.iter().rev() {
                let Some(reference) = change.reference() else { continue };
                match &change.before {
                    Some(before) => rows.insert(reference, before.clone()),
                    None => rows.remove(&reference),
                };
            }
        }
        rows
    }

    /// What that person may see at commit `seq`, and who they were.
    pub(crate) fn view_at(&self, seq: u64, viewer: Uuid) -> Option<(Rows, Person)> {
        let rows = self.rows_at(seq);
        let viewer = person(&rows, viewer)?;
        let visible = rows.into_iter().filter_map(|(reference, row)| Some((reference, seen(row, &viewer)?)));
        Some((visible.collect(), viewer))
    }

    fn all<'a, T: 'a>(&'a self, of: impl Fn(&'a Entity) -> Option<T> + 'a) -> impl Iterator<Item = T> + 'a {
        self.rows.values().filter_map(of)
    }
}

/// The row as that person may see it.
pub(crate) fn seen(row: Entity, viewer: &Person) -> Option<Entity> {
    may_see(&row, viewer).then(|| redact(row, viewer))
}

pub(crate) fn person(rows: &Rows, id: Uuid) -> Option<Person> {
    match rows.get(&EntityRef::new(EntityKind::Employee, id)) {
        Some(Entity::Employee(employee)) => Some(Person::from(employee)),
        _ => None,
    }
}

#[derive(Debug)]
enum Decided {
    Takes(Vec<Change>),
    Conflicts,
    Refuses,
    /// What it is about was deleted: a conflict, as long as the server's log says by whom.
    Gone,
}

/// When it was meant, by the server's clock; what was not measured counts from its arrival.
fn intent_of(op: &Op, now: Timestamp) -> Intent {
    let measured = op.intent.corrected;
    Intent { at: measured.map_or(now, |at| at.min(now)), certain: measured.is_some() }
}

fn wrong(op: &Op, detail: String) -> Violation {
    Violation::new("G2", format!("operation {} {}: {detail}", op.id, op.command.name()))
}

impl Read for Model {
    fn read(&self, kind: EntityKind, id: Uuid) -> Result<Lookup, ReadError> {
        let row = self.rows.get(&EntityRef::new(kind, id)).cloned();
        Ok(row.map_or(Lookup::Absent, Lookup::Known))
    }
}

impl Directory for Model {
    fn employees(&self) -> Result<Vec<Employee>, ReadError> {
        Ok(self.all(|row| if let Entity::Employee(it) = row { Some(it.clone()) } else { None }).collect())
    }

    fn open_emergencies(&self) -> Result<Vec<Entity>, ReadError> {
        let task = |row: &Entity| match row {
            Entity::Task(task) => task.task_type == TaskType::Emergency && task.status.is_open(),
            _ => false,
        };
        let alert = |row: &Entity| matches!(row, Entity::Alert(alert) if alert.resolved_at.is_none());
        let tasks = self.rows.values().filter(|row| task(row));
        Ok(tasks.chain(self.rows.values().filter(|row| alert(row))).cloned().collect())
    }

    fn open_tasks_of(&self, employee: Uuid) -> Result<Vec<Task>, ReadError> {
        let theirs = |task: &Task| task.assigned_to == Some(employee) && task.status.is_open();
        let tasks = self.all(|row| if let Entity::Task(task) = row { Some(task) } else { None });
        Ok(tasks.filter(|task| theirs(task)).cloned().collect())
    }

    fn suite_number_taken(&self, number: &str, except: Uuid) -> Result<bool, ReadError> {
        let taken =
            |row: &Entity| matches!(row, Entity::Suite(it) if it.suite_number == number && it.id != except);
        Ok(self.rows.values().any(taken))
    }
}
