//! What the engine remembers between inputs. Everything in it can be had again from the store and the server.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use innsync_domain::{Timestamp, Uuid};

use crate::barrier::Barriers;
use crate::clock::Now;
use crate::feed::Feed;
use crate::http::Requests;
use crate::link::Link;
use crate::notices::Notice;
use crate::push::Push;
use crate::queue::Outbox;
use crate::random::Random;
use crate::session::SessionState;
use crate::snapshot::Snapshots;
use crate::status::SyncStatus;
use crate::store::Meta;
use crate::undo::Deed;

/// Cheap to clone: what may be large is shared.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) outbox: Arc<Outbox>,
    /// Operations whose effect the mirror has, kept over an earlier one that the server has not answered.
    pub(crate) kept: BTreeSet<Uuid>,
    pub(crate) meta: Meta,
    pub(crate) random: Random,
    pub(crate) clock: ServerClock,
    pub(crate) link: Link,
    pub(crate) session: SessionState,
    pub(crate) requests: Requests,
    pub(crate) feed: Feed,
    pub(crate) snapshots: Snapshots,
    pub(crate) push: Push,
    pub(crate) barriers: Barriers,
    /// Frames of the app's own, waiting for a connection.
    pub(crate) frames: Arc<VecDeque<String>>,
    /// Toasts that are not on disk yet.
    pub(crate) notices: Vec<Notice>,
    /// What is shown was not yet compared with the outbox since the engine was opened.
    pub(crate) unchecked: bool,
    /// When there is work that no other timer wakes.
    pub(crate) wake: Option<u64>,
    /// Until when nothing is written on the engine's own account, since the last commit failed.
    pub(crate) hold_until: Option<u64>,
    pub(crate) commit_failures: u32,
    /// When the server last gave a sign of life, or was last asked for one by [`crate::Input::Sync`].
    pub(crate) heard_at: u64,
    /// The platform says that there is no network, and nothing was heard since.
    pub(crate) no_network: bool,
    /// What the person did last.
    pub(crate) deed: Option<Arc<Deed>>,
    /// The operations of the last undo.
    pub(crate) undoing: Vec<Uuid>,
    /// What was last told.
    pub(crate) status: SyncStatus,
}

/// The server's clock, as measured in this boot.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ServerClock {
    /// The server's milliseconds since the epoch when this boot began.
    offset: Option<i64>,
}

impl ServerClock {
    pub(crate) fn measure(&mut self, now: Now, server_millis: i64) {
        self.offset = i64::try_from(now.boot_ms).ok().map(|boot| server_millis.saturating_sub(boot));
    }

    /// The server's time at a moment of this boot, where the phone has met the server in it.
    pub(crate) fn at(&self, boot_ms: u64) -> Option<Timestamp> {
        let boot = i64::try_from(boot_ms).ok()?;
        self.offset.map(|offset| Timestamp::from_millis(offset.saturating_add(boot)))
    }

    /// The best guess of the server's time.
    pub(crate) fn guess(&self, now: Now) -> Timestamp {
        self.at(now.boot_ms).unwrap_or(now.wall)
    }
}

/// The earlier of two deadlines.
pub(crate) fn sooner<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
