//! The records of values that lost, written beside what made them lose.

use innsync_domain::{EntityRef, Lost, Timestamp, Uuid, may_see, records};
use rusqlite::Connection;
use serde_json::Value;

use super::draft::Draft;
use crate::ledger::LedgerError;
use crate::reader::person;

/// Adds the records of what lost by `operation` to the draft that it is carried out in.
pub(super) fn record(
    draft: &mut Draft<'_>,
    connection: &Connection,
    property: &str,
    operation: Uuid,
    entity: &EntityRef,
    lost: Vec<Lost>,
    now: Timestamp,
) -> Result<(), LedgerError> {
    for mut conflict in records(operation, entity, lost, now) {
        if !sees(draft, connection, property, conflict.lost_by, entity)? {
            conflict.kept = Value::Null;
        }
        draft.record(conflict)?;
    }
    Ok(())
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
