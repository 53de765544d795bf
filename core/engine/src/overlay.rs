//! What a person sees = mirror + pending operations, kept so with as little work and as few writes as may be.
//!
//! When rows of the mirror or the set of operations change, only the operations that are affected are replayed: those that
//! touch a changed entity, and whatever hangs together with them (two hang together where one writes what the other
//! touches). Rows are written only where they differ from what is shown, so nothing flickers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use innsync_domain::mutant::{self, Mutant};
use innsync_domain::{Entity, EntityRef};

use crate::draft::Draft;
use crate::outbox::QueuedOp;
use crate::queue::Outbox;
use crate::replay::{Replay, replay};
use crate::store::{StoreError, Write};

/// Rows in one step from which on it is quicker to read all bases at once.
const MANY_ROWS: usize = 64;

/// What is known of all rows of a step.
struct Known {
    /// Which ones had a base before it; `None`: each is looked up.
    bases: Option<BTreeSet<EntityRef>>,
    /// Rows of a first snapshot: nearly none is shown yet, so they are written without a look.
    are_new: bool,
}

impl Draft<'_> {
    /// The rows to be written so that the screen is right again after this step.
    pub(crate) fn settle_rows(&mut self) -> Result<Vec<Write>, StoreError> {
        let mut changed: BTreeSet<EntityRef> = self.mirror.keys().chain(&self.dirty).cloned().collect();
        let predicted = std::mem::take(&mut self.predicted);
        let mut rows = BTreeMap::new();
        if changed.is_empty() && !self.rebuild_all {
            changed.extend(predicted.keys().cloned());
            rows = predicted;
        } else {
            changed.extend(predicted.into_keys());
            let affected = self.replay_affected(&changed)?;
            for order in affected.0 {
                if let Some(op) = self.state.outbox.at(order) {
                    changed.extend(op.footprint.writes.iter().cloned());
                }
            }
            rows.extend(affected.1.rows);
        }
        let mut writes = Vec::new();
        let known = self.known_of(changed.len())?;
        for entity in changed {
            let row = match rows.remove(&entity) {
                Some(row) => row,
                None => self.mirror_row(&entity)?,
            };
            self.write_row(&mut writes, entity, row, &known)?;
        }
        Ok(writes)
    }

    /// Replays what hangs together with `changed`. Where an operation turns out to touch more than was known, what hangs
    /// together with that is replayed, too.
    fn replay_affected(
        &mut self,
        changed: &BTreeSet<EntityRef>,
    ) -> Result<(BTreeSet<u64>, Replay), StoreError> {
        loop {
            let outbox = &self.state.outbox;
            let affected =
                if self.rebuild_all { outbox.pending_orders() } else { hanging_together(outbox, changed) };
            let made = replay(affected.iter().filter_map(|order| outbox.at(*order)), self.observer(), self)?;
            if made.grown.is_empty() {
                return Ok((affected, made));
            }
            for (order, footprint) in made.grown {
                if let Some(op) = self.state.outbox.at(order) {
                    let op = QueuedOp { footprint, ..QueuedOp::clone(op) };
                    self.put_op(op);
                }
            }
        }
    }

    /// What need not be read for each row when there are many.
    fn known_of(&self, rows: usize) -> Result<Known, StoreError> {
        let many = rows > MANY_ROWS;
        let bases = if many { Some(self.bases_before()?) } else { None };
        Ok(Known { bases, are_new: many && self.state.snapshots.shows_rows() })
    }

    fn write_row(
        &self,
        writes: &mut Vec<Write>,
        entity: EntityRef,
        row: Option<Entity>,
        known: &Known,
    ) -> Result<(), StoreError> {
        let shown = if known.are_new && row.is_some() { None } else { self.shown_before(&entity)? };
        match row {
            Some(row) if shown.as_ref() != Some(&row) => writes.push(Write::Show(row)),
            None if shown.is_some() => writes.push(Write::Hide(entity.clone())),
            Some(_) | None => {}
        }
        let had = match &known.bases {
            Some(bases) => bases.contains(&entity),
            None => self.had_base(&entity)?,
        };
        let keep = self.state.outbox.is_written(&entity);
        if keep {
            let base = self.mirror_row(&entity)?;
            if !had || (self.mirror.contains_key(&entity) && self.base_before(&entity)? != base) {
                writes.push(Write::PutBase(entity, base));
            }
        } else if had {
            writes.push(Write::DropBase(entity));
        }
        Ok(())
    }
}

/// The pending operations that touch one of `changed`, and those that hang together with them.
fn hanging_together(outbox: &Arc<Outbox>, changed: &BTreeSet<EntityRef>) -> BTreeSet<u64> {
    let mut found: BTreeSet<u64> = BTreeSet::new();
    let mut to_visit: Vec<u64> = changed.iter().flat_map(|entity| outbox.touching(entity)).collect();
    let (mut written, mut read) = (BTreeSet::new(), BTreeSet::new());
    while let Some(order) = to_visit.pop() {
        if !found.insert(order) {
            continue;
        }
        let Some(op) = outbox.at(order) else { continue };
        if mutant::is(Mutant::LaneNotRebased) {
            continue;
        }
        for entity in &op.footprint.writes {
            if written.insert(entity) {
                to_visit.extend(outbox.touching(entity));
            }
        }
        for entity in &op.footprint.reads {
            if read.insert(entity) {
                to_visit.extend(outbox.writers(entity));
            }
        }
    }
    found
}
