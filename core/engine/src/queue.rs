//! The outbox in memory, as the store has it on disk, with an index by entity.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use innsync_domain::{EntityRef, Uuid};

use crate::outbox::{OpState, QueuedOp};

/// All operations in the order of intent. Those that are not parked are *pending*: they are part of what is shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outbox {
    ops: BTreeMap<u64, Arc<QueuedOp>>,
    orders: BTreeMap<Uuid, u64>,
    /// Pending operations by what they write.
    writers: BTreeMap<EntityRef, BTreeSet<u64>>,
    /// Pending operations by what they only read.
    readers: BTreeMap<EntityRef, BTreeSet<u64>>,
    parked: usize,
}

/// Whether an operation is part of what is shown.
pub(crate) fn is_pending(op: &QueuedOp) -> bool {
    !matches!(op.state, OpState::Parked { .. })
}

impl Outbox {
    pub(crate) fn new(ops: Vec<QueuedOp>) -> Self {
        let mut outbox = Self::default();
        for op in ops {
            outbox.put(op);
        }
        outbox
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<&Arc<QueuedOp>> {
        self.orders.get(&id).and_then(|order| self.ops.get(order))
    }

    pub(crate) fn at(&self, order: u64) -> Option<&Arc<QueuedOp>> {
        self.ops.get(&order)
    }

    pub(crate) fn put(&mut self, op: QueuedOp) {
        self.remove(op.op.id);
        self.orders.insert(op.op.id, op.order);
        if is_pending(&op) {
            for (entities, index) in
                [(&op.footprint.writes, &mut self.writers), (&op.footprint.reads, &mut self.readers)]
            {
                for entity in entities {
                    index.entry(entity.clone()).or_default().insert(op.order);
                }
            }
        } else {
            self.parked += 1;
        }
        self.ops.insert(op.order, Arc::new(op));
    }

    pub(crate) fn remove(&mut self, id: Uuid) -> Option<Arc<QueuedOp>> {
        let order = self.orders.remove(&id)?;
        let op = self.ops.remove(&order)?;
        if is_pending(&op) {
            for (entities, index) in
                [(&op.footprint.writes, &mut self.writers), (&op.footprint.reads, &mut self.readers)]
            {
                for entity in entities {
                    if let Some(orders) = index.get_mut(entity) {
                        orders.remove(&order);
                        if orders.is_empty() {
                            index.remove(entity);
                        }
                    }
                }
            }
        } else {
            self.parked = self.parked.saturating_sub(1);
        }
        Some(op)
    }

    /// In the order of intent.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<QueuedOp>> {
        self.ops.values()
    }

    pub(crate) fn pending_orders(&self) -> BTreeSet<u64> {
        self.iter().filter(|op| is_pending(op)).map(|op| op.order).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.ops.len()
    }

    pub(crate) fn parked(&self) -> usize {
        self.parked
    }

    pub(crate) fn pending(&self) -> usize {
        self.ops.len().saturating_sub(self.parked)
    }

    /// Whether a pending operation writes it: then its base row is kept.
    pub(crate) fn is_written(&self, entity: &EntityRef) -> bool {
        self.writers.contains_key(entity)
    }

    /// The pending operations that write it.
    pub(crate) fn writers(&self, entity: &EntityRef) -> impl Iterator<Item = u64> {
        self.writers.get(entity).into_iter().flatten().copied()
    }

    /// The pending operations that write or read it.
    pub(crate) fn touching(&self, entity: &EntityRef) -> impl Iterator<Item = u64> {
        self.writers(entity).chain(self.readers.get(entity).into_iter().flatten().copied())
    }

    /// Operations that the server has taken, as far as the phone knows.
    pub(crate) fn taken(&self) -> Vec<Uuid> {
        let taken = |op: &&Arc<QueuedOp>| matches!(op.state, OpState::Applied { .. });
        self.iter().filter(taken).map(|op| op.op.id).collect()
    }

    /// Operations whose fate the server may know, and the phone not: those that left the phone at least once.
    pub(crate) fn unanswered(&self, most: usize) -> Vec<Uuid> {
        let left = |op: &&Arc<QueuedOp>| match op.state {
            OpState::Sent | OpState::Applied { .. } => true,
            OpState::Queued => op.attempts > 0,
            OpState::Parked { .. } => false,
        };
        self.iter().filter(left).map(|op| op.op.id).take(most).collect()
    }
}
