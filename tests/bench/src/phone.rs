//! InnSync on the phone, driven by hand: engine and store, without threads and network.

use std::path::Path;

use innsync_domain::{Entity, TaskStatus, Timestamp, Uuid};
use innsync_engine::limits::ROWS_PER_TRANSACTION;
use innsync_engine::{Config, Engine, HttpAnswer, Input, Now, Output, Session, StoreRead};
use innsync_store::{Order, Query, Store};

use crate::{Result, data};

/// One phone.
pub(crate) struct Phone {
    engine: Engine,
    store: Store,
    /// The snapshot that the engine has asked for.
    asked: Option<u64>,
}

/// What is asked of the phone and of the baseline: the pending tasks of one person, the oldest first.
pub(crate) fn question(assignee: Uuid) -> Query {
    Query::tasks().assigned_to(assignee).status(&[TaskStatus::Pending]).order(Order::Oldest).limit(100)
}

impl Phone {
    /// A new one, signed in and online.
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let store = Store::open(path)?;
        let config =
            Config { employee: data::me(), device: "handset-1".into(), boot_id: "boot".into(), seed: 1 };
        let session = Session {
            access_token: "access".into(),
            refresh_token: "refresh".into(),
            expires_at: now().wall.plus_millis(86_400_000),
        };
        let engine = Engine::open(config, Some(session), now(), &store)?;
        let mut phone = Self { engine, store, asked: None };
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

    fn input(&mut self, input: Input) -> Result<()> {
        let step = self.engine.prepare(now(), input, &self.store)?;
        self.store.commit(&step.batch)?;
        for output in self.engine.apply(step) {
            if let Output::Http(request) = output
                && request.streams_lines
            {
                self.asked = Some(request.id);
            }
        }
        Ok(())
    }
}

/// Time stands still: nothing that is measured here waits for it.
fn now() -> Now {
    Now { boot_ms: 86_400_000, wall: Timestamp::from_millis(1_795_100_000_000) }
}
