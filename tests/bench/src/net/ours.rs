//! The real server: this program once more, as `innsync-server serve`, over a ledger in a folder of its own, with the
//! demo's motel in it.

use std::path::Path;

use innsync_client::Options;
use innsync_domain::{Command, Priority, SuitePatch, TaskPatch, TaskType, Timestamp, Uuid};
use innsync_protocol::limits::OPS_PER_PUSH;
use innsync_protocol::{
    ClientFrame, IntentTime, Op, PushAnswer, PushRequest, Resume, SCHEMA, SUBPROTOCOL, SessionAnswer,
    SessionRequest, SnapshotLine,
};
use innsync_server::demo;
use serde_json::value::to_raw_value;

use super::{Child, Dial, Http};
use crate::{Result, machine};

/// The hidden command: what follows is `innsync-server`'s own command line.
pub(crate) const COMMAND: &str = "serve";

/// Who listens: people of several roles and departments, by turns.
const LISTENERS: [&str; 4] = ["ana", "ben", "miguel", "sam"];
/// Who changes something. A manager; not among those who listen.
const WRITER: &str = "maria";
const SUITE: &str = "101";
/// The ids of its tasks begin here.
const TASKS: u64 = 0x7a5c_0000_0000;

/// The process and its folder.
pub(crate) struct Server {
    // Before the folder: it is gone when the folder goes.
    pub(crate) child: Child,
    folder: tempfile::TempDir,
}

/// How it is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// SIGTERM: it tells every phone when to come back.
    Politely,
    /// SIGKILL.
    Kill,
}

impl Server {
    pub(crate) fn start() -> Result<Self> {
        let folder = machine::folder()?;
        let child = Self::spawn(folder.path(), "127.0.0.1:0")?;
        Ok(Self { child, folder })
    }

    fn spawn(folder: &Path, listen: &str) -> Result<Child> {
        let data = folder.join("ledger.sqlite");
        let data = data.to_str().ok_or("an odd folder")?;
        let arguments = ["--demo", "--listen", listen, "--token-ttl", "12h", "--data", data];
        Child::start(&[&[COMMAND], arguments.as_slice()].concat())
    }

    /// Stops it; returns when its process has ended.
    pub(crate) fn stop(&mut self, how: Stop) -> Result<()> {
        self.child.end(how == Stop::Politely)
    }

    /// Starts it where it was, on what it had saved; returns when it listens.
    pub(crate) fn start_again(&mut self) -> Result<()> {
        self.child = Self::spawn(self.folder.path(), &self.child.address.to_string())?;
        Ok(())
    }

    /// How InnSync's sockets are dialled: up to date, so that they hear of what comes next.
    pub(crate) fn dials(&self, sockets: usize) -> Result<Vec<Dial>> {
        let people: Vec<Dial> = LISTENERS.iter().map(|person| self.dial(person)).collect::<Result<_>>()?;
        Ok(people.into_iter().cycle().take(sockets).collect())
    }

    fn dial(&self, person: &str) -> Result<Dial> {
        let (mut http, session) = self.sign_in(person)?;
        let snapshot = http.post("/v1/snapshot", "{}")?;
        let first = snapshot.lines().next().unwrap_or_default();
        let SnapshotLine::Start(start) = SnapshotLine::parse(first)? else {
            return Err(format!("a snapshot begins with {first}").into());
        };
        let resume = Resume { cursor: start.cursor, device: "bench".into(), pending: Vec::new() };
        Ok(Dial {
            url: format!("ws://{}/v1/ws", self.child.address),
            token: Some(session.access_token),
            protocol: Some(SUBPROTOCOL),
            hello: Some(ClientFrame::Resume(resume).to_json()),
        })
    }

    /// Somebody who changes something again and again.
    pub(crate) fn writer(&self) -> Result<Writer> {
        let (http, session) = self.sign_in(WRITER)?;
        Ok(Writer { http, me: session.employee.id, ops: 0 })
    }

    /// A connection for the baseline, which needs the same rows.
    pub(crate) fn http(&self, person: &str) -> Result<Http> {
        Ok(self.sign_in(person)?.0)
    }

    /// How a handle is opened.
    pub(crate) fn options(&self, person: &str, folder: &Path) -> Options {
        Options::new(format!("http://{}", self.child.address), demo::PROPERTY, person, folder.join(person))
    }

    fn sign_in(&self, person: &str) -> Result<(Http, SessionAnswer)> {
        let mut http = Http::connect(self.child.address)?;
        let request = SessionRequest {
            property: demo::PROPERTY.into(),
            person: person.into(),
            password: demo::PASSWORD.into(),
            device: "bench".into(),
        };
        let answer = http.post("/v1/sessions", &serde_json::to_string(&request)?)?;
        let session: SessionAnswer = serde_json::from_str(&answer)?;
        Ok((http.with_token(&session.access_token), session))
    }
}

/// See [`Server::writer`].
pub(crate) struct Writer {
    http: Http,
    me: Uuid,
    ops: u64,
}

impl Writer {
    /// So many tasks, the first hundred for `first`.
    pub(crate) fn create_tasks(&mut self, count: usize, first: &str) -> Result<Vec<Uuid>> {
        let ids: Vec<Uuid> =
            (0..count).map(|index| Uuid::from_u128(u128::from(TASKS | index as u64))).collect();
        let create = |index: usize| Command::CreateTask {
            task_id: ids[index],
            title: format!("Look after the heater of room {}", 101 + index % 10),
            description:
                "The guest says that it rattles at night and smells of dust; take the long ladder along."
                    .into(),
            task_type: TaskType::Maintenance,
            priority: Priority::Normal,
            suite_id: Some(demo::suite_id(SUITE)),
            assigned_to: (index < 100).then(|| demo::person_id(first)),
            due_at: None,
            severity: None,
        };
        self.commit_all((0..count).map(create))?;
        Ok(ids)
    }

    /// Renames them by turns, so many times.
    pub(crate) fn rename_tasks(&mut self, tasks: &[Uuid], times: usize) -> Result<()> {
        let rename = |time: usize| Command::EditTask {
            task_id: tasks[time % tasks.len()],
            patch: TaskPatch { title: Some(format!("Attempt {time} at the heater")), ..TaskPatch::default() },
        };
        self.commit_all((0..times).map(rename))
    }

    fn commit_all(&mut self, commands: impl Iterator<Item = Command>) -> Result<()> {
        let mut commands = commands.peekable();
        while commands.peek().is_some() {
            let some: Vec<Command> = commands.by_ref().take(OPS_PER_PUSH).collect();
            self.push(some)?;
        }
        Ok(())
    }

    /// Moves a suite to another floor, of which everybody is told: about the smallest change there is.
    pub(crate) fn commit(&mut self) -> Result<()> {
        let floor = if self.ops.is_multiple_of(2) { 2 } else { 1 };
        self.push(vec![Command::EditSuite {
            suite_id: demo::suite_id(SUITE),
            patch: SuitePatch { floor: Some(floor), ..SuitePatch::default() },
        }])
    }

    fn push(&mut self, commands: Vec<Command>) -> Result<()> {
        let ops = commands.into_iter().map(|command| Ok(to_raw_value(&self.op(command))?));
        let request = PushRequest { ops: ops.collect::<Result<_>>()? };
        let answer = self.http.post("/v1/ops", &serde_json::to_string(&request)?)?;
        let answer: PushAnswer = serde_json::from_str(&answer)?;
        match answer.results.iter().find(|result| result.result.seq().is_none()) {
            None => Ok(()),
            Some(result) => Err(format!("the server did not take a change: {result:?}").into()),
        }
    }

    fn op(&mut self, command: Command) -> Op {
        self.ops += 1;
        let at = Timestamp::from_millis(1_795_000_000_000 + i64::try_from(self.ops).unwrap_or_default());
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.ops.to_le_bytes());
        Op {
            id: uuid::Builder::from_unix_timestamp_millis(at.as_millis().unsigned_abs(), &random).into_uuid(),
            author: self.me,
            device: "bench".into(),
            depends_on: Vec::new(),
            supersedes: None,
            intent: IntentTime { boot_id: "bench".into(), boot_ms: self.ops, wall: at, corrected: Some(at) },
            base_version: None,
            base: Default::default(),
            force: false,
            schema: SCHEMA,
            command,
        }
    }
}
