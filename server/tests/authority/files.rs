//! The ledger as a file: what it refuses to touch, and what it keeps.

use std::fs;
use std::sync::{Arc, Barrier};

use innsync_domain::{Command, Department, Role, TaskType, Timestamp};
use innsync_protocol::OpOutcome;
use innsync_server::authority::Authority;
use innsync_server::ledger::{Ledger, LedgerError, Property, RefreshToken};
use tempfile::tempdir;

use crate::motel::{Motel, create_task, id};

#[test]
fn a_file_that_is_something_else_is_left_as_it_is() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("letter.txt");
    let text = "Dear guest, we thank you for your stay. ".repeat(20);
    fs::write(&path, &text).unwrap();
    assert!(matches!(Ledger::open(&path), Err(LedgerError::NotALedger { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);

    let path = dir.path().join("other.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    drop(other);
    let bytes = fs::read(&path).unwrap();
    let error = Ledger::open(&path).err().unwrap();
    assert!(matches!(error, LedgerError::NotALedger { .. }), "{error}");
    assert!(error.to_string().contains("other.db"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no write-ahead log beside them");
}

#[test]
fn a_newer_ledger_is_not_opened() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    drop(Ledger::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let bytes = fs::read(&path).unwrap();
    let error = Ledger::open(&path).err().unwrap();
    assert!(matches!(error, LedgerError::Newer { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("install"), "it says what to do: {error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);

    // The newer release was killed: its mark is in the log alone, and stays there.
    let (crashed, log) = (dir.path().join("crashed.db"), dir.path().join("crashed.db-wal"));
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 100).unwrap();
    fs::copy(&path, &crashed).unwrap();
    fs::copy(dir.path().join("ledger.db-wal"), &log).unwrap();
    let before = (fs::read(&crashed).unwrap(), fs::read(&log).unwrap());
    assert!(matches!(Ledger::open(&crashed), Err(LedgerError::Newer { found: 100, .. })));
    assert_eq!((fs::read(&crashed).unwrap(), fs::read(&log).unwrap()), before);
}

#[test]
fn a_place_where_no_ledger_can_be() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    for (path, word) in [
        (dir.path().to_owned(), "directory"),
        (dir.path().join("no/ledger.db"), "create"),
        (file.join("x"), "create"),
    ] {
        let error = Ledger::open(&path).err().unwrap();
        assert!(matches!(error, LedgerError::CannotOpen { .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    assert!(Ledger::open(&file).is_ok(), "an empty file is an empty ledger");
}

#[test]
fn a_restart_keeps_everything() {
    // G17
    let dir = tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let mut motel = Motel::on(Ledger::open(&path).unwrap());
    motel.create_task("maria", "Towels", TaskType::General, Some("ana"));
    let op = motel.op("sam", create_task("Lamp", TaskType::General, None));
    let outcome = motel.push("sam", std::slice::from_ref(&op)).remove(0);
    let mut ana = motel.snapshot("ana");
    motel.authority = Authority::new(Ledger::open(&path).unwrap(), 8);
    ana.catch_up(&motel);
    assert_eq!(ana.resets, []);
    ana.assert_is_fresh(&motel);
    assert_eq!(motel.push("sam", &[op])[0], OpOutcome::Duplicate { of: Box::new(outcome) });
    let head = motel.reader().head("seaside").unwrap();
    assert_eq!(motel.does("sam", create_task("Next", TaskType::General, None)), head.seq + 1);
    assert!(motel.reader().credentials("seaside", "ana").unwrap().is_some());
    motel.authority.ledger().checkpoint().unwrap();
}

#[test]
fn a_ledger_copied_back_is_noticed() {
    // G17
    let dir = tempdir().unwrap();
    let (path, backup) = (dir.path().join("ledger.db"), dir.path().join("backup.db"));
    let mut motel = Motel::on(Ledger::open(&path).unwrap());
    motel.authority.ledger().checkpoint().unwrap();
    fs::copy(&path, &backup).unwrap();
    motel.create_task("maria", "Lost", TaskType::General, None);
    let mut ana = motel.snapshot("ana");
    motel.authority = Authority::new(Ledger::open(&backup).unwrap(), 9);
    motel.create_task("maria", "Instead", TaskType::General, None);
    assert_eq!(
        motel.reader().head("seaside").unwrap().seq,
        ana.cursor.seq,
        "the same number, another commit"
    );
    ana.catch_up(&motel);
    assert_eq!(ana.resets, [innsync_protocol::ResetReason::History]);
    ana.assert_is_fresh(&motel);
}

#[test]
fn two_that_send_the_same_operation_at_once_take_effect_once() {
    // G2, over two authorities on one file
    let dir = tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let mut motel = Motel::on(Ledger::open(&path).unwrap());
    let ops: Vec<_> = (0..30)
        .map(|number| motel.op("sam", create_task(&format!("T{number}"), TaskType::General, None)))
        .collect();
    let raw: Arc<[_]> = ops.iter().map(|op| serde_json::value::to_raw_value(op).unwrap()).collect();
    let barrier = Arc::new(Barrier::new(2));
    let threads: Vec<_> = (0..2)
        .map(|number| {
            let (path, barrier, raw, now) = (path.clone(), barrier.clone(), raw.clone(), motel.now);
            std::thread::spawn(move || {
                let mut authority = Authority::new(Ledger::open(&path).unwrap(), number);
                barrier.wait();
                raw.iter()
                    .map(|op| {
                        authority.push(now, "seaside", id("sam"), std::slice::from_ref(op)).unwrap().1.len()
                    })
                    .sum::<usize>()
            })
        })
        .collect();
    let committed: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(committed, 30);
    let head = motel.reader().head("seaside").unwrap().seq;
    assert_eq!(head, motel.log.len() as u64 + 30, "without gaps");
}

#[test]
fn readers_see_whole_transactions_only() {
    // G6
    let dir = tempdir().unwrap();
    let mut motel = Motel::on(Ledger::open(&dir.path().join("ledger.db")).unwrap());
    let reader = motel.authority.ledger().reader().unwrap();
    let mut mirror = motel.snapshot("maria");
    let watching = std::thread::spawn(move || {
        let mut last = 0;
        for _ in 0..200 {
            let head = reader.head("seaside").unwrap();
            let answer = reader.catch_up("seaside", id("maria"), mirror.cursor, &[]).unwrap();
            let innsync_protocol::SyncAnswer::Delta(delta) = answer else { panic!("{answer:?}") };
            assert!(head.seq >= last && delta.to >= last);
            // Maria sees every commit: none may be missing from the middle.
            let seqs: Vec<u64> = delta.commits.iter().map(|commit| commit.seq).collect();
            assert_eq!(seqs, (delta.from + 1..=delta.to).collect::<Vec<_>>());
            last = delta.to;
            mirror.cursor.seq = delta.to;
            mirror.cursor.mark = delta.mark;
        }
    });
    for number in 0..100 {
        motel.create_task("maria", &format!("Task {number}"), TaskType::General, None);
    }
    watching.join().unwrap();
}

#[test]
fn a_ledger_in_memory_has_readers_too() {
    let mut motel = Motel::open();
    let other = Ledger::in_memory().unwrap();
    assert!(other.read().property("seaside").unwrap().is_none(), "each is its own");
    let reader = motel.authority.ledger().reader().unwrap();
    for _ in 0..3 {
        let seq = motel.does("sam", create_task(&format!("{}", motel.log.len()), TaskType::General, None));
        assert_eq!(reader.head("seaside").unwrap().seq, seq);
    }
}

#[test]
fn a_cleared_ledger_is_as_a_new_one() {
    let mut motel = Motel::open();
    motel.create_task("maria", "Check the pool", TaskType::General, None);
    let mut ledger = motel.authority.into_ledger();
    ledger.clear().unwrap();
    assert!(ledger.read().property("seaside").unwrap().is_none());
    assert!(ledger.read().credentials("seaside", "ana").unwrap().is_none());
    let mut again = Motel::on(ledger);
    again.create_task("maria", "Check the pool", TaskType::General, None);
    assert_eq!(again.log, motel.log, "the same morning comes to the same commits");
}

#[test]
fn what_cannot_be_read_holds_up_only_what_touches_it() {
    // G4
    let dir = tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let mut motel = Motel::on(Ledger::open(&path).unwrap());
    let task_id = motel.create_task("maria", "Damaged", TaskType::General, None);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute("UPDATE entities SET doc = '{}' WHERE id = ?1", [task_id.as_bytes()]).unwrap();
    let head = motel.reader().head("seaside").unwrap().seq;
    let ops = [
        motel.op("maria", create_task("Before", TaskType::General, None)),
        motel.op("maria", Command::CompleteTask { task_id }),
        motel.op("maria", create_task("After", TaskType::General, None)),
    ];
    let outcomes = motel.push("maria", &ops);
    assert_eq!(outcomes[0].seq(), Some(head + 1));
    assert!(matches!(outcomes[1], OpOutcome::Retry { .. }), "{outcomes:?}");
    assert_eq!(outcomes[2].seq(), Some(head + 2));
    let path = format!("/v1/tasks/{task_id}");
    let (status, problem) = motel.rest("maria", "PATCH", &path, serde_json::json!({"title": "x"}));
    assert_eq!((status, problem["code"].as_str()), (500, Some("INTERNAL")));
    assert!(!problem.to_string().contains("missing field"), "the rest is for the log: {problem}");
}

#[test]
fn properties_and_people_are_added_once() {
    let mut motel = Motel::open();
    let property = Property { id: "seaside".into(), name: "Other".into(), time_zone: "UTC".into() };
    assert!(matches!(motel.authority.create_property(&property), Err(LedgerError::PropertyExists(_))));
    for bad in ["", "Sea side", "../x", &"x".repeat(65)] {
        let property = Property { id: bad.into(), ..property.clone() };
        assert!(
            matches!(motel.authority.create_property(&property), Err(LedgerError::BadPropertyId(_))),
            "{bad}"
        );
    }
    let head = motel.reader().head("seaside").unwrap();
    let mut add = |property: &str, login: &str, name: &str| {
        let (role, department) = (Role::Manager, Department::Management);
        motel.authority.add_person(motel.now, property, login, "hash", name, role, department, None)
    };
    assert!(matches!(add("seaside", "ana", "Another Ana"), Err(LedgerError::LoginTaken(_))));
    assert!(matches!(add("seaside", "new", ""), Err(LedgerError::Refused(_))));
    assert!(matches!(add("nowhere", "new", "New"), Err(LedgerError::NoSuchProperty(_))));
    assert_eq!(motel.reader().head("seaside").unwrap(), head, "nothing is left of what failed");

    let authority = &mut motel.authority;
    assert!(matches!(
        authority.set_credentials("seaside", "ben", id("ana"), "h"),
        Err(LedgerError::LoginTaken(_))
    ));
    assert!(matches!(
        authority.set_credentials("seaside", "x", id("x"), "h"),
        Err(LedgerError::NoSuchPerson(_))
    ));
    authority.set_credentials("seaside", "ana.maria", id("ana"), "new hash").unwrap();
    assert!(authority.read().credentials("seaside", "ana").unwrap().is_none());
    assert_eq!(
        authority.read().credentials("seaside", "ana.maria").unwrap().unwrap().password_hash,
        "new hash"
    );
}

#[test]
fn refresh_tokens_follow_each_other() {
    let mut motel = Motel::open();
    let token = |number: u8, issued: i64| RefreshToken {
        token_hash: [number; 32],
        session: id("session"),
        property: "seaside".into(),
        employee: id("ana"),
        device: "handset-3".into(),
        issued_at: Timestamp::from_millis(issued),
        expires_at: Timestamp::from_millis(issued + 1000),
        superseded_at: None,
    };
    let ledger = motel.authority.ledger_mut();
    ledger.store_refresh_token(&token(1, 10)).unwrap();
    ledger.rotate_refresh_token(&[1; 32], &token(2, 20)).unwrap();
    let first = ledger.read().refresh_token(&[1; 32]).unwrap().unwrap();
    assert_eq!(first.superseded_at, Some(Timestamp::from_millis(20)));
    assert_eq!(ledger.read().refresh_token(&[2; 32]).unwrap(), Some(token(2, 20)));
    ledger.end_session(Timestamp::from_millis(1020), id("session")).unwrap();
    assert_eq!(ledger.read().ended_sessions().unwrap(), [(id("session"), Timestamp::from_millis(1020))]);
    assert_eq!(ledger.read().refresh_token(&[2; 32]).unwrap(), None);
    ledger.store_refresh_token(&token(3, 30)).unwrap();
    motel.does("maria", Command::DeleteEmployee { employee_id: id("ana") });
    assert_eq!(motel.reader().refresh_token(&[3; 32]).unwrap(), None, "who leaves is signed out");
    assert!(!format!("{first:?}").contains("1, 1"), "what holds a secret prints without it");
}
