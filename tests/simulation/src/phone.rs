//! A phone: the real engine over the real store, and what stands around them: clocks, the shell's token store, the app's
//! life and death.

use std::fmt::{self, Display};

use innsync_domain::{Timestamp, Uuid};
use innsync_engine::{Config, Engine, EngineError, Now, Output, Session};

use crate::barriers::Barrier;
use crate::failure::{Checked, Violation};
use crate::observers::Observer;
use crate::people::{PEOPLE, employee};
use crate::plan::CrashPoint;
use crate::shadow::Shadow;
use crate::storage::Storage;
use crate::visits::Visit;
use crate::watch::Watch;

/// What a phone's boot clock shows when the run begins.
const BOOTED_MS: u64 = 5_000;
/// When every run begins: 2026-11-22T08:00:00Z.
pub(crate) const EPOCH_MS: i64 = 1_795_334_400_000;

/// The true time.
pub(crate) fn wall(at: u64) -> Timestamp {
    Timestamp::from_millis(EPOCH_MS + at as i64)
}

/// A death that was announced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Death {
    pub(crate) point: CrashPoint,
    pub(crate) down_ms: u64,
    pub(crate) reboot: bool,
}

/// See the module.
pub(crate) struct Phone {
    /// Which phone.
    pub(crate) who: usize,
    /// Whose: most have one.
    pub(crate) person: usize,
    name: &'static str,
    pub(crate) storage: Storage,
    /// `None`: the app is not running.
    pub(crate) engine: Option<Engine>,
    pub(crate) shadow: Shadow,
    pub(crate) watch: Watch,
    /// Which life of the app it is.
    pub(crate) life: u32,
    boot: u32,
    booted_at: u64,
    pub(crate) skew_ms: i64,
    /// Whether the power has failed since the app last ran.
    pub(crate) power_failed: bool,
    /// What the shell's token store has.
    pub(crate) session: Option<Session>,
    pub(crate) death: Option<Death>,
    pub(crate) tick_at: Option<u64>,
    /// No packet gets through before.
    pub(crate) offline_until: u64,
    /// Nothing that it sends gets through before.
    pub(crate) mute_until: u64,
    /// Nothing that is sent to it gets through before.
    pub(crate) deaf_until: u64,
    /// The app is frozen until then, in memory as it is.
    pub(crate) frozen_until: u64,
    /// Somebody waits for sync to come to rest.
    pub(crate) visit: Option<Visit>,
    /// The app was closed in the background, and is opened again then.
    pub(crate) quiet_until: Option<u64>,
    /// Who watches the database.
    pub(crate) observer: Observer,
    /// Whether the person wants to be connected.
    pub(crate) wants_connection: bool,
    pub(crate) is_signing_in: bool,
    /// The socket that the engine believes in.
    pub(crate) socket: Option<u64>,
    pub(crate) requests: u64,
    /// Who waits to be up to date.
    pub(crate) barriers: Vec<Barrier>,
    /// Its last push, by the request's number.
    pub(crate) push: Option<u64>,
    /// How often its app has said RESUME, in all its lives.
    pub(crate) resumes: u32,
    /// Its last pull, by the request's number, and how often it had said RESUME before.
    pub(crate) pull: Option<(u64, u32)>,
    /// How often something was committed to its database.
    pub(crate) commits: u64,
    /// The operation that it says is about to be sent, and since when.
    pub(crate) ready_since: Option<(Uuid, u64)>,
    /// How many histories of the server's were before the one that its cursor is in.
    pub(crate) history: usize,
    /// The last operation that was accepted.
    pub(crate) last_op: Option<Uuid>,
}

impl Phone {
    pub(crate) fn new(who: usize, skew_ms: i64, storage: Storage) -> Self {
        let name = PEOPLE[who].name;
        Self {
            who,
            person: who,
            name,
            storage,
            engine: None,
            shadow: Shadow::default(),
            watch: Watch::new(name, employee(who)),
            life: 0,
            boot: 1,
            booted_at: 0,
            skew_ms,
            power_failed: false,
            session: None,
            death: None,
            tick_at: None,
            offline_until: 0,
            mute_until: 0,
            deaf_until: 0,
            frozen_until: 0,
            visit: None,
            quiet_until: None,
            observer: Observer::default(),
            wants_connection: true,
            is_signing_in: false,
            socket: None,
            requests: 0,
            barriers: Vec::new(),
            push: None,
            resumes: 0,
            pull: None,
            commits: 0,
            ready_since: None,
            history: 0,
            last_op: None,
        }
    }

    /// Another phone of that person, with their database as it is: a copy, without what only the shell keeps.
    pub(crate) fn copy(&mut self, who: usize) -> Checked<Self> {
        let mut storage = Storage::new(None, 0, false)?;
        let written = storage.commit(&self.shadow.as_batch())?;
        written.map_err(|error| Violation::new("RUN", error.to_string()))?;
        let name = PEOPLE[self.person].copy;
        let watch = self.watch.of_copy(name, self.shadow.outbox.values());
        let (shadow, booted_at, history) = (self.shadow.clone(), self.booted_at, self.history);
        let new = Self::new(self.person, self.skew_ms, storage);
        Ok(Self { who, name, shadow, watch, booted_at, history, boot: self.boot + 1_000, ..new })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn now(&self, at: u64) -> Now {
        Now { boot_ms: at - self.booted_at + BOOTED_MS, wall: wall(at).plus_millis(self.skew_ms) }
    }

    /// What goes into the ids that the app makes: its wall clock; or, where `timely`, the true time.
    pub(crate) fn id_time(&self, at: u64, timely: bool) -> Timestamp {
        if timely { wall(at) } else { self.now(at).wall }
    }

    /// An engine over what is on the disk.
    pub(crate) fn open_engine(&mut self, at: u64, seed: u64) -> Checked<Result<(), EngineError>> {
        self.life += 1;
        self.push = None;
        self.pull = None;
        self.ready_since = None;
        let config = Config {
            employee: employee(self.person),
            device: format!("{}'s phone", self.name()),
            boot_id: format!("boot-{}-{}", self.who, self.boot),
            seed: seed ^ (u64::from(self.life) << 8) ^ self.who as u64,
        };
        let store = self.storage.store()?;
        Ok(Engine::open(config, self.session.clone(), self.now(at), store).map(|it| {
            self.engine = Some(it);
            // A new engine knows of none; the client raises them anew.
            self.barriers.clear();
        }))
    }

    pub(crate) fn is_frozen(&self, at: u64) -> bool {
        at < self.frozen_until
    }

    /// The app is gone, with all it had in memory.
    pub(crate) fn kill(&mut self, at: u64, reboot: bool) {
        self.engine = None;
        self.life += 1;
        self.tick_at = None;
        self.death = None;
        self.frozen_until = 0;
        self.visit = None;
        self.observer.is_gone();
        self.socket = None;
        self.barriers.clear();
        if reboot {
            self.boot += 1;
            self.booted_at = at;
        }
    }

    /// That moment of virtual time by the phone's boot clock.
    pub(crate) fn boot_ms(&self, at: u64) -> u64 {
        self.now(at).boot_ms
    }

    /// The engine's deadline in virtual time, not before `at`.
    pub(crate) fn deadline(&self, at: u64) -> Option<u64> {
        let (due, _) = self.engine.as_ref()?.next_deadline()?;
        Some((due + self.booted_at).saturating_sub(BOOTED_MS).max(at))
    }

    pub(crate) fn failed(&self, error: &EngineError) -> Violation {
        Violation::new("RUN", format!("{}'s engine: {error}", self.name()))
    }
}

/// An output in a word or two, for the trace.
pub(crate) struct Told<'a>(pub(crate) &'a Output);

impl Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Output::OpenSocket { generation, .. } => write!(f, "opens socket {generation}"),
            Output::SendFrame { text, .. } => write!(f, "sends {text}"),
            Output::CloseSocket { generation, code, reason } => {
                write!(f, "closes socket {generation}: {code} {reason}")
            }
            Output::Http(request) => {
                let body = request.body.as_ref().map_or("", |body| body.0.as_str());
                write!(f, "asks {} {} {body}", request.method, request.path)
            }
            Output::SaveSession(_) => f.write_str("has new tokens"),
            Output::SignInRequired(reason) => write!(f, "must sign in: {reason:?}"),
            Output::Executed { request, result: Ok(receipt) } => {
                write!(f, "saved {request} as {}", receipt.id)
            }
            Output::Executed { request, result: Err(rejection) } => {
                write!(f, "refused {request}: {rejection}")
            }
            Output::UpToDate { request } => write!(f, "lifts barrier {request}"),
            Output::Operation(receipt) => {
                write!(f, "{} {} is {:?}", receipt.command, receipt.id, receipt.state)
            }
            Output::Event(event) => write!(f, "event {}", event.name()),
            Output::Effect(effect) => write!(f, "effect {}", effect.id),
            Output::Withdrawn(effect) => write!(f, "effect {effect} is withdrawn"),
            Output::Connection(state) => f.write_str(state.as_str()),
            Output::Status(status) => write!(f, "is told {status:?}"),
        }
    }
}
