//! The one writer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use innsync_domain::mutant::{self, Mutant};
use innsync_domain::{Entity, EntityRef};
use innsync_engine::{Batch, Discarded, StoreError, Write};
use rusqlite::{Connection, TransactionBehavior};

use crate::database::Database;
use crate::error::{OpenError, store_error};
use crate::open::{open_in_memory, open_newer, open_reader, open_writer, use_log};
use crate::quarantine::{self, Quarantined, put_aside};
use crate::query::Query;
use crate::reader::{Reader, View};
use crate::write;

/// A connection that several owners may use in turn.
pub(crate) type Shared = Arc<Mutex<Connection>>;

/// The connection. A panic elsewhere while it was held rolled its transaction back: it is as good as before.
pub(crate) fn lock(shared: &Shared) -> MutexGuard<'_, Connection> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The phone's database, open for writing. One for each file.
#[derive(Debug)]
pub struct Store {
    pub(crate) connection: Shared,
    /// `None`: in memory.
    path: Option<PathBuf>,
    /// A newer release has written it: nothing of it may change.
    read_only: bool,
    durability: Durability,
    /// Whether it keeps a write-ahead log, as it should ([`use_log`]).
    logs: bool,
}

/// What a commit concerns, for whoever watches.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WriteSet {
    /// The shown rows that were written, as they are now; `None`: not shown any more. Each once, in order of kind and id.
    pub rows: Vec<(EntityRef, Option<Entity>)>,
    /// A snapshot took the place of all shown rows, or they (or all of a kind) were forgotten: every query is concerned, `rows` is empty.
    pub everything: bool,
    /// The outbox changed.
    pub outbox: bool,
    /// There are other effects to present than before.
    pub effects: bool,
}

/// When a commit returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durability {
    /// Once it is on the disk (`synchronous = FULL`).
    OnDisk,
    /// Once it is with the operating system; on the disk with the next one that is (`NORMAL`).
    Soon,
}

impl Store {
    /// Opens the database at `path`, or makes it. An older format is brought up to date.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let (connection, logs) = open_writer(path)?;
        Ok(Self::over(connection, Some(path.to_owned()), logs))
    }

    /// A database that lives as long as the store and its readers.
    pub fn open_in_memory() -> Result<Self, OpenError> {
        Ok(Self::over(open_in_memory()?, None, true))
    }

    /// Opens a database that a newer release has written ([`OpenError::Newer`]) for reading alone, as far as this release
    /// knows what is in it. Every commit fails with [`StoreError::ReadOnly`], what cannot be read is left out and stays
    /// where it is, and no byte of the file changes. Nobody else may have it open.
    pub fn open_newer(path: &Path) -> Result<Self, OpenError> {
        let store = Self::over(open_newer(path)?, Some(path.to_owned()), true);
        Ok(Self { read_only: true, ..store })
    }

    /// Whether a newer release has written it, and this one may only read it.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    fn over(connection: Connection, path: Option<PathBuf>, logs: bool) -> Self {
        let connection = Arc::new(Mutex::new(connection));
        Self { connection, path, read_only: false, durability: Durability::OnDisk, logs }
    }

    /// A reader for screens: it sees the last commit, never half of one, and does not wait for the writer (in memory it
    /// does, shortly).
    pub fn reader(&self) -> Result<Reader, OpenError> {
        match &self.path {
            Some(path) if self.read_only => Ok(Reader::over(Arc::new(Mutex::new(open_newer(path)?)))),
            Some(path) => Ok(Reader::over(Arc::new(Mutex::new(open_reader(path)?)))),
            None => Ok(Reader::over(Arc::clone(&self.connection))),
        }
    }

    /// Writes all of `batch`, in order, or nothing. When this returns, it is on the disk.
    ///
    /// (A batch of nothing but a snapshot's rows gets there with the next one: nobody was told that it is saved.)
    pub fn commit(&mut self, batch: &Batch) -> Result<WriteSet, StoreError> {
        if batch.writes.is_empty() {
            return Ok(WriteSet::default());
        }
        if self.read_only {
            return Err(StoreError::ReadOnly);
        }
        let wanted = durability_for(batch);
        let mut connection = lock(&self.connection);
        let result = (|| {
            if !self.logs {
                self.logs = use_log(&connection)?;
            }
            if self.path.is_some() && self.logs && self.durability != wanted {
                set_durability(&connection, wanted)?;
                self.durability = wanted;
            }
            if mutant::is(Mutant::CursorBeforeCommit) {
                let mut cursor = batch.clone();
                cursor.writes.retain(|write| matches!(write, Write::PutMeta(_)));
                write::apply(&connection, &cursor)?;
            }
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let changes = write::apply(&transaction, batch)?;
            transaction.commit()?;
            Ok(changes)
        })();
        result.map_err(|error| store_error(&connection, &error))
    }

    /// Forgets everything, as if the database had just been made. For simulations, which need a new one several times a
    /// second: making its tables takes longer than what is then done with them.
    #[cfg(feature = "simulation")]
    pub fn clear(&mut self) -> Result<(), StoreError> {
        let mut connection = lock(&self.connection);
        let result = (|| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            write::clear(&transaction)?;
            transaction.commit()
        })();
        result.map_err(|error| store_error(&connection, &error))
    }

    /// The shown rows that `query` asks for, in its order.
    pub fn query(&self, query: &Query) -> Result<Vec<Entity>, StoreError> {
        self.read(|database| database.query(query))
    }

    /// How many shown rows match, whatever the query's limit.
    pub fn count(&self, query: &Query) -> Result<u64, StoreError> {
        self.read(|database| database.count(query))
    }

    /// The operations that the person discarded, the latest first; kept for [`innsync_engine::limits::DISCARDED_KEPT_MS`].
    pub fn discarded(&self) -> Result<Vec<Discarded>, StoreError> {
        self.read(|database| database.discarded())
    }

    /// What could not be read and was moved aside, oldest first.
    pub fn quarantined(&self) -> Result<Vec<Quarantined>, StoreError> {
        self.read(|database| quarantine::list(database.connection))
    }

    /// How much was moved aside since it could not be read, by the table that it was in. For support: no text is in it.
    pub fn quarantine_counts(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        self.read(|database| quarantine::count(database.connection))
    }

    /// Several reads of one and the same commit, as the engine makes them for a step: several times quicker than one by
    /// one, since each by itself takes and gives back a lock of the file.
    pub fn reading<T>(&self, read: impl FnOnce(&View<'_>) -> T) -> Result<T, StoreError> {
        let mut connection = lock(&self.connection);
        let result = (|| {
            let transaction = connection.unchecked_transaction()?;
            let view = View::over(Database::new(&transaction));
            let answer = read(&view);
            let bad = view.into_bad();
            transaction.finish()?;
            Ok((answer, bad))
        })();
        let (answer, bad) = result.map_err(|error| store_error(&connection, &error))?;
        self.tidy(&mut connection, &bad);
        Ok(answer)
    }

    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Database<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut connection = lock(&self.connection);
        let database = Database::new(&connection);
        let result = read(&database);
        let bad = database.into_bad();
        self.tidy(&mut connection, &bad);
        result.map_err(|error| store_error(&connection, &error))
    }

    /// Moves aside what could not be read. Where that fails (a full disk), it is left out all the same, and tried again
    /// the next time. What a newer release wrote is for that to read.
    fn tidy(&self, connection: &mut Connection, bad: &[Quarantined]) {
        if !bad.is_empty() && !self.read_only {
            let _ = put_aside(connection, bad);
        }
    }
}

/// Rows of a snapshot under way are the server's, and the cursor does not count them yet: should the power fail, they
/// come again. All that this phone alone knows, or has told, waits for the disk.
fn durability_for(batch: &Batch) -> Durability {
    let comes_again = |write: &Write| matches!(write, Write::Show(_) | Write::Stage(_) | Write::ClearStage);
    if batch.writes.iter().all(comes_again) { Durability::Soon } else { Durability::OnDisk }
}

fn set_durability(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    connection.execute_batch(match durability {
        Durability::OnDisk => "PRAGMA synchronous = FULL",
        Durability::Soon => "PRAGMA synchronous = NORMAL",
    })
}
