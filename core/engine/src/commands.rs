//! What a person does: executed at once on what they see, and queued.

use std::sync::Arc;

use innsync_domain::{Command, ErrorClass, Fields, Reason, Rejection, Timestamp, Uuid, limits::READ_MARKS};
use innsync_protocol::limits::OP_BYTES;
use innsync_protocol::{IntentTime, Op, SCHEMA};

use crate::clock::Now;
use crate::draft::{Draft, receipt};
use crate::limits::{DISCARDED_KEPT_MS, OPS_QUEUED};
use crate::outbox::{Discarded, Footprint, OpState, ParkReason, QueuedOp, Receipt};
use crate::output::Output;
use crate::predict::{Outlook, PredictedRows, Rows, least_footprint, predict};
use crate::queue::is_pending;
use crate::replay::{Over, replay};
use crate::state::State;
use crate::store::{StoreError, Write};

impl Draft<'_> {
    pub(crate) fn execute(
        &mut self,
        request: u64,
        id: Uuid,
        command: Command,
        depends_on: Vec<Uuid>,
    ) -> Result<(), StoreError> {
        let result = self.queue(id, command, depends_on)?;
        self.tell(Output::Executed { request, result });
        Ok(())
    }

    pub(crate) fn queue(
        &mut self,
        id: Uuid,
        command: Command,
        depends_on: Vec<Uuid>,
    ) -> Result<Result<Receipt, Rejection>, StoreError> {
        if let Some(known) = self.state.outbox.get(id) {
            return Ok(if known.op.command == command {
                Ok(receipt(known))
            } else {
                Err(Rejection::permanent(Reason::IdReused, "This operation's id is taken; use a new one."))
            });
        }
        let op = self.new_op(id, command, depends_on);
        if let Err(rejection) = self.check_room(&op) {
            return Ok(Err(rejection));
        }
        if op.depends_on.is_empty()
            && let Some(joined) = self.join_read_marks(&op)?
        {
            return Ok(Ok(joined));
        }
        let before = self.screen().row(&op.command.primary())?;
        let queued = self.enqueue(op)?;
        if let Ok(op) = &queued {
            self.remember_deed(op, before)?;
        }
        Ok(queued.map(|op| receipt(&op)))
    }

    pub(crate) fn new_op(&self, id: Uuid, command: Command, depends_on: Vec<Uuid>) -> Op {
        Op {
            id,
            author: self.config.employee,
            device: self.config.device.clone(),
            depends_on,
            supersedes: None,
            intent: IntentTime {
                boot_id: self.config.boot_id.clone(),
                boot_ms: self.now.boot_ms,
                wall: self.now.wall,
                corrected: self.state.clock.at(self.now.boot_ms),
            },
            base_version: None,
            base: Fields::new(),
            force: false,
            schema: SCHEMA,
            command,
        }
    }

    fn check_room(&self, op: &Op) -> Result<(), Rejection> {
        if self.state.outbox.len() >= OPS_QUEUED {
            let message = format!(
                "{OPS_QUEUED} changes wait on this phone, which is the most; connect it so that they can be sent."
            );
            return Err(limit_reached("OUTBOX_FULL", ErrorClass::Transient, message));
        }
        check_size(op)
    }

    /// Predicts an operation over what is shown and puts it at the end of the outbox; or says why it is refused at once.
    pub(crate) fn enqueue(&mut self, mut op: Op) -> Result<Result<QueuedOp, Rejection>, StoreError> {
        let outlook = predict(&op.command, op.id, op.intent.best(), self.observer(), &self.screen())?;
        let (footprint, rows) = match foreseen(&mut op, outlook) {
            Ok(foreseen) => foreseen,
            Err(rejection) => return Ok(Err(rejection)),
        };
        self.predicted.extend(rows);
        self.await_rows(&footprint)?;
        let order = self.state.meta.next_order;
        self.state.meta.next_order = order + 1;
        self.state.push.round.waited |= !self.state.link.is_live();
        let queued = QueuedOp { op, order, footprint, state: OpState::Queued, attempts: 0 };
        self.put_op(queued.clone());
        Ok(Ok(queued))
    }

    /// What the operation may write gets a base row, also where nothing changes on the screen.
    fn await_rows(&mut self, footprint: &Footprint) -> Result<(), StoreError> {
        for entity in &footprint.writes {
            if !self.predicted.contains_key(entity) {
                let row = self.shown_before(entity)?;
                self.predicted.insert(entity.clone(), row);
            }
        }
        Ok(())
    }

    /// Read marks join those that have not left the phone yet.
    fn join_read_marks(&mut self, op: &Op) -> Result<Option<Receipt>, StoreError> {
        let Command::MarkRead { notification_ids: more } = &op.command else { return Ok(None) };
        let unsent = |it: &&Arc<QueuedOp>| {
            it.op.command.is_cosmetic() && it.state == OpState::Queued && it.attempts == 0
        };
        let Some(queued) = self.state.outbox.iter().rev().find(unsent).cloned() else { return Ok(None) };
        let mut queued = QueuedOp::clone(&queued);
        let Command::MarkRead { notification_ids } = &mut queued.op.command else { return Ok(None) };
        for id in more {
            if !notification_ids.contains(id) {
                notification_ids.push(*id);
            }
        }
        if notification_ids.len() > READ_MARKS {
            return Ok(None);
        }
        let outlook =
            predict(&queued.op.command, queued.op.id, op.intent.best(), self.observer(), &self.screen())?;
        // What is gone meanwhile is not written any more.
        self.touch(&queued);
        if let Outlook::Foreseen(prediction) = outlook {
            queued.footprint = prediction.footprint;
        }
        self.touch(&queued);
        self.put_op(queued.clone());
        Ok(Some(receipt(&queued)))
    }

    /// A parked operation is tried again as a new one in its place: what was meant to come after it still does. What was
    /// refused is tried on what is there now; what is in conflict still says what its author saw, so that the server decides
    /// once more.
    pub(crate) fn retry(&mut self, parked: Uuid, id: Uuid) -> Result<(), StoreError> {
        let Some(old) = self.parked(parked, id) else {
            self.error(format!("operation {parked} is not parked, or {id} is taken"));
            return Ok(());
        };
        match self.replace(&old, id, old.op.command.clone(), Upon::of(&old))? {
            Ok(_) => {}
            // Just now it cannot be told, as before the first snapshot: the reason that it has says more.
            Err(rejection) if rejection.class == ErrorClass::Transient => {
                self.error(format!("operation {parked} was not tried again: {}", rejection.reason.as_str()));
            }
            Err(rejection) => {
                let reason = match &old.state {
                    OpState::Parked { reason: ParkReason::Conflict { current, fields, deleted, .. } } => {
                        ParkReason::Conflict {
                            current: current.clone(),
                            fields: fields.clone(),
                            rejection: Some(rejection),
                            deleted: deleted.clone(),
                        }
                    }
                    _ => ParkReason::Rejected { rejection },
                };
                self.park(&old, reason);
            }
        }
        Ok(())
    }

    /// As [`Draft::retry`], with another command. Refused, everything stays as it was.
    pub(crate) fn edit(
        &mut self,
        request: u64,
        parked: Uuid,
        id: Uuid,
        command: Command,
    ) -> Result<(), StoreError> {
        let refuse = |message: &str| Err(Rejection::permanent(Reason::InvalidField, message));
        let result = match self.parked(parked, id) {
            None => refuse("That change does not wait for a decision of yours any more."),
            Some(old) if old.op.command.primary() != command.primary() => {
                refuse("What takes the place of a change must be about the same thing.")
            }
            Some(old) => self.replace(&old, id, command, Upon::of(&old))?,
        };
        self.tell(Output::Executed { request, result });
        Ok(())
    }

    /// The parked operation, if the other id is free.
    pub(crate) fn parked(&self, parked: Uuid, id: Uuid) -> Option<Arc<QueuedOp>> {
        let old = self.state.outbox.get(parked).filter(|old| matches!(old.state, OpState::Parked { .. }))?;
        self.state.outbox.get(id).is_none().then(|| Arc::clone(old))
    }

    /// Puts a command in the place of a parked operation.
    pub(crate) fn replace(
        &mut self,
        old: &QueuedOp,
        id: Uuid,
        command: Command,
        upon: Upon,
    ) -> Result<Result<Receipt, Rejection>, StoreError> {
        let mut op = self.new_op(id, command, old.op.depends_on.clone());
        op.supersedes = Some(old.op.id);
        op.force = upon == Upon::Shown;
        if let Err(rejection) = check_size(&op) {
            return Ok(Err(rejection));
        }
        let outlook = {
            let earlier = self.state.outbox.iter().filter(|it| it.order < old.order && is_pending(it));
            let earlier = replay(earlier, self.observer(), self)?;
            let ground = Over::new(&earlier.rows, self);
            predict(&op.command, op.id, op.intent.best(), self.observer(), &ground)?
        };
        let (footprint, _) = match foreseen(&mut op, outlook) {
            Ok(foreseen) => foreseen,
            Err(rejection) => return Ok(Err(rejection)),
        };
        if upon == Upon::Then {
            let same = op.command == old.op.command;
            let seen = old.op.base.iter().filter(|(name, _)| same || op.base.contains_key(*name));
            let seen: Fields = seen.map(|(name, value)| (name.clone(), value.clone())).collect();
            op.base.extend(seen);
            op.base_version = old.op.base_version;
        }
        let new = QueuedOp { op, order: old.order, footprint, state: OpState::Queued, attempts: 0 };
        self.remove_op(old.op.id);
        self.touch(&new);
        self.put_op(new.clone());
        self.redirect_dependents(old.op.id, id);
        self.state.deed_is_now(old.op.id, &new.op, upon);
        self.tell(Output::Operation(receipt(&new)));
        Ok(Ok(receipt(&new)))
    }

    fn redirect_dependents(&mut self, from: Uuid, to: Uuid) {
        let dependents: Vec<_> =
            self.state.outbox.iter().filter(|op| op.op.depends_on.contains(&from)).cloned().collect();
        for op in dependents {
            let mut op = QueuedOp::clone(&op);
            for dependency in &mut op.op.depends_on {
                if *dependency == from {
                    *dependency = to;
                }
            }
            self.put_op(op);
        }
    }

    pub(crate) fn discard(&mut self, id: Uuid) {
        let Some(op) = self.state.outbox.get(id).cloned() else {
            return self.error(format!("there is no operation {id} to discard"));
        };
        if !op.may_be_discarded() {
            return self.error(format!("operation {id} has left the phone and cannot be discarded"));
        }
        self.forget(&op);
        self.park_dependents(id);
    }

    /// The latest first, so that nothing is parked or sent in between.
    pub(crate) fn discard_with_dependents(&mut self, id: Uuid) {
        if !self.state.outbox.get(id).is_some_and(|op| op.may_be_discarded()) {
            return self.discard(id);
        }
        for dependent in self.state.dependents(id).into_iter().rev() {
            if let Some(op) = self.state.outbox.get(dependent).filter(|op| op.may_be_discarded()).cloned() {
                self.forget(&op);
                self.park_dependents(dependent);
            }
        }
        self.discard(id);
    }

    pub(crate) fn forget(&mut self, op: &QueuedOp) {
        self.state.push.forget(op.op.id);
        self.state.forget_deed(op.op.id);
        self.remove_op(op.op.id);
        if !op.op.command.is_cosmetic() {
            if let Some(before) = self.state.discarded_horizon(self.now) {
                self.discards.push(Write::ForgetDiscarded { before });
            }
            let at = self.state.clock.guess(self.now);
            self.discards.push(Write::PutDiscarded(Discarded { at, op: op.clone() }));
        }
    }

    /// What was to come after a discarded operation is left to a person, who may retry it by itself: the server would
    /// wait for the discarded one for ever.
    pub(crate) fn park_dependents(&mut self, discarded: Uuid) {
        let dependents: Vec<_> =
            self.state.outbox.iter().filter(|op| op.op.depends_on.contains(&discarded)).cloned().collect();
        for op in dependents {
            let mut op = QueuedOp::clone(&op);
            op.op.depends_on.retain(|it| *it != discarded);
            self.put_op(op.clone());
            // What has left the phone may be done already.
            if op.state == OpState::Queued && op.may_be_discarded() {
                let message =
                    "The change that this one was to follow was discarded; retry or discard this one, too.";
                let rejection =
                    Rejection::permanent(Reason::DependencyFailed, message).about(op.op.command.primary());
                self.park(&op, ParkReason::Rejected { rejection });
            }
        }
    }
}

impl State {
    /// See [`crate::Engine::discarded_horizon`].
    pub(crate) fn discarded_horizon(&self, now: Now) -> Option<Timestamp> {
        self.clock.at(now.boot_ms).map(|now| now.plus_millis(-DISCARDED_KEPT_MS))
    }
}

/// What the author of an operation that takes another one's place had before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upon {
    /// What is there now.
    Now,
    /// What they saw when they meant it first.
    Then,
    /// What is there now, as the conflict that they settle showed it: they know whose values they put aside.
    Shown,
}

impl Upon {
    fn of(parked: &QueuedOp) -> Self {
        match parked.state {
            OpState::Parked { reason: ParkReason::Conflict { .. } } => Self::Then,
            _ => Self::Now,
        }
    }
}

/// Writes into `op` what the person saw, and gives what it touches and changes; or why it is refused at once.
fn foreseen(op: &mut Op, outlook: Outlook) -> Result<(Footprint, PredictedRows), Rejection> {
    match outlook {
        Outlook::Refused(rejection) => Err(rejection),
        Outlook::Nobody => Err(nobody()),
        Outlook::Unforeseen => Ok((least_footprint(&op.command, op.author), Vec::new())),
        Outlook::Foreseen(prediction) => {
            op.base_version = prediction.base_version;
            op.base = prediction.base;
            // Again: the values before count, too.
            check_size(op)?;
            Ok((prediction.footprint, prediction.rows))
        }
    }
}

pub(crate) fn check_size(op: &Op) -> Result<(), Rejection> {
    let bytes = serde_json::to_string(op).map_or(usize::MAX, |text| text.len());
    if bytes > OP_BYTES {
        let message = format!("This change has {bytes} bytes; at most {OP_BYTES} are possible. Shorten it.");
        return Err(limit_reached("TOO_LARGE", ErrorClass::Permanent, message));
    }
    Ok(())
}

fn limit_reached(reason: &str, class: ErrorClass, message: String) -> Rejection {
    Rejection { class, ..Rejection::permanent(Reason::from(reason), message) }
}

/// Before the first snapshot nobody knows who this is and what they may do.
pub(crate) fn nobody() -> Rejection {
    let message = "This phone has not fetched your data yet; connect it once, then try again.";
    limit_reached("NO_DATA", ErrorClass::Transient, message.to_owned())
}
