//! What a phone's database should hold, from the batches that were committed to it: what its rows, outbox and cursor are
//! looked up in, and what the database itself is compared with at the end.

use std::collections::{BTreeMap, BTreeSet};

use innsync_domain::{Entity, EntityKind, EntityRef, Uuid};
use innsync_engine::{Batch, Meta, OpState, QueuedOp, StoreError, StoreRead, Write};
use innsync_store::{Query, Store};

use crate::failure::{Checked, Violation};
use crate::model::Rows;

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shadow {
    pub(crate) shown: Rows,
    pub(crate) bases: BTreeMap<EntityRef, Option<Entity>>,
    stage: Rows,
    pub(crate) outbox: BTreeMap<Uuid, QueuedOp>,
    pub(crate) meta: Meta,
    /// Effects that were ever recorded.
    pub(crate) effects: BTreeSet<Uuid>,
}

/// What a batch touched.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// Rows shown or hidden, each as it was before.
    pub(crate) before: BTreeMap<EntityRef, Option<Entity>>,
    /// Rows whose mirror may be another.
    pub(crate) rows: BTreeSet<EntityRef>,
    /// A snapshot took the place of everything, or everything was forgotten.
    pub(crate) everything: bool,
    /// Operations that were written, as they were before.
    pub(crate) put: Vec<(Uuid, Option<QueuedOp>)>,
    /// Operations that were removed.
    pub(crate) deleted: Vec<QueuedOp>,
}

impl Shadow {
    /// Does what the store does.
    pub(crate) fn apply(&mut self, batch: &Batch) -> Touched {
        let mut touched = Touched::default();
        for write in &batch.writes {
            match write {
                Write::Show(row) => {
                    let reference = row.reference();
                    let before = self.shown.insert(reference.clone(), row.clone());
                    touched.rows.insert(reference.clone());
                    touched.before.entry(reference).or_insert(before);
                }
                Write::Hide(reference) => {
                    let before = self.shown.remove(reference);
                    touched.rows.insert(reference.clone());
                    touched.before.entry(reference.clone()).or_insert(before);
                }
                Write::PutBase(reference, row) => {
                    touched.rows.insert(reference.clone());
                    self.bases.insert(reference.clone(), row.clone());
                }
                Write::DropBase(reference) => {
                    touched.rows.insert(reference.clone());
                    self.bases.remove(reference);
                }
                Write::PutOp(op) => {
                    let before = self.outbox.insert(op.op.id, op.clone());
                    touched.put.push((op.op.id, before));
                }
                Write::DeleteOp(id) => touched.deleted.extend(self.outbox.remove(id)),
                Write::PutMeta(meta) => self.meta = meta.clone(),
                Write::PutEffect(effect) => {
                    self.effects.insert(effect.id);
                }
                Write::EffectPresented(_) => {}
                Write::PutDiscarded(_) | Write::ForgetDiscarded { .. } => {}
                Write::ClearStage => self.stage.clear(),
                Write::Stage(row) => {
                    self.stage.insert(row.reference(), row.clone());
                }
                Write::SwapStage => {
                    self.shown = std::mem::take(&mut self.stage);
                    self.bases.clear();
                    touched.everything = true;
                }
                Write::ClearMirror => {
                    self.shown.clear();
                    self.stage.clear();
                    self.bases.clear();
                    touched.everything = true;
                }
                Write::ClearKind(kind) => {
                    self.shown.retain(|row, _| row.kind != *kind);
                    self.bases.retain(|row, _| row.kind != *kind);
                    touched.everything = true;
                }
            }
        }
        touched
    }

    /// Whether an operation lies over another that was meant before it and is pending: what the one has done is kept over
    /// what the other predicts.
    pub(crate) fn follows_another(&self, op: &QueuedOp) -> bool {
        self.outbox.values().any(|other| {
            let is_pending = !matches!(other.state, OpState::Parked { .. });
            let is_earlier = other.order < op.order && other.op.intent.best() <= op.op.intent.best();
            let meet = other.footprint.writes.iter().any(|it| op.footprint.writes.contains(it));
            is_pending && is_earlier && meet
        })
    }

    /// All of that as one batch, for the copy of a database.
    pub(crate) fn as_batch(&self) -> Batch {
        let rows = self.shown.values().cloned().map(Write::Show);
        let bases = self.bases.iter().map(|(reference, row)| Write::PutBase(reference.clone(), row.clone()));
        let ops = self.outbox.values().cloned().map(Write::PutOp);
        let meta = Write::PutMeta(self.meta.clone());
        Batch { writes: rows.chain(bases).chain(ops).chain([meta]).collect() }
    }

    /// The server's state of a row, as the phone has it.
    pub(crate) fn mirror(&self, reference: &EntityRef) -> Option<&Entity> {
        match self.bases.get(reference) {
            Some(base) => base.as_ref(),
            None => self.shown.get(reference),
        }
    }

    /// All of that.
    pub(crate) fn mirrored(&self) -> BTreeMap<&EntityRef, &Entity> {
        let references = self.shown.keys().chain(self.bases.keys());
        references.filter_map(|reference| Some((reference, self.mirror(reference)?))).collect()
    }

    /// Compares with what the database says itself.
    pub(crate) fn compare(&self, name: &str, store: &Store) -> Checked {
        let unreadable = |error: StoreError| Violation::new("RUN", format!("{name}'s database: {error}"));
        let differs =
            |what: &str| Err(Violation::new("G1", format!("{name}'s database holds another {what}")));
        let meta = store.meta().map_err(unreadable)?;
        if meta != self.meta {
            return differs(&format!(
                "cursor ({:?}) than was committed ({:?})",
                meta.cursor, self.meta.cursor
            ));
        }
        let outbox: BTreeMap<Uuid, QueuedOp> =
            store.outbox().map_err(unreadable)?.into_iter().map(|op| (op.op.id, op)).collect();
        if outbox != self.outbox {
            return differs("outbox than was committed");
        }
        for kind in EntityKind::KNOWN {
            let rows = store.query(&Query::of(kind.clone())).map_err(unreadable)?;
            let rows: Rows = rows.into_iter().map(|row| (row.reference(), row)).collect();
            let committed = self.shown.iter().filter(|(reference, _)| reference.kind == *kind);
            if !rows.iter().eq(committed) {
                return differs(&format!("{kind} than was committed"));
            }
        }
        if !store.bases().map_err(unreadable)?.iter().eq(self.bases.keys()) {
            return differs("set of base rows than was committed");
        }
        Ok(())
    }
}
