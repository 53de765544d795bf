//! What all clones of a handle and the core's thread share.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use innsync_domain::Timestamp;
use innsync_engine::{
    ClientEvent, ConnectionState, Effect, Now, Receipt, Session, SyncStatus, redacted_detail,
};
use rustls::ClientConfig;
use serde::Serialize;

use crate::clock::Clock;
use crate::drivers::{Answer, Failed, Server};
use crate::log::LogLine;
use crate::mailbox::Mailbox;
use crate::options::Account;
use crate::session::SessionStore;
use crate::subscription::Subscribers;
use crate::topic::Topic;

/// Items that wait for a consumer of events, operations or effects.
const WAITING: usize = 1_000;
/// States of the connection that wait for a consumer.
const STATES_WAITING: usize = 64;

/// Errors that are remembered.
const MISHAPS: usize = 20;

/// An error that was told as an event, without what it quotes.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Mishap {
    at: Timestamp,
    what: String,
}

pub(crate) struct Shared {
    pub(crate) account: Account,
    /// Names the account in the token store.
    pub(crate) account_key: String,
    pub(crate) server: Server,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sessions: Arc<dyn SessionStore>,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) events: Topic<ClientEvent>,
    pub(crate) operations: Topic<Receipt>,
    pub(crate) effects: Topic<Effect>,
    /// Nothing is told here: streams of the log that were asked for by this handle end with it.
    pub(crate) log: Topic<LogLine>,
    pub(crate) connection: Topic<ConnectionState>,
    pub(crate) status: Topic<SyncStatus>,
    pub(crate) subscribers: Arc<Subscribers>,
    connected_since: Mutex<Timestamp>,
    mishaps: Mutex<VecDeque<Mishap>>,
    session: Mutex<Option<Session>>,
    /// Why the server's certificate was not trusted when it was last asked for something.
    distrusted: Mutex<Option<String>>,
    last_now: Mutex<Now>,
    /// Whether a newer release has written the database: nothing in it may change.
    read_only: AtomicBool,
}

/// What [`Shared`] is made of.
pub(crate) struct Parts {
    pub(crate) account: Account,
    pub(crate) account_key: String,
    pub(crate) server: Server,
    pub(crate) tls: ClientConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sessions: Arc<dyn SessionStore>,
    pub(crate) session: Option<Session>,
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Self {
        let wall = parts.clock.now().wall;
        let status = SyncStatus { needs_sign_in: parts.session.is_none(), ..SyncStatus::BLANK };
        Self {
            account: parts.account,
            account_key: parts.account_key,
            server: parts.server,
            tls: Arc::new(parts.tls),
            clock: parts.clock,
            sessions: parts.sessions,
            mailbox: Arc::default(),
            events: Topic::new(WAITING),
            operations: Topic::new(WAITING),
            effects: Topic::new(WAITING),
            log: Topic::new(WAITING),
            connection: Topic::remembering(STATES_WAITING, ConnectionState::Disconnected),
            status: Topic::remembering(1, status),
            subscribers: Arc::default(),
            connected_since: Mutex::new(wall),
            mishaps: Mutex::default(),
            session: Mutex::new(parts.session),
            distrusted: Mutex::default(),
            last_now: Mutex::new(Now { boot_ms: 0, wall: Timestamp::default() }),
            read_only: AtomicBool::new(false),
        }
    }

    /// The clocks now. A shell's clock that panics must not end the thread that asks it: then it is as late as before.
    pub(crate) fn now(&self) -> Now {
        let mut last = self.last_now.lock().unwrap_or_else(PoisonError::into_inner);
        match catch_unwind(AssertUnwindSafe(|| self.clock.now())) {
            Ok(now) => *last = now,
            Err(_) => tracing::error!("the clock panicked"),
        }
        *last
    }

    /// The tokens, as they are now.
    pub(crate) fn session(&self) -> Option<Session> {
        self.lock().clone()
    }

    pub(crate) fn set_session(&self, session: Option<Session>) {
        *self.lock() = session;
    }

    /// Whether a newer release has written the database, as it was last opened.
    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only.load(Ordering::Relaxed)
    }

    pub(crate) fn set_read_only(&self, read_only: bool) {
        self.read_only.store(read_only, Ordering::Relaxed);
    }

    /// Why the server was not trusted when it was last asked.
    pub(crate) fn distrusted(&self) -> Option<String> {
        self.distrusted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A request has come to that.
    pub(crate) fn answered(&self, answer: &Answer) {
        let distrusted = match answer {
            Ok(_) => None,
            Err(Failed::Distrusted(why)) => Some(why.clone()),
            Err(Failed::Unanswered(_)) => None,
        };
        *self.distrusted.lock().unwrap_or_else(PoisonError::into_inner) = distrusted;
    }

    /// The sync status, as it was last told.
    pub(crate) fn status(&self) -> SyncStatus {
        self.status.last().unwrap_or(SyncStatus::BLANK)
    }

    /// The connection's state is another one.
    pub(crate) fn connection_is(&self, state: ConnectionState) {
        *self.connected_since.lock().unwrap_or_else(PoisonError::into_inner) = self.now().wall;
        self.connection.tell(&state);
    }

    /// The connection's state, and since when it is so, by the phone's clock.
    pub(crate) fn connection_since(&self) -> (ConnectionState, Timestamp) {
        let since = *self.connected_since.lock().unwrap_or_else(PoisonError::into_inner);
        (self.connection.last().unwrap_or(ConnectionState::Disconnected), since)
    }

    /// The last errors that were told, oldest first.
    pub(crate) fn mishaps(&self) -> Vec<Mishap> {
        self.mishaps.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn note_mishap(&self, event: &ClientEvent) {
        let what = match event {
            ClientEvent::Error { detail } => redacted_detail(detail),
            ClientEvent::Bug { id } => format!("bug {id}"),
            ClientEvent::Connected
            | ClientEvent::Disconnected { .. }
            | ClientEvent::ReconnectFailed
            | ClientEvent::Domain(_)
            | ClientEvent::Other { .. } => return,
        };
        let at = self.now().wall;
        let mut mishaps = self.mishaps.lock().unwrap_or_else(PoisonError::into_inner);
        if mishaps.len() == MISHAPS {
            mishaps.pop_front();
        }
        mishaps.push_back(Mishap { at, what });
    }

    /// Tells an event to streams and callbacks.
    pub(crate) fn event(&self, event: &ClientEvent) {
        self.note_mishap(event);
        self.events.tell(event);
        self.subscribers.tell(event);
    }

    /// The engine is gone, and the connection with it.
    pub(crate) fn disconnected(&self) {
        if self.connection.last() != Some(ConnectionState::Disconnected) {
            self.connection_is(ConnectionState::Disconnected);
        }
        let connection = ConnectionState::Disconnected;
        self.status.tell(&SyncStatus {
            connection,
            is_online: false,
            sync_in_progress: false,
            reconnect_attempts: 0,
            ..self.status()
        });
    }

    /// The end of all streams.
    pub(crate) fn end(&self) {
        self.mailbox.close();
        self.events.end();
        self.operations.end();
        self.effects.end();
        self.log.end();
        self.connection.end();
        self.status.end();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
