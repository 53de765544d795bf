//! The disk: when it is waited for, and what happens when it is full (as SQLite reports it: the file may have no more pages).

use innsync_domain::{EntityKind, Uuid};
use innsync_engine::{Batch, Meta, StoreError, StoreRead, Write};

use crate::store::lock;
use crate::{Query, Store};

fn note(content: &str) -> Write {
    let text = format!(
        r#"{{"id":"{}","title":"towels","content":"{content}","audience":{{"kind":"ALL_STAFF"}},"createdBy":"{}",
        "createdAt":"2026-11-22T08:30:00Z","version":1,"updatedAt":"2026-11-22T08:30:00Z","updatedBy":"{}"}}"#,
        Uuid::nil(),
        Uuid::nil(),
        Uuid::nil()
    );
    Write::Show(innsync_domain::Entity::from_json(&EntityKind::Note, &text).unwrap())
}

fn pages(store: &Store, most: i64) {
    lock(&store.connection).pragma_update(None, "max_page_count", most).unwrap();
}

fn on_a_full_disk(mut store: Store) {
    let commit = |store: &mut Store, writes: Vec<Write>| store.commit(&Batch { writes });
    let saved = Meta { next_order: 1, ..Meta::default() };
    commit(&mut store, vec![Write::PutMeta(saved.clone()), note("two blue ones")]).unwrap();
    let before = store.query(&Query::notes()).unwrap();
    pages(&store, 1);

    let lost = Meta { next_order: 2, ..Meta::default() };
    let long = "more ".repeat(100_000);
    for writes in [vec![Write::PutMeta(lost), Write::ClearMirror, note(&long)], vec![note(&long)]] {
        assert_eq!(commit(&mut store, writes), Err(StoreError::Full));
        assert_eq!(store.meta(), Ok(saved.clone()), "nothing of it was written");
        assert_eq!(store.query(&Query::notes()), Ok(before.clone()));
    }
    commit(&mut store, vec![note("one")]).unwrap();
    pages(&store, 1_000_000);
    commit(&mut store, vec![note(&long)]).unwrap();
    assert_eq!(store.count(&Query::notes()), Ok(1));
}

#[test]
fn a_full_disk_loses_nothing_and_the_writer_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    on_a_full_disk(Store::open(&folder.path().join("motel.sqlite")).unwrap());
    on_a_full_disk(Store::open_in_memory().unwrap());
}

#[test]
fn what_cannot_be_read_is_left_out_even_when_it_cannot_be_moved_aside() {
    let mut store = Store::open_in_memory().unwrap();
    store.commit(&Batch { writes: vec![note("two blue ones")] }).unwrap();
    let bad = format!("UPDATE notes SET comments = '{}'", "[".repeat(50_000));
    lock(&store.connection).execute_batch(&bad).unwrap();
    pages(&store, 1);
    assert_eq!(store.query(&Query::notes()), Ok(Vec::new()));
    assert_eq!((store.quarantined(), store.count(&Query::notes())), (Ok(Vec::new()), Ok(1)));
    pages(&store, 1_000_000);
    assert_eq!(store.query(&Query::notes()), Ok(Vec::new()));
    assert_eq!(store.quarantined().unwrap().len(), 1);
}

/// G1: what a person was told is saved waits for the disk (2: FULL); rows of a snapshot under way need not (1: NORMAL).
#[test]
fn what_only_this_phone_knows_waits_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("motel.sqlite")).unwrap();
    let synchronous = |store: &mut Store, writes: Vec<Write>| -> i64 {
        store.commit(&Batch { writes }).unwrap();
        lock(&store.connection).pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap()
    };
    let meta = || Write::PutMeta(Meta::default());
    assert_eq!(synchronous(&mut store, vec![meta()]), 2);
    assert_eq!(synchronous(&mut store, vec![Write::ClearStage, note("two blue ones")]), 1);
    assert_eq!(synchronous(&mut store, vec![note("one"), meta()]), 2);
    assert_eq!(synchronous(&mut store, vec![note("one"), Write::EffectPresented(Uuid::nil())]), 2);
    assert_eq!(synchronous(&mut store, vec![Write::DeleteOp(Uuid::nil())]), 2);
}
