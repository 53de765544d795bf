//! A check for tests and the simulator: is what is shown the mirror with the outbox replayed over it?

use std::collections::BTreeSet;

use innsync_domain::{Entity, EntityRef, Uuid};

use crate::predict::{Observer, Rows};
use crate::queue::{Outbox, is_pending};
use crate::replay::replay;
use crate::store::{StoreError, StoreRead};

/// Replays the whole outbox over the mirror, from scratch, and compares with what is shown. Gives one sentence for each
/// difference; none is as it must be after every committed step. Slow: for tests.
pub fn verify(store: &dyn StoreRead, employee: Uuid) -> Result<Vec<String>, StoreError> {
    let outbox = Outbox::new(store.outbox()?);
    let observer = Observer { employee, has_data: store.meta()?.has_data };
    let made = replay(outbox.iter().filter(|op| is_pending(op)), observer, &Mirror(store))?;
    let mut wrong = Vec::new();
    for (order, footprint) in &made.grown {
        wrong.push(format!("the footprint of operation {order} has grown unnoticed to {footprint:?}"));
    }
    let bases: BTreeSet<EntityRef> = store.bases()?.into_iter().collect();
    let expected: BTreeSet<EntityRef> = outbox
        .iter()
        .filter(|op| is_pending(op))
        .flat_map(|op| op.footprint.writes.iter().cloned())
        .collect();
    for entity in bases.symmetric_difference(&expected) {
        let kept = bases.contains(entity);
        wrong.push(format!("{} {}: base row kept: {kept}", entity.kind, entity.id));
    }
    for entity in bases.iter().chain(made.rows.keys()) {
        let right = match made.rows.get(entity) {
            Some(row) => row.clone(),
            None => store.mirror(&entity.kind, entity.id)?,
        };
        let shown = store.shown(&entity.kind, entity.id)?;
        if shown != right {
            wrong.push(format!("{} {} shows {shown:?} instead of {right:?}", entity.kind, entity.id));
        }
    }
    Ok(wrong)
}

struct Mirror<'a>(&'a dyn StoreRead);

impl Rows for Mirror<'_> {
    fn row(&self, entity: &EntityRef) -> Result<Option<Entity>, StoreError> {
        self.0.mirror(&entity.kind, entity.id)
    }
}
