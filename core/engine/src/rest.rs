//! Whether sync has come to rest: asked by whoever must stop soon, and wants to know what waiting is good for.

use crate::http::Purpose;
use crate::lanes::{Wait, walk};
use crate::limits::SILENCE_MS;
use crate::session::Standing;
use crate::state::{State, sooner};

/// What came of [`crate::Input::Sync`] so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Everything is confirmed or parked, and a pull begun since found nothing more.
    Done,
    /// Something is under way, or due in time.
    Busy,
    /// Nothing more will come of waiting.
    Left(Unfinished),
}

/// Why not everything was sent and fetched. Its text is one sentence for a log or a support person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfinished {
    /// There are no tokens that are good for anything.
    #[error("A person must sign in before anything is sent or fetched.")]
    SignInRequired,
    /// The app does not want to be connected.
    #[error("The app is disconnected; everything is sent and fetched once it connects.")]
    Disconnected,
    /// Nobody answers, or somebody else (a captive portal).
    #[error("The server cannot be reached; everything is sent and fetched once it answers.")]
    Offline,
    /// The server answers, and wants it tried again after the time that was given.
    #[error("The server could not take or tell everything just now; it is tried again later.")]
    ServerBusy,
    /// The phone's storage cannot be written.
    #[error("The phone could not write to its storage; nothing is lost, and it is tried again later.")]
    StorageFailed,
    /// What is left follows operations that are parked.
    #[error("What is left follows a change that needs a person first; retry or discard that one.")]
    NeedsPerson,
    /// The time given was over before.
    #[error("The time given was over before everything was sent and fetched.")]
    OutOfTime,
    /// Somebody asked for quiet before.
    #[error("InnSync was quiet already, or was asked to be; nothing more was sent or fetched.")]
    Quiet,
}

impl State {
    /// Whether everything that the server had at the last [`crate::Input::Sync`] is here.
    pub(crate) fn is_fresh(&self) -> bool {
        self.meta.has_data
            && !self.snapshots.is_due()
            && !self.feed.wants_pull()
            && self.requests.find(Purpose::Pull).is_none()
    }

    /// See [`crate::Engine::rest`].
    pub(crate) fn rest(&self, now: u64, until: u64) -> Rest {
        if !self.link.wanted {
            return Rest::Left(Unfinished::Disconnected);
        }
        if self.session.standing() == Standing::Missing {
            return Rest::Left(Unfinished::SignInRequired);
        }
        if let Some(hold) = self.hold_until.filter(|hold| *hold > now) {
            return if hold <= until { Rest::Busy } else { Rest::Left(Unfinished::StorageFailed) };
        }
        // A digest is compared first: it may want everything fetched anew.
        if self.feed.has_digest() {
            return Rest::Busy;
        }
        if self.is_fresh() && self.outbox.pending() == 0 {
            return Rest::Done;
        }
        if self.no_network || (self.requests.unreachable && !self.link.is_live()) {
            return Rest::Left(Unfinished::Offline);
        }
        if self.wake.is_some_and(|wake| wake <= now) {
            return Rest::Busy;
        }
        if self.requests.any() {
            let silent = now >= self.heard_at + SILENCE_MS;
            return if silent { Rest::Left(Unfinished::Offline) } else { Rest::Busy };
        }
        match self.next_attempt() {
            Some(at) if at <= until => Rest::Busy,
            Some(_) => Rest::Left(Unfinished::ServerBusy),
            None if self.has_taken_ones(now) => Rest::Busy,
            None => Rest::Left(Unfinished::NeedsPerson),
        }
    }

    /// When what is left is tried next, no request being under way.
    fn next_attempt(&self) -> Option<u64> {
        let stale = self.session.standing() == Standing::Stale;
        let refresh = if stale { self.session.refresh_due() } else { None };
        let pull = if self.is_fresh() { None } else { self.pull_deadline() };
        [refresh, self.snapshot_deadline(), pull, self.push_deadline()].into_iter().fold(None, sooner)
    }

    /// Whether the feed is about to confirm something.
    fn has_taken_ones(&self, now: u64) -> bool {
        let mut any = false;
        walk(&self.outbox, now, &self.push.held, &self.push.under_way, |_, wait| any |= wait == Wait::Taken);
        any
    }
}
