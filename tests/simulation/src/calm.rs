//! After the plan: no more faults, everybody online. Within a bound everything must come to rest, and what has come to
//! rest must be right.

use innsync_engine::{Input, OpState, QueuedOp};

use crate::failure::{Checked, Violation};
use crate::host::broken;
use crate::model::Rows;
use crate::people::{PEOPLE, PROPERTY, employee};
use crate::plan::Faults;
use crate::world::World;

/// Virtual milliseconds within which all that can be sent is sent and all that happened is known. Backoff takes 30 s at
/// most, a sign-in 40 s, an app is down for 20 s at most, a request's timeout is 35 s.
const SETTLE_MS: u64 = 180_000;
/// How often people look through what is parked.
const ROUNDS: usize = 30;
/// Virtual milliseconds of rest that are watched at the end.
const REST_MS: u64 = 65_000;
/// Events in that time at most: a second of the hub's each ...
const REST_EVENTS: u64 = 65;
/// ... and of each phone a few heartbeats and a refresh of its token.
const REST_EVENTS_OF_ONE: u64 = 60;

impl World {
    /// Everything is well again, and stays so.
    pub(crate) fn calm(&mut self) -> Checked {
        self.note("all is calm");
        self.is_calm = true;
        self.faults = Faults { delay_min_ms: 5, delay_max_ms: 20, ..Faults::default() };
        self.host.issuer.calm_down();
        for who in 0..self.phones.len() {
            self.is_seen(who);
            let phone = &mut self.phones[who];
            phone.death = None;
            phone.storage.heal();
            phone.offline_until = self.now;
            (phone.mute_until, phone.deaf_until) = (self.now, self.now);
            phone.wants_connection = true;
            self.feed(who, Input::NetworkChanged { available: true })?;
            self.feed(who, Input::Connect)?;
            self.raise_barrier(who)?;
        }
        self.settle()?;
        for _ in 0..ROUNDS {
            let mut parked = 0;
            for who in 0..self.phones.len() {
                for id in self.parked_of(who) {
                    parked += 1;
                    self.feed(who, Input::Discard { id })?;
                }
            }
            self.settle()?;
            if parked == 0 {
                break;
            }
        }
        self.lose_row()?;
        self.ends_right()?;
        self.is_all_on_disk()?;
        let before = self.events();
        self.until(self.now + REST_MS)?;
        let events = self.events() - before;
        if events > REST_EVENTS + REST_EVENTS_OF_ONE * self.phones.len() as u64 {
            return Err(Violation::new(
                "G3",
                format!("no rest: {events} events in {REST_MS} ms of doing nothing"),
            ));
        }
        Ok(())
    }

    /// G1: a last power loss takes nothing from anybody.
    fn is_all_on_disk(&mut self) -> Checked {
        for who in 0..self.phones.len() {
            let (operations, digest) = self.phones[who].storage.operations();
            self.trace.bytes(&digest.to_le_bytes());
            if self.phones[who].storage.is_on_disk() {
                self.note(format!("{}'s disk was used {operations} times", self.phones[who].name()));
                self.kill(who, 1, true)?;
                self.until(self.now + 10)?;
            }
        }
        self.settle()
    }

    pub(crate) fn settle(&mut self) -> Checked {
        let end = self.now + SETTLE_MS;
        loop {
            self.until(self.now + 500)?;
            match self.unsettled() {
                None => return Ok(()),
                Some(why) if self.now >= end => {
                    return Err(Violation::new("G3", format!("after {SETTLE_MS} ms without faults {why}")));
                }
                Some(_) => {}
            }
        }
    }

    /// What is still to be done, if anything.
    fn unsettled(&self) -> Option<String> {
        for phone in &self.phones {
            let name = phone.name();
            let Some(engine) = &phone.engine else { return Some(format!("{name}'s app is not running")) };
            let mut ops: Vec<&QueuedOp> = phone.shadow.outbox.values().collect();
            ops.sort_by_key(|op| op.order);
            if let Some(op) = sendable(&ops) {
                let why = engine.why_waiting(phone.now(self.now), op.op.id);
                let why = why.unwrap_or_else(|| "the engine does not know it".to_owned());
                return Some(format!("{name}'s {} {} still waits: {why}", op.op.command.name(), op.op.id));
            }
            let (cursor, head) = (phone.shadow.meta.cursor, self.model.head());
            if !phone.shadow.meta.has_data || cursor.seq != head || !self.model.has(&cursor) {
                return Some(format!("{name} is at {} {}, the head is {head}", cursor.seq, cursor.mark));
            }
            // What follows a parked operation waits for a person, and a barrier with it.
            if phone.barriers.iter().any(|barrier| barrier.unsettled(&phone.shadow).is_none()) {
                return Some(format!("{name} waits to be up to date"));
            }
            let status = engine.status();
            if status.pending_changes as usize != ops.iter().filter(|op| !is_parked(op)).count() {
                return Some(format!("{name} is told of {} pending changes", status.pending_changes));
            }
        }
        None
    }

    fn ends_right(&self) -> Checked {
        let head = self.host.authority.read().head(PROPERTY).map_err(broken)?.seq;
        let operations = self.host.authority.read().operations(PROPERTY).map_err(broken)?;
        if head != self.model.head() || operations != self.model.confirmed() {
            let detail = format!(
                "the ledger has {head} commits of {operations} operations, the reference {} of {}",
                self.model.head(),
                self.model.confirmed()
            );
            return Err(Violation::new("G2", detail));
        }
        for (id, accepted) in &self.accepted {
            let confirmed = self.model.outcome(*id).is_some_and(|outcome| outcome.seq().is_some());
            // What is lost with commits that a backup does not have, after its author was told that they are done.
            let confirmed = confirmed || self.left.get(id).is_some_and(|it| *it < self.past.len());
            if !confirmed && !self.given_up.contains(id) && !accepted.command.is_cosmetic() {
                let (who, command) = (PEOPLE[accepted.person].name, accepted.command.name());
                return Err(Violation::new("G1", format!("{who}'s {command} {id} was saved, and is gone")));
            }
        }
        for phone in &self.phones {
            phone.watch.is_at_the_end(&self.model, &phone.shadow)?;
            self.digests_agree(phone)?;
            phone.storage.look(|store| phone.shadow.compare(phone.name(), store))?;
            let Some((view, _)) = self.model.view_at(head, employee(phone.person)) else {
                return Err(Violation::new("RUN", format!("{} is not on the staff", phone.name())));
            };
            let snapshot: Rows = self.host.snapshot(phone.person)?;
            if snapshot != view {
                let odd = view.keys().chain(snapshot.keys()).find(|it| view.get(it) != snapshot.get(it));
                return Err(Violation::new(
                    "G2",
                    format!("{}'s snapshot is not the reference: {odd:?}", phone.name()),
                ));
            }
            if let Some(op) = phone.shadow.outbox.values().next() {
                let detail = format!("{}'s {} {} never ended", phone.name(), op.op.command.name(), op.op.id);
                return Err(Violation::new("G1", detail));
            }
            if phone.shadow.shown != view {
                let odd = view.keys().chain(phone.shadow.shown.keys());
                let odd = odd.into_iter().find(|it| view.get(it) != phone.shadow.shown.get(it));
                return Err(Violation::new(
                    "G9",
                    format!("{} is not shown what is so: {odd:?}", phone.name()),
                ));
            }
        }
        Ok(())
    }
}

fn is_parked(op: &QueuedOp) -> bool {
    matches!(op.state, OpState::Parked { .. })
}

/// The first operation that nothing parked holds back, directly or through others.
fn sendable<'a>(ops: &[&'a QueuedOp]) -> Option<&'a QueuedOp> {
    let mut held: Vec<&QueuedOp> = Vec::new();
    for op in ops {
        let depends = ops.iter().any(|other| op.op.depends_on.contains(&other.op.id));
        let behind = |earlier: &&QueuedOp| match is_parked(earlier) {
            true => earlier.op.command.primary() == op.op.command.primary(),
            false => earlier.footprint.conflicts_with(&op.footprint),
        };
        if is_parked(op) || depends || held.iter().any(behind) {
            held.push(op);
        } else {
            return Some(op);
        }
    }
    None
}
