//! Digests (G9): how often engines compared theirs with the server's, and what each phone's is in the end.

use std::cell::Cell;

use innsync_domain::{Entity, EntityKind, EntityRef, Uuid};
use innsync_engine::limits::DIGEST_FIRST_MS;
use innsync_engine::{Batch, Digest, Effect, Meta, QueuedOp, StoreError, StoreRead, Write};
use innsync_protocol::{Delta, SyncAnswer};

use crate::Bug;
use crate::failure::{Checked, Violation};
use crate::host::broken;
use crate::people::{ANA, PROPERTY, employee};
use crate::phone::Phone;
use crate::world::World;

/// What an engine reads of a store, with its comparisons counted: it asks for a digest only to compare it.
pub(crate) struct Counted<'a> {
    store: &'a dyn StoreRead,
    digests: Cell<u64>,
}

impl<'a> Counted<'a> {
    pub(crate) fn new(store: &'a dyn StoreRead) -> Self {
        Self { store, digests: Cell::new(0) }
    }

    /// How many digests were asked for.
    pub(crate) fn digests(&self) -> u64 {
        self.digests.get()
    }
}

impl StoreRead for Counted<'_> {
    fn shown(&self, kind: &EntityKind, id: Uuid) -> Result<Option<Entity>, StoreError> {
        self.store.shown(kind, id)
    }
    fn mirror(&self, kind: &EntityKind, id: Uuid) -> Result<Option<Entity>, StoreError> {
        self.store.mirror(kind, id)
    }
    fn has_base(&self, kind: &EntityKind, id: Uuid) -> Result<bool, StoreError> {
        self.store.has_base(kind, id)
    }
    fn staged(&self, kind: &EntityKind, id: Uuid) -> Result<Option<Entity>, StoreError> {
        self.store.staged(kind, id)
    }
    fn bases(&self) -> Result<Vec<EntityRef>, StoreError> {
        self.store.bases()
    }
    fn digest(&self) -> Result<Digest, StoreError> {
        self.digests.set(self.digests.get() + 1);
        self.store.digest()
    }
    fn outbox(&self) -> Result<Vec<QueuedOp>, StoreError> {
        self.store.outbox()
    }
    fn meta(&self) -> Result<Meta, StoreError> {
        self.store.meta()
    }
    fn knows_effect(&self, id: Uuid) -> Result<bool, StoreError> {
        self.store.knows_effect(id)
    }
    fn effects(&self) -> Result<Vec<Effect>, StoreError> {
        self.store.effects()
    }
}

impl World {
    /// The end of the run: a phone's database has the same digest as the server gives of it.
    pub(crate) fn digests_agree(&self, phone: &Phone) -> Checked {
        let name = phone.name();
        let (cursor, viewer) = (phone.shadow.meta.cursor, employee(phone.person));
        let answer = self.host.authority.read().catch_up_with_digest(PROPERTY, viewer, cursor, &[]);
        let SyncAnswer::Delta(Delta { digest: Some(theirs), .. }) = answer.map_err(broken)? else {
            return Err(Violation::new("G9", format!("the server does not go on from where {name} is")));
        };
        let unreadable = |error| Violation::new("RUN", format!("{name}'s database: {error}"));
        let mine = phone.storage.look(|store| store.digest().map_err(unreadable))?;
        if mine != theirs {
            let detail = format!("{name} holds {mine:?} and the server {theirs:?}");
            return Err(Violation::new("G9", detail));
        }
        Ok(())
    }

    /// How often phones found by a digest that they held something else, and fetched it anew: never, but for a bug on
    /// purpose.
    pub(crate) fn healed(&self) -> Checked<u64> {
        let expected = u64::from(self.bug == Bug::HealRow);
        let healed = self.phones.iter().map(|phone| phone.shadow.meta.healed).sum();
        if healed != expected {
            let detail = format!("{healed} times a phone held something else than the server");
            return Err(Violation::new("G9", detail));
        }
        Ok(healed)
    }

    /// A bug on purpose: see [`Bug::LoseRow`] and [`Bug::HealRow`].
    pub(crate) fn lose_row(&mut self) -> Checked {
        let heals = match self.bug {
            Bug::LoseRow => false,
            Bug::HealRow => true,
            _ => return Ok(()),
        };
        if heals {
            // A new engine asks for its first digest soon.
            self.kill(ANA, 1, false)?;
            self.until(self.now + 10)?;
            self.settle()?;
        }
        let phone = &mut self.phones[ANA];
        let row = phone.shadow.shown.keys().find(|row| row.kind == EntityKind::Suite).cloned();
        let row = row.ok_or_else(|| Violation::new("RUN", "there is no suite to lose"))?;
        let written = phone.storage.commit(&Batch { writes: vec![Write::Hide(row)] })?;
        written.map_err(|error| Violation::new("RUN", error.to_string()))?;
        if heals {
            self.until(self.now + DIGEST_FIRST_MS + 60_000)?;
            self.settle()?;
        }
        Ok(())
    }
}
