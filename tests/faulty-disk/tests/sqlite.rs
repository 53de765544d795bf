//! The shim under plain SQLite: what was committed with `synchronous=FULL` is there after whatever happens, what was not
//! synced may not be. So the shim neither loses what it must keep, nor keeps what a disk would lose.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use innsync_faulty_disk::{Disk, Fault, Kind, Planned, Strike, seed_sqlite};
use rusqlite::{Connection, ErrorCode};

fn disk() -> Disk {
    Disk::temporary(7).unwrap()
}

fn open(disk: &Disk) -> rusqlite::Result<Connection> {
    let connection = Connection::open(disk.folder().join("notes.sqlite"))?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}

/// Ana writes notes 1, 2, 3, … until the disk lets her down; the last one that she was told is saved.
fn writes_notes(disk: &Disk, journal: &str, synchronous: &str, count: i64) -> i64 {
    let mut saved = 0;
    let mut write = || -> rusqlite::Result<()> {
        let mut notes = open(disk)?;
        notes.query_row(&format!("PRAGMA journal_mode = {journal}"), [], |_| Ok(()))?;
        notes.execute_batch(&format!(
            "PRAGMA synchronous = {synchronous}; PRAGMA wal_autocheckpoint = 8;
             CREATE TABLE IF NOT EXISTS notes (number INTEGER PRIMARY KEY, text BLOB NOT NULL);"
        ))?;
        for number in 1..=count {
            let note = notes.transaction()?;
            note.execute("INSERT INTO notes VALUES (?1, randomblob(1500))", [number])?;
            // Each note touches another page, too.
            note.execute("UPDATE notes SET text = randomblob(1200) WHERE number = ?1 / 2", [number])?;
            note.commit()?;
            saved = number;
        }
        notes.close().map_err(|(_, error)| error)
    };
    let _ = write();
    saved
}

/// How many notes are there: 1 up to that, whole, or the database is not sound.
fn notes(disk: &Disk) -> Result<i64, String> {
    let look = || -> rusqlite::Result<(String, i64, i64)> {
        let notes = open(disk)?;
        let sound = notes.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        let tables: i64 = notes.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables == 0 {
            return Ok((sound, 0, 0));
        }
        let ends = "SELECT count(*), coalesce(max(number), 0) FROM notes";
        notes.query_row(ends, [], |row| Ok((sound, row.get(0)?, row.get(1)?)))
    };
    match look() {
        Ok((sound, count, last)) if sound == "ok" && count == last => Ok(count),
        other => Err(format!("{other:?}")),
    }
}

/// How many operations the whole story has.
fn operations(journal: &str, synchronous: &str, count: i64) -> u64 {
    let disk = disk();
    assert_eq!(writes_notes(&disk, journal, synchronous, count), count);
    disk.operations()
}

const COUNT: i64 = 12;

#[test]
fn a_commit_with_full_sync_outlives_a_power_loss_at_every_operation() {
    // With a log. (SQLite does not sync the folder after it deletes a rollback journal, so that may come back: no promise.)
    let mut lost_something = 0;
    for operation in 1..=operations("WAL", "FULL", COUNT) {
        for seed in 0..4 {
            let disk = disk();
            disk.plan(Planned { operation, times: 1, fault: Fault::Crash });
            let saved = writes_notes(&disk, "WAL", "FULL", COUNT);
            assert!(disk.is_crashed());
            lost_something += i32::from(!disk.is_durable());
            disk.power_loss(operation * 1000 + seed).unwrap();
            let there = notes(&disk).unwrap();
            assert!(
                (saved..=saved + 1).contains(&there),
                "crash at {operation}, seed {seed}: {saved}, {there}"
            );
        }
    }
    assert!(lost_something > 100, "{lost_something}");
}

#[test]
fn a_rollback_journal_synced_with_its_folder_keeps_commits_too() {
    for operation in 1..=operations("DELETE", "EXTRA", COUNT) {
        let disk = disk();
        disk.plan(Planned { operation, times: 1, fault: Fault::Crash });
        let saved = writes_notes(&disk, "DELETE", "EXTRA", COUNT);
        disk.power_loss(operation).unwrap();
        let there = notes(&disk).unwrap();
        assert!((saved..=saved + 1).contains(&there), "crash at {operation}: {saved}, {there}");
    }
}

/// Finds a power loss that takes what was committed, or that leaves the file damaged.
fn loses(synchronous: &str, is_loss: impl Fn(i64, Result<i64, String>) -> bool) -> bool {
    (1..=operations("WAL", synchronous, COUNT)).any(|operation| {
        let disk = disk();
        disk.plan(Planned { operation, times: 1, fault: Fault::Crash });
        let saved = writes_notes(&disk, "WAL", synchronous, COUNT);
        disk.power_loss(operation).unwrap();
        is_loss(saved, notes(&disk))
    })
}

#[test]
fn without_syncs_a_power_loss_takes_commits() {
    assert!(loses("OFF", |saved, there| there.is_ok_and(|there| there < saved)));
    assert!(loses("OFF", |_, there| there.is_err()), "and damages the file");
    assert!(loses("NORMAL", |saved, there| there.is_ok_and(|there| there < saved)));
    assert!(!loses("NORMAL", |_, there| there.is_err()), "but with a log it stays sound");
}

#[test]
fn a_disk_that_only_says_that_it_synced_loses_commits_too() {
    let loses = |seed: u64| {
        let disk = disk();
        disk.lie();
        let saved = writes_notes(&disk, "WAL", "FULL", COUNT);
        disk.crash();
        disk.power_loss(seed).unwrap();
        notes(&disk) != Ok(saved)
    };
    assert!((0..50).any(loses));
}

#[test]
fn a_process_that_dies_at_any_operation_loses_nothing_even_unsynced() {
    for operation in 1..=operations("WAL", "OFF", COUNT) {
        let disk = disk();
        disk.plan(Planned { operation, times: 1, fault: Fault::Crash });
        let saved = writes_notes(&disk, "WAL", "OFF", COUNT);
        assert!(notes(&disk).is_err(), "a dead process reads nothing");
        disk.restart().unwrap();
        let there = notes(&disk).unwrap();
        assert!((saved..=saved + 1).contains(&there), "crash at {operation}: {saved}, {there}");
    }
}

#[test]
fn an_operation_that_fails_fails_its_transaction_and_the_next_one_is_as_ever() {
    for fault in [Fault::Io, Fault::Full, Fault::Busy] {
        let mut refused = 0;
        for operation in 1..=operations("WAL", "FULL", COUNT) {
            let disk = disk();
            disk.plan(Planned { operation, times: 1, fault });
            let saved = writes_notes(&disk, "WAL", "FULL", COUNT);
            refused += i32::from(saved < COUNT);
            disk.heal();
            let there = notes(&disk).unwrap();
            assert!((saved..=saved + 1).contains(&there), "{fault:?} at {operation}: {saved}, {there}");
        }
        // SQLite itself waits for a lock that is not had, but for a few when it opens or closes a database.
        let (few, many) = (refused < 10, refused > 20);
        assert!(if fault == Fault::Busy { few } else { many }, "{fault:?}: {refused} refused");
    }
}

#[test]
fn a_lock_that_is_not_had_is_waited_for_without_waiting() {
    let disk = disk();
    assert_eq!(writes_notes(&disk, "WAL", "FULL", 1), 1);
    let begun = std::time::Instant::now();
    let notes = open(&disk).unwrap();
    disk.plan(Planned { operation: 0, times: u64::MAX, fault: Fault::Busy });
    let error = notes.execute("DELETE FROM notes", []).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy), "{error}");
    assert!(disk.strikes().len() > 10, "SQLite tried for five seconds of its own");
    assert!(begun.elapsed().as_millis() < 2_000, "which nobody waited for");
    disk.heal();
    assert_eq!(notes.execute("DELETE FROM notes", []).unwrap(), 1);
}

#[test]
fn faults_come_when_planned_and_are_told() {
    let disk = disk();
    let last = operations("WAL", "FULL", 1);
    disk.plan(Planned { operation: last - 2, times: 2, fault: Fault::Io });
    writes_notes(&disk, "WAL", "FULL", 1);
    let strikes = disk.strikes();
    assert_eq!(
        strikes.iter().map(|it| (it.operation, it.fault)).collect::<Vec<_>>()[0],
        (last - 2, Fault::Io)
    );
    assert!(strikes.len() <= 2 && disk.strikes().is_empty());
    disk.heal();
    disk.crash();
    assert!(open(&disk).and_then(|notes| notes.execute_batch("VACUUM")).is_err());
    disk.restart().unwrap();
    disk.plan(Planned { operation: 0, times: 1, fault: Fault::Full });
    let mut notes = open(&disk).unwrap();
    let full = notes.transaction().and_then(|it| {
        it.execute("INSERT INTO notes VALUES (99, randomblob(100000))", [])?;
        it.commit()
    });
    let strikes = disk.strikes();
    assert!(
        matches!(strikes[..], [Strike { kind: Kind::Create | Kind::Write | Kind::ShmMap, .. }]),
        "{strikes:?}"
    );
    assert!(full.is_err());
    assert!(disk.restart().is_err(), "its files are still open");
    assert!(disk.power_loss(1).is_err());
}

#[test]
fn the_same_story_is_the_same_to_the_byte_and_what_is_looked_at_aside_is_not_part_of_it() {
    let told = |aside: bool| {
        seed_sqlite(11);
        let disk = disk();
        writes_notes(&disk, "WAL", "FULL", 3);
        if aside {
            disk.plan(Planned { operation: 0, times: 1, fault: Fault::Io });
            assert_eq!(disk.aside(|| notes(&disk)), Ok(3));
        }
        (disk.operations(), disk.digest())
    };
    assert_eq!(told(false), told(false));
    assert_eq!(told(false), told(true));
}

#[test]
fn a_database_elsewhere_is_on_the_platforms_own_disk() {
    let disk = disk();
    let elsewhere = tempfile::tempdir().unwrap();
    disk.crash();
    let notes = Connection::open(elsewhere.path().join("notes.sqlite")).unwrap();
    notes.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE notes (number)").unwrap();
    assert!(Path::new(&elsewhere.path().join("notes.sqlite-shm")).exists());
    assert_eq!(disk.operations(), 0);
}
