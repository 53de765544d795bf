//! The hub's stories, with the real authority and ledger beside it. Nothing is sent anywhere, and time stands still
//! unless a story moves it.

mod innsync;
mod life;
mod seed;
mod view;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use innsync_domain::{Command, Priority, SuiteStatus, TaskType, Timestamp, Uuid};
use innsync_protocol::SyncAnswer;
use serde_json::{Value, json};

use super::{ClientKind, ConnId, Hub, HubInput, HubOutput, Now, Opened, TokenFacts};
use crate::authority::{Authority, Committed, RunOptions};
use crate::demo::{self, PROPERTY, person_id, suite_id};
use crate::ledger::Ledger;

const NOON: i64 = 1_795_348_800_000;

/// A question to the ledger that has not been answered.
struct Question {
    conn: ConnId,
    ticket: u64,
    answer: Option<SyncAnswer>,
}

/// The Seaside Motel, with its hub.
struct Motel {
    authority: Authority,
    hub: Hub,
    now: Now,
    next: u64,
    frames: BTreeMap<u64, Vec<Value>>,
    closed: BTreeMap<u64, u16>,
    questions: VecDeque<Question>,
    checks: Vec<ConnId>,
}

impl Motel {
    fn open() -> Self {
        let mut authority = Authority::new(Ledger::in_memory().unwrap(), 1);
        demo::fill(&mut authority, Timestamp::from_millis(NOON)).unwrap();
        Self {
            authority,
            hub: Hub::new(7),
            now: Now { wall: Timestamp::from_millis(NOON), mono_ms: 0 },
            next: 1,
            frames: BTreeMap::new(),
            closed: BTreeMap::new(),
            questions: VecDeque::new(),
            checks: Vec::new(),
        }
    }

    fn feed(&mut self, input: HubInput) {
        let mut outputs = Vec::new();
        self.hub.handle(self.now, input, &mut outputs);
        for output in outputs {
            match output {
                HubOutput::Send { conn, text } => {
                    self.frames.entry(conn.0).or_default().push(serde_json::from_str(&text).unwrap());
                }
                HubOutput::Close { conn, code, .. } => {
                    assert!(self.closed.insert(conn.0, code.0).is_none(), "{conn:?} is closed twice");
                }
                HubOutput::CatchUp { conn, ticket, property, viewer, cursor, pending } => {
                    let answer = self.authority.read().catch_up(&property, viewer, cursor, &pending).unwrap();
                    self.questions.push_back(Question { conn, ticket, answer: Some(answer) });
                }
                HubOutput::CheckToken { conn, .. } => self.checks.push(conn),
            }
        }
    }

    fn token(&self, login: &str) -> TokenFacts {
        TokenFacts {
            property: Arc::from(PROPERTY),
            employee: person_id(login),
            // Sockets are numbered one less: see `connect`.
            session: Uuid::from_u128(u128::from(self.next)),
            expires_at: self.now.wall.plus_millis(900_000),
        }
    }

    fn connect(&mut self, login: &str, kind: ClientKind) -> u64 {
        let conn = self.next;
        self.next += 1;
        let token = self.token(login);
        let head = self.authority.read().head(PROPERTY).unwrap();
        let viewer = self.authority.read().person(PROPERTY, person_id(login)).unwrap().unwrap();
        let property = self.authority.read().property(PROPERTY).unwrap().unwrap().into();
        self.feed(HubInput::Opened(Box::new(Opened {
            conn: ConnId(conn),
            kind,
            property,
            viewer,
            head,
            token,
        })));
        conn
    }

    fn seed(&mut self, login: &str) -> u64 {
        let conn = self.connect(login, ClientKind::Seed);
        assert_eq!(self.hear(conn), ["CONNECTED"]);
        conn
    }

    /// A phone that is caught up.
    fn phone(&mut self, login: &str) -> u64 {
        let conn = self.connect(login, ClientKind::InnSync);
        self.resume(conn, self.head());
        self.answer_all();
        assert_eq!(self.hear(conn), ["CONNECTED", "DELTA"]);
        conn
    }

    fn head(&self) -> u64 {
        self.authority.read().head(PROPERTY).unwrap().seq
    }

    fn resume(&mut self, conn: u64, seq: u64) {
        let head = self.authority.read().head(PROPERTY).unwrap();
        let mark = if seq == head.seq { head.mark.to_string() } else { self.mark(seq) };
        self.say(
            conn,
            json!({ "type": "RESUME", "epoch": 1, "seq": seq, "mark": mark, "device": "handset-3" }),
        );
    }

    fn mark(&self, seq: u64) -> String {
        let from = innsync_protocol::Cursor { epoch: 1, ..Default::default() };
        let mut at = from;
        while at.seq < seq {
            let answer = self.authority.read().catch_up(PROPERTY, person_id("maria"), at, &[]).unwrap();
            let SyncAnswer::Delta(delta) = answer else { panic!("{answer:?}") };
            at = innsync_protocol::Cursor { epoch: 1, seq: delta.to, mark: delta.mark };
            assert_eq!(at.seq, seq, "the mark of a seq in between is not known");
        }
        at.mark.to_string()
    }

    fn say(&mut self, conn: u64, frame: Value) {
        self.feed(HubInput::Text { conn: ConnId(conn), text: frame.to_string().into() });
    }

    /// The ledger answers the oldest question.
    fn answer(&mut self) {
        let Question { conn, ticket, answer } = self.questions.pop_front().expect("nothing was asked");
        self.feed(HubInput::CaughtUp { conn, ticket, answer });
    }

    fn answer_all(&mut self) {
        while !self.questions.is_empty() {
            self.answer();
        }
    }

    /// Somebody does something; the hub does not hear of it yet.
    fn commit(&mut self, login: &str, commands: &[Command]) -> Committed {
        let options = RunOptions::default();
        let ran = self.authority.run(self.now.wall, PROPERTY, person_id(login), commands, &options).unwrap();
        ran.unwrap_or_else(|problem| panic!("{login}: {problem:?}")).committed.unwrap()
    }

    /// Somebody does something.
    fn act(&mut self, login: &str, command: Command) -> Committed {
        let committed = self.commit(login, &[command]);
        self.feed(HubInput::Committed(committed.clone()));
        committed
    }

    fn later(&mut self, millis: u64) {
        self.now.mono_ms += millis;
        self.now.wall = self.now.wall.plus_millis(millis as i64);
        self.feed(HubInput::Tick);
    }

    /// What a socket was sent since it was last asked.
    fn frames(&mut self, conn: u64) -> Vec<Value> {
        self.frames.remove(&conn).unwrap_or_default()
    }

    /// The types of it.
    fn hear(&mut self, conn: u64) -> Vec<String> {
        self.frames(conn).iter().map(|frame| frame["type"].as_str().unwrap().to_owned()).collect()
    }

    /// The ranges of it, of what bears one.
    fn ranges(&mut self, conn: u64) -> Vec<(u64, u64)> {
        let frames = self.frames(conn);
        frames.iter().filter_map(|frame| Some((frame["from"].as_u64()?, frame["to"].as_u64()?))).collect()
    }
}

fn task(number: u128, title: &str, assigned_to: Option<&str>) -> Command {
    Command::CreateTask {
        task_id: Uuid::from_u128(number),
        title: title.to_owned(),
        description: String::new(),
        task_type: TaskType::Cleaning,
        priority: Priority::Normal,
        suite_id: None,
        assigned_to: assigned_to.map(person_id),
        due_at: None,
        severity: None,
    }
}

fn set_suite(number: &str, status: SuiteStatus) -> Command {
    Command::SetSuiteStatus { suite_id: suite_id(number), status }
}
