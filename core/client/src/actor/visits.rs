//! Who waits for sync to come to rest before the handle goes quiet (again), and is told what came of it.

use std::time::{Duration, Instant};

use innsync_engine::{Input, Rest, Unfinished};
use innsync_store::WriteSet;
use tokio::sync::oneshot;

use super::{Actor, is_there_already};
use crate::handle::{Backgrounded, PushOutcome};
use crate::mailbox::{Alarm, Departure};

/// How long going quiet waits for the answer to a token refresh: shorter than what platforms give an app that is sent to
/// the background.
const REFRESH_WAITS: Duration = Duration::from_secs(4);
/// Milliseconds kept of the time given for closing the database.
const CLOSING_TAKES_MS: u64 = 300;
/// How long the thread sleeps at most while somebody waits for sync to come to rest.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Those who wait while the thread works.
#[derive(Default)]
pub(super) struct Visits {
    waiting: Vec<Waiting>,
    /// Those who wait for nothing but the others, and then for quiet.
    finished: Vec<Caller>,
    holding: Option<Holding>,
    /// A push woke the handle, which was quiet and is to be so again.
    back_to_quiet: bool,
}

/// Somebody for whom sync is to come to rest.
struct Waiting {
    until: u64,
    who: Who,
}

enum Who {
    Background(oneshot::Sender<Backgrounded>),
    Push {
        reply: oneshot::Sender<PushOutcome>,
        /// Rows changed by what came since.
        fetched: bool,
    },
}

/// Callers to be told once the database is closed, while a token refresh is under way, and until when that is waited for.
struct Holding {
    callers: Vec<Caller>,
    until: Instant,
}

/// Somebody to be told once the handle is quiet.
pub(super) enum Caller {
    Quiesce(oneshot::Sender<()>),
    Background(oneshot::Sender<Backgrounded>, Backgrounded),
    Push(oneshot::Sender<PushOutcome>, PushOutcome),
}

impl Caller {
    /// It is quiet.
    pub(super) fn tell(self) {
        // Whoever has gone does not want to know.
        let _ = match self {
            Self::Quiesce(done) => done.send(()).is_ok(),
            Self::Background(reply, outcome) => reply.send(outcome).is_ok(),
            Self::Push(reply, outcome) => reply.send(outcome).is_ok(),
        };
    }

    /// Somebody wants it awake instead.
    fn call_off(self) {
        match self {
            Self::Background(reply, _) => _ = reply.send(Backgrounded::CalledOff),
            Self::Quiesce(_) | Self::Push(..) => self.tell(),
        }
    }
}

impl Visits {
    /// Something was committed; `moved`: the feed went on with it.
    pub(super) fn note(&mut self, written: &WriteSet, moved: bool) {
        let changed = moved && (written.everything || !written.rows.is_empty());
        for waiting in &mut self.waiting {
            if let Who::Push { fetched, .. } = &mut waiting.who {
                *fetched |= changed;
            }
        }
    }

    /// Until when sync is waited for: for an engine that begins anew meanwhile.
    pub(super) fn want_sync(&self) -> Option<u64> {
        self.waiting.iter().map(|it| it.until).max()
    }

    /// How long the thread may sleep.
    pub(super) fn sleep(&self) -> Duration {
        let holding = self.holding.as_ref().map(|it| it.until.saturating_duration_since(Instant::now()));
        let waiting = (!self.waiting.is_empty()).then_some(LOOK_AGAIN);
        holding.into_iter().chain(waiting).fold(Duration::MAX, Duration::min)
    }

    /// From now on it is waited for a token refresh alone.
    fn hold(&mut self, callers: Vec<Caller>, at_most: Duration) {
        let until = Instant::now() + at_most.min(REFRESH_WAITS);
        match &mut self.holding {
            Some(holding) => {
                holding.callers.extend(callers);
                holding.until = holding.until.min(until);
            }
            none => *none = Some(Holding { callers, until }),
        }
    }
}

impl Actor {
    /// The app goes to the background.
    pub(super) fn depart(&mut self, departure: Departure) {
        let Departure { until, reply } = departure;
        self.input(Input::Sync { until });
        self.visits.waiting.push(Waiting { until, who: Who::Background(reply) });
    }

    /// A push woke the app; `was_quiet`: from a pause.
    pub(super) fn wake_for(&mut self, alarm: Alarm, was_quiet: bool) {
        self.visits.back_to_quiet |= was_quiet;
        let Alarm { hint, until, reply } = alarm;
        if hint.is_some_and(|hint| is_there_already(&self.engine, hint)) {
            let _ = reply.send(PushOutcome::NoData);
            return;
        }
        self.input(Input::Sync { until });
        self.visits.waiting.push(Waiting { until, who: Who::Push { reply, fetched: false } });
    }

    /// Quiet is wanted now, whatever else waits.
    pub(super) fn hush(&mut self, done: oneshot::Sender<()>) {
        self.visits.finished.push(Caller::Quiesce(done));
        self.go_quiet(REFRESH_WAITS);
    }

    /// The app is seen again: nobody goes to the background, and who was woken stays awake.
    pub(super) fn stay(&mut self) {
        self.visits.back_to_quiet = false;
        self.shared.mailbox.leave(false);
        let held = self.visits.holding.take().into_iter().flat_map(|it| it.callers);
        held.chain(std::mem::take(&mut self.visits.finished)).for_each(Caller::call_off);
        for waiting in std::mem::take(&mut self.visits.waiting) {
            match waiting.who {
                Who::Background(reply) => _ = reply.send(Backgrounded::CalledOff),
                Who::Push { .. } => self.visits.waiting.push(waiting),
            }
        }
    }

    /// As [`Actor::stay`], unless somebody wants quiet without further ado.
    pub(super) fn look_up(&mut self) {
        let wants_quiet = |it: &Holding| it.callers.iter().any(|it| matches!(it, Caller::Quiesce(_)));
        if !self.visits.holding.as_ref().is_some_and(wants_quiet) {
            self.stay();
        }
        self.input(Input::Foreground);
    }

    /// Tells or sends to sleep whoever has nothing more to wait for.
    pub(super) fn look_after_visits(&mut self) {
        let now = self.shared.now().boot_ms;
        let (mut departs, mut left) = (false, u64::MAX);
        for waiting in std::mem::take(&mut self.visits.waiting) {
            let goes = matches!(waiting.who, Who::Background(_));
            let sleeps = goes || self.visits.back_to_quiet;
            let until = waiting.until.saturating_sub(if sleeps { CLOSING_TAKES_MS } else { 0 });
            match self.nothing_to_wait_for(until) {
                None => self.visits.waiting.push(waiting),
                Some(why) if sleeps => {
                    (departs, left) = (departs || goes, left.min(until.saturating_sub(now)));
                    let caller = self.leaves(waiting.who, why);
                    self.visits.finished.push(caller);
                }
                Some(why) => self.leaves(waiting.who, why).tell(),
            }
        }
        let none_waits = self.visits.waiting.is_empty() && self.visits.holding.is_none();
        if departs || (self.visits.back_to_quiet && none_waits) {
            self.go_quiet(Duration::from_millis(left));
        }
    }

    /// Why nobody need wait any more for sync to come to rest before `until`; where it has, that why does not count.
    fn nothing_to_wait_for(&self, until: u64) -> Option<Unfinished> {
        let now = self.shared.now();
        if now.boot_ms >= until {
            return Some(Unfinished::OutOfTime);
        }
        match self.engine.rest(now, until) {
            Rest::Busy => None,
            // What somebody asked for meanwhile comes first.
            Rest::Done | Rest::Left(_) if !self.shared.mailbox.is_empty() => None,
            Rest::Done => Some(Unfinished::OutOfTime),
            Rest::Left(why) => Some(why),
        }
    }

    /// Those who are to be told that it is quiet, once nothing is to be waited for any more.
    pub(super) fn take_ready(&mut self) -> Option<Vec<Caller>> {
        let refreshing = self.engine.is_refreshing();
        let ready = self.visits.holding.take_if(|it| it.until <= Instant::now() || !refreshing)?;
        let mut callers = ready.callers;
        callers.append(&mut self.visits.finished);
        for waiting in std::mem::take(&mut self.visits.waiting) {
            callers.push(self.leaves(waiting.who, Unfinished::Quiet));
        }
        Some(callers)
    }

    /// Closes the database as soon as no token is being renewed, and then tells all who wait.
    fn go_quiet(&mut self, at_most: Duration) {
        self.shared.mailbox.leave(true);
        let mut callers = std::mem::take(&mut self.visits.finished);
        for waiting in std::mem::take(&mut self.visits.waiting) {
            callers.push(self.leaves(waiting.who, Unfinished::Quiet));
        }
        self.visits.hold(callers, at_most);
    }

    /// Where sync stands as somebody stops waiting for it; `why` counts where something is left.
    fn leaves(&self, who: Who, why: Unfinished) -> Caller {
        let fresh = self.engine.is_fresh();
        let operations = self.engine.status().pending_changes;
        match who {
            Who::Background(reply) if fresh && operations == 0 => {
                Caller::Background(reply, Backgrounded::Done)
            }
            Who::Background(reply) => Caller::Background(reply, Backgrounded::Left { operations, why }),
            Who::Push { reply, fetched: true } if fresh => Caller::Push(reply, PushOutcome::NewData),
            Who::Push { reply, .. } if fresh => Caller::Push(reply, PushOutcome::NoData),
            Who::Push { reply, .. } => Caller::Push(reply, PushOutcome::Failed { why }),
        }
    }
}
