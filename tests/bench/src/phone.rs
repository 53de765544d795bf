//! InnSync on the phone, driven by hand: engine and store, without threads and network.

use std::path::Path;

use innsync_domain::{Entity, TaskStatus, Timestamp, Uuid};
use innsync_engine::limits::ROWS_PER_TRANSACTION;
use innsync_engine::{
    Config, ConnectionState, Engine, HttpAnswer, Input, Now, Output, Session, SocketEvent, StoreRead,
};
use innsync_protocol::limits::HEARTBEAT_MS;
use innsync_protocol::{Connected, Cursor, Delta, HeartbeatAck, ServerFrame, SyncAnswer};
use innsync_store::{Order, Query, Store};

use crate::{Result, data};

/// One phone.
pub(crate) struct Phone {
    engine: Engine,
    store: Store,
    /// The snapshot that the engine has asked for.
    asked: Option<u64>,
    /// The socket that it has opened.
    socket: u64,
    /// Pulls and frames that wait for an answer.
    pulls: Vec<u64>,
    frames: Vec<String>,
    /// Stands still but in an idle hour: nothing else that is measured here waits for it.
    now: Now,
}

/// What an idle time came to.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    /// Frames, requests and answers.
    pub(crate) messages: usize,
    /// Inputs: a timer, or something that came.
    pub(crate) wakes: usize,
}

/// What is asked of the phone and of the baseline: the pending tasks of one person, the oldest first.
pub(crate) fn question(assignee: Uuid) -> Query {
    Query::tasks().assigned_to(assignee).status(&[TaskStatus::Pending]).order(Order::Oldest).limit(100)
}

impl Phone {
    /// A new one, signed in and online.
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let store = Store::open(path)?;
        let now = Now { boot_ms: 86_400_000, wall: Timestamp::from_millis(1_795_100_000_000) };
        let config =
            Config { employee: data::me(), device: "handset-1".into(), boot_id: "boot".into(), seed: 1 };
        let session = Session {
            access_token: "access".into(),
            refresh_token: "refresh".into(),
            expires_at: now.wall.plus_millis(7 * 86_400_000),
        };
        let engine = Engine::open(config, Some(session), now, &store)?;
        let mut phone =
            Self { engine, store, asked: None, socket: 0, pulls: Vec::new(), frames: Vec::new(), now };
        phone.input(Input::Connect)?;
        phone.input(Input::Tick)?;
        Ok(phone)
    }

    /// Takes in a snapshot's body: in chunks of lines, as the client crate's driver does it.
    pub(crate) fn ingest(&mut self, body: &[u8]) -> Result<()> {
        let id = self.asked.take().ok_or("the engine asked for no snapshot")?;
        let mut lines = Vec::with_capacity(ROWS_PER_TRANSACTION);
        for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            lines.push(String::from_utf8(line.to_vec())?);
            if lines.len() == ROWS_PER_TRANSACTION {
                let lines = std::mem::replace(&mut lines, Vec::with_capacity(ROWS_PER_TRANSACTION));
                self.input(Input::SnapshotLines { id, lines })?;
            }
        }
        self.input(Input::SnapshotLines { id, lines })?;
        let answer = HttpAnswer { status: 200, retry_after_ms: None, body: String::new() };
        self.input(Input::Http { id, answer: Ok(answer) })?;
        let meta = self.store.meta()?;
        if !meta.has_data || meta.cursor != data::cursor() {
            return Err(format!("the snapshot was not taken in: {meta:?}").into());
        }
        Ok(())
    }

    /// Asks for everything anew: the next body is staged, and swapped in whole.
    pub(crate) fn refetch(&mut self) -> Result<()> {
        self.input(Input::Refetch)
    }

    /// The tasks asked for.
    pub(crate) fn query(&self, question: &Query) -> Result<Vec<Entity>> {
        Ok(self.store.query(question)?)
    }

    /// The server greets it, and goes on from its cursor.
    pub(crate) fn link(&mut self) -> Result<()> {
        let greeting = ServerFrame::Connected(Connected {
            user_id: data::me(),
            timestamp: self.now.wall.as_millis(),
            heartbeat_interval: HEARTBEAT_MS,
            property: data::property(),
        });
        self.hear(&[greeting.to_json(), self.ack()?])?;
        self.input(Input::Tick)?;
        self.answer_pulls().map(drop)
    }

    /// These frames come over the socket.
    pub(crate) fn hear(&mut self, frames: &[String]) -> Result<()> {
        for text in frames {
            let event = SocketEvent::Frame(text.clone());
            self.input(Input::Socket { generation: self.socket, event })?;
        }
        Ok(())
    }

    /// Fails if the mirror is elsewhere.
    pub(crate) fn is_at(&self, seq: u64) -> Result<()> {
        let cursor = self.store.meta()?.cursor;
        if cursor.seq == seq {
            Ok(())
        } else {
            Err(format!("the phone is at {cursor:?}, not at {seq}").into())
        }
    }

    /// Lets time pass in which nothing happens; the server answers what the phone says.
    pub(crate) fn idle(&mut self, millis: u64) -> Result<Idle> {
        let end = self.now.boot_ms + millis;
        let mut idle = Idle::default();
        self.frames.clear();
        self.pulls.clear();
        while let Some((due, _)) = self.engine.next_deadline().filter(|(due, _)| *due <= end) {
            let passed = due.saturating_sub(self.now.boot_ms);
            self.now.boot_ms += passed;
            self.now.wall = self.now.wall.plus_millis(passed as i64);
            self.input(Input::Tick)?;
            idle.wakes += 1;
            for _ in std::mem::take(&mut self.frames) {
                self.hear(&[self.ack()?])?;
                idle.messages += 2;
                idle.wakes += 1;
            }
            let pulls = self.answer_pulls()?;
            idle.messages += 2 * pulls;
            idle.wakes += pulls;
        }
        self.now.wall = self.now.wall.plus_millis((end - self.now.boot_ms) as i64);
        self.now.boot_ms = end;
        match self.engine.connection() {
            ConnectionState::Connected => Ok(idle),
            other => Err(format!("the idle phone is {other:?}").into()),
        }
    }

    /// There is nothing new; says how often that was asked.
    fn answer_pulls(&mut self) -> Result<usize> {
        let pulls = std::mem::take(&mut self.pulls);
        for id in &pulls {
            let body = SyncAnswer::Delta(self.nothing()?).to_json();
            let answer = HttpAnswer { status: 200, retry_after_ms: None, body };
            self.input(Input::Http { id: *id, answer: Ok(answer) })?;
        }
        Ok(pulls.len())
    }

    fn ack(&self) -> Result<String> {
        let Delta { epoch, from, to, mark, .. } = self.nothing()?;
        let timestamp = self.now.wall.as_millis();
        Ok(ServerFrame::HeartbeatAck(HeartbeatAck { timestamp, epoch, from, to, mark }).to_json())
    }

    /// There is nothing after the cursor.
    fn nothing(&self) -> Result<Delta> {
        let Cursor { epoch, seq, mark } = self.store.meta()?.cursor;
        Ok(Delta {
            epoch,
            from: seq,
            to: seq,
            mark,
            commits: Vec::new(),
            results: Vec::new(),
            more: false,
            digest: None,
        })
    }

    fn input(&mut self, input: Input) -> Result<()> {
        let step = self.engine.prepare(self.now, input, &self.store)?;
        self.store.commit(&step.batch)?;
        for output in self.engine.apply(step) {
            match output {
                Output::Http(request) if request.streams_lines => self.asked = Some(request.id),
                Output::Http(request) => self.pulls.push(request.id),
                Output::OpenSocket { generation, .. } => self.socket = generation,
                Output::SendFrame { text, .. } => self.frames.push(text),
                _ => {}
            }
        }
        Ok(())
    }
}
