//! The four stores of the seed (§4.2), read-only: only commands write.

use std::marker::PhantomData;

use innsync_domain::{
    Employee, Entity, EntityKind, EntityRef, Note, Suite, SuiteStatus, Task, TaskStatus, Uuid,
};
use innsync_store::{Order, Query};

use crate::error::Error;
use crate::handle::InnSync;

/// The seed's object stores, as shown to this person: the server's state with their own pending changes over it.
#[derive(Debug, Clone)]
pub struct Stores {
    innsync: InnSync,
}

/// A kind of entity that has a store.
pub trait Stored: sealed::Sealed + Sized + Send + 'static {}

mod sealed {
    use innsync_domain::{Entity, EntityKind};

    pub trait Sealed: Sized {
        const KIND: EntityKind;
        fn of(entity: Entity) -> Option<Self>;
    }
}

macro_rules! stored {
    ($($name:ident),+) => {
        $(impl Stored for $name {}
        impl sealed::Sealed for $name {
            const KIND: EntityKind = EntityKind::$name;
            fn of(entity: Entity) -> Option<Self> {
                match entity {
                    Entity::$name(it) => Some(it),
                    _ => None,
                }
            }
        })+
    };
}
stored!(Suite, Task, Employee, Note);

/// One kind of entity.
#[derive(Debug, Clone)]
pub struct Store<T> {
    innsync: InnSync,
    kind: PhantomData<fn() -> T>,
}

impl Stores {
    pub(crate) fn new(innsync: InnSync) -> Self {
        Self { innsync }
    }

    /// Suites.
    pub fn suites(&self) -> Store<Suite> {
        self.of()
    }

    /// Tasks.
    pub fn tasks(&self) -> Store<Task> {
        self.of()
    }

    /// Employees.
    pub fn employees(&self) -> Store<Employee> {
        self.of()
    }

    /// Notes.
    pub fn notes(&self) -> Store<Note> {
        self.of()
    }

    /// The seed's `syncFromAPI`: everything but the outbox is fetched anew and swapped in at once; until then what is
    /// there stays. Returns when asked for; needs the network sooner or later.
    pub async fn refresh(&self) -> Result<(), Error> {
        self.innsync.refresh().await
    }

    /// The seed's `clear`, for all stores: the cache is emptied and fetched when the network allows. The outbox stays,
    /// and what it predicts.
    pub async fn clear(&self) -> Result<(), Error> {
        self.innsync.clear_cache().await
    }

    fn of<T>(&self) -> Store<T> {
        Store { innsync: self.innsync.clone(), kind: PhantomData }
    }
}

impl<T: Stored> Store<T> {
    /// The entity with that id, if there is one that this person may see.
    pub async fn get(&self, id: Uuid) -> Result<Option<T>, Error> {
        Ok(self.innsync.get(EntityRef::new(T::KIND, id)).await?.and_then(T::of))
    }

    /// All of them, by id.
    pub async fn get_all(&self) -> Result<Vec<T>, Error> {
        self.select(Query::of(T::KIND)).await
    }

    async fn select(&self, query: Query) -> Result<Vec<T>, Error> {
        let rows = self.innsync.query(query.order(Order::Id)).await?;
        Ok(rows.into_iter().filter_map(T::of).collect())
    }
}

impl<T: Stored> Store<T> {
    /// The seed's `clear`: forgets what the phone holds of this kind, and fetches it when the network allows. The other
    /// kinds stay, and so does the outbox with what it predicts. Until it is fetched nothing that others change is taken
    /// over, and a person whose own row was cleared ([`Stores::employees`]) can't give commands.
    pub async fn clear(&self) -> Result<(), Error> {
        self.innsync.clear_kind(T::KIND).await
    }

    /// As [`Stores::refresh`]: there is one feed, so all kinds are fetched together.
    pub async fn refresh(&self) -> Result<(), Error> {
        self.innsync.refresh().await
    }
}

impl Store<Suite> {
    /// Suites in that status, by id.
    pub async fn by_status(&self, status: SuiteStatus) -> Result<Vec<Suite>, Error> {
        self.select(Query::suites().status(&[status])).await
    }

    /// Suites on that floor, by id.
    pub async fn by_floor(&self, floor: i32) -> Result<Vec<Suite>, Error> {
        self.select(Query::suites().floor(floor)).await
    }
}

impl Store<Task> {
    /// Tasks in that status, by id.
    pub async fn by_status(&self, status: TaskStatus) -> Result<Vec<Task>, Error> {
        self.select(Query::tasks().status(&[status])).await
    }

    /// Tasks assigned to that employee, by id.
    pub async fn by_assigned_to(&self, employee: Uuid) -> Result<Vec<Task>, Error> {
        self.select(Query::tasks().assigned_to(employee)).await
    }

    /// Tasks about that suite, by id.
    pub async fn by_suite(&self, suite: Uuid) -> Result<Vec<Task>, Error> {
        self.select(Query::tasks().suite(suite)).await
    }
}
