//! What cannot be read is moved aside, so that one bad row neither stops the rest nor is lost.

use std::collections::BTreeMap;

use innsync_domain::Uuid;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, TransactionBehavior, params};
use serde_json::{Map, Value};

/// Something that could not be read and was moved aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The table that it was in: `tasks`, `outbox`, `base`, …
    pub source: String,
    /// Its id as it was stored: 16 bytes, unless that was what was wrong.
    pub key: Vec<u8>,
    /// What was stored. May hold what people wrote: not for logs.
    pub body: String,
    /// Why it could not be read.
    pub detail: String,
}

impl Quarantined {
    /// A row of shown entities, its columns as one JSON object.
    pub(crate) fn row(source: &str, row: &Row<'_>, detail: String) -> Self {
        let key = match row.get_ref(0) {
            Ok(ValueRef::Blob(id)) => id.to_vec(),
            _ => Vec::new(),
        };
        let columns: Map<String, Value> = row
            .as_ref()
            .column_names()
            .enumerate()
            .map(|(at, name)| (name.to_owned(), row.get_ref(at).map_or(Value::Null, plain)))
            .collect();
        Self { source: source.to_owned(), key, body: Value::Object(columns).to_string(), detail }
    }

    /// A JSON document.
    pub(crate) fn document(source: &str, key: &[u8], body: &str, detail: String) -> Self {
        Self { source: source.to_owned(), key: key.to_vec(), body: body.to_owned(), detail }
    }
}

fn plain(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) => match Uuid::from_slice(bytes) {
            Ok(id) => id.to_string().into(),
            Err(_) => bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into(),
        },
    }
}

/// Moves them aside, all or none.
pub(crate) fn put_aside(connection: &mut Connection, bad: &[Quarantined]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for it in bad {
        transaction.execute(
            "INSERT INTO quarantine (source, key, body, detail) VALUES (?1, ?2, ?3, ?4)",
            params![it.source, it.key, it.body, it.detail],
        )?;
        match it.source.as_str() {
            // Operations are still pending for the entity; only the server's state of it is not known any more. What was
            // no UTF-8 is not in `body` as it is in the row.
            "base" if it.key.len() == size_of::<Uuid>() => transaction.execute(
                "UPDATE base SET doc = NULL WHERE id = ?1 AND (doc = ?2 OR instr(?2, char(0xfffd)) > 0)",
                params![it.key, it.body],
            )?,
            // Its id stays known, so that the same cause brings no other.
            "effects" => {
                transaction.execute("UPDATE effects SET presented = 1, body = '' WHERE id = ?1", [&it.key])?
            }
            "meta" => transaction.execute("DELETE FROM meta", [])?,
            source => transaction.execute(&format!("DELETE FROM {source} WHERE id = ?1"), [&it.key])?,
        };
    }
    transaction.commit()
}

/// How much was moved aside, by the table that it was in.
pub(crate) fn count(connection: &Connection) -> rusqlite::Result<BTreeMap<String, u64>> {
    connection
        .prepare_cached("SELECT source, count(*) FROM quarantine GROUP BY source")?
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?
        .collect()
}

/// All that was moved aside, oldest first.
pub(crate) fn list(connection: &Connection) -> rusqlite::Result<Vec<Quarantined>> {
    connection
        .prepare_cached("SELECT source, key, body, detail FROM quarantine ORDER BY ord")?
        .query_map([], |row| {
            Ok(Quarantined { source: row.get(0)?, key: row.get(1)?, body: row.get(2)?, detail: row.get(3)? })
        })?
        .collect()
}
