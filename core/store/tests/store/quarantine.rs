//! One bad row: left out, moved aside, never lost, and never in the way of the others.

use std::path::Path;

use innsync_domain::EntityKind;
use innsync_engine::{Meta, StoreRead, Write};
use innsync_store::{Query, Store};
use rusqlite::Connection;

use crate::motel::{id, note, of, show, start, suite, task, toast, write};

#[test]
fn a_row_that_cannot_be_read_is_moved_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("motel.sqlite");
    let mut store = Store::open(&path).unwrap();
    write(&mut store, [show(note("towels", "blue")), show(note("soap", "none")), show(task("clean 101"))]);
    write(&mut store, [Write::Stage(task("clean 102").into())]);
    sql(&path, "UPDATE notes SET comments = '[{]' WHERE title = 'towels'");
    sql(&path, "UPDATE tasks SET assigned_to = x'0102'; UPDATE stage_tasks SET extra = 'no'");

    let reader = store.reader().unwrap();
    assert_eq!(reader.query(&Query::notes()), Ok(vec![note("soap", "none").into()]), "readers leave it out");
    assert_eq!(store.quarantined(), Ok(Vec::new()));
    assert_eq!(store.query(&Query::notes()), Ok(vec![note("soap", "none").into()]));
    assert_eq!(store.shown(&EntityKind::Task, id("clean 101")), Ok(None));
    assert_eq!(store.reading(|view| view.staged(&EntityKind::Task, id("clean 102"))), Ok(Ok(None)));

    let aside = store.quarantined().unwrap();
    let sources: Vec<&str> = aside.iter().map(|it| it.source.as_str()).collect();
    assert_eq!(sources, ["notes", "tasks", "stage_tasks"]);
    assert_eq!(aside[0].key, id("towels").as_bytes());
    assert!(aside[0].body.contains("blue") && aside[0].body.contains("[{]"), "{}", aside[0].body);
    assert!(aside[0].detail.starts_with("comments: "), "{}", aside[0].detail);
    assert_eq!((reader.count(&Query::notes()), store.count(&Query::tasks())), (Ok(1), Ok(0)));

    write(&mut store, [show(note("towels", "blue"))]);
    assert_eq!(store.count(&Query::notes()), Ok(2), "the server's next word puts it right");
}

/// G1: even an operation that cannot be read is kept.
#[test]
fn an_operation_that_cannot_be_read_lets_the_others_through() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("motel.sqlite");
    let mut store = Store::open(&path).unwrap();
    write(&mut store, [Write::PutOp(start(1, "a")), Write::PutOp(start(2, "b"))]);
    sql(&path, "UPDATE outbox SET doc = replace(doc, 'START_TASK', 'STIR_TASK') WHERE ord = 1");
    assert_eq!(store.outbox(), Ok(vec![start(2, "b")]));
    let aside = store.quarantined().unwrap();
    assert_eq!((aside.len(), aside[0].source.as_str()), (1, "outbox"));
    assert!(aside[0].body.contains("STIR_TASK"));
    assert_eq!(store.outbox(), Ok(vec![start(2, "b")]));
    assert_eq!(store.quarantined().unwrap().len(), 1, "once");
}

#[test]
fn bases_effects_and_facts_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("motel.sqlite");
    let mut store = Store::open(&path).unwrap();
    let row = suite("101", 1, innsync_domain::SuiteStatus::Occupied);
    write(
        &mut store,
        [
            show(row.clone()),
            Write::PutBase(of(row.clone()), Some(row.clone().into())),
            Write::PutEffect(toast("x")),
            Write::PutOp(start(41, "a")),
            Write::PutMeta(Meta { next_order: 42, has_data: true, ..Meta::default() }),
        ],
    );
    sql(&path, "UPDATE base SET doc = '{'; UPDATE effects SET body = '{}'; UPDATE meta SET doc = 'gone'");

    assert_eq!(store.mirror(&EntityKind::Suite, row.id), Ok(None), "what the server has is not known");
    assert_eq!(store.has_base(&EntityKind::Suite, row.id), Ok(true), "but an operation is still pending");
    assert_eq!(store.effects(), Ok(Vec::new()));
    assert_eq!(store.knows_effect(toast("x").id), Ok(true), "it will not ring again");
    let meta = Meta { next_order: 42, ..Meta::default() };
    assert_eq!(
        store.meta(),
        Ok(meta.clone()),
        "everything is fetched anew; the operations keep their places"
    );
    assert_eq!(store.meta(), Ok(meta));
    assert_eq!(store.quarantined().unwrap().len(), 3);
}

fn sql(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}
