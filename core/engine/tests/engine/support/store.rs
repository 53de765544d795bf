//! A store of maps that behaves as the contract says.

use std::collections::{BTreeMap, BTreeSet};

use innsync_domain::{Entity, EntityKind, EntityRef, Uuid};
use innsync_engine::{Batch, Discarded, Effect, Meta, QueuedOp, StoreError, StoreRead, Write};
use innsync_protocol::Digest;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct TestStore {
    shown: BTreeMap<EntityRef, Entity>,
    bases: BTreeMap<EntityRef, Option<Entity>>,
    stage: BTreeMap<EntityRef, Entity>,
    ops: BTreeMap<Uuid, QueuedOp>,
    meta: Meta,
    effects: Vec<Effect>,
    known_effects: BTreeSet<Uuid>,
    /// What a person chose to forget, in order.
    pub discarded: Vec<Discarded>,
    /// Everything that observers saw, in order.
    pub seen: Vec<(EntityRef, Option<Entity>)>,
}

impl TestStore {
    pub fn commit(&mut self, batch: &Batch) {
        let before = self.shown.clone();
        for write in &batch.writes {
            self.write(write.clone());
        }
        // Observers see what a transaction comes to, not its middle.
        let rows: BTreeSet<&EntityRef> = before.keys().chain(self.shown.keys()).collect();
        for row in rows {
            if before.get(row) != self.shown.get(row) {
                self.seen.push((row.clone(), self.shown.get(row).cloned()));
            }
        }
    }

    fn write(&mut self, write: Write) {
        match write {
            Write::Show(row) => {
                self.shown.insert(row.reference(), row);
            }
            Write::Hide(row) => {
                self.shown.remove(&row);
            }
            Write::PutBase(row, base) => {
                self.bases.insert(row, base);
            }
            Write::DropBase(row) => {
                self.bases.remove(&row);
            }
            Write::PutOp(op) => {
                self.ops.insert(op.op.id, op);
            }
            Write::DeleteOp(id) => {
                self.ops.remove(&id);
            }
            Write::PutMeta(meta) => self.meta = meta,
            Write::PutEffect(effect) => {
                assert!(self.known_effects.insert(effect.id), "{effect:?} was recorded twice");
                self.effects.push(effect);
            }
            Write::PutDiscarded(it) => self.discarded.push(it),
            Write::ForgetDiscarded { before } => self.discarded.retain(|it| it.at >= before),
            Write::EffectPresented(id) => self.effects.retain(|it| it.id != id),
            Write::ClearStage => self.stage.clear(),
            Write::Stage(row) => {
                self.stage.insert(row.reference(), row);
            }
            Write::SwapStage => {
                self.shown = std::mem::take(&mut self.stage);
                self.bases.clear();
            }
            Write::ClearMirror => {
                self.shown.clear();
                self.bases.clear();
            }
            Write::ClearKind(kind) => {
                self.shown.retain(|row, _| row.kind != kind);
                self.bases.retain(|row, _| row.kind != kind);
            }
        }
    }

    pub fn row(&self, entity: &EntityRef) -> Option<&Entity> {
        self.shown.get(entity)
    }

    pub fn rows(&self) -> &BTreeMap<EntityRef, Entity> {
        &self.shown
    }

    /// The server's state as the store has it.
    pub fn whole_mirror(&self) -> BTreeMap<EntityRef, Entity> {
        let mut mirror = self.shown.clone();
        for (entity, base) in &self.bases {
            match base {
                Some(row) => mirror.insert(entity.clone(), row.clone()),
                None => mirror.remove(entity),
            };
        }
        mirror
    }

    pub fn op(&self, id: Uuid) -> Option<&QueuedOp> {
        self.ops.get(&id)
    }

    /// A row of the mirror is gone, and nobody noticed.
    pub fn lose_row(&mut self, entity: &EntityRef) {
        self.shown.remove(entity).unwrap();
    }

    /// An operation's row is damaged, and moved aside.
    pub fn lose(&mut self, id: Uuid) {
        self.ops.remove(&id).unwrap();
    }

    /// The values that an entity's field went through on the screen.
    pub fn history(&self, entity: &EntityRef, field: &str) -> Vec<String> {
        let value = |row: &Option<Entity>| match row {
            Some(row) => row.field(field).map_or("-".to_owned(), |it| it.to_string().replace('"', "")),
            None => "gone".to_owned(),
        };
        let mut values: Vec<String> =
            self.seen.iter().filter(|(it, _)| it == entity).map(|(_, row)| value(row)).collect();
        values.dedup();
        values
    }
}

impl StoreRead for TestStore {
    fn shown(&self, kind: &EntityKind, id: Uuid) -> Result<Option<Entity>, StoreError> {
        Ok(self.shown.get(&EntityRef::new(kind.clone(), id)).cloned())
    }
    fn mirror(&self, kind: &EntityKind, id: Uuid) -> Result<Option<Entity>, StoreError> {
        let entity = EntityRef::new(kind.clone(), id);
        Ok(self.bases.get(&entity).cloned().unwrap_or_else(|| self.shown.get(&entity).cloned()))
    }
    fn staged(&self, kind: &EntityKind, id: Uuid) -> Result<Option<Entity>, StoreError> {
        Ok(self.stage.get(&EntityRef::new(kind.clone(), id)).cloned())
    }
    fn has_base(&self, kind: &EntityKind, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.bases.contains_key(&EntityRef::new(kind.clone(), id)))
    }
    fn bases(&self) -> Result<Vec<EntityRef>, StoreError> {
        Ok(self.bases.keys().cloned().collect())
    }
    fn digest(&self) -> Result<Digest, StoreError> {
        let mut digest = Digest::default();
        self.whole_mirror()
            .iter()
            .for_each(|(entity, row)| digest.add(&entity.kind, entity.id, row.version()));
        Ok(digest)
    }
    fn outbox(&self) -> Result<Vec<QueuedOp>, StoreError> {
        let mut ops: Vec<QueuedOp> = self.ops.values().cloned().collect();
        ops.sort_by_key(|op| op.order);
        Ok(ops)
    }
    fn meta(&self) -> Result<Meta, StoreError> {
        Ok(self.meta.clone())
    }
    fn knows_effect(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.known_effects.contains(&id))
    }
    fn effects(&self) -> Result<Vec<Effect>, StoreError> {
        Ok(self.effects.clone())
    }
}
