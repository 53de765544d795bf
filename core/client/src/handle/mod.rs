//! The handle: a face for what the core's thread does.

mod background;
mod data;
mod life;
mod outbox;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use innsync_domain::Uuid;
use innsync_engine::{ClientEvent, ConnectionState, Effect, Input, ParkReason, StoreRead};
use innsync_protocol::limits::FRAME_BYTES;
use tokio::sync::oneshot;

use crate::actor::Actor;
use crate::drivers::Http;
use crate::error::Error;
use crate::log::{self, LogLevel, LogLine};
use crate::mailbox::Letter;
use crate::options::Account;
use crate::random;
use crate::shared::Shared;
use crate::stream::{Promised, Queue, Stream};
use crate::subscription::Subscription;

pub use background::{Backgrounded, PushOutcome};

/// Effects that wait for the shell; more stay in the database until it comes again.
const EFFECTS_WAITING: usize = 1_000;

/// One person's InnSync on this phone. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct InnSync {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    http: Http,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.mailbox.post(Letter::Close(None));
    }
}

impl fmt::Debug for InnSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Account { property, device, .. } = &self.inner.shared.account;
        write!(f, "InnSync {{ property: {property:?}, device: {device:?} }}")
    }
}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Its effect is on the server, and in what the phone shows.
    Confirmed,
    /// It was not taken; a person decides.
    Parked(Box<ParkReason>),
    /// A person discarded it (or retried it under a new id).
    Discarded,
}

/// What becomes of unsent work at sign-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PendingWork {
    /// Waits until all was sent, at most so long; else `Error::Timeout`, and the person stays signed in.
    Send(Duration),
    /// Stays on the phone, sealed until the person signs in again.
    Keep,
    /// Is discarded, by the person's choice; what has left the phone without an answer can't be, and stays.
    Discard,
}

/// Who and where.
impl InnSync {
    pub(crate) fn new(shared: Arc<Shared>, http: Http) -> Self {
        Self { inner: Arc::new(Inner { shared, http }) }
    }

    /// Whom it belongs to.
    pub fn account(&self) -> &Account {
        &self.inner.shared.account
    }

    /// A new id for what a command creates (UUID version 7).
    pub fn new_id(&self) -> Uuid {
        random::id(self.inner.shared.now().wall)
    }

    /// Asks the core's thread.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Actor) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.post(Letter::job(move |actor| drop(reply.send(job(actor)))))?;
        answer.await.unwrap_or_else(|_| Err(self.no_answer()))
    }

    /// `UpdateRequired` where a newer release has written the database: nothing in it may change.
    fn writable(&self) -> Result<(), Error> {
        if self.inner.shared.is_read_only() { Err(Error::UpdateRequired) } else { Ok(()) }
    }

    fn post(&self, letter: Letter) -> Result<(), Error> {
        if self.inner.shared.mailbox.post(letter) { Ok(()) } else { Err(Error::Closed) }
    }

    /// Hands in what needs no answer; of no effect after closing.
    fn hand_in(&self, input: Input) {
        let _ = self.post(Letter::Input(input));
    }

    fn no_answer(&self) -> Error {
        match self.inner.shared.mailbox.is_closed() {
            true => Error::Closed,
            false => Error::bug("the core gave no answer", &"it panicked, see before"),
        }
    }
}

/// Connection.
impl InnSync {
    /// Connects, and stays so: reconnects by itself until [`InnSync::disconnect`]. Returns at once.
    pub fn connect(&self) {
        let _ = self.post(Letter::job(|actor| actor.want_connection(true)));
    }

    /// Disconnects (1000 `Client disconnect`), and stays so. Returns at once.
    pub fn disconnect(&self) {
        let _ = self.post(Letter::job(|actor| actor.want_connection(false)));
    }

    /// The connection's state (seed §1.1).
    pub fn connection_state(&self) -> ConnectionState {
        self.inner.shared.connection.last().unwrap_or(ConnectionState::Disconnected)
    }

    /// The connection's states, the present one first; none is left out (of the last 64).
    pub fn watch_connection(&self) -> Stream<ConnectionState> {
        self.inner.shared.connection.stream()
    }

    /// The platform says whether there is a network, or that it is another one.
    pub fn network_changed(&self, available: bool) {
        if available {
            self.inner.http.renew();
        }
        self.hand_in(Input::NetworkChanged { available });
    }

    /// The app came to the foreground: tries and checks at once, and calls off a [`InnSync::background`] under way. A handle
    /// that is quiet wants [`InnSync::resume`] first.
    pub fn foreground(&self) {
        let _ = self.post(Letter::Foreground);
    }

    /// Sends a frame that is not a command (SUBSCRIBE, or the application's own); queued while not connected, of which
    /// the newest 100 are kept, also over a pause, but not when the app ends. `frame` is a
    /// JSON object with a `type`, at most 256 KiB.
    pub fn send(&self, frame: &str) -> Result<(), Error> {
        let invalid = |what: &str| Err(Error::InvalidInput(format!("a frame must be {what}")));
        if frame.len() > FRAME_BYTES {
            return invalid("at most 256 KiB long");
        }
        self.writable()?;
        match serde_json::from_str::<serde_json::Value>(frame) {
            Ok(value) if value.get("type").is_some_and(serde_json::Value::is_string) => {
                self.post(Letter::Input(Input::Send { text: frame.to_owned() }))
            }
            _ => invalid("a JSON object with a \"type\""),
        }
    }
}

/// The log.
impl InnSync {
    /// As [`log_lines`](crate::log_lines), until the handle is closed.
    pub fn log_lines(&self, level: LogLevel) -> Result<Stream<LogLine>, Error> {
        let queue = log::listen(level)?;
        self.inner.shared.log.join(&queue, []);
        Ok(Stream::new(queue))
    }

    /// Everything that explains where this handle stands, as one JSON document for a support person (G24). To be had offline,
    /// and while the handle is quiet: nothing is opened for it. Holds ids, kinds, states, times and sizes; no tokens, no
    /// names, and nothing that people wrote.
    ///
    /// Errors: `Closed`.
    pub async fn diagnostics(&self) -> Result<String, Error> {
        let (reply, answer) = oneshot::channel();
        self.post(Letter::Diagnose(reply))?;
        answer.await.unwrap_or_else(|_| Err(self.no_answer()))
    }
}

/// What happened, and what must be shown.
impl InnSync {
    /// Calls `callback` for each event of that name: `connected`, `disconnected`, `error`, `reconnect_failed`,
    /// `notification`, or a type of the seed's §2 as `TASK_ASSIGNED`. In order, from a thread of the crate's own; a
    /// callback that panics or hangs hurts no other. Of those that wait, the newest 1,000 are kept.
    pub fn on(&self, name: &str, callback: impl Fn(&ClientEvent) + Send + Sync + 'static) -> Subscription {
        self.inner.shared.subscribers.add(name, Box::new(callback))
    }

    /// All events, from now on. The oldest are dropped when the consumer lags by 1,000.
    pub fn events(&self) -> Stream<ClientEvent> {
        self.inner.shared.events.stream()
    }

    /// What must be shown or sounded: first all that was not presented yet, then each as it arises. What is not
    /// presented comes again with the next stream, also after a restart: toasts and short sounds for an hour, and of all
    /// but the emergencies that go on the newest 100. An emergency that is over is told by
    /// [`EffectBody::EmergencyOver`](crate::EffectBody::EmergencyOver); what still waits of it does not come any more.
    pub fn effects(&self) -> Stream<Effect> {
        let queue = Queue::new(EFFECTS_WAITING);
        // Where the job is dropped, since the handle is closed meanwhile, the stream ends.
        let theirs = Promised::new(&queue);
        let _ = self.post(Letter::job(move |actor| match actor.store().effects() {
            Ok(waiting) => {
                let now = actor.shared().now().wall;
                let fresh = waiting.into_iter().filter(|effect| !effect.is_stale(now));
                theirs.keep(|queue| actor.shared().effects.join(queue, fresh));
            }
            Err(error) => tracing::warn!(%error, "effects could not be read"),
        }));
        Stream::new(queue)
    }

    /// The shell has shown an effect: it does not come again, not even after a restart.
    pub fn presented(&self, effect: Uuid) {
        self.inner.shared.effects.discard(|waiting| waiting.id == effect);
        self.hand_in(Input::Presented { effect });
    }
}
