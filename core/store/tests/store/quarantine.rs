//! One bad row: left out, moved aside, never lost, and never in the way of the others.

use std::path::Path;

use innsync_domain::{Entity, EntityKind};
use innsync_engine::{Discarded, Meta, StoreRead, Write};
use innsync_store::{Query, Store};
use rusqlite::Connection;

use crate::motel::{employee, id, morning, note, of, show, start, suite, task, toast, write};

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

/// Two rows of each kind, in the order of their tables.
fn pairs() -> Vec<(&'static str, Entity, Entity)> {
    let of_kind = |kind: EntityKind, name: &str, fields: &str| {
        let (id, maria, at) = (id(name), id("maria"), morning());
        let common = format!(r#""id":"{id}","version":1,"updatedAt":"{at}","updatedBy":"{maria}""#);
        let fields = fields.replace("MARIA", &maria.to_string()).replace("NOW", &at.to_string());
        Entity::from_json(&kind, &format!("{{{common},{fields}}}")).unwrap()
    };
    let vacant = innsync_domain::SuiteStatus::VacantDirty;
    let notification =
        r#""recipientId":"MARIA","type":"TASK_ASSIGNED","title":"t","message":"m","priority":"NORMAL""#;
    let alert = r#""title":"t","message":"m","severity":"HIGH","raisedBy":"MARIA","raisedAt":"NOW","acknowledgements":[]"#;
    let announcement =
        r#""title":"t","message":"m","priority":"NORMAL","createdBy":"MARIA","createdAt":"NOW""#;
    let shift =
        r#""oldShift":"day","newShift":"night","onDutyEmployees":[],"createdBy":"MARIA","createdAt":"NOW""#;
    let json = |kind: &EntityKind, fields: &str| {
        (of_kind(kind.clone(), "good", fields), of_kind(kind.clone(), "bad", fields))
    };
    let mut pairs = vec![
        ("suites", suite("good", 1, vacant.clone()).into(), suite("bad", 1, vacant).into()),
        ("tasks", task("good").into(), task("bad").into()),
        ("employees", employee("good").into(), employee("bad").into()),
        ("notes", note("good", "x").into(), note("bad", "x").into()),
    ];
    for (table, kind, fields) in [
        ("notifications", EntityKind::Notification, notification),
        ("alerts", EntityKind::Alert, alert),
        ("announcements", EntityKind::Announcement, announcement),
        ("shifts", EntityKind::Shift, shift),
    ] {
        let (good, bad) = json(&kind, fields);
        pairs.push((table, good, bad));
    }
    pairs
}

/// G18: whatever is wrong with one row of whichever table.
#[test]
fn one_bad_row_in_each_table_of_entities() {
    for damage in ["extra = '{'", "extra = CAST(x'ff' AS TEXT)", "updated_by = x'0102'"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("motel.sqlite");
        let mut store = Store::open(&path).unwrap();
        for (table, good, bad) in pairs() {
            write(&mut store, [good, bad].map(|row| [Write::Stage(row.clone()), Write::Show(row)]).concat());
            for table in [table.to_owned(), format!("stage_{table}")] {
                let spoil = format!("UPDATE {table} SET {damage} WHERE id = ?1");
                let spoilt = Connection::open(&path).unwrap().execute(&spoil, [id("bad").as_bytes()]);
                assert_eq!(spoilt, Ok(1), "{table}: {damage}");
            }
        }
        for (table, good, bad) in pairs() {
            let kind = good.kind();
            assert_eq!(store.query(&Query::of(kind.clone())), Ok(vec![good.clone()]), "{table}: {damage}");
            assert_eq!(store.staged(&kind, good.id()), Ok(Some(good)));
            assert_eq!(store.staged(&kind, bad.id()), Ok(None), "{table}: {damage}");
        }
        let both = |table: &str| [table.to_owned(), format!("stage_{table}")];
        let expected = pairs().into_iter().flat_map(|(table, ..)| both(table));
        assert_eq!(store.quarantine_counts(), Ok(expected.map(|source| (source, 1)).collect()), "{damage}");
    }
}

/// G18, G1
#[test]
fn one_bad_row_in_each_table_of_documents() {
    for damage in ["{}", "", "\u{0}", "no UTF-8", "another's id"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("motel.sqlite");
        let mut store = Store::open(&path).unwrap();
        let (good, bad) = (task("good"), task("bad"));
        let meta = Meta { has_data: true, next_order: 3, ..Meta::default() };
        let discarded = |order, title| Discarded { at: morning(), op: start(order, title) };
        write(
            &mut store,
            [
                Write::PutBase(of(good.clone()), Some(good.clone().into())),
                Write::PutBase(of(bad.clone()), Some(bad.into())),
                Write::PutOp(start(1, "bad")),
                Write::PutOp(start(2, "good")),
                Write::PutDiscarded(discarded(1, "bad")),
                Write::PutDiscarded(discarded(2, "good")),
                Write::PutEffect(toast("bad")),
                Write::PutEffect(toast("good")),
                Write::PutMeta(meta.clone()),
            ],
        );
        let direct = Connection::open(&path).unwrap();
        let bad_op = id("start bad");
        let rows = [("base", "doc", id("bad")), ("outbox", "doc", bad_op), ("discarded", "doc", bad_op)];
        for (table, column, bad) in rows.into_iter().chain([("effects", "body", id("bad"))]) {
            let changed = match damage {
                "another's id" => direct
                    .execute(&format!("UPDATE {table} SET id = x'0102' WHERE id = ?1"), [bad.as_bytes()]),
                "no UTF-8" => direct.execute(
                    &format!("UPDATE {table} SET {column} = CAST(x'7bff' AS TEXT) WHERE id = ?1"),
                    [bad.as_bytes()],
                ),
                text => direct.execute(
                    &format!("UPDATE {table} SET {column} = ?2 WHERE id = ?1"),
                    rusqlite::params![bad.as_bytes(), text],
                ),
            };
            assert_eq!(changed, Ok(1), "{table}: {damage:?}");
        }

        // Twice: what was moved aside is not met again.
        for _ in 0..2 {
            assert_eq!(store.outbox(), Ok(vec![start(2, "good")]), "{damage:?}");
            assert_eq!(store.discarded(), Ok(vec![discarded(2, "good")]), "{damage:?}");
            assert_eq!(store.effects(), Ok(vec![toast("good")]), "{damage:?}");
            assert_eq!(store.meta(), Ok(meta.clone()), "{damage:?}");
            let bases = store.bases().unwrap();
            assert_eq!(bases.contains(&of(task("bad"))), damage != "another's id", "{damage:?}");
            assert!(bases.contains(&of(good.clone())));
            assert_eq!(store.mirror(&EntityKind::Task, id("bad")), Ok(None), "{damage:?}");
            assert_eq!(store.mirror(&EntityKind::Task, good.id), Ok(Some(good.clone().into())));
        }
        let expected = ["base", "discarded", "effects", "outbox"].map(|source| (source.to_owned(), 1));
        assert_eq!(store.quarantine_counts(), Ok(expected.into()), "{damage:?}");
    }
}

/// G18: without its facts the phone begins anew, and keeps what was to be sent.
#[test]
fn facts_that_are_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("motel.sqlite");
    let mut store = Store::open(&path).unwrap();
    write(
        &mut store,
        [Write::PutOp(start(7, "a")), Write::PutMeta(Meta { has_data: true, ..Meta::default() })],
    );
    sql(&path, "UPDATE meta SET doc = CAST(x'7bff' AS TEXT)");
    for _ in 0..2 {
        assert_eq!(store.meta(), Ok(Meta { next_order: 8, ..Meta::default() }));
    }
    assert_eq!(store.outbox(), Ok(vec![start(7, "a")]));
    assert_eq!(store.quarantine_counts(), Ok([("meta".to_owned(), 1)].into()));
}

fn sql(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}
