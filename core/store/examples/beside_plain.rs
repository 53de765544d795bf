//! The store beside a plain use of rusqlite that does the least work with the same durability: 10,000 tasks taken in,
//! 100 queried, opened to the first rows, one operation written. Prints the quickest of each and the ratio.
//!
//! `cargo run --release -p innsync-store --example beside_plain`

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use innsync_domain::{Command, Entity, EntityKind, EntityRef, TaskStatus, Timestamp, Uuid};
use innsync_engine::{Batch, Footprint, Meta, OpState, QueuedOp, StoreRead, Write};
use innsync_protocol::{IntentTime, Op};
use innsync_store::{Order, Query, Store};
use rusqlite::{Connection, params};
use serde::Deserialize;

const TASKS: u128 = 10_000;
const PEOPLE: u128 = 100;
const ROUNDS: usize = 15;

fn main() {
    let lines: Vec<String> = (0..TASKS).map(line).collect();
    let folder = tempfile::tempdir().unwrap();
    let (ours, plain) = (folder.path().join("ours.sqlite"), folder.path().join("plain.sqlite"));

    compare("take in the first 10,000", 2.0, || show_all(&ours, &lines), || plain_take_in(&plain, &lines));
    compare("take in others by swap", 2.0, || take_in(&ours, &lines), || plain_take_in(&plain, &lines));

    let store = Store::open(&ours).unwrap();
    let connection = plain_open(&plain);
    let query = mine();
    compare(
        "query 100 rows",
        1.2,
        || timed(|| assert_eq!(store.query(&query).unwrap().len(), 100)),
        || timed(|| assert_eq!(plain_query(&connection).len(), 100)),
    );
    let usual = Query::tasks().assigned_to(person(7)).open();
    compare(
        "the same, most urgent first",
        1.2,
        || timed(|| assert_eq!(store.query(&usual).unwrap().len(), 100)),
        || timed(|| assert_eq!(plain_query(&connection).len(), 100)),
    );
    drop((store, connection));

    compare(
        "open to first rows",
        2.0,
        || timed(|| assert_eq!(Store::open(&ours).unwrap().query(&query).unwrap().len(), 100)),
        || timed(|| assert_eq!(plain_query(&plain_open(&plain)).len(), 100)),
    );

    let mut store = Store::open(&ours).unwrap();
    let mut connection = plain_open(&plain);
    let (mut at, mut plain_at) = (0, 0);
    compare(
        "write an op and a row",
        1.5,
        || write(&mut store, &mut at),
        || plain_write(&mut connection, &mut plain_at),
    );
}

fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn compare(what: &str, target: f64, mut ours: impl FnMut() -> Duration, mut plain: impl FnMut() -> Duration) {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        left.push(ours());
        right.push(plain());
    }
    // The quickest of each: others share the machine.
    let (ours, plain) = (left.into_iter().min().unwrap(), right.into_iter().min().unwrap());
    let ratio = ours.as_secs_f64() / plain.as_secs_f64();
    println!("{what:28} ours {ours:>10.1?}  plain {plain:>10.1?}  ratio {ratio:.2} (at most {target})");
}

fn id(of: u128, number: u128) -> Uuid {
    // Time-ordered at the front, as version 7 ids are, and well mixed behind.
    Uuid::from_u128(
        (of << 120) | (number << 64) | (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) & 0xFFFF_FFFF_FFFF_FFFF),
    )
}

fn person(number: u128) -> Uuid {
    id(1, number % PEOPLE)
}

fn line(number: u128) -> String {
    let priority = ["LOW", "NORMAL", "HIGH", "URGENT"][(number % 4) as usize];
    format!(
        r#"{{"id":"{}","title":"Clean suite {number}","description":"Towels, linen, minibar; the guest asked for pillows.","type":"CLEANING","priority":"{priority}","status":"PENDING","suiteId":"{}","assignedTo":"{}","department":"HOUSEKEEPING","dueAt":"2026-11-22T10:{:02}:00.000Z","createdBy":"{}","createdAt":"2026-11-22T08:30:00.000Z","version":1,"updatedAt":"2026-11-22T08:30:00.000Z","updatedBy":"{}"}}"#,
        id(2, number),
        id(3, number % 500),
        person(number),
        number % 60,
        id(1, 0),
        id(1, 0)
    )
}

fn fresh(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
}

fn take_in(path: &Path, lines: &[String]) -> Duration {
    fresh(path);
    let mut store = Store::open(path).unwrap();
    timed(|| {
        for chunk in lines.chunks(500) {
            let stage = |line: &String| Write::Stage(Entity::from_json(&EntityKind::Task, line).unwrap());
            store.commit(&Batch { writes: chunk.iter().map(stage).collect() }).unwrap();
        }
        let meta = Write::PutMeta(Meta { has_data: true, ..Meta::default() });
        store.commit(&Batch { writes: vec![Write::SwapStage, meta] }).unwrap();
    })
}

/// As the engine does it: each row is looked for before it is shown.
fn show_all(path: &Path, lines: &[String]) -> Duration {
    fresh(path);
    let mut store = Store::open(path).unwrap();
    timed(|| {
        for chunk in lines.chunks(500) {
            let writes = store.reading(|read| {
                let show = |line: &String| {
                    let row = Entity::from_json(&EntityKind::Task, line).unwrap();
                    assert!(read.shown(&EntityKind::Task, row.id()).unwrap().is_none());
                    assert!(!read.has_base(&EntityKind::Task, row.id()).unwrap());
                    Write::Show(row)
                };
                chunk.iter().map(show).collect()
            });
            let writes = writes.unwrap();
            store.commit(&Batch { writes }).unwrap();
        }
        let meta = Write::PutMeta(Meta { has_data: true, ..Meta::default() });
        store.commit(&Batch { writes: vec![meta] }).unwrap();
    })
}

fn mine() -> Query {
    Query::tasks().assigned_to(person(7)).status(&[TaskStatus::Pending]).order(Order::Oldest).limit(100)
}

fn write(store: &mut Store, at: &mut u128) -> Duration {
    *at += 1;
    let Entity::Task(mut task) = Entity::from_json(&EntityKind::Task, &line(*at)).unwrap() else {
        return Duration::ZERO;
    };
    task.status = TaskStatus::InProgress;
    let op = QueuedOp {
        op: Op {
            id: id(4, *at),
            author: person(7),
            device: "phone-7".to_owned(),
            depends_on: Vec::new(),
            supersedes: None,
            intent: IntentTime {
                wall: Timestamp::from_millis(1_795_335_000_000),
                boot_id: "boot".to_owned(),
                boot_ms: 1,
                corrected: None,
            },
            base_version: Some(1),
            base: Default::default(),
            schema: 1,
            command: Command::StartTask { task_id: task.id },
        },
        order: *at as u64,
        footprint: Footprint { writes: vec![EntityRef::new(EntityKind::Task, task.id)], reads: Vec::new() },
        state: OpState::Queued,
        attempts: 0,
    };
    let batch = Batch { writes: vec![Write::PutOp(op), Write::Show(Entity::Task(task))] };
    timed(|| drop(store.commit(&batch).unwrap()))
}

/// A task of twelve fields, as the plain baseline has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plain {
    id: Uuid,
    title: String,
    description: String,
    r#type: String,
    priority: String,
    status: String,
    suite_id: Option<Uuid>,
    assigned_to: Option<Uuid>,
    department: Option<String>,
    due_at: Option<Timestamp>,
    created_by: Uuid,
    created_at: Timestamp,
}

fn plain_open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").unwrap();
    connection
}

const PLAIN_SCHEMA: &str = "
    CREATE TABLE tasks (id BLOB NOT NULL PRIMARY KEY, title TEXT NOT NULL, description TEXT NOT NULL, type TEXT NOT NULL,
        priority TEXT NOT NULL, status TEXT NOT NULL, suite_id BLOB, assigned_to BLOB, department TEXT, due_at INTEGER,
        created_by BLOB NOT NULL, created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE INDEX by_assignee ON tasks (assigned_to, status);
    CREATE INDEX by_status ON tasks (status);
    CREATE TABLE ops (ord INTEGER PRIMARY KEY, doc TEXT NOT NULL) STRICT;";

fn plain_take_in(path: &Path, lines: &[String]) -> Duration {
    fresh(path);
    let mut connection = plain_open(path);
    connection.execute_batch(PLAIN_SCHEMA).unwrap();
    timed(|| {
        let transaction = connection.transaction().unwrap();
        let mut insert =
            transaction.prepare("INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)").unwrap();
        for line in lines {
            let it: Plain = serde_json::from_str(line).unwrap();
            insert
                .execute(params![
                    it.id.as_bytes(),
                    it.title,
                    it.description,
                    it.r#type,
                    it.priority,
                    it.status,
                    it.suite_id.as_ref().map(Uuid::as_bytes),
                    it.assigned_to.as_ref().map(Uuid::as_bytes),
                    it.department,
                    it.due_at.map(Timestamp::as_millis),
                    it.created_by.as_bytes(),
                    it.created_at.as_millis(),
                ])
                .unwrap();
        }
        drop(insert);
        transaction.commit().unwrap();
    })
}

fn plain_query(connection: &Connection) -> Vec<Plain> {
    connection
        .prepare_cached(
            "SELECT id, title, description, type, priority, status, suite_id, assigned_to, department, due_at,
             created_by, created_at FROM tasks WHERE assigned_to = ? AND status = ? ORDER BY created_at, id LIMIT 100",
        )
        .unwrap()
        .query_map(params![person(7).as_bytes(), "PENDING"], |row| {
            let id = |at| row.get(at).map(Uuid::from_bytes);
            let optional_id = |at| row.get::<_, Option<_>>(at).map(|id| id.map(Uuid::from_bytes));
            Ok(Plain {
                id: id(0)?,
                title: row.get(1)?,
                description: row.get(2)?,
                r#type: row.get(3)?,
                priority: row.get(4)?,
                status: row.get(5)?,
                suite_id: optional_id(6)?,
                assigned_to: optional_id(7)?,
                department: row.get(8)?,
                due_at: row.get::<_, Option<i64>>(9)?.map(Timestamp::from_millis),
                created_by: id(10)?,
                created_at: row.get(11).map(Timestamp::from_millis)?,
            })
        })
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

fn plain_write(connection: &mut Connection, at: &mut u128) -> Duration {
    *at += 1;
    let doc = format!(r#"{{"id":"{}","command":"START_TASK","task":"{}"}}"#, id(4, *at), id(2, *at));
    timed(|| {
        let transaction = connection.transaction().unwrap();
        transaction.prepare_cached("INSERT INTO ops (doc) VALUES (?)").unwrap().execute([&doc]).unwrap();
        transaction
            .prepare_cached("UPDATE tasks SET status = ? WHERE id = ?")
            .unwrap()
            .execute(params!["IN_PROGRESS", id(2, *at).as_bytes()])
            .unwrap();
        transaction.commit().unwrap();
    })
}
