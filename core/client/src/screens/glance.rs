//! One look at the database, as a screen takes it.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use innsync_domain::{Employee, Entity, Suite, Task, Timestamp, Uuid};
use innsync_engine::{OpState, ParkReason, QueuedOp, StoreError, StoreRead, SyncStatus};
use innsync_store::{Query, Store};

use super::TaskCard;
use crate::shared::Shared;

/// The database between two commits, with who looks and when.
pub struct Glance<'a> {
    store: &'a Store,
    pub(super) me: Uuid,
    pub(super) now: Timestamp,
    pub(super) status: SyncStatus,
    /// Whether a newer release has written the database.
    pub(super) read_only: bool,
    work: OnceCell<Work>,
}

/// What of the outbox shows on the things that it is about.
#[derive(Default)]
struct Work {
    unsent: HashSet<Uuid>,
    /// The first operation in conflict about each.
    conflicts: HashMap<Uuid, Uuid>,
}

impl Work {
    fn of(outbox: &[QueuedOp]) -> Self {
        let mut work = Self::default();
        for queued in outbox {
            work.unsent.extend(queued.footprint.writes.iter().map(|entity| entity.id));
            if matches!(queued.state, OpState::Parked { reason: ParkReason::Conflict { .. } }) {
                work.conflicts.entry(queued.op.command.primary().id).or_insert(queued.op.id);
            }
        }
        work
    }
}

impl<'a> Glance<'a> {
    pub(crate) fn new(store: &'a Store, shared: &Shared) -> Self {
        let now = shared.now().wall;
        Self {
            store,
            me: shared.account.employee,
            now,
            status: shared.status(),
            read_only: store.is_read_only(),
            work: OnceCell::new(),
        }
    }

    pub(super) fn store(&self) -> &'a Store {
        self.store
    }

    pub(super) fn query<T: TryFrom<Row>>(&self, query: &Query) -> Result<Vec<T>, StoreError> {
        Ok(self.store.query(query)?.into_iter().filter_map(|entity| T::try_from(Row(entity)).ok()).collect())
    }

    /// Whether something of that entity is not yet confirmed by the server.
    pub(super) fn is_unsent(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.work()?.unsent.contains(&id))
    }

    /// The operation about that entity that waits for this person to settle a conflict.
    pub(super) fn conflict_about(&self, id: Uuid) -> Result<Option<Uuid>, StoreError> {
        Ok(self.work()?.conflicts.get(&id).copied())
    }

    fn work(&self) -> Result<&Work, StoreError> {
        if let Some(work) = self.work.get() {
            return Ok(work);
        }
        let outbox = self.store.outbox()?;
        Ok(self.work.get_or_init(|| Work::of(&outbox)))
    }

    /// The tasks as cards, the most urgent first, then by floor and suite, then as they came.
    pub(super) fn cards(&self, tasks: Vec<Task>) -> Result<Vec<TaskCard>, StoreError> {
        let suites: HashMap<Uuid, Suite> =
            self.query::<Suite>(&Query::suites())?.into_iter().map(|suite| (suite.id, suite)).collect();
        let names: HashMap<Uuid, String> =
            self.query::<Employee>(&Query::employees())?.into_iter().map(|one| (one.id, one.name)).collect();
        let places: HashMap<Uuid, usize> = {
            let mut ordered: Vec<&Suite> = suites.values().collect();
            ordered.sort_by(|one, other| Self::door(one).cmp(&Self::door(other)));
            ordered.into_iter().enumerate().map(|(place, suite)| (suite.id, place)).collect()
        };
        let mut cards = Vec::with_capacity(tasks.len());
        for task in tasks {
            let suite = task.suite_id.and_then(|suite| suites.get(&suite));
            cards.push(TaskCard {
                suite_number: suite.map(|suite| suite.suite_number.clone()),
                floor: suite.map(|suite| suite.floor),
                assignee: task.assigned_to.and_then(|assignee| names.get(&assignee).cloned()),
                unsent: self.is_unsent(task.id)?,
                conflict: self.conflict_about(task.id)?,
                overdue: self.is_overdue(&task),
                task,
            });
        }
        let place = |card: &TaskCard| card.task.suite_id.and_then(|suite| places.get(&suite)).copied();
        // Stable: the query's order (due, then oldest) decides within a suite. Without a suite: last.
        cards.sort_by_key(|card| {
            (std::cmp::Reverse(card.task.priority.clone()), place(card).is_none(), place(card))
        });
        Ok(cards)
    }

    pub(super) fn is_overdue(&self, task: &Task) -> bool {
        task.status.is_open() && task.due_at.is_some_and(|due| due < self.now)
    }

    /// How doors are ordered: by floor, then 9 before 10.
    fn door(suite: &Suite) -> (i32, u64, &str) {
        let digits: String = suite.suite_number.chars().take_while(char::is_ascii_digit).collect();
        (suite.floor, digits.parse().unwrap_or_default(), &suite.suite_number)
    }
}

/// An entity on its way to its own type.
pub struct Row(pub(super) Entity);

macro_rules! rows {
    ($($name:ident),+) => {
        $(impl TryFrom<Row> for innsync_domain::$name {
            type Error = ();
            fn try_from(row: Row) -> Result<Self, ()> {
                match row.0 {
                    Entity::$name(it) => Ok(it),
                    _ => Err(()),
                }
            }
        })+
    };
}
rows!(Suite, Task, Employee, Notification, Alert, Announcement, Conflict);
