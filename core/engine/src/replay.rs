//! Pending operations replayed over the mirror.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use innsync_domain::{Entity, EntityRef};

use crate::outbox::{Footprint, QueuedOp};
use crate::predict::{Observer, Outlook, Rows, predict};
use crate::store::StoreError;

/// What a replay came to.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// The rows that differ (or may differ) from the mirror; `None`: not to be seen.
    pub(crate) rows: BTreeMap<EntityRef, Option<Entity>>,
    /// The footprints of those operations that have grown.
    pub(crate) grown: Vec<(u64, Footprint)>,
}

/// Replays operations in order. One that is refused or cannot be foreseen any more predicts nothing.
pub(crate) fn replay<'a>(
    ops: impl Iterator<Item = &'a Arc<QueuedOp>>,
    observer: Observer,
    mirror: &dyn Rows,
) -> Result<Replay, StoreError> {
    let mut made = Replay::default();
    for queued in ops {
        let over = Over::new(&made.rows, mirror);
        let op = &queued.op;
        match predict(&op.command, op.id, op.intent.best(), observer, &over)? {
            Outlook::Foreseen(prediction) => {
                if let Some(footprint) = union(&queued.footprint, &prediction.footprint) {
                    made.grown.push((queued.order, footprint));
                }
                made.rows.extend(prediction.rows);
            }
            Outlook::Refused(_) | Outlook::Unforeseen | Outlook::Nobody => {
                // What it looked at decides whether it is refused: a change there must wake it again.
                let read = Footprint { writes: Vec::new(), reads: over.reads.take().into_iter().collect() };
                if let Some(footprint) = union(&queued.footprint, &read) {
                    made.grown.push((queued.order, footprint));
                }
            }
        }
    }
    Ok(made)
}

/// Both together, if that is more than `old`. Footprints never shrink, so the order of sending never loosens.
fn union(old: &Footprint, new: &Footprint) -> Option<Footprint> {
    let mut both = old.clone();
    for entity in &new.writes {
        if !both.writes.contains(entity) {
            both.writes.push(entity.clone());
            both.reads.retain(|read| read != entity);
        }
    }
    for entity in &new.reads {
        if !both.writes.contains(entity) && !both.reads.contains(entity) {
            both.reads.push(entity.clone());
        }
    }
    (both != *old).then_some(both)
}

/// The mirror with what was replayed so far over it.
pub(crate) struct Over<'a> {
    rows: &'a BTreeMap<EntityRef, Option<Entity>>,
    mirror: &'a dyn Rows,
    reads: Cell<BTreeSet<EntityRef>>,
}

impl<'a> Over<'a> {
    pub(crate) fn new(rows: &'a BTreeMap<EntityRef, Option<Entity>>, mirror: &'a dyn Rows) -> Self {
        Self { rows, mirror, reads: Cell::default() }
    }
}

impl Rows for Over<'_> {
    fn row(&self, entity: &EntityRef) -> Result<Option<Entity>, StoreError> {
        let mut reads = self.reads.take();
        reads.insert(entity.clone());
        self.reads.set(reads);
        match self.rows.get(entity) {
            Some(row) => Ok(row.clone()),
            None => self.mirror.row(entity),
        }
    }
}
