//! The thread that owns the engine and the database ("innsync-core"): one input after the other, each committed before
//! anything of it leaves or is seen.

mod carry;
mod commands;
mod diagnose;
mod observers;
mod recorder;
mod step;
mod thread;
mod visits;
pub(crate) mod waiting;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use innsync_engine::{Config, Engine, Input, Receipt, StoreRead};
use innsync_protocol::PushHint;
use innsync_store::{OpenError, Store};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::drivers::{AbortOnDrop, Http, Socket};
use crate::error::Error;
use crate::files::{Files, Lock};
use crate::mailbox::Courier;
use crate::random;
use crate::shared::Shared;

pub(crate) use observers::{LiveWatch, Observer, ScreenWatch};
pub(crate) use thread::{Opened, start};

use diagnose::Inside;
use observers::Observers;
use recorder::Recorder;
use visits::Visits;
use waiting::Waiting;

/// After that long a bug in a step is as good as the first one.
const RECOVERED_LONG_AGO: Duration = Duration::from_secs(60);
/// How long the phone stays away from the server after a second one before that.
const RECOVERED_AGAIN: Duration = Duration::from_secs(15);

/// Who waits for an answer.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// All that the thread works with while the database is open.
pub(crate) struct Actor {
    shared: Arc<Shared>,
    engine: Engine,
    store: Store,
    socket: Option<(u64, Socket)>,
    // For HTTP; a socket has its own, so that frames do not wait behind a snapshot.
    courier: Courier,
    http: Http,
    // Those that the engine waits for. At the end of this they go on, since what they carry may still arrive; a snapshot does
    // not.
    requests: BTreeMap<u64, AbortHandle>,
    snapshot: Option<AbortOnDrop>,
    next_request: u64,
    // When to connect after the second of two recoveries in a row.
    connect_at: Option<Instant>,
    executing: BTreeMap<u64, Reply<Receipt>>,
    visits: Visits,
    kept: Kept,
    // Last, so that the lock goes after the database.
    _lock: Lock,
}

/// What outlives a pause and a reopening.
#[derive(Default)]
struct Kept {
    observers: Observers,
    waiting: Waiting,
    connect: bool,
    // Those that waited for a connection when the pause began.
    frames: Arc<VecDeque<String>>,
    // Counts reopenings: what an engine had asked for is of no interest to the next one.
    incarnation: u64,
    recovered: Option<Instant>,
    recorder: Recorder,
    database: PathBuf,
    // In a pause: the engine of before, to be asked where things stand. It has nothing open.
    at_rest: Option<Engine>,
    inside: Inside,
}

/// Whether nothing is to be fetched for that hint, and nothing to be sent.
fn is_there_already(engine: &Engine, hint: PushHint) -> bool {
    let status = engine.status();
    status.has_data && status.pending_changes == 0 && hint.is_reached_by(&engine.cursor())
}

impl Kept {
    /// Whether the phone was there already when the pause began.
    fn has_reached(&self, hint: Option<PushHint>) -> bool {
        let Some((engine, hint)) = self.at_rest.as_ref().zip(hint) else { return false };
        is_there_already(engine, hint)
    }
}

impl Actor {
    /// Opens the database and an engine over it. Takes `kept` over if that succeeds.
    fn open(shared: Arc<Shared>, files: &Files, http: Http, kept: &mut Kept) -> Result<Self, Error> {
        let lock = files.lock(&shared.mailbox)?;
        let store = match Store::open(&files.database()) {
            // What is in it can be looked at, as far as this release knows it, until the app is updated.
            Err(newer @ OpenError::Newer { .. }) => {
                tracing::warn!(%newer, "the database is opened for reading alone");
                Store::open_newer(&files.database())?
            }
            opened => opened?,
        };
        shared.set_read_only(store.is_read_only());
        let engine = engine(&shared, &store, &kept.frames)?;
        let mut kept = std::mem::take(kept);
        kept.at_rest = None;
        kept.database = files.database();
        kept.incarnation += 1;
        let courier = Courier::new(&shared.mailbox, kept.incarnation, 0);
        let mut actor = Self {
            shared,
            engine,
            store,
            socket: None,
            courier,
            http,
            requests: BTreeMap::new(),
            snapshot: None,
            next_request: 1,
            connect_at: None,
            executing: BTreeMap::new(),
            visits: Visits::default(),
            kept,
            _lock: lock,
        };
        actor.begin();
        Ok(actor)
    }

    /// A new engine over the same database, after a bug in a step.
    fn reopen_engine(&mut self) -> Result<(), Error> {
        self.socket = None;
        self.requests.clear();
        self.snapshot = None;
        self.shared.disconnected();
        let again = self.kept.recovered.is_some_and(|at| at.elapsed() < RECOVERED_LONG_AGO);
        self.kept.recovered = Some(Instant::now());
        // What led to the one before may wait on the server: no storm of connections.
        self.connect_at = again.then(|| Instant::now() + RECOVERED_AGAIN);
        self.kept.incarnation += 1;
        self.courier = Courier::new(&self.shared.mailbox, self.kept.incarnation, 0);
        self.engine = engine(&self.shared, &self.store, &self.engine.frames())?;
        self.begin();
        Ok(())
    }

    fn begin(&mut self) {
        self.shared.status.tell(&self.engine.status());
        self.kept.observers.everything_changed();
        if self.kept.connect && self.connect_at.is_none() {
            self.input(Input::Connect);
        }
        self.raise_barriers_again();
        if let Some(until) = self.visits.want_sync() {
            self.input(Input::Sync { until });
        }
    }

    /// The database, for reading.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// What every handle of it shares.
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Adds an observer; it gets its first item at once.
    pub(crate) fn observe(&mut self, observer: Box<dyn Observer>) {
        self.kept.observers.add(observer);
        self.kept.observers.flush(&self.store, &self.shared);
    }
}

fn engine(shared: &Shared, store: &dyn StoreRead, frames: &Arc<VecDeque<String>>) -> Result<Engine, Error> {
    let config = Config {
        employee: shared.account.employee,
        device: shared.account.device.clone(),
        boot_id: shared.clock.boot_id(),
        seed: random::number(),
    };
    let mut engine = Engine::open(config, shared.session(), shared.now(), store)?;
    engine.keep_frames(Arc::clone(frames));
    Ok(engine)
}
