//! The log of commits.

use innsync_domain::{Change, Entity, EntityKind, EntityRef, Timestamp, Uuid};
use innsync_protocol::Mark;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::LedgerError;

/// A commit without its changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CommitRow {
    pub(crate) seq: u64,
    pub(crate) mark: Mark,
    pub(crate) at: Timestamp,
    pub(crate) by: Uuid,
}

/// A commit as it is in the log.
#[derive(Debug)]
pub(crate) struct StoredCommit {
    pub(crate) row: CommitRow,
    pub(crate) changes: Vec<Change>,
    /// Bytes of its changes' text: at least what it takes on the wire, all but a little.
    pub(crate) bytes: usize,
}

pub(crate) fn insert(
    connection: &Connection,
    property: &str,
    row: CommitRow,
    forced: bool,
    changes: &[Change],
) -> Result<(), LedgerError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO commits (property, seq, mark, at, author, forced) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let (seq, mark, at) = (row.seq.cast_signed(), row.mark.0.cast_signed(), row.at.as_millis());
    statement.execute(params![property, seq, mark, at, row.by.as_bytes(), forced])?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO changes (property, seq, ord, kind, id, before, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (ord, change) in (0_i64..).zip(changes) {
        let Some(entity) = change.reference() else { continue };
        let before = change.before.as_ref().map(Entity::to_json);
        let after = change.after.as_ref().map(Entity::to_json);
        let (kind, id) = (entity.kind.as_str(), entity.id.as_bytes());
        statement.execute(params![property, seq, ord, kind, id, before, after])?;
    }
    Ok(())
}

pub(crate) fn mark(connection: &Connection, property: &str, seq: u64) -> Result<Option<Mark>, LedgerError> {
    let mut statement =
        connection.prepare_cached("SELECT mark FROM commits WHERE property = ?1 AND seq = ?2")?;
    let mark =
        statement.query_row(params![property, seq.cast_signed()], |row| row.get::<_, i64>(0)).optional()?;
    Ok(mark.map(|mark| Mark(mark.cast_unsigned())))
}

/// The commits after `after` up to `to`, in order, with their changes.
pub(crate) fn range(
    connection: &Connection,
    property: &str,
    after: u64,
    to: u64,
) -> Result<Vec<StoredCommit>, LedgerError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, mark, at, author FROM commits WHERE property = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq",
    )?;
    let rows = statement.query_map(params![property, after.cast_signed(), to.cast_signed()], commit_row)?;
    let mut commits = Vec::new();
    for row in rows {
        commits.push(StoredCommit { row: row?, changes: Vec::new(), bytes: 0 });
    }
    let mut statement = connection.prepare_cached(
        "SELECT seq, kind, before, after FROM changes
         WHERE property = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq, ord",
    )?;
    let mut rows = statement.query(params![property, after.cast_signed(), to.cast_signed()])?;
    let mut commit = commits.iter_mut();
    let mut current: Option<&mut StoredCommit> = None;
    while let Some(row) = rows.next()? {
        let seq = row.get::<_, i64>(0)?.cast_unsigned();
        while current.as_ref().is_none_or(|current| current.row.seq < seq) {
            current = Some(commit.next().ok_or_else(|| LedgerError::Corrupt(format!("no commit {seq}")))?);
        }
        if let Some(current) = &mut current {
            current.bytes += text_len(row, 2)? + text_len(row, 3)?;
            current.changes.push(change(row, 1)?);
        }
    }
    Ok(commits)
}

/// Changes of one employee after `after`, in order.
pub(crate) fn employee_changes(
    connection: &Connection,
    property: &str,
    employee: Uuid,
    after: u64,
) -> Result<Vec<Change>, LedgerError> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, before, after FROM changes
         WHERE property = ?1 AND kind = 'EMPLOYEE' AND id = ?2 AND seq > ?3 ORDER BY seq, ord",
    )?;
    let mut rows = statement.query(params![property, employee.as_bytes(), after.cast_signed()])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        changes.push(change(row, 0)?);
    }
    Ok(changes)
}

/// Who deleted an entity last and when, and how it was; `None`: nobody, as far back as the log goes.
pub(crate) fn deletion(
    connection: &Connection,
    property: &str,
    entity: &EntityRef,
) -> Result<Option<(CommitRow, Entity)>, LedgerError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, mark, at, author, kind, before, after FROM changes JOIN commits USING (property, seq)
         WHERE property = ?1 AND kind = ?2 AND id = ?3 AND after IS NULL ORDER BY seq DESC LIMIT 1",
    )?;
    let mut rows = statement.query(params![property, entity.kind.as_str(), entity.id.as_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(change(row, 4)?.before.zip(Some(commit_row(row)?)).map(|(before, commit)| (commit, before)))
}

/// An entity as it was before a commit changed it; `None`: that created it, or is not in the log any more.
pub(crate) fn before(
    connection: &Connection,
    property: &str,
    entity: &EntityRef,
    seq: u64,
) -> Result<Option<Entity>, LedgerError> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, before, after FROM changes WHERE property = ?1 AND seq = ?2 AND kind = ?3 AND id = ?4",
    )?;
    let with = params![property, seq.cast_signed(), entity.kind.as_str(), entity.id.as_bytes()];
    let mut rows = statement.query(with)?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(change(row, 0)?.before)
}

/// The numbers of the commits after `after` that were taken before then, in order, up to the first that was not; at most
/// `limit`.
pub(crate) fn older(
    connection: &Connection,
    property: &str,
    after: u64,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<u64>, LedgerError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, at FROM commits WHERE property = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![property, after.cast_signed(), limit])?;
    let mut older = Vec::new();
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(1)? >= before.as_millis() {
            break;
        }
        older.push(row.get::<_, i64>(0)?.cast_unsigned());
    }
    Ok(older)
}

/// Forgets the changes up to `seq`, and the commits before it. Its own row stays: it has the mark that a cursor there
/// is compared with.
pub(crate) fn forget(connection: &Connection, property: &str, seq: u64) -> Result<(), LedgerError> {
    let with = params![property, seq.cast_signed()];
    connection.execute("DELETE FROM changes WHERE property = ?1 AND seq <= ?2", with)?;
    connection.execute("DELETE FROM commits WHERE property = ?1 AND seq < ?2", with)?;
    Ok(())
}

fn commit_row(row: &Row<'_>) -> rusqlite::Result<CommitRow> {
    Ok(CommitRow {
        seq: row.get::<_, i64>(0)?.cast_unsigned(),
        mark: Mark(row.get::<_, i64>(1)?.cast_unsigned()),
        at: Timestamp::from_millis(row.get(2)?),
        by: Uuid::from_bytes(row.get(3)?),
    })
}

fn text_len(row: &Row<'_>, column: usize) -> Result<usize, LedgerError> {
    Ok(row.get_ref(column)?.as_str_or_null().map_or(0, |text| text.map_or(0, str::len)))
}

/// The change whose kind, before and after stand in the columns from `first` on.
fn change(row: &Row<'_>, first: usize) -> Result<Change, LedgerError> {
    let wrong = |error: &dyn std::fmt::Display| LedgerError::unreadable("a change", error);
    let kind = row.get_ref(first)?.as_str().map_err(|error| wrong(&error))?;
    let kind = EntityKind::from(kind);
    let entity = |column| -> Result<Option<Entity>, LedgerError> {
        let text = row.get_ref(column)?.as_str_or_null().map_err(|error| wrong(&error))?;
        text.map(|text| Entity::from_json(&kind, text).map_err(|error| wrong(&error))).transpose()
    };
    Ok(Change { before: entity(first + 1)?, after: entity(first + 2)? })
}
