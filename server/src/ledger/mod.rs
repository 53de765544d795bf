//! The server's SQLite: everything it knows, in one file.
//!
//! [`Ledger`] is the one connection that writes; the [`Authority`](crate::authority::Authority) owns it.
//! [`Reader`]s have connections of their own and see whole transactions only (WAL). What a person
//! was told is saved survives a power cut (`synchronous=FULL`).

pub(crate) mod answers;
pub(crate) mod credentials;
pub(crate) mod entities;
mod error;
pub(crate) mod feed;
mod open;
pub(crate) mod outcomes;
pub(crate) mod properties;

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use credentials::{Credentials, RefreshToken};
pub use error::LedgerError;
pub use properties::Property;

use crate::reader::{PageSize, Reader};
pub(crate) use answers::KeptAnswer;
pub(crate) use feed::{CommitRow, StoredCommit};
pub(crate) use outcomes::StoredOutcome;
pub(crate) use properties::Head;

/// The ledger's one writing connection.
pub struct Ledger {
    reader: Reader,
    source: open::Source,
}

impl Ledger {
    /// Opens the ledger in that file; begins an empty one where there is no file yet. Older ledgers are migrated.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Self::of(open::Source::File(path.to_owned()))
    }

    /// A ledger that is gone when it and all its readers are.
    pub fn in_memory() -> Result<Self, LedgerError> {
        Self::of(open::Source::memory().1)
    }

    fn of(source: open::Source) -> Result<Self, LedgerError> {
        let mut connection = source.connect_writer()?;
        open::migrate(&mut connection)?;
        Ok(Self { reader: Reader::on(connection), source })
    }

    /// What a backup of this moment would hold, as a ledger of its own in memory. Of a ledger in memory alone: a file is
    /// backed up as docs/operations.md says.
    #[cfg(feature = "simulation")]
    pub fn copy(&self) -> Result<Self, LedgerError> {
        let (uri, copy) = open::Source::memory();
        // A database in memory is gone with its last connection, so that of the copy comes first.
        let connection = copy.connect_writer()?;
        self.connection().execute("VACUUM INTO ?1", [uri])?;
        Ok(Self { reader: Reader::on(connection), source: copy })
    }

    /// Forgets everything, as if the ledger had just been begun. For simulations, which need a new one several times a
    /// second.
    #[cfg(feature = "simulation")]
    pub fn clear(&mut self) -> Result<(), LedgerError> {
        let transaction = self.begin()?;
        transaction.pragma_update(None, "defer_foreign_keys", true)?;
        let tables: Vec<String> = {
            let sql = "SELECT name FROM sqlite_schema WHERE type = 'table'";
            let mut statement = transaction.prepare_cached(sql)?;
            statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
        };
        for table in tables {
            transaction.prepare_cached(&format!("DELETE FROM {table}"))?.execute([])?;
        }
        Ok(transaction.commit()?)
    }

    /// A reader with a connection of its own.
    pub fn reader(&self) -> Result<Reader, LedgerError> {
        Ok(Reader::on(self.source.connect_reader()?))
    }

    /// How much a page of the feed holds for who reads by this connection.
    pub fn set_page_size(&mut self, size: PageSize) {
        self.reader.set_page_size(size);
    }

    /// Reads by the writing connection itself.
    pub fn read(&self) -> &Reader {
        &self.reader
    }

    /// Folds the write-ahead log into the file, as before the process ends.
    pub fn checkpoint(&self) -> Result<(), LedgerError> {
        Ok(self.connection().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Begins a transaction that holds the write lock from the start.
    pub(crate) fn begin(&mut self) -> Result<Transaction<'_>, LedgerError> {
        Ok(self.reader.connection_mut().transaction_with_behavior(TransactionBehavior::Immediate)?)
    }

    pub(crate) fn connection(&self) -> &Connection {
        self.reader.connection()
    }
}
