//! What became of each operation.

use innsync_domain::mutant::{self, Mutant};
use innsync_domain::{Timestamp, Uuid};
use innsync_protocol::{OpOutcome, OpResult};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::LedgerError;

/// An outcome as it was stored, with the hash of the command that it is of.
#[derive(Debug)]
pub(crate) struct StoredOutcome {
    pub(crate) hash: [u8; 32],
    pub(crate) outcome: OpOutcome,
}

pub(crate) fn get(
    connection: &Connection,
    property: &str,
    author: Uuid,
    operation: Uuid,
) -> Result<Option<StoredOutcome>, LedgerError> {
    let mut statement = connection.prepare_cached(
        "SELECT body, seq, hash FROM outcomes WHERE property = ?1 AND author = ?2 AND operation = ?3",
    )?;
    let mut rows = statement.query(params![property, author.as_bytes(), operation.as_bytes()])?;
    match rows.next()? {
        Some(row) => Ok(Some(StoredOutcome { outcome: outcome(row)?, hash: row.get(2)? })),
        None => Ok(None),
    }
}

pub(crate) fn insert(
    connection: &Connection,
    property: &str,
    author: Uuid,
    hash: &[u8; 32],
    at: Timestamp,
    result: &OpResult,
) -> Result<(), LedgerError> {
    const INSERT: &str = "INSERT INTO outcomes (property, author, operation, hash, seq, at, body)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let forgotten = mutant::is(Mutant::DedupeForgotten).then(|| INSERT.replace("INSERT", "REPLACE"));
    let mut statement = connection.prepare_cached(forgotten.as_deref().unwrap_or(INSERT))?;
    let body = serde_json::to_string(&result.result).map_err(|error| LedgerError::Io(error.to_string()))?;
    let (seq, at) = (result.result.seq().unwrap_or_default().cast_signed(), at.as_millis());
    statement.execute(params![property, author.as_bytes(), result.id.as_bytes(), hash, seq, at, body])?;
    Ok(())
}

/// The author's operations that took effect after `after` up to `to`, in order.
pub(crate) fn range(
    connection: &Connection,
    property: &str,
    author: Uuid,
    after: u64,
    to: u64,
) -> Result<Vec<OpResult>, LedgerError> {
    let mut statement = connection.prepare_cached(
        "SELECT body, seq, operation FROM outcomes
         WHERE property = ?1 AND author = ?2 AND seq > ?3 AND seq <= ?4 AND seq > 0 ORDER BY seq",
    )?;
    let mut rows =
        statement.query(params![property, author.as_bytes(), after.cast_signed(), to.cast_signed()])?;
    let mut results = Vec::new();
    while let Some(row) = rows.next()? {
        results.push(OpResult { id: Uuid::from_bytes(row.get(2)?), result: outcome(row)? });
    }
    Ok(results)
}

/// How many operations of any author took effect; for tests and figures.
pub(crate) fn effective(connection: &Connection, property: &str) -> Result<u64, LedgerError> {
    let count = connection
        .query_row("SELECT count(*) FROM outcomes WHERE property = ?1 AND seq > 0", [property], |row| {
            row.get::<_, i64>(0)
        })
        .optional()?;
    Ok(count.unwrap_or_default().cast_unsigned())
}

/// Forgets the details of at most `limit` outcomes of before then; of how many. What is left says that the operation was
/// decided, of which command it was, and whether it took effect.
pub(crate) fn forget_bodies(
    connection: &Connection,
    before: Timestamp,
    limit: usize,
) -> Result<usize, LedgerError> {
    let mut statement = connection.prepare_cached(
        "UPDATE outcomes SET body = '' WHERE (property, author, operation) IN
            (SELECT property, author, operation FROM outcomes WHERE at < ?1 AND body <> '' LIMIT ?2)",
    )?;
    Ok(statement.execute(params![before.as_millis(), i64::try_from(limit).unwrap_or(i64::MAX)])?)
}

/// The outcome whose body and number are the row's first columns. Without its details, it is that it was applied or, where
/// it took no effect, that a person has to decide.
fn outcome(row: &Row<'_>) -> Result<OpOutcome, LedgerError> {
    let body = row.get_ref(0)?.as_str().map_err(|error| LedgerError::unreadable("an outcome", error))?;
    if body.is_empty() {
        return Ok(match row.get::<_, i64>(1)?.cast_unsigned() {
            0 => OpOutcome::bare_conflict(),
            seq => OpOutcome::Applied { seq, version: 0, skipped: Vec::new() },
        });
    }
    serde_json::from_str(body).map_err(|error| LedgerError::unreadable("an outcome", error))
}
