//! Reading for screens.

use innsync_domain::{Entity, EntityKind, Uuid};
use innsync_engine::{Effect, Meta, QueuedOp, StoreError};

use crate::database::Database;
use crate::error::store_error;
use crate::quarantine::Quarantined;
use crate::query::Query;
use crate::store::{Shared, lock};

/// Reads what was committed last; each call sees one commit whole. May be used from several threads, in turn.
#[derive(Debug)]
pub struct Reader {
    connection: Shared,
}

/// One commit, for as many reads as a screen or the engine needs.
pub struct View<'a> {
    database: Database<'a>,
}

impl Reader {
    pub(crate) fn over(connection: Shared) -> Self {
        Self { connection }
    }

    /// The shown rows that `query` asks for, in its order. One that cannot be read is left out.
    pub fn query(&self, query: &Query) -> Result<Vec<Entity>, StoreError> {
        self.read(|database| database.query(query))
    }

    /// One shown row.
    pub fn get(&self, kind: &EntityKind, id: Uuid) -> Result<Option<Entity>, StoreError> {
        self.read(|database| database.shown(kind, id))
    }

    /// How many shown rows match, whatever the query's limit.
    pub fn count(&self, query: &Query) -> Result<u64, StoreError> {
        self.read(|database| database.count(query))
    }

    /// The outbox in order.
    pub fn outbox(&self) -> Result<Vec<QueuedOp>, StoreError> {
        self.read(|database| database.outbox())
    }

    /// Effects not yet presented, oldest first.
    pub fn effects(&self) -> Result<Vec<Effect>, StoreError> {
        self.read(|database| database.effects())
    }

    /// The few facts that stand by themselves.
    pub fn meta(&self) -> Result<Meta, StoreError> {
        self.read(|database| database.meta())
    }

    /// Several reads of one and the same commit. Keep it short: what is read inside stays locked against tidying up.
    pub fn view<T>(&self, read: impl FnOnce(&View<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let connection = lock(&self.connection);
        let transaction =
            connection.unchecked_transaction().map_err(|error| store_error(&connection, &error))?;
        let answer = read(&View::over(Database::new(&transaction)));
        transaction.finish().map_err(|error| store_error(&connection, &error))?;
        answer
    }

    fn read<T>(&self, read: impl FnOnce(&Database<'_>) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let connection = lock(&self.connection);
        // What cannot be read is moved aside by the writer, when it comes across it.
        read(&Database::new(&connection)).map_err(|error| store_error(&connection, &error))
    }
}

impl<'a> View<'a> {
    pub(crate) fn over(database: Database<'a>) -> Self {
        Self { database }
    }

    pub(crate) fn into_bad(self) -> Vec<Quarantined> {
        self.database.into_bad()
    }

    /// See [`Reader::query`].
    pub fn query(&self, query: &Query) -> Result<Vec<Entity>, StoreError> {
        self.read(|database| database.query(query))
    }

    /// See [`Reader::count`].
    pub fn count(&self, query: &Query) -> Result<u64, StoreError> {
        self.read(|database| database.count(query))
    }

    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Database<'a>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        read(&self.database).map_err(|error| store_error(self.database.connection, &error))
    }
}
