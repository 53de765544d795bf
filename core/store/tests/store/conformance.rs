//! The same stories over a file and over memory.

use innsync_domain::{Entity, EntityKind, EntityRef, SuiteStatus, Task, TaskStatus, Timestamp, Uuid};
use innsync_engine::{Discarded, Meta, OpState, StoreRead, Write, limits};
use innsync_protocol::{Cursor, Digest, Mark};
use innsync_store::{Query, Store, WriteSet};
use serde_json::json;

use crate::motel::{employee, id, morning, note, of, show, start, suite, task, toast, write};

macro_rules! over_both {
    ($($story:ident),+ $(,)?) => {
        mod over_a_file {
            $(#[test]
            fn $story() {
                let folder = tempfile::tempdir().unwrap();
                super::$story(innsync_store::Store::open(&folder.path().join("motel.sqlite")).unwrap());
            })+
        }
        mod over_memory {
            $(#[test]
            fn $story() {
                super::$story(innsync_store::Store::open_in_memory().unwrap());
            })+
        }
    };
}

over_both!(
    what_is_shown_is_read_back_until_it_is_hidden,
    every_kind_of_entity_comes_back_as_it_went_in,
    what_a_newer_server_says_survives,
    beneath_a_pending_operation_lies_the_servers_state,
    the_outbox_keeps_its_order,
    the_facts_start_empty_and_are_replaced,
    an_effect_is_told_once,
    presented_effects_are_remembered_for_a_while,
    a_snapshot_is_swapped_in_whole,
    writes_are_applied_in_order,
    the_mirror_is_cleared_and_the_outbox_stays,
    one_kind_is_cleared_and_the_others_stay,
    an_empty_batch_is_nothing,
    readers_see_what_was_committed,
    several_reads_see_one_commit,
    a_digest_is_of_the_servers_state,
    what_was_discarded_is_kept_for_a_while,
);

#[cfg(feature = "simulation")]
mod cleared {
    use super::*;

    over_both!(a_cleared_store_is_as_a_new_one);

    fn a_cleared_store_is_as_a_new_one(mut store: Store) {
        let (clean, op) = (task("clean 101"), start(1, "clean 101"));
        let (toast, at) = (toast("saved"), morning());
        let everything = [
            show(clean.clone()),
            Write::PutBase(of(clean.clone()), None),
            Write::PutOp(op.clone()),
            Write::PutDiscarded(Discarded { at, op: start(2, "clean 102") }),
            Write::PutMeta(Meta { next_order: 2, has_data: true, ..Meta::default() }),
            Write::PutEffect(toast.clone()),
            Write::EffectPresented(toast.id),
            Write::Stage(task("clean 103").into()),
        ];
        let first = write(&mut store, everything.clone());
        store.clear().unwrap();
        assert_eq!(store.query(&Query::tasks()), Ok(Vec::new()));
        assert_eq!((store.bases(), store.outbox()), (Ok(Vec::new()), Ok(Vec::new())));
        assert_eq!((store.meta(), store.discarded()), (Ok(Meta::default()), Ok(Vec::new())));
        assert_eq!(store.knows_effect(toast.id), Ok(false));
        assert_eq!(store.staged(&EntityKind::Task, task("clean 103").id), Ok(None));
        assert_eq!(write(&mut store, everything), first, "the same again is as the first time");
    }
}

fn what_is_shown_is_read_back_until_it_is_hidden(mut store: Store) {
    let (kind, clean) = (EntityKind::Task, task("clean 101"));
    assert_eq!(store.shown(&kind, clean.id), Ok(None));

    let set = write(&mut store, [show(clean.clone())]);
    assert_eq!(
        set,
        WriteSet { rows: vec![(of(clean.clone()), Some(clean.clone().into()))], ..WriteSet::default() }
    );
    assert_eq!(store.shown(&kind, clean.id), Ok(Some(clean.clone().into())));
    assert_eq!(store.mirror(&kind, clean.id), Ok(Some(clean.clone().into())));

    let set = write(&mut store, [Write::Hide(of(clean.clone()))]);
    assert_eq!(set.rows, [(of(clean.clone()), None)]);
    assert_eq!(store.shown(&kind, clean.id), Ok(None));
    let again = write(&mut store, [Write::Hide(of(clean))]);
    assert_eq!(again, WriteSet::default(), "hiding what is not shown concerns nobody");
}

fn every_kind_of_entity_comes_back_as_it_went_in(mut store: Store) {
    let stamp = json!({"id": id("x"), "version": 7, "updatedAt": morning(), "updatedBy": id("maria")});
    let kinds = [
        (
            EntityKind::Suite,
            json!({"suiteNumber": "101", "floor": -1, "status": "OCCUPIED", "openCleaningTask": id("t")}),
        ),
        (
            EntityKind::Employee,
            json!({"name": "Ana Núñez", "role": "HOUSEKEEPER", "department": "HOUSEKEEPING",
            "status": "ON_BREAK", "isOnDuty": true}),
        ),
        (
            EntityKind::Note,
            json!({"title": "t", "content": "", "taskId": id("t"), "createdBy": id("ben"),
            "audience": {"kind": "PEOPLE", "people": [id("ana")]}, "createdAt": morning(),
            "comments": [{"id": id("c"), "author": id("ana"), "text": "ok \u{0} 🧹", "createdAt": morning(), "mood": 3}]}),
        ),
        (
            EntityKind::Notification,
            json!({"recipientId": id("ana"), "type": "TASK_ASSIGNED", "title": "t",
            "message": "m", "priority": "HIGH", "relatedEntityId": id("t"), "readAt": morning()}),
        ),
        (
            EntityKind::Alert,
            json!({"title": "Fire", "message": "in 204", "severity": "CRITICAL",
            "raisedBy": id("ben"), "raisedAt": morning(), "acknowledgements": [{"employeeId": id("ana"), "at": morning()}],
            "resolvedAt": morning(), "resolvedBy": id("maria"), "relatedTaskId": id("t"), "relatedSuiteId": id("204")}),
        ),
        (
            EntityKind::Announcement,
            json!({"title": "t", "message": "m", "priority": "LOW", "expiresAt": morning(),
            "createdBy": id("maria"), "createdAt": Timestamp::from_millis(i64::MIN)}),
        ),
        (
            EntityKind::Shift,
            json!({"oldShift": "night", "newShift": "day", "onDutyEmployees": [id("ana"), id("ben")],
            "createdBy": id("maria"), "createdAt": Timestamp::from_millis(i64::MAX)}),
        ),
        (
            EntityKind::Conflict,
            json!({"entityType": "NOTE", "entityId": id("n"), "field": "audience", "base": {"kind": "ALL_STAFF"},
            "lost": {"kind": "MANAGERS"}, "lostBy": id("ana"), "keptBy": id("ben"), "meantAt": morning(),
            "decidedAt": morning(), "policy": "MANUAL", "certain": false, "seenAt": morning()}),
        ),
        (EntityKind::Task, serde_json::to_value(task("x")).unwrap()),
    ];
    assert_eq!(kinds.len(), EntityKind::KNOWN.len());
    for (kind, mut fields) in kinds {
        let stamped = fields.as_object_mut().unwrap();
        stamped.extend(stamp.as_object().unwrap().clone());
        let entity = Entity::from_value(&kind, fields).unwrap();
        write(&mut store, [show(entity.clone()), Write::Stage(entity.clone())]);
        assert_eq!(store.shown(&kind, id("x")), Ok(Some(entity.clone())));
        assert_eq!(store.staged(&kind, id("x")), Ok(Some(entity.clone())));
        assert_eq!(store.query(&Query::of(kind)), Ok(vec![entity]));
    }
}

fn what_a_newer_server_says_survives(mut store: Store) {
    let kind = EntityKind::Suite;
    let text = format!(
        r#"{{"id":"{}","suiteNumber":"101","floor":1,"status":"DEEP_CLEAN","view":{{"sea":true}},"version":18446744073709551615,
        "updatedAt":"{}","updatedBy":"{}"}}"#,
        id("101"),
        morning(),
        id("maria")
    );
    let newer = Entity::from_json(&kind, &text).unwrap();
    write(&mut store, [show(newer.clone()), Write::PutBase(newer.reference(), Some(newer.clone()))]);
    assert_eq!(store.shown(&kind, id("101")), Ok(Some(newer.clone())));
    assert_eq!(store.mirror(&kind, id("101")), Ok(Some(newer.clone())));
    assert_eq!(newer.field("view"), Some(json!({"sea": true})));

    let unknown = EntityRef::new(EntityKind::from("MINIBAR"), id("minibar"));
    write(&mut store, [Write::Hide(unknown.clone()), Write::PutBase(unknown.clone(), None)]);
    assert_eq!(store.shown(&unknown.kind, unknown.id), Ok(None));
    assert_eq!(store.has_base(&unknown.kind, unknown.id), Ok(true));
    assert_eq!(store.query(&Query::of(unknown.kind)), Ok(Vec::new()));
}

fn beneath_a_pending_operation_lies_the_servers_state(mut store: Store) {
    let (kind, servers) = (EntityKind::Task, task("clean 101"));
    let mut anas = servers.clone();
    anas.status = TaskStatus::InProgress;
    let entity = of(servers.clone());

    let set = write(
        &mut store,
        [
            Write::PutBase(entity.clone(), Some(servers.clone().into())),
            show(anas.clone()),
            Write::PutOp(start(1, "clean 101")),
        ],
    );
    assert!(set.outbox);
    assert_eq!(store.shown(&kind, entity.id), Ok(Some(anas.clone().into())));
    assert_eq!(store.mirror(&kind, entity.id), Ok(Some(servers.into())));
    assert_eq!(store.has_base(&kind, entity.id), Ok(true));

    write(&mut store, [Write::PutBase(entity.clone(), None)]);
    assert_eq!(store.mirror(&kind, entity.id), Ok(None), "the server has none any more");
    let shift = EntityRef::new(EntityKind::Shift, id("b"));
    let suites = [EntityRef::new(EntityKind::Suite, id("b")), EntityRef::new(EntityKind::Suite, id("a"))];
    write(
        &mut store,
        [shift.clone(), suites[0].clone(), suites[1].clone()].map(|it| Write::PutBase(it, None)),
    );
    let mut all = vec![entity.clone(), shift, suites[0].clone(), suites[1].clone()];
    all.sort();
    assert_eq!(store.bases(), Ok(all));

    write(&mut store, [Write::DropBase(entity.clone())]);
    assert_eq!(store.has_base(&kind, entity.id), Ok(false));
    assert_eq!(store.mirror(&kind, entity.id), Ok(Some(anas.into())));
}

fn the_outbox_keeps_its_order(mut store: Store) {
    let ops = [start(30, "c"), start(10, "a"), start(20, "b")];
    write(&mut store, ops.clone().map(Write::PutOp));
    let orders = |store: &Store| store.outbox().unwrap().iter().map(|op| op.order).collect::<Vec<_>>();
    assert_eq!(orders(&store), [10, 20, 30]);
    assert_eq!(store.outbox().unwrap()[0], ops[1]);

    let mut sent = ops[1].clone();
    (sent.state, sent.attempts, sent.order) = (OpState::Sent, 1, 25);
    assert!(write(&mut store, [Write::PutOp(sent.clone())]).outbox);
    assert_eq!(orders(&store), [20, 25, 30]);
    assert_eq!(store.outbox().unwrap()[1], sent);

    assert!(write(&mut store, [Write::DeleteOp(sent.op.id)]).outbox);
    assert!(!write(&mut store, [Write::DeleteOp(sent.op.id)]).outbox, "it is gone already");
    assert_eq!(orders(&store), [20, 30]);
}

fn the_facts_start_empty_and_are_replaced(mut store: Store) {
    assert_eq!(store.meta(), Ok(Meta::default()));
    let mut meta = Meta { next_order: 7, has_data: true, ..Meta::default() };
    meta.cursor = Cursor { epoch: 1, seq: 42, mark: Mark(0xfeed) };
    write(&mut store, [Write::PutMeta(meta.clone())]);
    assert_eq!(store.meta(), Ok(meta.clone()));
    meta.last_sync_time = Some(morning());
    write(&mut store, [Write::PutMeta(meta.clone())]);
    assert_eq!(store.meta(), Ok(meta));
}

fn an_effect_is_told_once(mut store: Store) {
    let (first, second) = (toast("clean 101"), toast("clean 102"));
    assert!(write(&mut store, [Write::PutEffect(second.clone()), Write::PutEffect(first.clone())]).effects);
    assert_eq!(store.effects(), Ok(vec![second.clone(), first.clone()]), "as they were recorded");
    assert!(!write(&mut store, [Write::PutEffect(first.clone())]).effects, "the same cause again");

    assert!(write(&mut store, [Write::EffectPresented(second.id)]).effects);
    assert!(!write(&mut store, [Write::EffectPresented(second.id)]).effects);
    assert_eq!(store.effects(), Ok(vec![first]));
    assert_eq!(store.knows_effect(second.id), Ok(true));
    assert!(!write(&mut store, [Write::PutEffect(second)]).effects, "it was shown before");
    assert_eq!(store.knows_effect(id("never")), Ok(false));
}

fn presented_effects_are_remembered_for_a_while(mut store: Store) {
    let waiting = toast("still on the screen");
    let effects: Vec<_> = (0..=limits::EFFECTS_REMEMBERED).map(|n| toast(&n.to_string())).collect();
    let mut writes = vec![Write::PutEffect(waiting.clone())];
    writes.extend(effects.iter().cloned().map(Write::PutEffect));
    writes.extend(effects.iter().map(|effect| Write::EffectPresented(effect.id)));
    write(&mut store, writes);
    assert_eq!(store.knows_effect(effects[0].id), Ok(false), "the oldest is forgotten");
    assert_eq!(store.knows_effect(effects[1].id), Ok(true));
    assert_eq!(store.effects(), Ok(vec![waiting]), "what nobody has seen never is");
}

fn a_snapshot_is_swapped_in_whole(mut store: Store) {
    let old = suite("101", 1, SuiteStatus::Occupied);
    let staged = [
        Entity::from(suite("201", 2, SuiteStatus::Cleaning)),
        task("clean 201").into(),
        employee("ana").into(),
    ];
    write(
        &mut store,
        [
            show(old.clone()),
            show(task("clean 101")),
            Write::PutBase(of(old.clone()), None),
            Write::PutOp(start(1, "clean 101")),
        ],
    );
    let stale = Write::Stage(note("from a snapshot that was cut", "").into());
    assert_eq!(write(&mut store, [stale]), WriteSet::default());
    let mut writes = vec![Write::ClearStage];
    writes.extend(staged.iter().cloned().map(Write::Stage));
    assert_eq!(write(&mut store, writes), WriteSet::default(), "staging concerns no screen");
    assert_eq!(store.shown(&EntityKind::Suite, old.id), Ok(Some(old.clone().into())));
    assert_eq!(store.staged(&EntityKind::Suite, id("201")), Ok(Some(staged[0].clone())));
    assert_eq!(store.staged(&EntityKind::Suite, old.id), Ok(None));

    let set = write(&mut store, [Write::SwapStage]);
    assert!(set.everything && set.rows.is_empty() && !set.outbox);
    assert_eq!(all_shown(&store), staged);
    assert_eq!(store.bases(), Ok(Vec::new()));
    assert_eq!(store.outbox().unwrap().len(), 1);
    assert_eq!(store.staged(&EntityKind::Suite, id("201")), Ok(None));
    write(&mut store, [Write::SwapStage]);
    assert_eq!(all_shown(&store), [], "the stage was empty");
}

fn writes_are_applied_in_order(mut store: Store) {
    let (mut mine, servers) = (task("clean 101"), task("clean 101"));
    mine.status = TaskStatus::InProgress;
    let set = write(
        &mut store,
        [
            show(suite("999", 9, SuiteStatus::Occupied)),
            Write::Stage(servers.clone().into()),
            Write::SwapStage,
            Write::PutBase(of(servers.clone()), Some(servers.clone().into())),
            show(mine.clone()),
        ],
    );
    assert!(set.everything);
    assert_eq!(all_shown(&store), [Entity::from(mine.clone())]);
    assert_eq!(store.mirror(&EntityKind::Task, mine.id), Ok(Some(servers.clone().into())));

    let twice = write(&mut store, [show(servers.clone()), Write::Hide(of(servers)), show(mine.clone())]);
    assert_eq!(twice.rows, [(of(mine.clone()), Some(mine.into()))], "each row once, as it is in the end");
}

fn the_mirror_is_cleared_and_the_outbox_stays(mut store: Store) {
    let op = start(1, "clean 101");
    write(
        &mut store,
        [
            show(task("clean 101")),
            Write::PutBase(of(task("clean 101")), Some(task("clean 101").into())),
            Write::Stage(task("clean 102").into()),
            Write::PutOp(op.clone()),
            Write::PutEffect(toast("saved")),
        ],
    );
    assert!(write(&mut store, [Write::ClearMirror]).everything);
    assert_eq!(all_shown(&store), []);
    assert_eq!(store.bases(), Ok(Vec::new()));
    assert_eq!(store.staged(&EntityKind::Task, id("clean 102")), Ok(None));
    assert_eq!(store.outbox(), Ok(vec![op]));
    assert_eq!(store.effects(), Ok(vec![toast("saved")]));
}

fn one_kind_is_cleared_and_the_others_stay(mut store: Store) {
    let (op, ana) = (start(1, "clean 101"), employee("ana"));
    write(
        &mut store,
        [
            show(task("clean 101")),
            show(ana.clone()),
            Write::PutBase(of(task("clean 101")), Some(task("clean 101").into())),
            Write::PutBase(of(ana.clone()), Some(ana.clone().into())),
            Write::PutOp(op.clone()),
        ],
    );
    let set = write(&mut store, [Write::ClearKind(EntityKind::Task), show(task("clean 102"))]);
    assert!(set.everything && set.rows.is_empty());
    assert_eq!(all_shown(&store), [Entity::from(task("clean 102")), ana.clone().into()]);
    assert_eq!(store.bases(), Ok(vec![of(ana)]));
    assert_eq!(store.outbox(), Ok(vec![op]));
}

fn an_empty_batch_is_nothing(mut store: Store) {
    assert_eq!(write(&mut store, []), WriteSet::default());
}

fn readers_see_what_was_committed(mut store: Store) {
    let reader = store.reader().unwrap();
    let (tasks, clean) = (Query::tasks(), task("clean 101"));
    assert_eq!(reader.query(&tasks), Ok(Vec::new()));
    write(
        &mut store,
        [show(clean.clone()), Write::PutOp(start(1, "clean 101")), Write::PutEffect(toast("x"))],
    );
    assert_eq!(reader.query(&tasks), Ok(vec![clean.clone().into()]));
    assert_eq!(reader.get(&EntityKind::Task, clean.id), Ok(Some(clean.into())));
    assert_eq!(reader.get(&EntityKind::Task, Uuid::nil()), Ok(None));
    assert_eq!((reader.count(&tasks), store.count(&tasks.limit(0))), (Ok(1), Ok(1)));
    assert_eq!(reader.outbox(), store.outbox());
    assert_eq!(reader.effects(), store.effects());
    assert_eq!(reader.meta(), store.meta());
}

fn several_reads_see_one_commit(mut store: Store) {
    write(&mut store, [show(task("clean 101")), Write::PutBase(of(task("clean 101")), None)]);
    let check = |view: &innsync_store::View<'_>| {
        assert_eq!(view.count(&Query::tasks()), Ok(1));
        assert_eq!(view.query(&Query::tasks()).unwrap()[0], Entity::from(task("clean 101")));
        assert_eq!(view.shown(&EntityKind::Task, id("clean 102")), Ok(None));
        assert_eq!(view.has_base(&EntityKind::Task, id("clean 101")), Ok(true));
        assert_eq!(view.mirror(&EntityKind::Task, id("clean 101")), Ok(None));
        view.meta()
    };
    assert_eq!(store.reading(check), Ok(Ok(Meta::default())));
    assert_eq!(store.reader().unwrap().view(check), Ok(Meta::default()));
    write(&mut store, [show(task("clean 102"))]);
}

fn a_digest_is_of_the_servers_state(mut store: Store) {
    // G9
    assert_eq!(store.digest(), Ok(Digest::default()));
    let (clean, dirty, new) = (task("clean 101"), task("clean 102"), task("clean 103"));
    write(
        &mut store,
        [
            show(clean.clone()),
            show(dirty.clone()),
            show(suite("101", 1, SuiteStatus::Occupied)),
            show(note("towels", "")),
        ],
    );
    let server = store.digest().unwrap();
    assert_eq!(server.rows, 4);

    // What is pending on this phone changes what is shown, not what the server has.
    let started = Task { version: 9, ..clean.clone() };
    write(&mut store, [show(started), Write::PutBase(of(clean.clone()), Some(clean.clone().into()))]);
    write(
        &mut store,
        [Write::Hide(of(dirty.clone())), Write::PutBase(of(dirty.clone()), Some(dirty.into()))],
    );
    write(&mut store, [show(new.clone()), Write::PutBase(of(new), None)]);
    assert_eq!(store.digest(), Ok(server));

    // A row that went missing does.
    write(&mut store, [Write::Hide(of(suite("101", 1, SuiteStatus::Occupied)))]);
    assert_ne!(store.digest(), Ok(server));
}

fn what_was_discarded_is_kept_for_a_while(mut store: Store) {
    let day = 24 * 60 * 60 * 1000;
    let discarded = |order, title, days: i64| Discarded {
        at: morning().plus_millis(days * day),
        op: start(order, title),
    };
    let (old, newer, newest) =
        (discarded(1, "clean 101", 0), discarded(2, "clean 102", 20), discarded(3, "clean 103", 31));
    write(&mut store, [Write::PutDiscarded(old.clone()), Write::PutDiscarded(newer.clone())]);
    assert_eq!(store.discarded(), Ok(vec![newer.clone(), old]));
    write(&mut store, [Write::PutDiscarded(newest.clone())]);
    write(&mut store, [Write::ForgetDiscarded { before: morning().plus_millis(day) }]);
    assert_eq!(store.discarded(), Ok(vec![newest, newer]));
}

/// Every shown row, kind by kind.
fn all_shown(store: &Store) -> Vec<Entity> {
    EntityKind::KNOWN.iter().flat_map(|kind| store.query(&Query::of(kind.clone())).unwrap()).collect()
}
