//! The engine's reads: of the last commit one by one, or of one commit whole.

use innsync_domain::{Entity, EntityKind, EntityRef, Uuid};
use innsync_engine::{Digest, Effect, Meta, QueuedOp, StoreError, StoreRead};

use crate::reader::View;
use crate::store::Store;

/// Reads the store as the engine does, through the type's own `read`.
macro_rules! store_read {
    ($reads:ty) => {
        impl StoreRead for $reads {
            fn shown(&self, kind: &EntityKind, id: Uuid) -> Result<Option<Entity>, StoreError> {
                self.read(|database| database.shown(kind, id))
            }
            fn mirror(&self, kind: &EntityKind, id: Uuid) -> Result<Option<Entity>, StoreError> {
                self.read(|database| database.mirror(kind, id))
            }
            fn has_base(&self, kind: &EntityKind, id: Uuid) -> Result<bool, StoreError> {
                self.read(|database| database.has_base(kind, id))
            }
            fn staged(&self, kind: &EntityKind, id: Uuid) -> Result<Option<Entity>, StoreError> {
                self.read(|database| database.staged(kind, id))
            }
            fn bases(&self) -> Result<Vec<EntityRef>, StoreError> {
                self.read(|database| database.bases())
            }
            fn digest(&self) -> Result<Digest, StoreError> {
                self.read(|database| database.digest())
            }
            fn outbox(&self) -> Result<Vec<QueuedOp>, StoreError> {
                self.read(|database| database.outbox())
            }
            fn meta(&self) -> Result<Meta, StoreError> {
                self.read(|database| database.meta())
            }
            fn knows_effect(&self, id: Uuid) -> Result<bool, StoreError> {
                self.read(|database| database.knows_effect(id))
            }
            fn effects(&self) -> Result<Vec<Effect>, StoreError> {
                self.read(|database| database.effects())
            }
        }
    };
}

store_read!(Store);
store_read!(View<'_>);
