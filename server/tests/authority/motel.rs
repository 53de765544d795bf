//! A motel to test with: ana and ben clean, miguel repairs, sam has the front desk, maria manages.

use std::collections::BTreeMap;

use innsync_domain::{
    Command, Department, Entity, EntityKind, EntityRef, Role, SuiteStatus, TaskType, Timestamp, Uuid,
    ViewChange,
};
use innsync_protocol::{
    Cursor, IntentTime, Op, OpOutcome, OpResult, ResetReason, SnapshotLine, SnapshotRequest, SyncAnswer,
};
use innsync_server::api::{ApiAnswer, ApiRequest, Caller, handle};
use innsync_server::authority::{Authority, Committed};
use innsync_server::ledger::{Ledger, Property};
use innsync_server::reader::Reader;
use serde_json::value::RawValue;
use serde_json::{Value, json};

pub(crate) const STAFF: [&str; 5] = ["ana", "ben", "miguel", "sam", "maria"];

/// The id of a person, a suite, an operation: the same name, the same id.
pub(crate) fn id(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

pub(crate) fn role(name: &str) -> (Role, Department) {
    match name {
        "miguel" => (Role::Maintenance, Department::Maintenance),
        "sam" => (Role::FrontDesk, Department::FrontDesk),
        "maria" => (Role::Manager, Department::Management),
        "sofia" => (Role::Supervisor, Department::Housekeeping),
        _ => (Role::Housekeeper, Department::Housekeeping),
    }
}

pub(crate) struct Motel {
    pub(crate) authority: Authority,
    pub(crate) property: &'static str,
    pub(crate) now: Timestamp,
    /// Everything that was committed, in order.
    pub(crate) log: Vec<Committed>,
    ops: u64,
}

impl Motel {
    /// With everybody on duty, suite 101 occupied and 102 clean.
    pub(crate) fn open() -> Self {
        Self::on(Ledger::in_memory().unwrap())
    }

    pub(crate) fn on(ledger: Ledger) -> Self {
        let now = Timestamp::parse("2026-11-22T08:00:00Z").unwrap();
        let authority = Authority::new(ledger, 7);
        let mut motel = Self { authority, property: "seaside", now, log: Vec::new(), ops: 0 };
        motel.found("seaside");
        for (number, status) in [("101", SuiteStatus::Occupied), ("102", SuiteStatus::VacantClean)] {
            motel.does(
                "maria",
                Command::CreateSuite { suite_id: id(number), suite_number: number.into(), floor: 1, status },
            );
        }
        motel
    }

    /// Begins a property with the usual staff, on duty.
    pub(crate) fn found(&mut self, property: &'static str) {
        self.property = property;
        let name = format!("{property} Motel");
        let time_zone = "America/Los_Angeles".to_owned();
        self.authority.create_property(&Property { id: property.into(), name, time_zone }).unwrap();
        for name in STAFF {
            let (role, department) = role(name);
            let added = self.authority.add_person(
                self.now,
                property,
                name,
                "hash",
                name,
                role,
                department,
                Some(id(name)),
            );
            self.log.push(added.unwrap().1);
            self.does(name, Command::SetDuty { employee_id: id(name), is_on_duty: true });
        }
    }

    pub(crate) fn reader(&self) -> &Reader {
        self.authority.read()
    }

    pub(crate) fn later(&mut self, seconds: i64) {
        self.now = self.now.plus_millis(seconds * 1000);
    }

    /// An operation of that person, with an id of its own.
    pub(crate) fn op(&mut self, who: &str, command: Command) -> Op {
        self.ops += 1;
        Op {
            id: id(&format!("op {}", self.ops)),
            author: id(who),
            device: "handset-3".into(),
            depends_on: vec![],
            supersedes: None,
            intent: IntentTime { boot_id: "b".into(), boot_ms: 1, wall: self.now, corrected: Some(self.now) },
            base_version: None,
            base: Default::default(),
            force: false,
            schema: 1,
            command,
        }
    }

    /// The same, with what the person saw in those fields.
    pub(crate) fn op_on(&mut self, who: &str, command: Command, fields: &[&str]) -> Op {
        let seen = self.entity(command.primary());
        let base = fields.iter().map(|name| ((*name).to_owned(), seen.field(name).unwrap())).collect();
        Op { base_version: Some(seen.version()), base, ..self.op(who, command) }
    }

    pub(crate) fn push(&mut self, who: &str, ops: &[Op]) -> Vec<OpOutcome> {
        let raw: Vec<_> = ops.iter().map(|op| serde_json::value::to_raw_value(op).unwrap()).collect();
        self.push_raw(who, &raw).into_iter().map(|result| result.result).collect()
    }

    pub(crate) fn push_raw(&mut self, who: &str, ops: &[Box<RawValue>]) -> Vec<OpResult> {
        let (answer, committed) = self.authority.push(self.now, self.property, id(who), ops).unwrap();
        self.log.extend(committed);
        assert_eq!(answer.results.len(), ops.len());
        answer.results
    }

    /// Does it, whatever comes of it.
    pub(crate) fn tries(&mut self, who: &str, command: Command) -> OpOutcome {
        let op = self.op(who, command);
        self.push(who, &[op]).remove(0)
    }

    /// Does it, and it must succeed.
    pub(crate) fn does(&mut self, who: &str, command: Command) -> u64 {
        let outcome = self.tries(who, command);
        outcome.seq().unwrap_or_else(|| panic!("{outcome:?}"))
    }

    pub(crate) fn create_task(
        &mut self,
        who: &str,
        title: &str,
        task_type: TaskType,
        assignee: Option<&str>,
    ) -> Uuid {
        let task_id = id(title);
        self.does(who, create_task(title, task_type, assignee));
        task_id
    }

    /// The entity, as maria sees it.
    pub(crate) fn entity(&self, entity: EntityRef) -> Entity {
        self.seen_by("maria", entity).unwrap()
    }

    pub(crate) fn seen_by(&self, who: &str, entity: EntityRef) -> Option<Entity> {
        self.reader().get(self.property, id(who), &entity.kind, entity.id).unwrap()
    }

    pub(crate) fn field(&self, kind: EntityKind, id: Uuid, name: &str) -> Value {
        self.entity(EntityRef::new(kind, id)).field(name).unwrap()
    }

    pub(crate) fn call(&mut self, who: &str, request: &ApiRequest<'_>) -> ApiAnswer {
        let caller = Caller { property: self.property.into(), employee: id(who) };
        let answer = handle(&mut self.authority, &caller, self.now, request);
        self.log.extend(answer.committed.iter().cloned());
        answer
    }

    /// A REST call: status and body.
    pub(crate) fn rest(&mut self, who: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.send(who, method, path, body.as_bytes(), None);
        (answer.status, read(&answer))
    }

    pub(crate) fn send(
        &mut self,
        who: &str,
        method: &str,
        path: &str,
        body: &[u8],
        key: Option<&str>,
    ) -> ApiAnswer {
        self.call(who, &ApiRequest { method, path, query: &[], body, idempotency_key: key, login: None })
    }

    /// All that somebody may see, from a fresh snapshot.
    pub(crate) fn snapshot(&self, who: &str) -> Phone {
        let mut phone = Phone::new(who);
        phone.reset(self);
        phone
    }
}

pub(crate) fn read(answer: &ApiAnswer) -> Value {
    if answer.body.is_empty() { Value::Null } else { serde_json::from_str(&answer.body).unwrap() }
}

pub(crate) fn create_task(title: &str, task_type: TaskType, assignee: Option<&str>) -> Command {
    let command = json!({
        "type": "CREATE_TASK", "taskId": id(title), "title": title, "taskType": task_type,
        "assignedTo": assignee.map(id),
    });
    serde_json::from_value(command).unwrap()
}

/// What a phone holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Phone {
    pub(crate) who: String,
    pub(crate) cursor: Cursor,
    pub(crate) entities: BTreeMap<EntityRef, Entity>,
    pub(crate) resets: Vec<ResetReason>,
}

impl Phone {
    pub(crate) fn new(who: &str) -> Self {
        Self { who: who.into(), cursor: Cursor::default(), entities: BTreeMap::new(), resets: vec![] }
    }

    /// Fetches a snapshot, and checks that its counts are right.
    pub(crate) fn reset(&mut self, motel: &Motel) {
        let mut lines = Vec::new();
        let done = motel.reader().snapshot(
            motel.property,
            id(&self.who),
            &SnapshotRequest::default(),
            None,
            &mut |line| {
                lines.push(SnapshotLine::parse(&line).unwrap());
                true
            },
        );
        done.unwrap();
        self.entities.clear();
        let (mut rows, mut in_section, mut sections) = (0, 0, Vec::new());
        let mut promised = 0;
        for line in &lines {
            match line {
                SnapshotLine::Start(start) => (self.cursor, promised) = (start.cursor, start.rows),
                SnapshotLine::Row(entity) => {
                    assert!(
                        self.entities.insert(entity.reference(), entity.clone()).is_none(),
                        "twice: {entity:?}"
                    );
                    (rows, in_section) = (rows + 1, in_section + 1);
                }
                SnapshotLine::Section { name, rows } => {
                    assert_eq!(*rows, in_section, "{name}");
                    in_section = 0;
                    sections.push(name.as_str());
                }
                SnapshotLine::End { .. } | SnapshotLine::Unknown => {}
            }
        }
        assert_eq!(sections, ["SUITES", "STAFF", "MINE", "ALERTS", "REST"]);
        assert_eq!(promised, rows);
        assert!(matches!(lines.last(), Some(SnapshotLine::End { .. })));
    }

    /// Takes one page; whether there is more.
    pub(crate) fn pull(&mut self, motel: &Motel) -> bool {
        let answer = motel.reader().catch_up(motel.property, id(&self.who), self.cursor, &[]).unwrap();
        let delta = match answer {
            SyncAnswer::Delta(delta) => delta,
            SyncAnswer::Reset(reset) => {
                self.resets.push(reset.reason);
                self.reset(motel);
                return false;
            }
        };
        assert_eq!(delta.from, self.cursor.seq);
        for commit in &delta.commits {
            assert!(commit.seq > delta.from && commit.seq <= delta.to);
            for change in &commit.changes {
                self.apply(change);
            }
        }
        self.cursor = Cursor { epoch: delta.epoch, seq: delta.to, mark: delta.mark };
        delta.more
    }

    pub(crate) fn catch_up(&mut self, motel: &Motel) {
        while self.pull(motel) {}
    }

    pub(crate) fn apply(&mut self, change: &ViewChange) {
        match change {
            ViewChange::Upsert { entity, before, created } => {
                let known = self.entities.insert(entity.reference(), entity.clone());
                assert_eq!(known.is_some(), before.is_some(), "{}: {change:?}", self.who);
                assert!(!(*created && known.is_some()), "{}: created twice: {change:?}", self.who);
            }
            ViewChange::Remove { entity, .. } => {
                assert!(
                    self.entities.remove(entity).is_some(),
                    "{}: removed but not there: {change:?}",
                    self.who
                );
            }
            ViewChange::Unsupported { .. } => panic!("{change:?}"),
        }
    }

    pub(crate) fn holds(&self, kind: EntityKind, id: Uuid) -> bool {
        self.entities.contains_key(&EntityRef::new(kind, id))
    }

    /// It must hold what a fresh snapshot has, to the byte.
    pub(crate) fn assert_is_fresh(&self, motel: &Motel) {
        let fresh = motel.snapshot(&self.who);
        assert_eq!(self.cursor, fresh.cursor);
        assert_eq!(self.entities, fresh.entities, "{}", self.who);
    }
}
