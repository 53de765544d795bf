//! What became of operations, however the answer came: of a push, in a delta, with a snapshot. Each may come twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use innsync_domain::mutant::{self, Mutant};
use innsync_domain::{EntityRef, ErrorClass, Rejection, Timestamp, Uuid};
use innsync_protocol::{OpOutcome, OpResult};

use crate::draft::{Draft, receipt};
use crate::outbox::{OpState, ParkReason, QueuedOp, Receipt};
use crate::output::Output;
use crate::queue::is_pending;
use crate::store::StoreError;

impl Draft<'_> {
    pub(crate) fn on_result(&mut self, result: &OpResult) -> Result<(), StoreError> {
        let Some(op) = self.state.outbox.get(result.id).cloned() else { return Ok(()) };
        match result.result.settled() {
            OpOutcome::Applied { seq, version, .. } => {
                self.op_applied(&op, *seq, *version);
                self.hand_on_version(&op, *version);
            }
            // What others did meanwhile the next operation of the lane has not seen either.
            OpOutcome::Merged { seq, version, .. } => self.op_applied(&op, *seq, *version),
            // What is applied or parked is decided; a late word from an older attempt does not change it.
            _ if matches!(op.state, OpState::Applied { .. } | OpState::Parked { .. }) => {}
            OpOutcome::Conflict { current, fields, rejection, deleted } => {
                let reason = ParkReason::Conflict {
                    current: current.clone(),
                    fields: fields.clone(),
                    rejection: rejection.clone(),
                    deleted: deleted.clone(),
                };
                self.park(&op, reason);
            }
            OpOutcome::Rejected { class: ErrorClass::Transient, .. } => self.try_op_again(&op, 0),
            OpOutcome::Rejected { class: ErrorClass::Auth, .. } => {
                // The token is to blame, not the operation: it costs no attempt.
                let attempts = op.attempts.saturating_sub(u32::from(op.state == OpState::Sent));
                self.wait_and_queue(&QueuedOp { attempts, ..QueuedOp::clone(&op) }, 0);
                let token = self.state.session.access_token();
                self.token_refused(&token);
            }
            OpOutcome::Rejected { class, rejection } => {
                let rejection = Rejection { class: class.clone(), ..rejection.clone() };
                self.park(&op, ParkReason::Rejected { rejection });
            }
            OpOutcome::Retry { after } => self.try_op_again(&op, *after),
            OpOutcome::Duplicate { .. } => {}
        }
        Ok(())
    }

    fn op_applied(&mut self, op: &QueuedOp, seq: u64, version: u64) {
        if matches!(op.state, OpState::Applied { .. }) {
            // Another seq: the same operation in the other history of a restored backup.
            self.set_op_state(op, OpState::Applied { seq, version });
            return;
        }
        if matches!(op.state, OpState::Parked { .. }) {
            // It comes back into the prediction until its effect is here.
            self.touch(op);
        }
        self.state.push.forget(op.op.id);
        self.set_op_state(op, OpState::Applied { seq, version });
        if !self.state.link.is_live() {
            self.state.feed.want_pull();
        }
    }

    /// The next operation of the lane, where its author had seen the same before this one, builds on what this one made: nobody
    /// conflicts with themself.
    fn hand_on_version(&mut self, op: &QueuedOp, version: u64) {
        let primary = op.op.command.primary();
        let seen = op.op.base_version;
        let later = |it: &&std::sync::Arc<QueuedOp>| {
            it.order > op.order && it.state == OpState::Queued && it.op.command.primary() == primary
        };
        // Where it saw something else, there is what it has not seen.
        let next = self.state.outbox.iter().find(later).filter(|next| next.op.base_version == seen).cloned();
        if let Some(next) = next.filter(|_| version > 0) {
            let mut next = QueuedOp::clone(&next);
            next.op.base_version = Some(version);
            self.put_op(next);
        }
    }

    /// Removes the operations whose effect the mirror has: in the same batch that brings it. Only for when the server is
    /// known to go on from the cursor: the answers of one that was restored from a backup number another history.
    pub(crate) fn confirm_reached(&mut self) {
        let reached = self.state.meta.cursor.seq;
        self.confirm(|op| {
            matches!(op.state, OpState::Applied { seq, .. } if seq <= reached || mutant::is(Mutant::OverlayEarly))
        });
        if self.state.outbox.taken().is_empty() {
            self.state.feed.trust();
        }
    }

    /// Removes those that stayed over an earlier one, where that is gone by now.
    pub(crate) fn confirm_kept(&mut self) {
        if !self.state.kept.is_empty() {
            let kept = self.state.kept.clone();
            self.confirm(|op| kept.contains(&op.op.id));
        }
    }

    /// Of those that are done, one that was meant after another that is not, and writes what that one writes, stays: a server
    /// that was restored from a backup may have taken it first, and the earlier one alone would show again what the person
    /// has changed since.
    fn confirm(&mut self, is_done: impl Fn(&QueuedOp) -> bool) {
        if !self.state.outbox.iter().any(|op| is_done(op)) {
            return;
        }
        let mut left: BTreeMap<&EntityRef, Timestamp> = BTreeMap::new();
        let (mut done, mut kept) = (Vec::new(), BTreeSet::new());
        for op in self.state.outbox.iter().filter(|op| is_pending(op)) {
            let (writes, meant) = (&op.footprint.writes, op.op.intent.best());
            let follows = writes.iter().any(|it| left.get(it).is_some_and(|earlier| *earlier <= meant));
            match (is_done(op), follows) {
                (true, false) => {
                    done.push(Arc::clone(op));
                    continue;
                }
                (true, true) => drop(kept.insert(op.op.id)),
                (false, _) => {}
            }
            for entity in writes {
                let first = left.entry(entity).or_insert(meant);
                *first = meant.min(*first);
            }
        }
        self.state.kept = kept;
        for op in done {
            self.remove_op(op.op.id);
            self.state.push.round.confirmed += 1;
            self.tell(Output::Operation(Receipt { state: None, ..receipt(&op) }));
        }
    }

    /// Leaves it to a person.
    pub(crate) fn park(&mut self, op: &QueuedOp, reason: ParkReason) {
        self.touch(op);
        self.state.push.forget(op.op.id);
        self.state.push.round.parked += 1;
        self.notice_parked(op, &reason);
        self.set_op_state(op, OpState::Parked { reason });
    }

    fn try_op_again(&mut self, op: &QueuedOp, after: u64) {
        self.notice_trouble();
        self.wait_and_queue(op, after);
    }

    fn wait_and_queue(&mut self, op: &QueuedOp, after: u64) {
        let wait = self.state.random.backoff(op.attempts).max(after);
        self.state.push.hold(op.op.id, self.now.boot_ms.saturating_add(wait));
        self.set_op_state(op, OpState::Queued);
    }

    /// An operation that the server will never take for its size; unless it has taken it meanwhile, and something on the way
    /// says otherwise.
    pub(crate) fn park_too_large(&mut self, id: Uuid) {
        if let Some(op) = self.state.outbox.get(id).filter(|op| op.state == OpState::Sent).cloned() {
            let message = "This change is too large for the server; shorten it and try again.";
            let rejection = Rejection::permanent("TOO_LARGE".into(), message).about(op.op.command.primary());
            self.park(&op, ParkReason::Rejected { rejection });
        }
    }
}
