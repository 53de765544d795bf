//! The four stores of the seed (§4.2), read-only: only commands write.

use std::marker::PhantomData;

use innsync_domain::{Employee, Note, Suite, SuiteStatus, Task, TaskStatus, Uuid};

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
    pub trait Sealed {}
}

macro_rules! stored {
    ($($name:ident),+) => { $(impl sealed::Sealed for $name {} impl Stored for $name {})+ };
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
        let _ = (&self.innsync, id);
        Err(Error::Bug("not written yet".to_owned()))
    }

    /// All of them, by id.
    pub async fn get_all(&self) -> Result<Vec<T>, Error> {
        Err(Error::Bug("not written yet".to_owned()))
    }
}

impl Store<Suite> {
    /// Suites in that status.
    pub async fn by_status(&self, status: SuiteStatus) -> Result<Vec<Suite>, Error> {
        let _ = status;
        Err(Error::Bug("not written yet".to_owned()))
    }

    /// Suites on that floor.
    pub async fn by_floor(&self, floor: i32) -> Result<Vec<Suite>, Error> {
        let _ = floor;
        Err(Error::Bug("not written yet".to_owned()))
    }
}

impl Store<Task> {
    /// Tasks in that status.
    pub async fn by_status(&self, status: TaskStatus) -> Result<Vec<Task>, Error> {
        let _ = status;
        Err(Error::Bug("not written yet".to_owned()))
    }

    /// Tasks assigned to that employee.
    pub async fn by_assigned_to(&self, employee: Uuid) -> Result<Vec<Task>, Error> {
        let _ = employee;
        Err(Error::Bug("not written yet".to_owned()))
    }

    /// Tasks about that suite.
    pub async fn by_suite(&self, suite: Uuid) -> Result<Vec<Task>, Error> {
        let _ = suite;
        Err(Error::Bug("not written yet".to_owned()))
    }
}
