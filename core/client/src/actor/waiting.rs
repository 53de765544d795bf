//! Callers that wait for something to come true: an operation settled, a place in the feed reached.

use std::collections::{BTreeMap, VecDeque};

use innsync_domain::Uuid;
use innsync_engine::{Input, OpState, StoreRead};
use tokio::sync::oneshot;

use super::{Actor, Reply};
use crate::error::Error;
use crate::handle::Outcome;

/// Settled operations remembered, for callers that ask late.
const REMEMBERED: usize = 1_000;

#[derive(Default)]
pub(super) struct Waiting {
    operations: Vec<(Uuid, Reply<Outcome>)>,
    settled: VecDeque<(Uuid, Outcome)>,
    conditions: Vec<(Condition, oneshot::Sender<()>)>,
    barriers: BTreeMap<u64, oneshot::Sender<()>>,
}

/// Something that commits may bring about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// No operation queued before that place in the order is unsettled.
    Drained {
        /// The first place that is of no interest.
        before: u64,
    },
}

impl Waiting {
    /// What that caller waits for is here.
    pub(super) fn lifted(&mut self, request: u64) {
        if let Some(reply) = self.barriers.remove(&request) {
            let _ = reply.send(());
        }
    }

    /// An operation was settled.
    pub(super) fn settled(&mut self, id: Uuid, outcome: Outcome) {
        for (_, reply) in self.operations.extract_if(.., |(waits_for, _)| *waits_for == id) {
            let _ = reply.send(Ok(outcome.clone()));
        }
        if self.settled.len() == REMEMBERED {
            self.settled.pop_front();
        }
        self.settled.push_back((id, outcome));
    }
}

impl Actor {
    /// Answers when the operation is settled; at once for one that the outbox does not know (any more).
    pub(crate) fn wait_for_operation(&mut self, id: Uuid, reply: Reply<Outcome>) {
        self.kept.waiting.operations.retain(|(_, reply)| !reply.is_closed());
        match self.outcome_so_far(id) {
            Ok(None) => self.kept.waiting.operations.push((id, reply)),
            Ok(Some(outcome)) => drop(reply.send(Ok(outcome))),
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    fn outcome_so_far(&self, id: Uuid) -> Result<Option<Outcome>, Error> {
        Ok(
            match self
                .store
                .outbox()?
                .into_iter()
                .find(|queued| queued.op.id == id)
                .map(|queued| queued.state)
            {
                Some(OpState::Parked { reason }) => Some(Outcome::Parked(Box::new(reason))),
                Some(OpState::Queued | OpState::Sent | OpState::Applied { .. }) => None,
                None => {
                    let settled = self.kept.waiting.settled.iter().rev().find(|(settled, _)| *settled == id);
                    Some(settled.map_or(Outcome::Confirmed, |(_, outcome)| outcome.clone()))
                }
            },
        )
    }

    /// Answers when the condition holds.
    pub(crate) fn wait_for(&mut self, condition: Condition, reply: oneshot::Sender<()>) {
        self.kept.waiting.conditions.retain(|(_, reply)| !reply.is_closed());
        self.kept.waiting.conditions.push((condition, reply));
        self.check_conditions();
    }

    /// Where the next operation would come in the order.
    pub(crate) fn next_order(&self) -> Result<u64, Error> {
        Ok(self.store.meta()?.next_order)
    }

    /// Answers when everything that the server has now is here, and every operation of now is settled.
    pub(crate) fn up_to_date(&mut self, reply: oneshot::Sender<()>) {
        let gone = |(_, reply): &(&u64, &oneshot::Sender<()>)| reply.is_closed();
        let gone: Vec<u64> =
            self.kept.waiting.barriers.iter().filter(gone).map(|(request, _)| *request).collect();
        for request in gone {
            self.kept.waiting.barriers.remove(&request);
            self.input(Input::GiveUpBarrier { request });
        }
        let request = self.next_request;
        self.next_request += 1;
        self.kept.waiting.barriers.insert(request, reply);
        self.input(Input::Barrier { request });
    }

    /// A new engine does not know who waits.
    pub(super) fn raise_barriers_again(&mut self) {
        let waiting = std::mem::take(&mut self.kept.waiting.barriers).into_values();
        for reply in waiting.filter(|reply| !reply.is_closed()) {
            self.up_to_date(reply);
        }
    }

    /// After a commit.
    pub(super) fn check_waiting(&mut self) {
        if !self.kept.waiting.conditions.is_empty() {
            self.check_conditions();
        }
    }

    fn check_conditions(&mut self) {
        let conditions = std::mem::take(&mut self.kept.waiting.conditions);
        for (condition, reply) in conditions {
            match self.holds(condition) {
                Ok(true) => drop(reply.send(())),
                Ok(false) => self.kept.waiting.conditions.push((condition, reply)),
                // Its caller sees that nobody answers any more.
                Err(error) => tracing::debug!(%error, "a condition could not be looked at"),
            }
        }
    }

    fn holds(&self, condition: Condition) -> Result<bool, Error> {
        Ok(match condition {
            Condition::Drained { before } => {
                let parked = |state: &OpState| matches!(state, OpState::Parked { .. });
                self.store.outbox()?.iter().all(|queued| queued.order >= before || parked(&queued.state))
            }
        })
    }
}
