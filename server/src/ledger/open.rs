//! Opening: what file it is, its settings, its version.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::LedgerError;

/// `InnS`: what the SQLite header's application id says of a ledger.
const APPLICATION_ID: i32 = 0x496e_6e53;

/// How long a statement waits for another connection's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepared statements that each connection keeps.
const CACHED_STATEMENTS: usize = 64;

/// How the ledger came to be as it is; each is run once, in order, and never edited after its release.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_retention.sql"),
    include_str!("migrations/0003_conflicts.sql"),
];

/// The version that this release writes.
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

/// Where a ledger is.
pub(super) enum Source {
    File(PathBuf),
    Memory(String),
}

impl Source {
    /// A place in memory that no other ledger of this process has, with its name.
    pub(super) fn memory() -> (String, Self) {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let uri = format!("file:/innsync-ledger-{number}?vfs=memdb");
        (uri.clone(), Self::Memory(uri))
    }

    pub(super) fn connect_writer(&self) -> Result<Connection, LedgerError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        match self {
            Self::Memory(uri) => {
                let connection = Connection::open_with_flags(uri, flags)?;
                configure(&connection)?;
                Ok(connection)
            }
            Self::File(path) => {
                check_place(path)?;
                let connection = Connection::open_with_flags(path, flags & !OpenFlags::SQLITE_OPEN_URI)
                    .map_err(|error| cannot_open(path, &error.to_string()))?;
                // Until the file is known to be ours to write, closing must not write its log back into it.
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
                check_identity(&connection, path)?;
                found_version(&connection)?;
                if connection.is_readonly("main")? {
                    return Err(cannot_open(path, "it is write-protected; change its permissions"));
                }
                connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
                configure(&connection)?;
                connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
                Ok(connection)
            }
        }
    }

    pub(super) fn connect_reader(&self) -> Result<Connection, LedgerError> {
        // Read-only connections to a file in WAL mode still need to write its index, so `query_only` it is.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match self {
            Self::Memory(uri) => Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)?,
            Self::File(path) => Connection::open_with_flags(path, flags)?,
        };
        configure(&connection)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    }
}

fn cannot_open(path: &Path, detail: &str) -> LedgerError {
    LedgerError::CannotOpen { path: path.to_owned(), detail: detail.to_owned() }
}

/// SQLite says of all of these that it is "unable to open the database file".
fn check_place(path: &Path) -> Result<(), LedgerError> {
    if path.is_dir() {
        return Err(cannot_open(path, "it is a directory; name a file in it"));
    }
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => {
            Err(cannot_open(path, &format!("there is no directory {}; create it first", parent.display())))
        }
        _ => Ok(()),
    }
}

/// Looks before anything is written, so that somebody else's file stays as it is.
fn check_identity(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let not_a_ledger = |detail: String| LedgerError::NotALedger { path: path.to_owned(), detail };
    let identity = connection.query_row(
        "SELECT (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)",
        [],
        |row| Ok((row.get::<_, i32>(0)?, row.get::<_, i64>(1)?)),
    );
    match identity {
        Ok((APPLICATION_ID, _)) | Ok((0, 0)) => Ok(()),
        Ok((0, _)) => Err(not_a_ledger("it is another program's SQLite database".to_owned())),
        Ok((id, _)) => Err(not_a_ledger(format!("it is an SQLite database with the application id {id:#x}"))),
        Err(error) => match LedgerError::from(error) {
            LedgerError::Corrupt(_) => Err(not_a_ledger("it is not an SQLite database".to_owned())),
            LedgerError::Io(detail) => Err(cannot_open(path, &detail)),
            other => Err(other),
        },
    }
}

fn configure(connection: &Connection) -> Result<(), LedgerError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    // Else SQLite prepares a statement anew whenever a bound `kind` may decide about a partial index.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

/// The version of the ledger, unless it is newer than this release.
fn found_version(connection: &Connection) -> Result<u32, LedgerError> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > VERSION { Err(LedgerError::Newer { found, supported: VERSION }) } else { Ok(found) }
}

/// Brings an older (or empty) ledger up to this release, in one transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), LedgerError> {
    let found = found_version(connection)?;
    if found == VERSION {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    for migration in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(())
}
