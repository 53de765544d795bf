//! Apps that go to the background, and are woken by pushes: what can be sent and fetched in the time that the platform gives
//! is, then the app is closed. As `core/client` does it, but for the threads.

use innsync_engine::{Input, OpState, QueuedOp, Rest};
use innsync_protocol::{Cursor, PushHint};

use crate::failure::{Checked, Violation};
use crate::host::broken;
use crate::people::PROPERTY;
use crate::plan::Hint;
use crate::queue::Event;
use crate::sometimes::Sometimes;
use crate::world::World;

/// Milliseconds between two looks at whether sync has come to rest, besides those at each input.
const LOOK_MS: u64 = 250;
/// Milliseconds kept of the time given for closing.
const CLOSING_MS: u64 = 300;

/// Somebody waits for sync to come to rest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visit {
    /// When the platform's patience ends.
    until: u64,
    /// When the app that is closed after it is opened again; `None`: it stays awake.
    quiet_until: Option<u64>,
    /// Where the server was when it began, and in which of its histories: how many were before it.
    head: Cursor,
    history: usize,
}

/// What a push says of the feed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    hint: PushHint,
    /// In which of the server's histories that is: how many were before it.
    history: usize,
}

impl World {
    pub(crate) fn background(&mut self, who: usize, budget_ms: u64, ms: u64) -> Checked {
        let phone = &self.phones[who];
        if phone.engine.is_none() || phone.is_frozen(self.now) {
            return Ok(());
        }
        self.note(format!("{}'s app has {budget_ms} ms to go to the background", self.name(who)));
        self.visit(who, budget_ms, Some(self.now + budget_ms + ms))
    }

    /// What the push says of the feed is how far it is now, whenever it arrives.
    pub(crate) fn push_is_sent(&mut self, who: usize, budget_ms: u64, hint: Option<Hint>) -> Checked {
        let Some(Hint { late_ms, again_ms, with_mark }) = hint else {
            return self.push_arrives(who, budget_ms, None);
        };
        let Cursor { epoch, seq, mark } = self.host.authority.read().head(PROPERTY).map_err(broken)?;
        let hint = PushHint { epoch, seq, mark: with_mark.then_some(mark) };
        let told = Told { hint, history: self.past.len() };
        for at in [Some(late_ms), again_ms.map(|again_ms| late_ms + again_ms)].into_iter().flatten() {
            self.queue.push(self.now + at, Event::Push { who, budget_ms, told });
        }
        Ok(())
    }

    pub(crate) fn push_arrives(&mut self, who: usize, budget_ms: u64, told: Option<&Told>) -> Checked {
        if self.phones[who].visit.is_some() || self.phones[who].is_frozen(self.now) {
            return Ok(());
        }
        if let Some(told) = told {
            if self.is_there_already(who, told)? {
                return Ok(());
            }
            self.reach(Sometimes::HintNews);
        }
        let quiet_until = self.phones[who].quiet_until;
        match self.phones[who].engine {
            Some(_) => {}
            None if quiet_until.is_some() => {
                self.reach(Sometimes::WokenByPush);
                self.start(who)?;
            }
            None => return Ok(()),
        }
        if self.phones[who].engine.is_none() {
            return Ok(());
        }
        self.note(format!("a push wakes {}'s app", self.name(who)));
        self.visit(who, budget_ms, quiet_until)
    }

    /// Whether nothing is to be fetched for that push, and nothing to be sent. A phone in a history that the server has lost
    /// must not take itself to be where the push says, where it is no further and the push says the mark.
    fn is_there_already(&mut self, who: usize, told: &Told) -> Checked<bool> {
        let shadow = &self.phones[who].shadow;
        let (hint, cursor) = (told.hint, shadow.meta.cursor);
        let is_pending = |op: &QueuedOp| !matches!(op.state, OpState::Parked { .. });
        let is_idle = shadow.meta.has_data && !shadow.outbox.values().any(is_pending);
        if !is_idle || !hint.is_reached_by(&cursor) {
            return Ok(false);
        }
        let is_seen = cursor.seq == hint.seq && hint.mark.is_some();
        if is_seen && self.history_of(who)? < told.history {
            let name = self.name(who);
            let detail = format!("{name} takes itself to be at {hint:?}, in a history that was lost");
            return Err(Violation::new("G17", detail));
        }
        self.reach(Sometimes::HintKnown);
        Ok(true)
    }

    fn visit(&mut self, who: usize, budget_ms: u64, quiet_until: Option<u64>) -> Checked {
        let head = self.host.authority.read().head(PROPERTY).map_err(broken)?;
        let (until, history) = (self.now + budget_ms, self.past.len());
        self.phones[who].visit = Some(Visit { until, quiet_until, head, history });
        self.wants_sync(who)?;
        self.look_again(who)
    }

    /// What is new is to be asked for, where somebody waits for it: also by an engine that begins anew meanwhile.
    pub(crate) fn wants_sync(&mut self, who: usize) -> Checked {
        let phone = &self.phones[who];
        let Some(Visit { until, .. }) = phone.visit else { return Ok(()) };
        let until = phone.boot_ms(until);
        self.feed(who, Input::Sync { until })
    }

    /// The app is seen again: nobody goes to the background.
    pub(crate) fn is_seen(&mut self, who: usize) {
        let phone = &mut self.phones[who];
        phone.visit = None;
        phone.quiet_until = None;
    }

    pub(crate) fn look_again(&mut self, who: usize) -> Checked {
        self.look_after(who)?;
        let phone = &self.phones[who];
        if phone.visit.is_some() && phone.engine.is_some() {
            let at = phone.frozen_until.max(self.now + LOOK_MS);
            self.queue.push(at, Event::Look { who, life: phone.life });
        }
        Ok(())
    }

    /// Ends a visit that has nothing more to wait for.
    pub(crate) fn look_after(&mut self, who: usize) -> Checked {
        let phone = &self.phones[who];
        let (Some(visit), Some(engine)) = (phone.visit, &phone.engine) else { return Ok(()) };
        if phone.is_frozen(self.now) {
            return Ok(());
        }
        let sleeps = if visit.quiet_until.is_some() { CLOSING_MS } else { 0 };
        let until = visit.until.saturating_sub(sleeps);
        let rest = match self.now < until {
            true => engine.rest(phone.now(self.now), phone.boot_ms(until)),
            false => Rest::Left(innsync_engine::Unfinished::OutOfTime),
        };
        match rest {
            Rest::Busy => return Ok(()),
            Rest::Done => self.is_done(who, &visit)?,
            Rest::Left(_) => self.reach(Sometimes::RestLeft),
        }
        let phone = &mut self.phones[who];
        let Some(quiet_until) = visit.quiet_until else {
            phone.visit = None;
            return Ok(());
        };
        let refreshes = phone.engine.as_ref().is_some_and(|engine| engine.is_refreshing());
        if refreshes && self.now < visit.until {
            // The rotated token is stored first.
            return Ok(());
        }
        phone.visit = None;
        if refreshes {
            self.reach(Sometimes::FrozenInBackground);
            return self.suspend(who, quiet_until.saturating_sub(self.now).max(1));
        }
        self.reach(Sometimes::Backgrounded);
        let down_ms = quiet_until.saturating_sub(self.now).max(1);
        self.phones[who].quiet_until = Some(quiet_until);
        self.close(who, down_ms)
    }

    /// What somebody is told who waited: all that the server had when they began is here, and everything is sent (G10).
    fn is_done(&mut self, who: usize, visit: &Visit) -> Checked {
        self.reach(Sometimes::RestDone);
        let history = self.history_of(who)?;
        let phone = &self.phones[who];
        let (name, at) = (phone.name(), phone.shadow.meta.cursor.seq);
        if (history, at) < (visit.history, visit.head.seq) {
            let detail =
                format!("{name} has fetched everything, at {at}; the server was at {}", visit.head.seq);
            return Err(Violation::new("G10", detail));
        }
        let parked = |state: &OpState| matches!(state, OpState::Parked { .. });
        match phone.shadow.outbox.values().find(|op| !parked(&op.state)) {
            Some(op) => {
                Err(Violation::new("G10", format!("{name} has sent everything, and {} waits", op.op.id)))
            }
            None => Ok(()),
        }
    }
}
