//! The baseline on the phone's side: what one would write over rusqlite for this one table and these questions, with the
//! same durability and the same indexes, and nothing else. No outbox to replay, no conflicts, no other kinds.

mod actor;

use std::path::Path;

use innsync_domain::{Timestamp, Uuid};
use innsync_protocol::Mark;
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

pub(crate) use actor::Actor;

use crate::Result;

/// A task of twelve fields, without what sync needs beside them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Task {
    pub(crate) id: Uuid,
    pub(crate) title: String,
    pub(crate) description: String,
    #[serde(rename = "type")]
    pub(crate) task_type: String,
    pub(crate) priority: String,
    pub(crate) status: String,
    pub(crate) suite_id: Option<Uuid>,
    pub(crate) assigned_to: Option<Uuid>,
    pub(crate) department: Option<String>,
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) created_by: Uuid,
    pub(crate) created_at: Timestamp,
}

#[derive(Deserialize)]
struct Line {
    entity: Task,
}

const SCHEMA: &str = "
    CREATE TABLE tasks (
        id          BLOB    NOT NULL PRIMARY KEY,
        title       TEXT    NOT NULL,
        description TEXT    NOT NULL,
        task_type   TEXT    NOT NULL,
        priority    TEXT    NOT NULL,
        status      TEXT    NOT NULL,
        suite_id    BLOB,
        assigned_to BLOB,
        department  TEXT,
        due_at      INTEGER,
        created_by  BLOB    NOT NULL,
        created_at  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tasks_by_assignee ON tasks (assigned_to, status);
    CREATE INDEX tasks_by_status ON tasks (status);
    CREATE TABLE outbox (ord INTEGER PRIMARY KEY, doc TEXT NOT NULL) STRICT;
    CREATE TABLE cursor (one INTEGER PRIMARY KEY, seq INTEGER NOT NULL) STRICT;";

/// A new database.
pub(crate) fn create(path: &Path) -> Result<Connection> {
    let connection = open(path)?;
    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

/// One that is there.
pub(crate) fn open(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")?;
    Ok(connection)
}

/// A new log of what was posted.
pub(crate) fn create_log(path: &Path) -> Result<Connection> {
    let connection = open(path)?;
    connection.execute_batch("CREATE TABLE log (seq INTEGER PRIMARY KEY, doc TEXT NOT NULL) STRICT")?;
    Ok(connection)
}

/// Appends these in one transaction.
pub(crate) fn log(connection: &mut Connection, docs: &[&str]) -> Result<()> {
    let transaction = connection.transaction()?;
    for doc in docs {
        transaction.prepare_cached("INSERT INTO log (doc) VALUES (?1)")?.execute([doc])?;
    }
    transaction.commit()?;
    Ok(())
}

/// Puts something into the outbox, in a transaction of its own.
pub(crate) fn queue(connection: &Connection, doc: &str) -> Result<()> {
    connection.prepare_cached("INSERT INTO outbox (doc) VALUES (?1)")?.execute([doc])?;
    Ok(())
}

/// The oldest of what waits, and the last one's place.
pub(crate) fn waiting(connection: &Connection, most: usize) -> Result<(Vec<String>, i64)> {
    let mut select = connection.prepare_cached("SELECT doc, ord FROM outbox ORDER BY ord LIMIT ?1")?;
    let rows =
        select.query_map([most as i64], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    let (docs, places): (Vec<String>, Vec<i64>) =
        rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().unzip();
    Ok((docs, places.last().copied().unwrap_or(0)))
}

/// Everything up to that place was taken.
pub(crate) fn sent(connection: &Connection, place: i64) -> Result<()> {
    connection.prepare_cached("DELETE FROM outbox WHERE ord <= ?1")?.execute([place])?;
    Ok(())
}

/// What a delta tells of tasks, and whether there is more.
#[derive(Deserialize)]
pub(crate) struct Page {
    pub(crate) to: u64,
    pub(crate) mark: Mark,
    #[serde(default)]
    pub(crate) more: bool,
    #[serde(default)]
    commits: Vec<PageCommit>,
}

#[derive(Deserialize)]
struct PageCommit {
    changes: Vec<PageChange>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageChange {
    entity_type: String,
    entity: Option<Box<serde_json::value::RawValue>>,
}

/// Takes a delta's text in, in one transaction.
pub(crate) fn apply(connection: &mut Connection, text: &str) -> Result<Page> {
    let page: Page = serde_json::from_str(text)?;
    let transaction = connection.transaction()?;
    for change in page.commits.iter().flat_map(|commit| &commit.changes) {
        if let ("TASK", Some(entity)) = (change.entity_type.as_str(), &change.entity) {
            let task: Task = serde_json::from_str(entity.get())?;
            put(&transaction, &task)?;
        }
    }
    transaction.prepare_cached("REPLACE INTO cursor VALUES (1, ?1)")?.execute([page.to as i64])?;
    transaction.commit()?;
    Ok(page)
}

/// Takes in the tasks of a snapshot's body in one transaction, in the place of those that are there.
pub(crate) fn ingest(connection: &mut Connection, body: &[u8]) -> Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute("DELETE FROM tasks", [])?;
    for line in body.split(|byte| *byte == b'\n').filter(|line| is_task(line)) {
        let Line { entity: task } = serde_json::from_slice(line)?;
        put(&transaction, &task)?;
    }
    transaction.execute("REPLACE INTO cursor VALUES (1, ?1)", [20_000])?;
    transaction.commit()?;
    Ok(())
}

fn put(connection: &Connection, task: &Task) -> Result<()> {
    let mut put = connection
        .prepare_cached("REPLACE INTO tasks VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")?;
    put.execute(params![
        task.id.as_bytes(),
        task.title,
        task.description,
        task.task_type,
        task.priority,
        task.status,
        task.suite_id.as_ref().map(Uuid::as_bytes),
        task.assigned_to.as_ref().map(Uuid::as_bytes),
        task.department,
        task.due_at.map(Timestamp::as_millis),
        task.created_by.as_bytes(),
        task.created_at.as_millis(),
    ])?;
    Ok(())
}

fn is_task(line: &[u8]) -> bool {
    line.starts_with(br#"{"type":"ROW","entityType":"TASK","#)
}

/// The tasks of one person in one status, the oldest first.
pub(crate) fn query(connection: &Connection, assignee: Uuid, status: &str) -> Result<Vec<Task>> {
    let mut select = connection.prepare_cached(
        "SELECT id, title, description, task_type, priority, status, suite_id, assigned_to, department, due_at,
                created_by, created_at
         FROM tasks WHERE assigned_to = ?1 AND status = ?2 ORDER BY created_at, id LIMIT 100",
    )?;
    let rows = select.query_map(params![assignee.as_bytes(), status], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Task> {
    let id = |column| row.get(column).map(Uuid::from_bytes);
    let optional_id = |column| row.get::<_, Option<_>>(column).map(|id| id.map(Uuid::from_bytes));
    Ok(Task {
        id: id(0)?,
        title: row.get(1)?,
        description: row.get(2)?,
        task_type: row.get(3)?,
        priority: row.get(4)?,
        status: row.get(5)?,
        suite_id: optional_id(6)?,
        assigned_to: optional_id(7)?,
        department: row.get(8)?,
        due_at: row.get::<_, Option<i64>>(9)?.map(Timestamp::from_millis),
        created_by: id(10)?,
        created_at: row.get(11).map(Timestamp::from_millis)?,
    })
}
