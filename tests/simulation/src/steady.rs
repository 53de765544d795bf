//! What is checked of a step, of what is shown, and of what waits, besides what [`crate::watch`] sees in its rows.

use innsync_domain::Uuid;
use innsync_engine::{Batch, Effect, Input, OpState, QueuedOp, Write, verify};
use innsync_protocol::SnapshotLine;
use innsync_store::Store;

use crate::failure::{Checked, Violation};
use crate::people::employee;
use crate::shadow::Touched;
use crate::world::World;

/// Transactions of a phone between two replays of its whole outbox, where nobody else changed anything.
const REPLAYED_EVERY: u64 = 32;
/// Milliseconds within which what may be sent is (G3), and the hub's second at which it is looked at.
const SENT_WITHIN_MS: u64 = 5_000 + 1_000;

/// What must have become of operations after a step.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// Those of a push that is being refused for its token, with their attempts.
    refused: Vec<(Uuid, u32)>,
    /// Those that a snapshot that is ending says have taken effect, with their commits.
    taken: Vec<(Uuid, u64)>,
    had_data: bool,
}

impl World {
    /// What an input asks for.
    pub(crate) fn expected(&self, who: usize, input: &Input) -> Expected {
        let shadow = &self.phones[who].shadow;
        let had_data = shadow.meta.has_data;
        match input {
            Input::Http { id, answer: Ok(answer) }
                if answer.status == 401 && self.phones[who].push == Some(*id) =>
            {
                let sent = shadow.outbox.values().filter(|op| op.state == OpState::Sent);
                let refused = sent.map(|op| (op.op.id, op.attempts)).collect();
                Expected { refused, had_data, ..Expected::default() }
            }
            Input::SnapshotLines { lines, .. } => {
                let end = lines.last().and_then(|line| SnapshotLine::parse(line).ok());
                let Some(SnapshotLine::End { results }) = end else { return Expected::default() };
                let taken = |it: &innsync_protocol::OpResult| Some((it.id, it.result.settled().seq()?));
                Expected {
                    taken: results.iter().filter_map(taken).collect(),
                    had_data,
                    ..Expected::default()
                }
            }
            _ => Expected::default(),
        }
    }

    /// A step was committed: an attempt that was refused for its token is not counted (G12), and of what a snapshot holds
    /// nothing is still to be done (G7).
    pub(crate) fn is_as_expected(&self, who: usize, batch: &Batch, expected: &Expected) -> Checked {
        let (name, shadow) = (self.name(who), &self.phones[who].shadow);
        for (id, attempts) in &expected.refused {
            let queued = shadow.outbox.get(id).filter(|op| op.state == OpState::Queued);
            if queued.is_some_and(|op| op.attempts >= *attempts && *attempts > 0) {
                let detail = format!("{name}'s operation {id} has paid an attempt for a token");
                return Err(Violation::new("G12", detail));
            }
        }
        let swapped = batch.writes.iter().any(|write| matches!(write, Write::SwapStage));
        if !swapped && (expected.had_data || !shadow.meta.has_data) {
            return Ok(());
        }
        for (id, seq) in &expected.taken {
            let pending = shadow.outbox.get(id).filter(|op| !shadow.follows_another(op));
            if *seq <= shadow.meta.cursor.seq && pending.is_some() {
                let detail =
                    format!("{name} has a snapshot with operation {id} in it, and it is still pending");
                return Err(Violation::new("G7", detail));
            }
        }
        Ok(())
    }

    /// What is shown is the mirror with the whole outbox replayed over it, by the database itself: looked at whenever
    /// something came from the server under what is pending, and now and then besides.
    pub(crate) fn shows_what_is_pending(&mut self, who: usize, touched: &Touched) -> Checked {
        let phone = &mut self.phones[who];
        phone.commits += 1;
        let came = touched.everything || (!touched.rows.is_empty() && touched.put.is_empty());
        if phone.shadow.outbox.is_empty() || !(came || phone.commits.is_multiple_of(REPLAYED_EVERY)) {
            return Ok(());
        }
        let name = phone.name();
        let unreadable = |error| Violation::new("RUN", format!("{name}'s database: {error}"));
        let replayed = |store: &Store| store.reading(|view| verify(view, employee(phone.person)));
        let wrong =
            phone.storage.look(|store| replayed(store).and_then(|wrong| wrong).map_err(unreadable))?;
        match wrong.first() {
            None => Ok(()),
            Some(first) => Err(Violation::new("G7", format!("{name}: {first}"))),
        }
    }

    /// Disk ≥ screen: nobody is shown what is not committed.
    pub(crate) fn effect_is_committed(&self, who: usize, effect: &Effect) -> Checked {
        if self.phones[who].shadow.effects.contains(&effect.id) {
            return Ok(());
        }
        let detail = format!("{} is shown {:?} before it is on the disk", self.name(who), effect.body);
        Err(Violation::new("G6", detail))
    }

    /// An operation of which the phone itself says that it is about to be sent, is (G3).
    pub(crate) fn sends_soon(&mut self) -> Checked {
        for who in 0..self.phones.len() {
            let waits = self.waits_for_nothing(who);
            let phone = &mut self.phones[who];
            let Some(id) = waits else {
                phone.ready_since = None;
                continue;
            };
            let (first, since) = *phone.ready_since.get_or_insert((id, self.now));
            if first != id {
                phone.ready_since = Some((id, self.now));
            } else if self.now - since > SENT_WITHIN_MS {
                let (name, ms) = (phone.name(), self.now - since);
                return Err(Violation::new("G3", format!("{name}'s {id} was not sent for {ms} ms")));
            }
        }
        Ok(())
    }

    /// The first operation of a phone that is not sent yet, if nothing keeps it.
    fn waits_for_nothing(&self, who: usize) -> Option<Uuid> {
        let phone = &self.phones[who];
        if phone.is_frozen(self.now) {
            return None;
        }
        let engine = phone.engine.as_ref().filter(|engine| !engine.is_refreshing())?;
        let queued = phone.shadow.outbox.values().filter(|op| op.state == OpState::Queued);
        let first: &QueuedOp = queued.min_by_key(|op| op.order)?;
        engine.is_about_to_be_sent(phone.now(self.now), first.op.id).then_some(first.op.id)
    }
}
