//! What all requests share.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use innsync_domain::{Timestamp, Uuid};
use tokio::sync::Semaphore;

use super::driver::HubHandle;
use super::readers::Readers;
use super::revoked::Revoked;
use super::spool::Spools;
use super::writer::Writer;
use crate::auth::{Passwords, Throttle, TokenError, Tokens};
use crate::hub::{ConnId, HubInput, TokenFacts};

/// The process's clocks. The one place that asks the system what time it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn wall_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    pub(super) fn mono_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Who may come in.
pub(super) struct Gate {
    tokens: Tokens,
    revoked: Mutex<Revoked>,
}

impl Gate {
    pub(super) fn new(tokens: Tokens) -> Self {
        Self { tokens, revoked: Mutex::default() }
    }

    pub(super) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    pub(super) fn check(&self, now: Timestamp, token: &str) -> Result<TokenFacts, TokenError> {
        let facts = self.tokens.check(now, token)?;
        if lock(&self.revoked).contains(facts.session) { Err(TokenError::Invalid) } else { Ok(facts) }
    }

    /// Access tokens of that session are not good since it ended. Whether that is news.
    pub(super) fn revoke(&self, session: Uuid, ended_at: Timestamp) -> bool {
        lock(&self.revoked).add(session, ended_at)
    }

    /// Forgets the sessions that ended before then: no access token of theirs is left.
    pub(super) fn forget_ended(&self, before: Timestamp) {
        lock(&self.revoked).forget(before);
    }
}

/// What all requests share.
pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) gate: Arc<Gate>,
    pub(super) passwords: Passwords,
    pub(super) throttle: Mutex<Throttle>,
    /// Passwords that are checked at once: each takes a processor and 19 MiB.
    pub(super) hashing: Semaphore,
    pub(super) readers: Readers,
    /// Apart from the others, since a snapshot takes long.
    pub(super) snapshots: Readers,
    pub(super) spools: Spools,
    pub(super) writer: Writer,
    pub(super) hub: HubHandle,
    /// Whether sockets may bring their token in the query, as the seed's client does.
    pub(super) query_token: bool,
    pub(super) sockets: AtomicUsize,
    pub(super) conns: AtomicU64,
}

/// As handlers take it.
pub(super) type App = axum::extract::State<Arc<Shared>>;

impl Shared {
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.wall_ms())
    }

    pub(super) fn next_conn(&self) -> ConnId {
        ConnId(self.conns.fetch_add(1, Ordering::Relaxed))
    }

    /// Ends access tokens and sockets of a session that the ledger has ended.
    pub(super) async fn close_session(&self, session: Uuid, ended_at: Timestamp) {
        if self.gate.revoke(session, ended_at) {
            self.hub.input(HubInput::SessionEnded { session }).await;
        }
    }

    pub(super) fn throttle(&self) -> MutexGuard<'_, Throttle> {
        lock(&self.throttle)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
