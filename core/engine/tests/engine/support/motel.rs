//! The motel's server in miniature: it decides with the domain's rules, numbers what it commits, and projects.

use std::collections::BTreeMap;

use innsync_domain::{
    Change, Command, Context, Edit, Entity, EntityKind, EntityRef, Fields, Intent, Lookup, Person, Policies,
    Read, ReadError, Ruling, Settles, Stamp, Stamps, Stop, Timestamp, Uuid, ViewChange, decide, may_see,
    project, redact, stamps_of,
};
use innsync_protocol::{
    Commit, Cursor, Delta, Digest, EntityRow, Mark, Op, OpOutcome, OpResult, PropertyInfo, PushAnswer, Reset,
    ResetReason, SnapshotLine, SnapshotStart, SyncAnswer,
};

use super::{at, staff};

#[derive(Debug, Clone)]
struct Done {
    at: Timestamp,
    by: Uuid,
    operation: Uuid,
    mark: Mark,
    changes: Vec<(Change, Person, Person)>,
}

#[derive(Debug, Clone)]
pub struct Motel {
    pub rows: BTreeMap<EntityRef, Entity>,
    pub epoch: u64,
    /// Which history it is in, where a backup took its place and nobody said so.
    pub history: u64,
    log: Vec<Done>,
    /// Who wrote which field, and when they meant it.
    stamps: BTreeMap<EntityRef, Stamps>,
    pub outcomes: BTreeMap<Uuid, OpOutcome>,
    /// How often each operation arrived.
    pub arrivals: BTreeMap<Uuid, u32>,
    /// Operations as they last arrived.
    pub received: Vec<Op>,
    next_own: u128,
}

impl Read for Motel {
    fn read(&self, kind: EntityKind, id: Uuid) -> Result<Lookup, ReadError> {
        Ok(match self.rows.get(&EntityRef::new(kind, id)) {
            Some(row) => Lookup::Known(row.clone()),
            None => Lookup::Absent,
        })
    }
}

impl Motel {
    pub fn new(more: impl IntoIterator<Item = Entity>) -> Self {
        let rows = staff().into_iter().chain(more).map(|row| (row.reference(), row)).collect();
        Self {
            rows,
            epoch: 1,
            history: 0,
            log: Vec::new(),
            stamps: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            received: Vec::new(),
            next_own: 900_000,
        }
    }

    pub fn person(&self, id: Uuid) -> Person {
        match self.rows.get(&EntityRef::new(EntityKind::Employee, id)) {
            Some(Entity::Employee(employee)) => Person::from(employee),
            other => panic!("{other:?}"),
        }
    }

    pub fn seq(&self) -> u64 {
        self.log.len() as u64
    }

    pub fn mark(&self, seq: u64) -> Mark {
        match seq.checked_sub(1) {
            None => Mark(0),
            Some(at) => self.log.get(at as usize).map_or(self.new_mark(seq), |done| done.mark),
        }
    }

    fn new_mark(&self, seq: u64) -> Mark {
        Mark(seq * 1_000 + self.history * 100 + self.epoch)
    }

    pub fn cursor(&self) -> Cursor {
        Cursor { epoch: self.epoch, seq: self.seq(), mark: self.mark(self.seq()) }
    }

    pub fn property(&self) -> PropertyInfo {
        PropertyInfo {
            id: "seaside".into(),
            name: "Seaside Motel".into(),
            time_zone: "America/Los_Angeles".into(),
        }
    }

    /// Somebody else does something, elsewhere.
    pub fn act(&mut self, by: Uuid, command: Command) -> OpOutcome {
        self.next_own += 1;
        let operation = Uuid::from_u128(self.next_own);
        self.run(operation, by, at(self.seq() as i64), &command, &Fields::new())
    }

    /// Takes an operation, once.
    pub fn take(&mut self, op: &Op) -> OpOutcome {
        *self.arrivals.entry(op.id).or_default() += 1;
        self.received.push(op.clone());
        if let Some(known) = self.outcomes.get(&op.id) {
            return OpOutcome::Duplicate { of: Box::new(known.clone()) };
        }
        let outcome = self.run(op.id, op.author, op.intent.best(), &op.command, &op.base);
        self.outcomes.insert(op.id, outcome.clone());
        outcome
    }

    fn run(
        &mut self,
        operation: Uuid,
        by: Uuid,
        when: Timestamp,
        command: &Command,
        base: &Fields,
    ) -> OpOutcome {
        let actor = self.person(by);
        let context = Context { operation, actor: &actor, at: when };
        let stamps = self.stamps.get(&command.primary()).cloned().unwrap_or_default();
        let edit = Edit {
            command,
            context: &context,
            intent: Intent { at: when, certain: true },
            base,
            base_version: None,
            force: false,
            settles: &Settles::default(),
            policies: &Policies::default(),
            stamps: &stamps,
        };
        let primary = command.primary();
        let mut effects = match decide(&edit, self) {
            Ok(Ruling::Taken(taken)) => taken.effects,
            Ok(Ruling::Person { fields, rejection }) => {
                let current = self.rows.get(&primary).cloned().map(EntityRow);
                return OpOutcome::Conflict { current, fields, rejection, deleted: None };
            }
            Err(Stop::Rejected(rejection)) => return OpOutcome::rejected(rejection),
            Err(other) => panic!("{other}"),
        };
        for change in &mut effects.changes {
            change.stamp(when, by);
            self.stamp(change, operation, by, when);
        }
        let people: Vec<Uuid> = self.people();
        let before: Vec<Person> = people.iter().map(|id| self.person(*id)).collect();
        self.write(&effects.changes);
        let mut changes = Vec::new();
        for change in &effects.changes {
            for person in &before {
                let after = self.try_person(person.id).unwrap_or_else(|| person.clone());
                changes.push((change.clone(), person.clone(), after));
            }
        }
        let mark = self.new_mark(self.seq() + 1);
        self.log.push(Done { at: when, by, operation, mark, changes });
        let version = self.rows.get(&primary).map_or(0, Entity::version);
        OpOutcome::Applied { seq: self.seq(), version, skipped: effects.skipped }
    }

    fn stamp(&mut self, change: &Change, operation: Uuid, by: Uuid, at: Timestamp) {
        let Some(after) = &change.after else { return };
        let seq = self.seq() + 1;
        let stamps = self.stamps.entry(after.reference()).or_default();
        let written = Stamp { seq, version: after.version(), at, certain: true, by, operation };
        let new = stamps_of(change, &written, stamps);
        stamps.0.extend(new.0);
    }

    fn write(&mut self, changes: &[Change]) {
        for change in changes {
            match (&change.before, &change.after) {
                (_, Some(after)) => {
                    self.rows.insert(after.reference(), after.clone());
                }
                (Some(before), None) => {
                    self.rows.remove(&before.reference());
                }
                (None, None) => {}
            }
        }
    }

    fn people(&self) -> Vec<Uuid> {
        self.rows.keys().filter(|it| it.kind == EntityKind::Employee).map(|it| it.id).collect()
    }

    fn try_person(&self, id: Uuid) -> Option<Person> {
        match self.rows.get(&EntityRef::new(EntityKind::Employee, id)) {
            Some(Entity::Employee(employee)) => Some(Person::from(employee)),
            _ => None,
        }
    }

    /// What a viewer is sent of the commits after `from` up to `to`.
    pub fn delta(&self, viewer: Uuid, from: u64, to: u64) -> Delta {
        let (mut commits, mut results) = (Vec::new(), Vec::new());
        for seq in from + 1..=to {
            let done = &self.log[seq as usize - 1];
            let changes: Vec<ViewChange> = done
                .changes
                .iter()
                .filter(|(_, before, _)| before.id == viewer)
                .filter_map(|(change, before, after)| project(change, before, after))
                .collect();
            if !changes.is_empty() {
                commits.push(Commit { seq, at: done.at, by: done.by, changes });
            }
            if let (true, Some(result)) = (done.by == viewer, self.outcomes.get(&done.operation)) {
                results.push(OpResult { id: done.operation, result: result.clone() });
            }
        }
        Delta {
            epoch: self.epoch,
            from,
            to,
            mark: self.mark(to),
            commits,
            results,
            more: false,
            digest: None,
        }
    }

    /// The answer to RESUME or a pull from a cursor.
    pub fn sync(&self, viewer: Uuid, cursor: Cursor) -> SyncAnswer {
        if cursor.epoch != self.epoch || cursor.seq > self.seq() || cursor.mark != self.mark(cursor.seq) {
            return SyncAnswer::Reset(Reset { reason: ResetReason::History });
        }
        SyncAnswer::Delta(self.delta(viewer, cursor.seq, self.seq()))
    }

    /// A digest over what the viewer may see.
    pub fn digest(&self, viewer: Uuid) -> Digest {
        let mut digest = Digest::default();
        self.visible(viewer)
            .iter()
            .for_each(|(entity, row)| digest.add(&entity.kind, entity.id, row.version()));
        digest
    }

    pub fn push(&mut self, body: &str) -> String {
        #[derive(serde::Deserialize)]
        struct Body {
            ops: Vec<Op>,
        }
        let body: Body = serde_json::from_str(body).unwrap();
        let results = body.ops.iter().map(|op| OpResult { id: op.id, result: self.take(op) }).collect();
        serde_json::to_string(&PushAnswer { results }).unwrap()
    }

    /// What the viewer may see.
    pub fn visible(&self, viewer: Uuid) -> BTreeMap<EntityRef, Entity> {
        let person = self.person(viewer);
        let mut rows = BTreeMap::new();
        for (reference, row) in self.rows.iter().filter(|(_, row)| may_see(row, &person)) {
            rows.insert(reference.clone(), redact(row.clone(), &person));
        }
        rows
    }

    pub fn snapshot(&self, viewer: Uuid, pending: &[Uuid]) -> Vec<String> {
        let rows = self.visible(viewer);
        let start = SnapshotStart {
            cursor: self.cursor(),
            rows: rows.len() as u64,
            id: None,
            from: 0,
            property: self.property(),
        };
        let results = pending
            .iter()
            .filter_map(|id| self.outcomes.get(id).map(|it| OpResult { id: *id, result: it.clone() }))
            .collect();
        let mut lines = vec![SnapshotLine::Start(start)];
        lines.extend(rows.into_values().map(SnapshotLine::Row));
        lines.push(SnapshotLine::End { results });
        lines.iter().map(SnapshotLine::to_json).collect()
    }
}
