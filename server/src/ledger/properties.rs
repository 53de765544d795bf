//! Properties and the heads of their feeds.

use innsync_domain::Policies;
use innsync_protocol::{Cursor, Mark, PropertyInfo};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::LedgerError;

/// A property: a motel with a staff, a feed and data of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Its id, `seaside`: 1 to 64 characters of `a-z`, `0-9` and `-`.
    pub id: String,
    /// Its name, "Seaside Motel".
    pub name: String,
    /// Its time zone (IANA), `America/Los_Angeles`.
    pub time_zone: String,
}

impl Property {
    /// Whether a property may have that id.
    pub(crate) fn check_id(id: &str) -> Result<(), LedgerError> {
        let of_id = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        match id.is_empty() || id.len() > 64 || !id.bytes().all(of_id) {
            false => Ok(()),
            true => Err(LedgerError::BadPropertyId(id.to_owned())),
        }
    }
}

impl From<Property> for PropertyInfo {
    fn from(property: Property) -> Self {
        Self { id: property.id, name: property.name, time_zone: property.time_zone }
    }
}

/// Where a property's feed stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) cursor: Cursor,
    /// The log is kept after this commit.
    pub(crate) horizon: u64,
}

pub(crate) fn insert(connection: &Connection, property: &Property) -> Result<(), LedgerError> {
    let inserted = connection.execute(
        "INSERT INTO properties (id, name, time_zone, epoch, head_seq, head_mark, horizon)
         VALUES (?1, ?2, ?3, 1, 0, 0, 0) ON CONFLICT DO NOTHING",
        params![property.id, property.name, property.time_zone],
    )?;
    if inserted == 0 { Err(LedgerError::PropertyExists(property.id.clone())) } else { Ok(()) }
}

pub(crate) fn get(connection: &Connection, id: &str) -> Result<Option<Property>, LedgerError> {
    let mut statement =
        connection.prepare_cached("SELECT id, name, time_zone FROM properties WHERE id = ?1")?;
    Ok(statement.query_row([id], property).optional()?)
}

pub(crate) fn all(connection: &Connection) -> Result<Vec<Property>, LedgerError> {
    let mut statement =
        connection.prepare_cached("SELECT id, name, time_zone FROM properties ORDER BY id")?;
    let rows = statement.query_map([], property)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn property(row: &Row<'_>) -> rusqlite::Result<Property> {
    Ok(Property { id: row.get(0)?, name: row.get(1)?, time_zone: row.get(2)? })
}

pub(crate) fn head(connection: &Connection, id: &str) -> Result<Head, LedgerError> {
    let mut statement = connection
        .prepare_cached("SELECT epoch, head_seq, head_mark, horizon FROM properties WHERE id = ?1")?;
    let head = statement.query_row([id], |row| {
        let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
        let cursor = Cursor { epoch: number(0)?, seq: number(1)?, mark: Mark(number(2)?) };
        Ok(Head { cursor, horizon: number(3)? })
    });
    head.optional()?.ok_or_else(|| LedgerError::NoSuchProperty(id.to_owned()))
}

/// How the property decides between edits that did not know of each other.
pub(crate) fn policies(connection: &Connection, id: &str) -> Result<Policies, LedgerError> {
    let mut statement = connection.prepare_cached("SELECT policies FROM properties WHERE id = ?1")?;
    let policies = statement.query_row([id], |row| {
        let policies = serde_json::from_str(row.get_ref(0)?.as_str()?);
        Ok(policies.map_err(|error| LedgerError::unreadable("the policies of a property", error)))
    });
    policies.optional()?.ok_or_else(|| LedgerError::NoSuchProperty(id.to_owned()))?
}

pub(crate) fn set_policies(
    connection: &Connection,
    id: &str,
    policies: &Policies,
) -> Result<(), LedgerError> {
    let text = serde_json::to_string(policies).map_err(|error| LedgerError::Io(error.to_string()))?;
    connection.execute("UPDATE properties SET policies = ?2 WHERE id = ?1", params![id, text])?;
    Ok(())
}

pub(crate) fn set_head(connection: &Connection, id: &str, seq: u64, mark: Mark) -> Result<(), LedgerError> {
    let mut statement =
        connection.prepare_cached("UPDATE properties SET head_seq = ?2, head_mark = ?3 WHERE id = ?1")?;
    statement.execute(params![id, seq.cast_signed(), mark.0.cast_signed()])?;
    Ok(())
}

pub(crate) fn set_horizon(connection: &Connection, id: &str, horizon: u64) -> Result<(), LedgerError> {
    connection
        .execute("UPDATE properties SET horizon = ?2 WHERE id = ?1", params![id, horizon.cast_signed()])?;
    Ok(())
}

pub(crate) fn next_epoch(connection: &Connection, id: &str) -> Result<(), LedgerError> {
    connection.execute("UPDATE properties SET epoch = epoch + 1 WHERE id = ?1", [id])?;
    Ok(())
}
