//! The rules' view of the world while a command runs: it sees its own writes and remembers what was touched.

use std::collections::BTreeMap;

use crate::Uuid;
use crate::entity::{
    Alert, Announcement, Conflict, Employee, Entity, EntityKind, EntityRef, Note, Notification, Person,
    Shift, Suite, Task,
};
use crate::execute::{Effects, Stop, check};
use crate::read::{Change, Context, Lookup, Read, ReadError, Skipped};
use crate::rejection::{Reason, Rejection};
use crate::visibility::may_see;

/// One kind of entity, as a type.
pub(crate) trait Kind: Into<Entity> {
    const KIND: EntityKind;
    fn from_entity(entity: Entity) -> Option<Self>;
}
macro_rules! kinds {
    ($($name:ident),+) => {
        $(impl Kind for $name {
            const KIND: EntityKind = EntityKind::$name;
            fn from_entity(entity: Entity) -> Option<Self> {
                if let Entity::$name(it) = entity { Some(it) } else { None }
            }
        })+
    };
}
kinds!(Suite, Task, Employee, Note, Notification, Alert, Announcement, Shift, Conflict);

/// A [`Lookup`] with the type of what was looked up.
pub(crate) enum Found<T> {
    Known(T),
    Absent,
    Unknown,
}

/// One entity that was touched.
struct Slot {
    before: Lookup,
    now: Lookup,
}

/// See the module.
pub(crate) struct Scratch<'a> {
    context: &'a Context<'a>,
    read: &'a dyn Read,
    slots: BTreeMap<EntityRef, Slot>,
    touched: Vec<EntityRef>,
    /// In order; what was written twice stands here twice.
    written: Vec<EntityRef>,
    skipped: Vec<Skipped>,
}

impl<'a> Scratch<'a> {
    pub(crate) fn new(context: &'a Context<'a>, read: &'a dyn Read) -> Self {
        Self {
            context,
            read,
            slots: BTreeMap::new(),
            touched: Vec::new(),
            written: Vec::new(),
            skipped: Vec::new(),
        }
    }

    pub(crate) fn context(&self) -> &'a Context<'a> {
        self.context
    }

    pub(crate) fn actor(&self) -> &'a Person {
        self.context.actor
    }

    /// Looks up an entity, whoever may see it.
    pub(crate) fn find<T: Kind>(&mut self, id: Uuid) -> Result<Found<T>, Stop> {
        Ok(match &self.slot(EntityRef::new(T::KIND, id))?.now {
            Lookup::Known(entity) => match T::from_entity(entity.clone()) {
                Some(it) => Found::Known(it),
                None => return Err(ReadError(format!("{} {id} was stored as another kind", T::KIND)).into()),
            },
            Lookup::Absent => Found::Absent,
            Lookup::Unknown => Found::Unknown,
        })
    }

    /// The entity that the command is about; NOT_FOUND where there is none that the actor may see.
    pub(crate) fn primary<T: Kind + Clone>(&mut self, id: Uuid) -> Result<T, Stop> {
        let reference = EntityRef::new(T::KIND, id);
        match self.find::<T>(id)? {
            Found::Known(it) if may_see(&it.clone().into(), self.actor()) => Ok(it),
            Found::Known(_) | Found::Absent => Err(check::not_found(reference).into()),
            Found::Unknown => Err(Stop::Unknown(reference)),
        }
    }

    /// An entity that a rule would change in consequence; where it is not to be had, that is noted as skipped.
    pub(crate) fn secondary<T: Kind>(&mut self, id: Uuid) -> Result<Option<T>, Stop> {
        let reason = match self.find::<T>(id)? {
            Found::Known(it) => return Ok(Some(it)),
            Found::Absent => "GONE",
            Found::Unknown => "NOT_VISIBLE",
        };
        self.skip(EntityRef::new(T::KIND, id), format!("{}_{reason}", T::KIND));
        Ok(None)
    }

    /// Makes sure that the id of something new is not taken. Where it cannot be told, it is not.
    pub(crate) fn fresh<T: Kind>(&mut self, id: Uuid) -> Result<(), Stop> {
        match self.find::<T>(id)? {
            Found::Absent | Found::Unknown => Ok(()),
            Found::Known(_) => {
                let message = "This id is taken; try again with a new one.";
                let reference = EntityRef::new(T::KIND, id);
                Err(Rejection::permanent(Reason::AlreadyExists, message).about(reference).into())
            }
        }
    }

    /// Writes an entity. Version, time and author are seen to at the end.
    pub(crate) fn put(&mut self, entity: impl Into<Entity>) -> Result<(), Stop> {
        let entity = entity.into();
        let reference = entity.reference();
        self.write(reference, Lookup::Known(entity))
    }

    /// Deletes an entity.
    pub(crate) fn remove(&mut self, reference: EntityRef) -> Result<(), Stop> {
        self.write(reference, Lookup::Absent)
    }

    /// Notes a consequence that is left out, with the reason's code.
    pub(crate) fn skip(&mut self, entity: EntityRef, reason: impl Into<String>) {
        self.skipped.push(Skipped { entity, reason: reason.into() });
    }

    /// What it all comes to. What was written but is as before is no change.
    pub(crate) fn finish(mut self) -> Effects {
        let mut changes = Vec::new();
        for reference in &self.written {
            let Some(slot) = self.slots.remove(reference) else { continue };
            let mut change = Change { before: known(slot.before), after: known(slot.now) };
            if change.before == change.after {
                continue;
            }
            let version = change.before.as_ref().map_or(0, Entity::version);
            if let Some(after) = &mut change.after {
                after.stamp(version, self.context.at, self.context.actor.id);
            }
            changes.push(change);
        }
        Effects { changes, reads: self.touched, skipped: self.skipped }
    }

    fn write(&mut self, reference: EntityRef, now: Lookup) -> Result<(), Stop> {
        self.slot(reference.clone())?.now = now;
        self.written.push(reference);
        Ok(())
    }

    fn slot(&mut self, reference: EntityRef) -> Result<&mut Slot, ReadError> {
        use std::collections::btree_map::Entry;
        match self.slots.entry(reference) {
            Entry::Occupied(slot) => Ok(slot.into_mut()),
            Entry::Vacant(vacant) => {
                let reference = vacant.key().clone();
                let before = self.read.read(reference.kind.clone(), reference.id)?;
                self.touched.push(reference);
                Ok(vacant.insert(Slot { now: before.clone(), before }))
            }
        }
    }
}

fn known(lookup: Lookup) -> Option<Entity> {
    match lookup {
        Lookup::Known(entity) => Some(entity),
        Lookup::Absent | Lookup::Unknown => None,
    }
}
