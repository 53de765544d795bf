//! The records of values that lost, written beside what made them lose.

use innsync_domain::{EntityRef, Lost, Timestamp, Uuid, may_see, records, redact};
use rusqlite::Connection;
use serde_json::Value;

use super::draft::Draft;
use crate::ledger::LedgerError;
use crate::ledger::feed;
use crate::reader::person;

/// Adds the records of what lost by `operation` to the draft that it is carried out in.
pub(super) fn record(
    draft: &mut Draft<'_>,
    connection: &Connection,
    property: &str,
    operation: Uuid,
    entity: &EntityRef,
    mut lost: Vec<Lost>,
    now: Timestamp,
) -> Result<(), LedgerError> {
    for it in &mut lost {
        if let Some(seq) = it.written_in {
            it.base = seen_before(connection, property, it.lost_by, entity, seq, &it.field)?;
        }
    }
    for mut conflict in records(operation, entity, lost, now) {
        if !sees(draft, connection, property, conflict.lost_by, entity)? {
            (conflict.kept, conflict.kept_by) = (Value::Null, Uuid::nil());
        }
        draft.record(conflict)?;
    }
    Ok(())
}

/// What the author of a commit had before them in a field that they wrote; `null` where the log does not go back so far.
fn seen_before(
    connection: &Connection,
    property: &str,
    author: Uuid,
    entity: &EntityRef,
    seq: u64,
    field: &str,
) -> Result<Value, LedgerError> {
    let before = feed::before(connection, property, entity, seq)?;
    let author = person(connection, property, author)?;
    let seen = before.zip(author).filter(|(before, author)| may_see(before, author));
    Ok(seen.and_then(|(before, author)| redact(before, &author).field(field)).unwrap_or(Value::Null))
}

/// Whether somebody sees what has become of the entity.
fn sees(
    draft: &Draft<'_>,
    connection: &Connection,
    property: &str,
    who: Uuid,
    entity: &EntityRef,
) -> Result<bool, LedgerError> {
    let viewer = person(connection, property, who)?;
    let now = draft.get(entity)?;
    Ok(viewer.zip(now).is_some_and(|(viewer, now)| may_see(&now, &viewer)))
}
