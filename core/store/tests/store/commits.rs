//! All or nothing, kept for good, and seen whole.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use innsync_domain::{Entity, EntityKind, SuiteStatus};
use innsync_engine::{Batch, Meta, StoreError, StoreRead, Write};
use innsync_store::{Query, Store};
use rusqlite::Connection;

use crate::motel::{id, of, show, start, suite, task, toast, write};

/// G1: what ana was told is saved is there after the app was killed and opened again.
#[test]
fn opened_again_it_has_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("motel.sqlite");
    let meta = Meta { next_order: 2, has_data: true, ..Meta::default() };
    let (clean, op) = (task("clean 101"), start(1, "clean 101"));
    let mut store = Store::open(&path).unwrap();
    write(
        &mut store,
        [
            show(clean.clone()),
            Write::PutBase(of(clean.clone()), None),
            Write::PutOp(op.clone()),
            Write::PutMeta(meta.clone()),
            Write::PutEffect(toast("saved")),
            Write::Stage(task("clean 102").into()),
        ],
    );
    // Killed: nothing is closed, so the log stays beside the file. What another process finds is a copy of both.
    let copy = folder.path().join("after-the-crash.sqlite");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::copy(folder.path().join("motel.sqlite-wal"), folder.path().join("after-the-crash.sqlite-wal"))
        .unwrap();
    drop(store);
    for path in [&path, &copy] {
        let store = Store::open(path).unwrap();
        assert_eq!(store.query(&Query::tasks()), Ok(vec![clean.clone().into()]));
        assert_eq!(store.bases(), Ok(vec![of(clean.clone())]));
        assert_eq!(store.outbox(), Ok(vec![op.clone()]));
        assert_eq!(store.meta(), Ok(meta.clone()));
        assert_eq!(store.effects(), Ok(vec![toast("saved")]));
        assert!(store.staged(&EntityKind::Task, id("clean 102")).unwrap().is_some());
    }
}

#[test]
fn a_batch_that_fails_midway_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("motel.sqlite");
    let mut store = Store::open(&path).unwrap();
    write(&mut store, [show(suite("101", 1, SuiteStatus::Occupied)), Write::Stage(task("staged").into())]);
    sql(
        &path,
        "CREATE TRIGGER trap BEFORE INSERT ON tasks WHEN NEW.title = 'trap' BEGIN SELECT RAISE(ABORT, 'sprung'); END",
    );
    let trap = Batch {
        writes: vec![
            Write::PutOp(start(1, "clean 101")),
            Write::ClearMirror,
            show(task("clean 101")),
            Write::PutEffect(toast("saved")),
            show(task("trap")),
        ],
    };
    let error = store.commit(&trap).unwrap_err();
    assert!(matches!(&error, StoreError::Other(why) if why.contains("sprung")), "{error}");
    assert_eq!(store.outbox(), Ok(Vec::new()));
    assert_eq!(store.effects(), Ok(Vec::new()));
    assert_eq!(store.query(&Query::tasks()), Ok(Vec::new()));
    assert_eq!(store.count(&Query::suites()), Ok(1));
    assert!(store.staged(&EntityKind::Task, id("staged")).unwrap().is_some());

    write(&mut store, [show(task("clean 101"))]);
    assert_eq!(store.count(&Query::tasks()), Ok(1), "and the writer goes on");
}

/// G6: whoever reads while maria's changes come in sees them batch by batch.
///
/// ```text
///  writer   ──[101,102: n]──[101,102: n+1]──[swap]──▶
///  reader       └ 101 = 102      └ 101 = 102   └ 101 = 102
/// ```
#[test]
fn readers_never_see_half_a_batch() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("motel.sqlite")).unwrap();
    let pair = |version: u64| {
        ["101", "102"].map(|number| {
            let mut suite = suite(number, 1, SuiteStatus::Occupied);
            suite.version = version;
            Entity::from(suite)
        })
    };
    write(&mut store, pair(0).map(Write::Show));
    let (reader, done) = (store.reader().unwrap(), AtomicBool::new(false));
    std::thread::scope(|threads| {
        let reading = threads.spawn(|| {
            let (mut last, mut reads) = (0, 0);
            while !done.load(Ordering::Relaxed) || reads == 0 {
                let rows = reader.query(&Query::suites()).unwrap();
                let versions: Vec<u64> = rows.iter().map(Entity::version).collect();
                assert!(
                    versions.len() == 2 && versions[0] == versions[1] && versions[0] >= last,
                    "{versions:?}"
                );
                (last, reads) = (versions[0], reads + 1);
                let counts =
                    reader.view(|view| Ok((view.query(&Query::suites())?, view.query(&Query::suites())?)));
                let (first, second) = counts.unwrap();
                assert_eq!(first, second, "one view, one commit");
            }
        });
        for version in 1..150 {
            match version % 3 {
                0 => {
                    write(&mut store, pair(version).map(Write::Stage));
                    write(&mut store, [Write::SwapStage]);
                }
                _ => drop(write(&mut store, pair(version).map(Write::Show))),
            }
        }
        done.store(true, Ordering::Relaxed);
        reading.join().unwrap();
    });
}

/// G22: between calls nobody is kept from writing.
#[test]
fn no_lock_is_held_between_calls() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("motel.sqlite");
    let mut store = Store::open(&path).unwrap();
    let reader = store.reader().unwrap();
    write(&mut store, [show(task("clean 101"))]);
    store.query(&Query::tasks()).unwrap();
    store.reading(|view| view.meta()).unwrap().unwrap();
    reader.query(&Query::tasks()).unwrap();
    let other = Connection::open(&path).unwrap();
    other.busy_timeout(std::time::Duration::ZERO).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let log = std::fs::metadata(folder.path().join("motel.sqlite-wal")).unwrap();
    assert_eq!(log.len(), 0, "the log could be written back whole");
}

fn sql(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}
