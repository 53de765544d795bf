//! The databases of every release, opened, migrated and sent by today's code (G18). `tests/golden/README.md` tells what they are.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use innsync_client::{Command, EntityKind, Error, InnSync, OpState, QueuedOp, SyncState, Uuid, open};
use innsync_domain::{Entity, TaskStatus};
use innsync_e2e::golden::{Found, KINDS, comments, folder, found_in, listed, name, story, to_value};
use innsync_e2e::{PATIENCE, Phone, Server, becomes};
use innsync_store::{FORMAT, OpenError, Store};
use rusqlite::Connection;
use serde_json::Value;

struct Golden {
    place: PathBuf,
    found: Found,
}

fn all() -> Vec<Golden> {
    let places = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).filter(|it| it.is_dir());
    let mut all: Vec<Golden> = places
        .map(|place| {
            let found = serde_json::from_str(&fs::read_to_string(place.join("found.json")).unwrap()).unwrap();
            Golden { place, found }
        })
        .collect();
    all.sort_by(|one, other| one.place.cmp(&other.place));
    all
}

impl Golden {
    fn phone(&self) -> Vec<u8> {
        fs::read(self.place.join("phone.db")).unwrap()
    }

    /// A server with a copy of the ledger.
    fn server(&self, home: &Path, arguments: &[&str]) -> (Server, PathBuf) {
        let ledger = home.join("ledger.db");
        fs::copy(self.place.join("ledger.db"), &ledger).unwrap();
        let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
        (Server::start_with(&ledger, &arguments).unwrap(), ledger)
    }

    fn is_parked(queued: &QueuedOp) -> bool {
        matches!(queued.state, OpState::Parked { .. })
    }

    fn to_send(&self) -> Vec<Uuid> {
        self.found.outbox.iter().filter(|it| !Self::is_parked(it)).map(|it| it.op.id).collect()
    }

    fn parked(&self) -> Vec<QueuedOp> {
        self.found.outbox.iter().filter(|it| Self::is_parked(it)).cloned().collect()
    }
}

/// Ana's phone, on which she has signed in, with these bytes for a database.
struct Handset {
    directory: PathBuf,
    database: PathBuf,
    url: String,
}

impl Handset {
    async fn with(database: &[u8], server: &Server, home: &Path) -> Self {
        let directory = home.join("handset");
        let phone = Phone::sign_in_on("ana", server.url(), &directory).await.unwrap();
        phone.innsync.close().await;
        let files = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
        let path = files.into_iter().find(|it| it.extension().is_some_and(|it| it == "db")).unwrap();
        fs::write(&path, database).unwrap();
        Self { directory, database: path, url: server.url().to_owned() }
    }

    fn open(&self) -> InnSync {
        open(Phone::options("ana", &self.url, &self.directory)).unwrap()
    }
}

/// Up to where the ledger has forgotten the changes.
fn horizon(ledger: &Path) -> u64 {
    let connection = Connection::open(ledger).unwrap();
    connection
        .query_row("SELECT horizon FROM properties", [], |row| row.get::<_, i64>(0))
        .unwrap()
        .cast_unsigned()
}

/// How often each of these operations took effect.
fn effects(ledger: &Path, operations: &[Uuid]) -> Vec<u32> {
    let connection = Connection::open(ledger).unwrap();
    let sql = "SELECT count(*) FROM outcomes WHERE operation = ?1 AND seq > 0";
    let count = |id: &Uuid| connection.query_row(sql, [id.as_bytes()], |row| row.get(0)).unwrap();
    operations.iter().map(count).collect()
}

/// Rows as today's code reads them: a field that is new since has its default.
fn as_read(kind: &EntityKind, rows: &[Value]) -> Vec<Value> {
    rows.iter().map(|row| to_value(&Entity::from_value(kind, row.clone()).unwrap())).collect()
}

/// A migration without its files would be one that nothing tries: `cargo xtask golden` writes them.
#[test]
fn every_format_has_its_files() {
    let there: BTreeSet<u32> = all().iter().map(|it| it.found.format).collect();
    assert_eq!(there, (1..=FORMAT).collect(), "run `cargo xtask golden`");
    for it in all() {
        assert_eq!(it.place.file_name().unwrap(), name(it.found.format, it.found.ledger_version).as_str());
        let version = |file: &str| -> u32 {
            let copy = tempfile::NamedTempFile::new().unwrap();
            fs::copy(it.place.join(file), copy.path()).unwrap();
            let connection = Connection::open(copy.path()).unwrap();
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
        };
        assert_eq!((version("phone.db"), version("ledger.db")), (it.found.format, it.found.ledger_version));
    }
}

/// G18: each row, operation and effect that was there is there.
#[test]
fn everything_is_found() {
    for it in all() {
        let (was, is) = (&it.found, found_in(&it.place.join("phone.db")).unwrap());
        for (kind, name) in KINDS {
            // Formats before 3 knew no conflicts.
            let rows = was.rows.get(name).cloned().unwrap_or_default();
            assert_eq!(
                rows.is_empty(),
                kind == EntityKind::Conflict && was.format < 3,
                "{:?}: {name}",
                it.place
            );
            assert_eq!(is.rows[name], as_read(&kind, &rows), "{:?}", it.place);
        }
        assert_eq!(is.outbox, was.outbox, "{:?}", it.place);
        assert_eq!(is.discarded, was.discarded, "{:?}", it.place);
        assert_eq!(is.discarded.len(), usize::from(was.format > 1), "format 1 kept none");
        assert_eq!(is.effects, was.effects, "{:?}", it.place);
        assert_eq!(is.meta, was.meta, "{:?}", it.place);
        let states = |is: fn(&OpState) -> bool| was.outbox.iter().filter(|it| is(&it.state)).count();
        assert_eq!(states(|it| matches!(it, OpState::Sent)), 1);
        assert_eq!(states(|it| matches!(it, OpState::Parked { .. })), 2);
        assert!(states(|it| matches!(it, OpState::Queued)) >= 9 && was.effects.len() > 4);
    }
}

/// G18, G1, G2: what can be sent is sent, once, what is parked stays so; also where the ledger has forgotten meanwhile what the
/// phone missed, as a ledger does after some weeks.
#[tokio::test(flavor = "multi_thread")]
async fn everything_is_sent_once() {
    for it in all() {
        for arguments in [&[][..], &["--keep-changes", "1s"]] {
            sent_once(&it, arguments).await;
        }
    }
}

async fn sent_once(it: &Golden, arguments: &[&str]) {
    let told = format!("{:?} {arguments:?}", it.place);
    let home = tempfile::tempdir().unwrap();
    let (mut server, ledger) = it.server(home.path(), arguments);
    let http = server.http().unwrap();
    let answered = listed(&http).await.unwrap();
    for (kind, name) in KINDS {
        let then = it.found.server.get(name).cloned().unwrap_or_default();
        assert_eq!(as_read(&kind, &answered[name]), as_read(&kind, &then), "{told}");
    }
    let handset = Handset::with(&it.phone(), &server, home.path()).await;
    let ana = handset.open();
    assert_eq!(ana.outbox().await.unwrap(), it.found.outbox, "{told}");
    if !arguments.is_empty() {
        let forgotten = || async { horizon(&ledger) > it.found.meta.cursor.seq };
        assert!(becomes(forgotten).await, "{told}: what ana missed is forgotten");
    }
    let line = ana.sync_line().await.unwrap();
    assert_eq!(
        (line.state, line.parked, line.pending as usize),
        (SyncState::NeedsYou, 2, it.to_send().len())
    );

    ana.connect();
    assert_eq!(ana.up_to_date(PATIENCE).await, Ok(()), "{told}");
    let left = ana.outbox().await.unwrap();
    assert_eq!(left, it.parked(), "{told}: as they were, with their reasons");
    assert_eq!(effects(&ledger, &it.to_send()), vec![1; it.to_send().len()], "{told}");
    let parked: Vec<Uuid> = left.iter().map(|queued| queued.op.id).collect();
    assert_eq!(effects(&ledger, &parked), [0, 0], "{told}");
    let notes = http.list("maria", "notes").await.unwrap();
    for text in [story::UNANSWERED, story::ON_MINIBAR] {
        assert_eq!(comments(&notes, text), 1, "{told}: {text}");
    }
    let titled = |rows: &[Value], title: &str| rows.iter().filter(|row| row["title"] == title).count();
    assert_eq!((titled(&notes, story::MINIBAR), titled(&notes, "Never mind")), (1, 0), "{told}");
    assert_eq!(titled(&http.list("maria", "tasks").await.unwrap(), story::LAMP), 1, "{told}");
    assert_eq!(titled(&mirrored(&ana, "notes").await, story::MEANWHILE), 1, "{told}: fetched");
    for (_, name) in KINDS {
        let theirs = by_id(http.list("ana", name).await.unwrap());
        assert_eq!(by_id(mirrored(&ana, name).await), theirs, "{told}: what ana sees is what the server has");
    }

    // What is parked can be settled: she insists on nothing, and her suite is maria's.
    for id in parked {
        ana.discard(id).await.unwrap();
    }
    assert_eq!(ana.sync_line().await.unwrap().state, SyncState::UpToDate, "{told}");
    ana.close().await;
    assert!(Store::open(&handset.database).unwrap().quarantine_counts().unwrap().is_empty(), "{told}");
    server.kill();
}

async fn mirrored(ana: &InnSync, name: &str) -> Vec<Value> {
    let (kind, _) = KINDS.into_iter().find(|(_, it)| *it == name).unwrap();
    ana.query(innsync_store::Query::of(kind)).await.unwrap().iter().map(to_value).collect()
}

fn by_id(mut rows: Vec<Value>) -> Vec<Value> {
    rows.sort_by_key(|row| row["id"].to_string());
    rows
}

/// G18: as if each were of a release that is still to come.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_newer_is_read_and_not_touched() {
    for it in all() {
        let home = tempfile::tempdir().unwrap();
        let (server, _) = it.server(home.path(), &[]);
        // Of this format but for its number: migrated, then raised.
        let newer = home.path().join("newer.db");
        fs::write(&newer, it.phone()).unwrap();
        drop(Store::open(&newer).unwrap());
        let mut bytes = fs::read(&newer).unwrap();
        bytes[60..64].copy_from_slice(&(FORMAT + 1).to_be_bytes()); // SQLite's user_version.
        let handset = Handset::with(&bytes, &server, home.path()).await;
        let found = FORMAT + 1;
        let refused = Store::open(&handset.database).unwrap_err();
        let path = handset.database.clone();
        assert_eq!(refused, OpenError::Newer { path, found, supported: FORMAT });
        let ana = handset.open();
        ana.connect();
        assert_eq!(ana.sync_line().await.unwrap().state, SyncState::UpdateRequired);
        let mine = ana.my_tasks().await.unwrap().tasks;
        let open = mine.iter().find(|card| card.task.status == TaskStatus::Pending).unwrap();
        assert_eq!(mirrored(&ana, "suites").await.len(), it.found.rows["suites"].len());
        assert_eq!(ana.outbox().await.unwrap(), it.found.outbox);
        let refused = ana.execute(Command::StartTask { task_id: open.task.id }).await.map(drop);
        assert_eq!(refused, Err(Error::UpdateRequired));
        ana.close().await;
        assert!(fs::read(&handset.database).unwrap() == bytes, "{:?}: not a byte", it.place);
    }
}

/// G18: rows that cannot be read are put aside and counted, and everything else goes on.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_stops_nothing_else() {
    for it in all() {
        let home = tempfile::tempdir().unwrap();
        let (server, ledger) = it.server(home.path(), &[]);
        let handset = Handset::with(&it.phone(), &server, home.path()).await;
        let spoilt = it.found.outbox.iter().find(|it| it.op.command.name() == "SET_EMPLOYEE_STATUS").unwrap();
        let connection = Connection::open(&handset.database).unwrap();
        let changed = connection
            .execute("UPDATE outbox SET doc = '{\"of\": 2031}' WHERE id = ?1", [spoilt.op.id.as_bytes()]);
        assert_eq!(changed, Ok(1));
        let changed = connection.execute("UPDATE announcements SET updated_by = x'01'", []).unwrap();
        let effects_spoilt = connection
            .execute("UPDATE effects SET body = '?' WHERE ord = (SELECT min(ord) FROM effects)", [])
            .unwrap();
        assert_eq!((changed, effects_spoilt), (1, 1));
        drop(connection);

        let ana = handset.open();
        ana.connect();
        assert_eq!(ana.up_to_date(PATIENCE).await, Ok(()), "{:?}", it.place);
        assert_eq!(ana.outbox().await.unwrap(), it.parked(), "{:?}", it.place);
        let rest: Vec<Uuid> = it.to_send().into_iter().filter(|id| *id != spoilt.op.id).collect();
        assert_eq!(effects(&ledger, &rest), vec![1; rest.len()], "{:?}", it.place);
        assert_eq!(effects(&ledger, &[spoilt.op.id]), [0]);
        assert!(ana.inbox().await.unwrap().items.iter().all(|item| !item.is_announcement));
        let work: Value = serde_json::from_str(&ana.export_work().await.unwrap()).unwrap();
        assert_eq!(work["unreadable"], serde_json::json!([{"of": 2031}]), "G14: it can be handed in");
        let diagnosis: Value = serde_json::from_str(&ana.diagnostics().await.unwrap()).unwrap();
        let expected = serde_json::json!({"announcements": 1, "effects": 1, "outbox": 1});
        assert_eq!(diagnosis["storage"]["quarantined"], expected, "{:?}", it.place);
        ana.close().await;
        let aside = Store::open(&handset.database).unwrap().quarantined().unwrap();
        assert!(aside.iter().any(|it| it.body.contains("2031")), "kept: {aside:?}");
    }
}
