//! Live queries: a list, and what changes of it.

use innsync_domain::Entity;

use crate::stream::Stream;

/// A query's result as it changes. The first item is always [`Update::Reset`]; a consumer that lags gets a Reset
/// instead of a growing queue.
pub type LiveQuery = Stream<Update>;

/// What happened to a live query's result.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// The whole result, in the query's order.
    Reset(Vec<Entity>),
    /// What changed since the item before; never nothing.
    Diff(Vec<Change>),
}

/// One change of a list, to be carried out in order: each position is that of the list as the changes before it left
/// it. What moved is removed and inserted.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A new element stands at `at`.
    Insert {
        /// Its position.
        at: usize,
        /// The element.
        entity: Entity,
    },
    /// The element at `at` is now so.
    Update {
        /// Its position.
        at: usize,
        /// The element.
        entity: Entity,
    },
    /// The element at `at` is gone.
    Remove {
        /// Its position.
        at: usize,
    },
}

impl Update {
    /// Carries the update out on a list.
    pub fn apply(self, list: &mut Vec<Entity>) {
        match self {
            Self::Reset(all) => *list = all,
            Self::Diff(changes) => changes.into_iter().for_each(|change| change.apply(list)),
        }
    }
}

impl Change {
    /// Carries the change out on a list; a position beyond its end changes nothing.
    pub fn apply(self, list: &mut Vec<Entity>) {
        match self {
            Self::Insert { at, entity } if at <= list.len() => list.insert(at, entity),
            Self::Update { at, entity } if at < list.len() => list[at] = entity,
            Self::Remove { at } if at < list.len() => drop(list.remove(at)),
            Self::Insert { .. } | Self::Update { .. } | Self::Remove { .. } => {}
        }
    }
}
