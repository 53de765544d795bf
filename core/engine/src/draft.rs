//! A step in the making: the next state, the rows as they will be, and what is to be told.
//!
//! The store shows the last committed picture alone, so what a step has changed so far is read from here first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use innsync_domain::{Entity, EntityKind, EntityRef, Uuid};
use innsync_protocol::Digest;

use crate::clock::Now;
use crate::engine::Config;
use crate::limits::EFFECTS_WAITING;
use crate::outbox::{OpState, QueuedOp, Receipt};
use crate::output::{ClientEvent, Effect, Output};
use crate::predict::{Observer, Rows};
use crate::state::State;
use crate::store::{Batch, StoreError, StoreRead, Write};

/// What lies under the changes of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// The store as committed.
    Committed,
    /// Nothing: the mirror was cleared in this step.
    Empty,
    /// The staging area: it was swapped in in this step.
    Staged,
}

pub(crate) struct Draft<'a> {
    pub(crate) config: &'a Config,
    pub(crate) now: Now,
    store: &'a dyn StoreRead,
    pub(crate) state: Box<State>,
    pub(crate) outputs: Vec<Output>,
    ground: Ground,
    /// Kinds of which nothing lies under the changes of the step.
    cleared: BTreeSet<EntityKind>,
    /// Writes that concern whole areas, in order; they come before all rows.
    areas: Vec<Write>,
    /// The staging area as this step changes it.
    staged: BTreeMap<EntityRef, Entity>,
    stage_cleared: bool,
    /// Rows of the mirror that this step changes.
    pub(crate) mirror: BTreeMap<EntityRef, Option<Entity>>,
    /// Entities whose overlay must be rebuilt though their mirror row did not change.
    pub(crate) dirty: BTreeSet<EntityRef>,
    pub(crate) rebuild_all: bool,
    /// The rows that a new operation changes, when it is all that happens in this step.
    pub(crate) predicted: BTreeMap<EntityRef, Option<Entity>>,
    /// Operations to be written or removed, by their place in the order and their id: a retry takes the place of its parked
    /// one.
    ops: BTreeSet<(u64, Uuid)>,
    /// What a person chose to forget in this step.
    pub(crate) discards: Vec<Write>,
    effects: Vec<Write>,
    known_effects: BTreeSet<Uuid>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(config: &'a Config, now: Now, store: &'a dyn StoreRead, state: Box<State>) -> Self {
        Self {
            config,
            now,
            store,
            state,
            outputs: Vec::new(),
            ground: Ground::Committed,
            cleared: BTreeSet::new(),
            areas: Vec::new(),
            staged: BTreeMap::new(),
            stage_cleared: false,
            mirror: BTreeMap::new(),
            dirty: BTreeSet::new(),
            rebuild_all: false,
            predicted: BTreeMap::new(),
            ops: BTreeSet::new(),
            discards: Vec::new(),
            effects: Vec::new(),
            known_effects: BTreeSet::new(),
        }
    }

    pub(crate) fn boot(&self) -> u64 {
        self.now.boot_ms
    }

    pub(crate) fn observer(&self) -> Observer {
        Observer { employee: self.config.employee, has_data: self.state.meta.has_data }
    }

    pub(crate) fn tell(&mut self, output: Output) {
        self.outputs.push(output);
    }

    pub(crate) fn error(&mut self, detail: impl Into<String>) {
        self.tell(Output::Event(ClientEvent::Error { detail: detail.into() }));
    }

    // Rows.

    fn ground_row(&self, entity: &EntityRef, committed_mirror: bool) -> Result<Option<Entity>, StoreError> {
        match self.ground {
            Ground::Committed if self.cleared.contains(&entity.kind) => Ok(None),
            Ground::Committed if committed_mirror => self.store.mirror(&entity.kind, entity.id),
            Ground::Committed => self.store.shown(&entity.kind, entity.id),
            Ground::Empty => Ok(None),
            Ground::Staged => match self.staged.get(entity) {
                Some(row) => Ok(Some(row.clone())),
                None if self.stage_cleared => Ok(None),
                None => self.store.staged(&entity.kind, entity.id),
            },
        }
    }

    /// The server's state as this step leaves it.
    pub(crate) fn mirror_row(&self, entity: &EntityRef) -> Result<Option<Entity>, StoreError> {
        match self.mirror.get(entity) {
            Some(row) => Ok(row.clone()),
            None => self.ground_row(entity, true),
        }
    }

    /// What was shown before the step (after its area writes).
    pub(crate) fn shown_before(&self, entity: &EntityRef) -> Result<Option<Entity>, StoreError> {
        self.ground_row(entity, false)
    }

    /// What the step's rows look like so far to a person.
    pub(crate) fn screen(&self) -> Screen<'_, 'a> {
        Screen(self)
    }

    pub(crate) fn had_base(&self, entity: &EntityRef) -> Result<bool, StoreError> {
        match self.ground {
            Ground::Committed if self.cleared.contains(&entity.kind) => Ok(false),
            Ground::Committed => self.store.has_base(&entity.kind, entity.id),
            Ground::Empty | Ground::Staged => Ok(false),
        }
    }

    /// All of them at once.
    pub(crate) fn bases_before(&self) -> Result<BTreeSet<EntityRef>, StoreError> {
        match self.ground {
            Ground::Committed => {
                let bases = self.store.bases()?.into_iter();
                Ok(bases.filter(|entity| !self.cleared.contains(&entity.kind)).collect())
            }
            Ground::Empty | Ground::Staged => Ok(BTreeSet::new()),
        }
    }

    /// A digest over the mirror as it was before the step.
    pub(crate) fn digest_before(&self) -> Result<Digest, StoreError> {
        self.store.digest()
    }

    /// The base row as it was before the step; asked only where there was one.
    pub(crate) fn base_before(&self, entity: &EntityRef) -> Result<Option<Entity>, StoreError> {
        self.store.mirror(&entity.kind, entity.id)
    }

    // Areas.

    pub(crate) fn clear_mirror(&mut self) {
        self.areas.push(Write::ClearMirror);
        self.ground = Ground::Empty;
        self.mirror.clear();
        self.rebuild_all = true;
    }

    pub(crate) fn clear_rows_of(&mut self, kind: EntityKind) {
        self.areas.push(Write::ClearKind(kind.clone()));
        self.mirror.retain(|entity, _| entity.kind != kind);
        self.cleared.insert(kind);
        self.rebuild_all = true;
    }

    pub(crate) fn clear_stage(&mut self) {
        self.areas.push(Write::ClearStage);
        self.staged.clear();
        self.stage_cleared = true;
    }

    pub(crate) fn stage(&mut self, row: Entity) {
        self.areas.push(Write::Stage(row.clone()));
        self.staged.insert(row.reference(), row);
    }

    pub(crate) fn swap_stage(&mut self) {
        self.areas.push(Write::SwapStage);
        self.ground = Ground::Staged;
        self.mirror.clear();
        self.rebuild_all = true;
    }

    // Operations.

    /// Writes an operation. Whoever changes what it predicts also says so with [`Draft::touch`].
    pub(crate) fn put_op(&mut self, op: QueuedOp) {
        self.ops.insert((op.order, op.op.id));
        Arc::make_mut(&mut self.state.outbox).put(op);
    }

    pub(crate) fn remove_op(&mut self, id: Uuid) {
        if let Some(op) = Arc::make_mut(&mut self.state.outbox).remove(id) {
            self.touch(&op);
            self.ops.insert((op.order, op.op.id));
        }
    }

    /// Lets the overlay of what an operation writes be rebuilt.
    pub(crate) fn touch(&mut self, op: &QueuedOp) {
        self.dirty.extend(op.footprint.writes.iter().cloned());
    }

    /// Changes how far an operation is, and tells it.
    pub(crate) fn set_op_state(&mut self, op: &QueuedOp, state: OpState) {
        if op.state == state {
            return;
        }
        self.state.kept.remove(&op.op.id);
        let op = QueuedOp { state, ..op.clone() };
        self.tell(Output::Operation(receipt(&op)));
        self.put_op(op);
    }

    // Effects.

    /// Records an effect, unless the same cause gave it before.
    pub(crate) fn effect(&mut self, effect: Effect) -> Result<(), StoreError> {
        if self.store.knows_effect(effect.id)? || !self.known_effects.insert(effect.id) {
            return Ok(());
        }
        self.effects.push(Write::PutEffect(effect.clone()));
        self.tell(Output::Effect(effect));
        Ok(())
    }

    pub(crate) fn presented(&mut self, effect: Uuid) {
        self.effects.push(Write::EffectPresented(effect));
    }

    /// Takes an effect back that may not have been presented yet.
    pub(crate) fn withdraw(&mut self, effect: Uuid) {
        self.presented(effect);
        self.tell(Output::Withdrawn(effect));
    }

    /// Where there are new effects, withdraws those that nobody presented and that are too old or too many.
    pub(crate) fn bound_effects(&mut self) -> Result<(), StoreError> {
        if !self.effects.iter().any(|write| matches!(write, Write::PutEffect(_))) {
            return Ok(());
        }
        let mut waiting = self.store.effects()?;
        for write in &self.effects {
            match write {
                Write::PutEffect(effect) => waiting.push(effect.clone()),
                Write::EffectPresented(id) => waiting.retain(|effect| effect.id != *id),
                _ => {}
            }
        }
        waiting.retain(|effect| !effect.is_alarm());
        let too_many = waiting.len().saturating_sub(EFFECTS_WAITING);
        for (at, effect) in waiting.iter().enumerate() {
            if at < too_many || effect.is_stale(self.now.wall) {
                self.withdraw(effect.id);
            }
        }
        Ok(())
    }

    // The end.

    /// Everything that is to be written, given the overlay's rows.
    pub(crate) fn batch(&mut self, rows: Vec<Write>, meta_before: &crate::store::Meta) -> Batch {
        let mut writes = std::mem::take(&mut self.areas);
        writes.extend(rows);
        // Removals first, so that no two ever share a place.
        let mut put = Vec::new();
        for (_, id) in std::mem::take(&mut self.ops) {
            match self.state.outbox.get(id) {
                Some(op) => put.push(Write::PutOp(QueuedOp::clone(op))),
                None => writes.push(Write::DeleteOp(id)),
            }
        }
        writes.append(&mut put);
        writes.append(&mut self.discards);
        writes.append(&mut self.effects);
        if self.state.meta != *meta_before {
            writes.push(Write::PutMeta(self.state.meta.clone()));
        }
        Batch { writes }
    }
}

impl Rows for Draft<'_> {
    fn row(&self, entity: &EntityRef) -> Result<Option<Entity>, StoreError> {
        self.mirror_row(entity)
    }
}

/// See [`Draft::screen`].
pub(crate) struct Screen<'b, 'a>(&'b Draft<'a>);

impl Rows for Screen<'_, '_> {
    fn row(&self, entity: &EntityRef) -> Result<Option<Entity>, StoreError> {
        match self.0.predicted.get(entity) {
            Some(row) => Ok(row.clone()),
            None => self.0.shown_before(entity),
        }
    }
}

/// What the app holds of an operation.
pub(crate) fn receipt(op: &QueuedOp) -> Receipt {
    Receipt {
        id: op.op.id,
        command: op.op.command.name().to_owned(),
        entity: op.op.command.primary(),
        state: Some(op.state.clone()),
    }
}
