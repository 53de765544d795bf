//! What the server's ledger holds, read from its file: what was decided, and what it did.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use innsync_client::Uuid;
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::Value;

/// A ledger's file.
pub(super) struct Ledger {
    /// The commit of each operation; `None`: it was decided that it has no effect.
    pub(super) outcomes: BTreeMap<Uuid, Option<u64>>,
    /// Whose each is.
    pub(super) authors: BTreeMap<Uuid, Uuid>,
    /// The numbers of all commits.
    pub(super) commits: BTreeSet<u64>,
    /// How often each task, note and announcement was made.
    pub(super) made: BTreeMap<Uuid, usize>,
    /// How often each comment stands below a note that is still there or was when it was deleted.
    pub(super) comments: BTreeMap<Uuid, usize>,
}

/// The number of the last commit.
pub(super) fn head(file: &Path) -> Result<u64, String> {
    let head = open(file)?.query_row("SELECT coalesce(max(seq), 0) FROM commits", [], |row| row.get(0));
    head.map(i64::cast_unsigned).map_err(|error| format!("the ledger's head: {error}"))
}

/// A connection that writes nothing, also where a process that was killed has left its WAL behind.
fn open(file: &Path) -> Result<Connection, String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(file, flags).map_err(|error| format!("the ledger cannot be opened: {error}"))
}

impl Ledger {
    pub(super) fn read(file: &Path) -> Result<Self, String> {
        let connection = open(file)?;
        let mut ledger = Self {
            outcomes: BTreeMap::new(),
            authors: BTreeMap::new(),
            commits: BTreeSet::new(),
            made: BTreeMap::new(),
            comments: BTreeMap::new(),
        };
        each(&connection, "SELECT operation, seq, author FROM outcomes", |row| {
            let id = Uuid::from_bytes(row.get(0)?);
            let seq = row.get::<_, i64>(1)?.cast_unsigned();
            ledger.outcomes.insert(id, (seq > 0).then_some(seq));
            ledger.authors.insert(id, Uuid::from_bytes(row.get(2)?));
            Ok(())
        })?;
        each(&connection, "SELECT seq FROM commits", |row| {
            ledger.commits.insert(row.get::<_, i64>(0)?.cast_unsigned());
            Ok(())
        })?;
        let made = "SELECT id FROM changes
            WHERE before IS NULL AND kind IN ('TASK', 'NOTE', 'ANNOUNCEMENT')";
        each(&connection, made, |row| {
            *ledger.made.entry(Uuid::from_bytes(row.get(0)?)).or_default() += 1;
            Ok(())
        })?;
        // The notes as they are, and those that were deleted as they were last.
        let notes = "SELECT doc FROM entities WHERE kind = 'NOTE'
            UNION ALL SELECT before FROM changes WHERE kind = 'NOTE' AND after IS NULL";
        each(&connection, notes, |row| {
            let note: Value = serde_json::from_str(&row.get::<_, String>(0)?).unwrap_or_default();
            for comment in note["comments"].as_array().into_iter().flatten() {
                let id = comment["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default();
                *ledger.comments.entry(id).or_default() += 1;
            }
            Ok(())
        })?;
        Ok(ledger)
    }
}

fn each(
    connection: &Connection,
    sql: &str,
    mut see: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> Result<(), String> {
    let read = || {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            see(row)?;
        }
        Ok::<(), rusqlite::Error>(())
    };
    let mut read = read;
    read().map_err(|error| format!("the ledger, `{sql}`: {error}"))
}
