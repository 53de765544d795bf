//! How an operator sees and chooses what decides between two edits (docs/conflicts.md).

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::house::{done, run};

/// A ledger with the property `bay`.
fn bay() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("ledger.sqlite");
    let path = data.to_str().unwrap();
    let zone = ["--name", "Bay View", "--time-zone", "Europe/Rome"];
    done(&[&["property", "create", "--data", path, "--id", "bay"], &zone[..]].concat(), "");
    (dir, data)
}

/// What `policies` prints and complains of, and with what it ends.
fn policies(data: &Path, property: &str, more: &[&str]) -> (String, String, Option<i32>) {
    let path = data.to_str().unwrap();
    let output = run(&[&["policies", "--data", path, "--property", property], more].concat(), "");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

fn table(data: &Path, more: &[&str]) -> String {
    let (said, complained, code) = policies(data, "bay", more);
    assert_eq!((code, complained.as_str()), (Some(0), ""), "{more:?}");
    said
}

fn refused(data: &Path, more: &[&str]) -> String {
    let (said, complained, code) = policies(data, "bay", more);
    assert_eq!((code, said.as_str()), (Some(1), ""), "{more:?}: {complained}");
    complained
}

/// The row of a field, without the spaces between its columns.
fn row(table: &str, field: &str) -> String {
    let row = table.lines().find(|line| line.split_whitespace().next() == Some(field));
    row.unwrap_or_else(|| panic!("no {field} in\n{table}")).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_table_has_a_row_for_each_field() {
    let (_dir, data) = bay();
    let table = table(&data, &[]);
    assert_eq!(row(&table, "TASK.title"), "TASK.title MERGE_TEXT");
    assert_eq!(row(&table, "TASK.priority"), "TASK.priority LAST_WRITE_WINS");
    assert_eq!(row(&table, "EMPLOYEE.role"), "EMPLOYEE.role SERVER_WINS");
    assert_eq!(row(&table, "SUITE.status"), "SUITE.status GUARDED");
    assert_eq!(row(&table, "NOTE.comments"), "NOTE.comments APPEND_ONLY");
    assert!(!table.contains("chosen"), "{table}");
    // The worked examples of docs/conflicts.md name each of them once more.
    let page = include_str!("../../../docs/conflicts.md");
    for line in table.lines() {
        let mut words = line.split_whitespace();
        let (kind, field) = words.next().unwrap().split_once('.').unwrap();
        let policy = words.next().unwrap();
        let is_named = |line: &&str| {
            let cells: Vec<&str> = line.split(" | ").collect();
            let fields = cells.first().and_then(|cell| cell.strip_prefix(&format!("| {kind} ")));
            fields.is_some_and(|fields| fields.contains(&format!("`{field}`")))
                && cells.get(1) == Some(&policy)
        };
        let named = page.lines().filter(is_named).count();
        assert_eq!(named, 1, "{kind}.{field} {policy}");
    }
}

#[test]
fn maria_has_priorities_asked_about_and_then_not_any_more() {
    let (_dir, data) = bay();
    let chosen = table(&data, &["--set", "TASK.priority=MANUAL", "--set", "NOTE.title=SERVER_WINS"]);
    assert_eq!(row(&chosen, "TASK.priority"), "TASK.priority MANUAL chosen by the property");
    assert_eq!(row(&chosen, "NOTE.title"), "NOTE.title SERVER_WINS chosen by the property");
    assert_eq!(table(&data, &[]), chosen, "it stays");
    let reset = table(&data, &["--reset", "TASK.priority"]);
    assert_eq!(row(&reset, "TASK.priority"), "TASK.priority LAST_WRITE_WINS");
    assert_eq!(row(&reset, "NOTE.title"), "NOTE.title SERVER_WINS chosen by the property");
    // What the table says anyway is no choice.
    let same = table(&data, &["--set", "NOTE.title=MERGE_TEXT"]);
    assert!(!same.contains("chosen"), "{same}");
}

#[test]
fn another_property_decides_by_itself() {
    let (_dir, data) = bay();
    let zone = ["--name", "Cove", "--time-zone", "UTC"];
    let path = data.to_str().unwrap();
    done(&[&["property", "create", "--data", path, "--id", "cove"], &zone[..]].concat(), "");
    table(&data, &["--set", "TASK.priority=MANUAL"]);
    let (cove, _, code) = policies(&data, "cove", &[]);
    assert_eq!(code, Some(0));
    assert_eq!(row(&cove, "TASK.priority"), "TASK.priority LAST_WRITE_WINS");
}

#[test]
fn a_field_that_there_is_not_is_answered_with_how_fields_are_written() {
    let (_dir, data) = bay();
    for choice in [["--set", "TASK.colour=MANUAL"], ["--set", "priority=MANUAL"], ["--reset", "TASK.colour"]]
    {
        let error = refused(&data, &choice);
        assert!(error.contains("there is no field") && error.contains("TASK.title"), "{error}");
    }
}

#[test]
fn a_policy_that_a_field_cannot_have_changes_nothing() {
    let (_dir, data) = bay();
    let before = table(&data, &[]);
    let error = refused(&data, &["--set", "TASK.priority=MANUAL", "--set", "TASK.status=LAST_WRITE_WINS"]);
    assert!(error.contains("TASK.status can have GUARDED, MANUAL, not LAST_WRITE_WINS"), "{error}");
    let error = refused(&data, &["--set", "NOTE.comments=MANUAL"]);
    assert!(error.contains("NOTE.comments is always APPEND_ONLY"), "{error}");
    let error = refused(&data, &["--set", "TASK.priority=COIN_TOSS"]);
    assert!(error.contains("COIN_TOSS") && error.contains("MANUAL"), "{error}");
    assert_eq!(table(&data, &[]), before, "of several choices all are made, or none");
    // What cannot be read is refused before the ledger is opened.
    let (_, error, code) = policies(&data, "bay", &["--set", "TASK.priority"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("FIELD=POLICY"), "{error}");
}

#[test]
fn a_ledger_or_a_property_that_there_is_not_is_named() {
    let (dir, data) = bay();
    let missing = dir.path().join("motle.sqlite");
    let error = refused(&missing, &["--set", "TASK.priority=MANUAL"]);
    assert!(error.contains("there is no ledger") && error.contains("motle.sqlite"), "{error}");
    assert!(!missing.exists(), "nothing is begun");
    let (said, error, code) = policies(&data, "cove", &[]);
    assert_eq!((code, said.as_str()), (Some(1), ""));
    assert!(error.contains("cove"), "{error}");
}
