//! The engine: one entry point, one state.

use std::sync::Arc;

use innsync_domain::Uuid;

use crate::clock::Now;
use crate::draft::Draft;
use crate::http::{Answers, Purpose};
use crate::input::{Input, Session, SocketEvent};
use crate::output::Output;
use crate::queue::Outbox;
use crate::random::Random;
use crate::session::SessionState;
use crate::snapshot::Snapshots;
use crate::state::{ServerClock, State};
use crate::status::{ConnectionState, SyncStatus};
use crate::store::{Batch, StoreError, StoreRead};

/// Who and where the engine works for.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The person's employee id.
    pub employee: Uuid,
    /// The phone's name, stable over restarts.
    pub device: String,
    /// Which boot of the phone this is.
    pub boot_id: String,
    /// The seed of the engine's randomness (jitter).
    pub seed: u64,
}

/// What an input does: to be written, then done.
#[derive(Debug, Clone)]
pub struct Step {
    /// To be committed in one transaction; empty: nothing to commit.
    pub batch: Batch,
    outputs: Vec<Output>,
    next: State,
}

/// The engine could not prepare a step.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EngineError {
    /// Reading the store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The phone's sync engine.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    state: State,
}

impl Engine {
    /// The engine over what the store has; operations that were sent but not answered will be sent again.
    pub fn open(
        config: Config,
        session: Option<Session>,
        now: Now,
        store: &dyn StoreRead,
    ) -> Result<Self, EngineError> {
        let meta = store.meta()?;
        let mut snapshots = Snapshots::default();
        if !meta.has_data {
            snapshots.want(None);
        }
        let state = State {
            status: SyncStatus::BLANK,
            outbox: Arc::new(Outbox::new(store.outbox()?)),
            meta,
            random: Random::new(config.seed),
            clock: ServerClock::default(),
            link: Default::default(),
            session: SessionState::new(session),
            requests: Default::default(),
            feed: Default::default(),
            snapshots,
            push: Default::default(),
            frames: Arc::default(),
            notices: Vec::new(),
            wake: None,
            hold_until: None,
            commit_failures: 0,
        };
        let mut draft = Draft::new(&config, now, store, state);
        // A token that is about to expire is refreshed at once.
        draft.plan_refresh(0);
        let mut state = draft.state;
        state.status = SyncStatus::of(&state);
        Ok(Self { config, state })
    }

    /// What `input` does at `now`. Pure: nothing changes until the batch is committed and [`Engine::apply`] is called.
    ///
    /// The steps of what must not be lost on a full disk (connect, disconnect, tokens, losses of the link) have an empty
    /// batch; what follows from them is written at the next [`Input::Tick`], which is then due at once.
    pub fn prepare(&self, now: Now, input: Input, store: &dyn StoreRead) -> Result<Step, EngineError> {
        let mut draft = Draft::new(&self.config, now, store, self.state.clone());
        let works = may_write(&input) || self.is_answer_to_work(&input);
        draft.handle(input)?;
        draft.state.hold_until = draft.state.hold_until.filter(|until| *until > now.boot_ms);
        match draft.state.hold_until {
            None if works => draft.work()?,
            Some(until) if works => draft.keep_alive(until),
            held => draft.state.wake = Some(held.unwrap_or(now.boot_ms)),
        }
        Ok(draft.finish(&self.state)?)
    }

    /// Takes over a committed step and hands out what is to be done, in order.
    pub fn apply(&mut self, step: Step) -> Vec<Output> {
        self.state = step.next;
        step.outputs
    }

    /// When [`Input::Tick`] is due (in `boot_ms`), and why. Past moments: at once.
    pub fn next_deadline(&self) -> Option<(u64, &'static str)> {
        self.state.deadline()
    }

    /// What a person is told of sync.
    pub fn status(&self) -> SyncStatus {
        self.state.status
    }

    /// Where the connection stands.
    pub fn connection(&self) -> ConnectionState {
        self.state.status.connection
    }

    /// Why an operation is not confirmed yet, in one sentence; `None`: it is not in the outbox.
    pub fn why_waiting(&self, now: Now, operation: Uuid) -> Option<String> {
        self.state.why_waiting(now.boot_ms, operation)
    }

    fn is_answer_to_work(&self, input: &Input) -> bool {
        let Input::Http { id, .. } = input else { return false };
        self.state.requests.find(Purpose::Refresh).is_none_or(|refresh| refresh.id != *id)
    }
}

/// Inputs whose step may have a batch. A new access token or a lost link must not be lost with it.
fn may_write(input: &Input) -> bool {
    match input {
        Input::Connect
        | Input::Disconnect
        | Input::SignedIn(_)
        | Input::NetworkChanged { .. }
        | Input::Foreground
        | Input::CommitFailed
        | Input::Http { .. }
        | Input::Socket { event: SocketEvent::Closed { .. } | SocketEvent::Failed(_), .. } => false,
        Input::Execute { .. }
        | Input::Retry { .. }
        | Input::Discard { .. }
        | Input::Send { .. }
        | Input::Socket { event: SocketEvent::Frame(_), .. }
        | Input::SnapshotLines { .. }
        | Input::Tick
        | Input::Presented { .. }
        | Input::Refetch
        | Input::ClearCache => true,
    }
}

impl Draft<'_> {
    fn handle(&mut self, input: Input) -> Result<(), StoreError> {
        use crate::connection::Event;
        match input {
            Input::Connect => self.connect(),
            Input::Disconnect => self.link_event(Event::Disconnect),
            Input::SignedIn(session) => self.signed_in(session),
            Input::Execute { request, id, command, depends_on } => {
                self.execute(request, id, command, depends_on)?;
            }
            Input::Retry { parked, id } => self.retry(parked, id)?,
            Input::Discard { id } => self.discard(id),
            Input::Send { text } => self.send_frame(text),
            Input::Socket { generation, event } => self.on_socket(generation, event)?,
            Input::Http { id, answer } => self.on_http(id, answer)?,
            Input::SnapshotLines { id, lines } => self.on_snapshot_lines(id, &lines)?,
            Input::Tick => {}
            Input::NetworkChanged { available: true } | Input::Foreground => self.wake_up(),
            Input::NetworkChanged { available: false } => {
                self.state.requests.answers = Answers::None;
                if self.state.link.is_live() {
                    self.link_event(Event::Wake);
                }
            }
            Input::Presented { effect } => self.presented(effect),
            Input::Refetch => self.refetch(),
            Input::ClearCache => self.clear_cache(),
            Input::CommitFailed => self.commit_failed(),
        }
        Ok(())
    }

    /// Now is a good time: whatever waits is tried.
    fn wake_up(&mut self) {
        self.state.requests.answers = Answers::Untried;
        self.state.push.retry_now();
        self.state.feed.retry_now();
        self.state.snapshots.retry_now();
        self.link_event(crate::connection::Event::Wake);
    }

    /// The last step did not happen, and with it may have gone an answer, a delta or a snapshot's lines: whatever was under
    /// way is asked for anew. Operations marked as sent are simply sent again; the server knows them by their ids.
    fn commit_failed(&mut self) {
        self.state.requests.forget();
        self.state.push.under_way.clear();
        self.state.feed.forget_frames();
        self.state.feed.want_pull();
        self.state.snapshots.abandon();
        self.state.commit_failures += 1;
        let wait = self.state.random.backoff(self.state.commit_failures);
        self.state.hold_until = Some(self.boot() + wait);
        self.error("the phone's storage could not be written; nothing of the last step happened");
        if self.state.link.is_live() {
            self.link_event(crate::connection::Event::Wake);
        }
    }

    /// What is due by now, on the engine's own account.
    fn work(&mut self) -> Result<(), StoreError> {
        self.state.wake = None;
        self.give_up_requests()?;
        self.refresh_when_due();
        self.link_when_due();
        self.snapshot_when_due();
        self.pull_when_due();
        self.push_when_due();
        Ok(())
    }

    /// What is due and writes nothing, while the disk recovers.
    fn keep_alive(&mut self, until: u64) {
        self.state.wake = Some(until);
        self.refresh_when_due();
        self.link_when_due();
    }

    fn finish(mut self, before: &State) -> Result<Step, StoreError> {
        let rows = self.settle_rows()?;
        if before.outbox.pending() > 0 && self.state.outbox.pending() == 0 {
            self.notice_drained();
        }
        if self.state.wake.is_none() {
            self.write_notices()?;
        }
        let batch = self.batch(rows, &before.meta);
        if !batch.writes.is_empty() {
            self.state.commit_failures = 0;
        }
        self.tell_status();
        Ok(Step { batch, outputs: self.outputs, next: self.state })
    }

    fn tell_status(&mut self) {
        let status = SyncStatus::of(&self.state);
        if status.connection != self.state.status.connection {
            self.tell(Output::Connection(status.connection));
        }
        if status != self.state.status {
            self.tell(Output::Status(status));
        }
        self.state.status = status;
    }
}

impl State {
    fn deadline(&self) -> Option<(u64, &'static str)> {
        // While the disk recovers, what would write waits.
        let held = self.hold_until.unwrap_or(0);
        let named = |at: Option<u64>, why| at.map(|at| (at, why));
        let writing = |at: Option<u64>, why| at.map(|at| (at.max(held), why));
        let refreshing = !self.link.wanted || self.requests.find(Purpose::Refresh).is_some();
        let refresh = if refreshing { None } else { self.session.refresh_due() };
        [
            named(self.wake, "work to do"),
            self.link.deadline(),
            named(refresh, "token refresh"),
            writing(self.requests.deadline(), "request timeout"),
            writing(self.snapshot_deadline(), "snapshot"),
            writing(self.pull_deadline(), "pull"),
            writing(self.push_deadline(), "push"),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
