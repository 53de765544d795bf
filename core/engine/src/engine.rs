//! The engine: one entry point, one state.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use innsync_domain::{Timestamp, Uuid};
use innsync_protocol::Cursor;

use crate::clock::Now;
use crate::diagnosis::Diagnosis;
use crate::draft::Draft;
use crate::feed::Feed;
use crate::http::Purpose;
use crate::input::{Input, Session};
use crate::limits::DIGEST_FIRST_MS;
use crate::outbox::Undoable;
use crate::output::Output;
use crate::queue::Outbox;
use crate::random::Random;
use crate::rest::Rest;
use crate::session::SessionState;
use crate::snapshot::Snapshots;
use crate::state::{ServerClock, State};
use crate::status::{ConnectionState, SyncStatus};
use crate::step::may_write;
use crate::store::{Batch, StoreError, StoreRead};

/// This release, as the store remembers it.
pub(crate) const RELEASE: &str = env!("CARGO_PKG_VERSION");

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
    next: Box<State>,
}

impl Step {
    pub(crate) fn new(batch: Batch, outputs: Vec<Output>, next: Box<State>) -> Self {
        Self { batch, outputs, next }
    }
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
    /// Boxed, since a step hands it on several times.
    state: Box<State>,
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
        // What an older release had to pass over, this one may know.
        let passed_over = meta.passed_over.as_deref().is_some_and(|by| by != RELEASE);
        if !meta.has_data || passed_over || meta.other_history {
            snapshots.want();
        }
        // An operation that could not be read any more has left its prediction behind.
        let unchecked = !store.bases()?.is_empty();
        let mut random = Random::new(config.seed);
        let first_digest = now.boot_ms + random.within(DIGEST_FIRST_MS);
        let state = Box::new(State {
            status: SyncStatus::BLANK,
            outbox: Arc::new(Outbox::new(store.outbox()?)),
            kept: BTreeSet::new(),
            meta,
            random,
            clock: ServerClock::default(),
            link: Default::default(),
            session: SessionState::new(session),
            requests: Default::default(),
            feed: Feed::new(first_digest),
            snapshots,
            push: Default::default(),
            barriers: Default::default(),
            frames: Arc::default(),
            notices: Vec::new(),
            unchecked,
            wake: unchecked.then_some(now.boot_ms),
            hold_until: None,
            commit_failures: 0,
            heard_at: now.boot_ms,
            deed: None,
            undoing: Vec::new(),
            no_network: false,
        });
        let mut draft = Draft::new(&config, now, store, state);
        draft.state.push.round.waited = draft.state.outbox.pending() > 0;
        // A token that is about to expire is refreshed at once.
        draft.plan_refresh(0);
        let mut state = draft.state;
        state.status = SyncStatus::of(&state);
        Ok(Self { config, state })
    }

    /// The frames of the app's own that wait for a connection.
    pub fn frames(&self) -> Arc<VecDeque<String>> {
        Arc::clone(&self.state.frames)
    }

    /// Takes over the frames that waited in an engine before this one.
    pub fn keep_frames(&mut self, frames: Arc<VecDeque<String>>) {
        self.state.frames = frames;
        self.state.status = SyncStatus::of(&self.state);
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

    /// Whether a token refresh waits for its answer. Whoever drops the engine before that loses the rotated refresh token,
    /// and with it the session.
    pub fn is_refreshing(&self) -> bool {
        self.state.requests.find(Purpose::Refresh).is_some()
    }

    /// Whether the answer of that request is still waited for: whoever carries it may break it off where it is not.
    pub fn waits_for(&self, request: u64) -> bool {
        self.state.requests.waits_for(request)
    }

    /// Why an operation is not confirmed yet, in one sentence; `None`: it is not in the outbox.
    pub fn why_waiting(&self, now: Now, operation: Uuid) -> Option<String> {
        self.state.why_waiting(now.boot_ms, operation)
    }

    /// Whether that operation is to be sent now: nothing holds it, and nothing keeps a push from leaving.
    pub fn is_about_to_be_sent(&self, now: Now, operation: Uuid) -> bool {
        self.state.is_about_to_be_sent(now.boot_ms, operation)
    }

    /// Whether sync has come to rest since [`Input::Sync`], or will by itself before `until` (in `boot_ms`).
    pub fn rest(&self, now: Now, until: u64) -> Rest {
        self.state.rest(now.boot_ms, until)
    }

    /// Whether everything that the server had at the last [`Input::Sync`] is here.
    pub fn is_fresh(&self) -> bool {
        self.state.is_fresh()
    }

    /// Where the mirror stands.
    pub fn cursor(&self) -> Cursor {
        self.state.meta.cursor
    }

    /// What was discarded before that time of the server's is kept no longer; `None`: a phone that has not met the server in
    /// this boot may have any clock, and forgets nothing by it.
    pub fn discarded_horizon(&self, now: Now) -> Option<Timestamp> {
        self.state.discarded_horizon(now)
    }

    /// Where everything stands, for a support person; without anything that people wrote (G24).
    pub fn diagnosis(&self, now: Now) -> Diagnosis {
        self.state.diagnosis(&self.config, now)
    }

    /// What [`Input::Undo`] would take back; `None`: nothing, or there is no way back from it.
    pub fn undoable(&self) -> Option<Undoable> {
        self.state.undoable()
    }

    /// The operations that build on that one, directly or through others, in order: those that were declared to depend on it,
    /// and, where it creates its entity, all later ones about that entity.
    pub fn dependents(&self, operation: Uuid) -> Vec<Uuid> {
        self.state.dependents(operation)
    }

    fn is_answer_to_work(&self, input: &Input) -> bool {
        let Input::Http { id, .. } = input else { return false };
        self.state.requests.find(Purpose::Refresh).is_none_or(|refresh| refresh.id != *id)
    }
}
