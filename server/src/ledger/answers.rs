//! Answers to REST calls with an Idempotency-Key, kept for [`KEPT_MS`].

use innsync_domain::{Timestamp, Uuid};
use rusqlite::{Connection, OptionalExtension, params};

use super::LedgerError;

/// Milliseconds that an answer is kept: a day.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptAnswer {
    /// The hash of the request that it answered.
    pub(crate) hash: [u8; 32],
    /// Its HTTP status.
    pub(crate) status: u16,
    /// Its Location; empty: none.
    pub(crate) location: String,
    /// Its body.
    pub(crate) body: String,
}

pub(crate) fn get(
    connection: &Connection,
    property: &str,
    author: Uuid,
    key: &str,
    now: Timestamp,
) -> Result<Option<KeptAnswer>, LedgerError> {
    let mut statement = connection.prepare_cached(
        "SELECT hash, status, location, body FROM answers
         WHERE property = ?1 AND author = ?2 AND key = ?3 AND at > ?4",
    )?;
    let oldest = now.as_millis() - KEPT_MS;
    let answer = statement.query_row(params![property, author.as_bytes(), key, oldest], |row| {
        Ok(KeptAnswer { hash: row.get(0)?, status: row.get(1)?, location: row.get(2)?, body: row.get(3)? })
    });
    Ok(answer.optional()?)
}

pub(crate) fn put(
    connection: &Connection,
    property: &str,
    author: Uuid,
    key: &str,
    now: Timestamp,
    answer: &KeptAnswer,
) -> Result<(), LedgerError> {
    let mut forget = connection.prepare_cached("DELETE FROM answers WHERE at <= ?1")?;
    forget.execute([now.as_millis() - KEPT_MS])?;
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO answers (property, author, key, hash, at, status, location, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let KeptAnswer { hash, status, location, body } = answer;
    statement.execute(params![
        property,
        author.as_bytes(),
        key,
        hash,
        now.as_millis(),
        status,
        location,
        body
    ])?;
    Ok(())
}
