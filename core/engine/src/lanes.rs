//! Which operations may be sent. Order is by footprint: an operation waits for every earlier one that it shares an entity
//! with (unless both only read it) until the server has taken that one. A parked one holds back its own entity and its
//! declared dependents, nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use innsync_domain::{EntityRef, Uuid};

use crate::outbox::{OpState, QueuedOp};
use crate::queue::Outbox;
use crate::state::State;

/// Why an operation is not sent just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Nothing holds it.
    Ready,
    /// The server asked for a pause, or failed with it.
    Until(u64),
    /// An earlier one on the same entity goes first.
    Earlier(Uuid),
    /// One that it depends on goes first.
    Dependency(Uuid),
    /// A parked one holds its lane.
    Parked(Uuid),
    /// It is on its way.
    UnderWay,
    /// The server has it.
    Taken,
    /// It is parked itself.
    NeedsPerson,
}

/// Walks the outbox in order and tells of each operation whether it may go. `until`: earliest times by operation;
/// `under_way`: those in the push that is not answered yet.
pub(crate) fn walk(
    outbox: &Outbox,
    now: u64,
    until: &BTreeMap<Uuid, u64>,
    under_way: &[Uuid],
    mut each: impl FnMut(&QueuedOp, Wait),
) {
    let mut lanes = Lanes::default();
    let under_way: BTreeSet<&Uuid> = under_way.iter().collect();
    for op in outbox.iter() {
        let wait = match &op.state {
            OpState::Parked { .. } => {
                lanes.parked.entry(op.op.command.primary()).or_insert(op.op.id);
                Wait::NeedsPerson
            }
            OpState::Applied { .. } => Wait::Taken,
            OpState::Queued | OpState::Sent if under_way.contains(&op.op.id) => Wait::UnderWay,
            OpState::Queued | OpState::Sent => lanes.wait(op, outbox, now, until),
        };
        if matches!(op.state, OpState::Queued | OpState::Sent) && !op.op.command.is_cosmetic() {
            lanes.occupy(op);
        }
        each(op, wait);
    }
}

impl State {
    /// See [`crate::Engine::dependents`].
    pub(crate) fn dependents(&self, operation: Uuid) -> Vec<Uuid> {
        let Some(first) = self.outbox.get(operation) else { return Vec::new() };
        let mut given_up = vec![first];
        for op in self.outbox.iter().filter(|op| op.order > first.order) {
            let builds_on = |earlier: &&Arc<QueuedOp>| {
                let creates = earlier.op.command.creates();
                op.op.depends_on.contains(&earlier.op.id)
                    || (creates && op.op.command.primary() == earlier.op.command.primary())
            };
            if given_up.iter().any(builds_on) {
                given_up.push(op);
            }
        }
        given_up.iter().skip(1).map(|op| op.op.id).collect()
    }
}

#[derive(Default)]
struct Lanes {
    written: BTreeMap<EntityRef, Uuid>,
    read: BTreeMap<EntityRef, Uuid>,
    parked: BTreeMap<EntityRef, Uuid>,
}

impl Lanes {
    fn wait(&self, op: &QueuedOp, outbox: &Outbox, now: u64, until: &BTreeMap<Uuid, u64>) -> Wait {
        for dependency in &op.op.depends_on {
            // One that was queued later cannot be waited for, or the two might wait for each other: the server decides.
            let earlier = outbox.get(*dependency).filter(|it| it.order < op.order);
            match earlier.map(|it| &it.state) {
                None | Some(OpState::Applied { .. }) => {}
                Some(OpState::Parked { .. }) => return Wait::Parked(*dependency),
                Some(OpState::Queued | OpState::Sent) => return Wait::Dependency(*dependency),
            }
        }
        if !op.op.command.is_cosmetic() {
            if let Some(parked) = self.parked.get(&op.op.command.primary()) {
                return Wait::Parked(*parked);
            }
            if let Some(earlier) = self.conflict(op) {
                return Wait::Earlier(earlier);
            }
        }
        match until.get(&op.op.id) {
            Some(at) if *at > now => Wait::Until(*at),
            _ => Wait::Ready,
        }
    }

    fn conflict(&self, op: &QueuedOp) -> Option<Uuid> {
        let footprint = &op.footprint;
        let written = |entity| self.written.get(entity);
        let of_writes = footprint.writes.iter().find_map(|it| written(it).or_else(|| self.read.get(it)));
        of_writes.or_else(|| footprint.reads.iter().find_map(written)).copied()
    }

    fn occupy(&mut self, op: &QueuedOp) {
        for entity in &op.footprint.writes {
            self.written.entry(entity.clone()).or_insert(op.op.id);
        }
        for entity in &op.footprint.reads {
            self.read.entry(entity.clone()).or_insert(op.op.id);
        }
    }
}
