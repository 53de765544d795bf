//! Opening. What the file is gets checked before anything in it, or beside it, is touched.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::database::Database;
use crate::error::OpenError;
use crate::migrate::{APPLICATION_ID, FORMAT, application_of, format_of, migrate};
use crate::table::TABLES;

/// How long a call waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Statements kept prepared on a connection.
const STATEMENTS_CACHED: usize = 128;
/// Pages of 4 KiB in the write-ahead log at which it is written back into the file. A snapshot dirties the same pages
/// again and again; written back less often, it waits less for the disk.
const LOG_PAGES: i64 = 4_000;
/// Bytes to which the write-ahead log is cut back after a large snapshot.
const LOG_BYTES: i64 = 4 << 20;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// The writer's connection, of the newest format; and whether it keeps a log ([`use_log`]).
pub(crate) fn open_writer(path: &Path) -> Result<(Connection, bool), OpenError> {
    look(path)?;
    let log_to_sync = has_content(&beside(path, "-wal"));
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let mut connection =
        Connection::open_with_flags(path, flags).map_err(|error| OpenError::of(path, None, &error))?;
    let prepared = prepare_writer(path, &mut connection, log_to_sync);
    match prepared {
        Ok(logs) => Ok((connection, logs)),
        Err(Refused::Open(error)) => Err(error),
        Err(Refused::Sqlite(error)) => Err(OpenError::of(path, Some(&connection), &error)),
    }
}

/// A database that lives as long as its connection.
pub(crate) fn open_in_memory() -> Result<Connection, OpenError> {
    let memory = Path::new(":memory:");
    let refused = |error: &rusqlite::Error| OpenError::of(memory, None, error);
    let mut connection = Connection::open_in_memory().map_err(|error| refused(&error))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    migrate(&mut connection).map_err(|error| refused(&error))?;
    Ok(connection)
}

/// A connection that only reads, beside the writer's.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, OpenError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| OpenError::of(path, None, &error))?;
    prepare_reader(path, connection)
}

/// A connection that only reads what a newer release has written, and leaves every byte of it as it is. Refused as
/// [`OpenError::Newer`] where this release finds no longer what it knows.
pub(crate) fn open_newer(path: &Path) -> Result<Connection, OpenError> {
    // Without its log or journal the file alone is the whole, and nothing is made beside it.
    let whole = !["-wal", "-journal"].iter().any(|it| has_content(&beside(path, it)));
    let connection = if whole { open_unchanging(path)? } else { open_reader(path)? };
    let format = format_of(&connection).map_err(|error| OpenError::of(path, Some(&connection), &error))?;
    let known = TABLES.iter().flat_map(|table| [table.select, table.get_staged]).chain(Database::DOCUMENTS);
    for sql in known {
        connection.prepare(sql).map_err(|_| newer(path, format))?;
    }
    Ok(connection)
}

fn open_unchanging(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE
        | OpenFlags::SQLITE_OPEN_URI;
    let absolute = std::path::absolute(path).map_err(|error| OpenError::io(path, error))?;
    let connection = Connection::open_with_flags(unchanging(&absolute), flags)
        .map_err(|error| OpenError::of(path, None, &error))?;
    prepare_reader(path, connection)
}

/// The URI of a file that nobody changes (sqlite.org/uri.html).
fn unchanging(absolute: &Path) -> String {
    let mut uri = "file:".to_owned();
    for byte in absolute.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(*byte))
            }
            byte => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri + "?immutable=1"
}

fn prepare_reader(path: &Path, connection: Connection) -> Result<Connection, OpenError> {
    connection.busy_timeout(BUSY_TIMEOUT).map_err(|error| OpenError::of(path, Some(&connection), &error))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    Ok(connection)
}

enum Refused {
    Open(OpenError),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn prepare_writer(path: &Path, connection: &mut Connection, log_to_sync: bool) -> Result<bool, Refused> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    // Until the file is known to be ours, closing must not write the log back into it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let found = format_of(connection)?;
    // The log may hold a newer header than the one that was looked at.
    let ours = application_of(connection)? == APPLICATION_ID;
    if !ours && (found != 0 || has_tables(connection)?) {
        return Err(Refused::Open(OpenError::NotOurs { path: path.to_owned() }));
    }
    if found > FORMAT {
        return Err(Refused::Open(newer(path, found)));
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    // A new file gets its tables and its mark with a rollback journal, so that the mark is in the file itself and not
    // only in a log beside it.
    if found < FORMAT {
        migrate(connection)?;
    }
    let logs = use_log(connection)?;
    connection.query_row(&format!("PRAGMA journal_size_limit = {LOG_BYTES}"), [], |_| Ok(()))?;
    connection.query_row(&format!("PRAGMA wal_autocheckpoint = {LOG_PAGES}"), [], |_| Ok(()))?;
    if log_to_sync {
        sync_log(connection)?;
    }
    Ok(logs)
}

/// Has the database keep a write-ahead log; false where that cannot be just now, since the disk is full or fails: SQLite goes
/// on with a rollback journal then. With that, a commit outlives a power loss only where the journal's folder is synced, too.
pub(crate) fn use_log(connection: &Connection) -> rusqlite::Result<bool> {
    // SQLite answers with the new mode before it has written it: only after its last row the answer is true.
    let switched = (|| {
        let mut statement = connection.prepare("PRAGMA journal_mode = WAL")?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok::<_, rusqlite::Error>(())
    })();
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    let logs = switched.is_ok() && mode == "wal";
    connection.execute_batch(if logs {
        "PRAGMA synchronous = FULL"
    } else {
        "PRAGMA synchronous = EXTRA"
    })?;
    Ok(logs)
}

/// A process that died within a commit may have left it whole in the log and never synced. From now on it is shown and
/// sent, so it must not go with the next power loss: a commit of nothing new syncs the whole log.
fn sync_log(connection: &Connection) -> rusqlite::Result<()> {
    match connection.pragma_update(None, "user_version", FORMAT) {
        // Reading must be possible without space, too; the first commit that finds some syncs the log as well.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => Ok(()),
        result => result,
    }
}

fn has_tables(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
}

fn newer(path: &Path, found: u32) -> OpenError {
    OpenError::Newer { path: path.to_owned(), found, supported: FORMAT }
}

/// Looks at the file without SQLite, which might already roll back another app's journal.
fn look(path: &Path) -> Result<(), OpenError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(OpenError::io(path, error)),
    };
    let about = file.metadata().map_err(|error| OpenError::io(path, error))?;
    if about.is_dir() {
        return Err(OpenError::io(path, "it is a directory"));
    }
    let mut start = Vec::with_capacity(HEADER_BYTES);
    file.by_ref()
        .take(HEADER_BYTES as u64)
        .read_to_end(&mut start)
        .map_err(|error| OpenError::io(path, error))?;
    let judged = match start.as_slice().try_into() {
        // Not yet anything.
        _ if start.is_empty() => Ok(()),
        Ok(header) => judge(path, header, about.len()),
        Err(_) if MAGIC.starts_with(&start) || start.starts_with(MAGIC) => {
            Err(OpenError::corrupt(path, "cut off within its header"))
        }
        Err(_) => Err(OpenError::NotOurs { path: path.to_owned() }),
    };
    match judged {
        // When the power failed, the start of the file was being written: SQLite's journal takes it back.
        Err(OpenError::NotOurs { .. } | OpenError::Corrupt { .. }) if was_ours(path) => Ok(()),
        // The same while the log was being written back: it has the page whole still, and then says whose it is.
        Err(OpenError::NotOurs { .. }) if !start.starts_with(MAGIC) && has_log(path) => Ok(()),
        judged => judged,
    }
}

/// Whether the journal beside the file says that it was empty before, or ours (sqlite.org/fileformat2.html §3).
fn was_ours(path: &Path) -> bool {
    let number = |bytes: &[u8; 4]| u32::from_be_bytes(*bytes);
    let read = || -> std::io::Result<bool> {
        let mut journal = File::open(beside(path, "-journal"))?;
        let (mut magic, mut fields) = ([0; 8], [[0; 4]; 5]);
        journal.read_exact(&mut magic)?;
        for field in &mut fields {
            journal.read_exact(field)?;
        }
        // Pages in the journal and a nonce come first.
        let [_, _, pages_before, sector_bytes, _] = fields.map(|field| number(&field));
        if magic != JOURNAL_MAGIC || pages_before == 0 {
            return Ok(magic == JOURNAL_MAGIC);
        }
        let (mut page, mut header) = ([0; 4], [0; HEADER_BYTES]);
        journal.seek(SeekFrom::Start(sector_bytes.into()))?;
        journal.read_exact(&mut page)?;
        journal.read_exact(&mut header)?;
        Ok(number(&page) == 1 && header.starts_with(MAGIC) && header[68..72] == APPLICATION_ID.to_be_bytes())
    };
    read().unwrap_or(false)
}

/// Whether there is a write-ahead log beside the file (sqlite.org/fileformat2.html §4.1).
fn has_log(path: &Path) -> bool {
    let mut magic = [0; 4];
    let read = File::open(beside(path, "-wal")).and_then(|mut log| log.read_exact(&mut magic));
    read.is_ok() && matches!(u32::from_be_bytes(magic), 0x377f_0682 | 0x377f_0683)
}

const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// Bytes of SQLite's file header (sqlite.org/fileformat2.html §1.3).
const HEADER_BYTES: usize = 100;

fn judge(path: &Path, header: &[u8; HEADER_BYTES], bytes: u64) -> Result<(), OpenError> {
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if number(68) != APPLICATION_ID {
        return Err(OpenError::NotOurs { path: path.to_owned() });
    }
    if !header.starts_with(MAGIC) {
        return Err(OpenError::corrupt(path, "its header is damaged"));
    }
    if number(60) > FORMAT {
        return Err(newer(path, number(60)));
    }
    let page_bytes = match u64::from(u16::from_be_bytes([header[16], header[17]])) {
        1 => 65_536,
        bytes => bytes,
    };
    // With a log beside it, missing pages may still be there; with a journal, they will be rolled back.
    let unfinished = ["-wal", "-journal"].iter().any(|it| has_content(&beside(path, it)));
    if !unfinished && bytes < u64::from(number(28)) * page_bytes {
        return Err(OpenError::corrupt(path, format!("cut off after {bytes} bytes")));
    }
    Ok(())
}

fn has_content(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.len() > 0)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
