//! From any format that was ever released to this one.

use rusqlite::{Connection, TransactionBehavior};

/// Marks a file as a database of this app (SQLite's application id): "InnS".
pub(crate) const APPLICATION_ID: u32 = u32::from_be_bytes(*b"InnS");

/// Step n leads from format n to format n + 1. A released step is never edited.
const STEPS: [&str; 3] = [
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_discarded.sql"),
    include_str!("../migrations/0003_conflicts.sql"),
];

/// The format that this release writes.
pub const FORMAT: u32 = STEPS.len() as u32;

/// The format of the database (SQLite's user version); 0: new.
pub(crate) fn format_of(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// The database's application id; 0: none.
pub(crate) fn application_of(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA application_id", [], |row| row.get::<_, i32>(0)).map(i32::cast_unsigned)
}

/// Takes every step that is missing, all in one transaction. The format is looked up within it: another process may
/// have been quicker.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let from = format_of(&transaction)?;
    for step in STEPS.iter().skip(from as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID.cast_signed())?;
    transaction.pragma_update(None, "user_version", from.max(FORMAT))?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_nothing_to_this_release_and_no_further() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert_eq!((format_of(&connection), application_of(&connection)), (Ok(0), Ok(0)));
        migrate(&mut connection).unwrap();
        let schema = |connection: &Connection| -> String {
            let all = "SELECT group_concat(sql ORDER BY name) FROM sqlite_schema";
            connection.query_row(all, [], |row| row.get(0)).unwrap()
        };
        let first = schema(&connection);
        migrate(&mut connection).unwrap();
        assert_eq!(schema(&connection), first);
        assert_eq!((format_of(&connection), application_of(&connection)), (Ok(FORMAT), Ok(APPLICATION_ID)));
    }

    /// The copy of a snapshot takes the columns by their names, so these have to be the same.
    #[test]
    fn staged_rows_have_the_columns_of_shown_ones() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        let columns = |table: &str| -> Vec<(String, String, bool)> {
            let sql = "SELECT name, type, \"notnull\" FROM pragma_table_info(?1) ORDER BY cid";
            let mut statement = connection.prepare(sql).unwrap();
            let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
            rows.unwrap().collect::<rusqlite::Result<_>>().unwrap()
        };
        for table in &crate::table::TABLES {
            assert_eq!(columns(table.name), columns(table.staging));
            assert!(!columns(table.name).is_empty());
        }
    }
}
