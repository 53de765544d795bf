//! Who sees what. // G25

use innsync_domain::{
    Audience, Change, Command, Department, Entity, EntityKind, EntityRef, SuiteStatus, TaskType, Uuid,
    ViewChange, derived_id, may_see, project, redact,
};
use serde_json::json;

use crate::world::*;

const ALL: [Uuid; 7] = [ANA, BEN, MIGUEL, LUCIA, SAM, MARIA, PAULA];

fn who_sees(world: &World, reference: &EntityRef) -> Vec<Uuid> {
    let entity = &world.entities[reference];
    ALL.into_iter().filter(|who| may_see(entity, &world.person(*who))).collect()
}

#[test]
fn tasks_are_seen_by_those_they_concern() {
    let mut world = World::motel();
    world.does(SAM, new_task(10, TaskType::Cleaning));
    world.does(SAM, new_task_for(11, TaskType::Cleaning, ANA));
    world.does(LUCIA, new_task(12, TaskType::Maintenance));
    world.does(MARIA, new_task(13, TaskType::General));
    assert_eq!(who_sees(&world, &task(id(10))), [ANA, BEN, SAM, MARIA, PAULA]);
    assert_eq!(who_sees(&world, &task(id(11))), [ANA, SAM, MARIA, PAULA]);
    assert_eq!(who_sees(&world, &task(id(12))), [MIGUEL, LUCIA, SAM, MARIA, PAULA]);
    assert_eq!(who_sees(&world, &task(id(13))), ALL);
}

#[test]
fn an_open_emergency_is_seen_by_everybody_on_duty() {
    let mut world = World::motel();
    world.does(BEN, set_duty(BEN, false));
    world.does(SAM, set_duty(SAM, false));
    let task_id = world.emergency(ANA, 9);
    let alert = EntityRef::new(EntityKind::Alert, derived_id(task_id, "alert"));
    assert_eq!(who_sees(&world, &task(task_id)), [ANA, MIGUEL, LUCIA, SAM, MARIA, PAULA]);
    assert_eq!(who_sees(&world, &alert), [ANA, MIGUEL, LUCIA, MARIA, PAULA]);
    world.does(MARIA, Command::CompleteTask { task_id });
    assert_eq!(who_sees(&world, &task(task_id)), [ANA, SAM, MARIA, PAULA]);
    assert_eq!(who_sees(&world, &alert), [ANA, MARIA, PAULA]);
}

#[test]
fn notes_are_seen_by_their_audience_their_author_and_managers() {
    let mut world = World::motel();
    let newer: Audience = serde_json::from_value(json!({ "kind": "FLOOR", "floor": 2 })).unwrap();
    let audiences = [
        (Audience::AllStaff, ALL.to_vec()),
        (
            Audience::Department { department: Department::Housekeeping },
            vec![ANA, BEN, LUCIA, SAM, MARIA, PAULA],
        ),
        (Audience::Managers, vec![LUCIA, MARIA, PAULA]),
        (Audience::People { people: vec![MIGUEL] }, vec![MIGUEL, LUCIA, MARIA, PAULA]),
        (newer, vec![LUCIA, MARIA, PAULA]),
    ];
    for (number, (audience, seen)) in (20..).zip(audiences) {
        world.does(LUCIA, new_note(number, Audience::AllStaff));
        let mut note = world.note(id(number));
        note.audience = audience.clone();
        world.put(note);
        let reference = EntityRef::new(EntityKind::Note, id(number));
        assert_eq!(who_sees(&world, &reference), seen, "{audience:?}");
    }
}

#[test]
fn a_notification_is_seen_by_its_recipient_alone_and_the_rest_by_all() {
    let mut world = World::motel();
    let commit = world.does(SAM, new_task_for(10, TaskType::General, ANA));
    let reference = Entity::from(commit.notifications()[0].clone()).reference();
    assert_eq!(who_sees(&world, &reference), [ANA]);
    assert_eq!(who_sees(&world, &suite(S101)), ALL);
    assert_eq!(who_sees(&world, &EntityRef::new(EntityKind::Employee, PAULA)), ALL);
}

#[test]
fn acknowledgements_are_the_raisers_and_the_managers_to_see() {
    let mut world = World::motel();
    let task_id = world.emergency(ANA, 9);
    let alert_id = world.alert_of(task_id).id;
    world.does(BEN, Command::AcknowledgeAlert { alert_id });
    let commit = world.does(LUCIA, Command::AcknowledgeAlert { alert_id });
    let seen = |who| {
        let Entity::Alert(alert) = redact(world.alert_of(task_id).into(), &world.person(who)) else {
            panic!()
        };
        alert.acknowledgements.iter().map(|it| it.employee_id).collect::<Vec<_>>()
    };
    assert_eq!(seen(ANA), [BEN, LUCIA]);
    assert_eq!(seen(MARIA), [BEN, LUCIA]);
    assert_eq!(seen(BEN), [BEN]);
    assert!(seen(SAM).is_empty());
    // Miguel learns nothing of lucia's acknowledgement, nor that there was one.
    let miguel = world.person(MIGUEL);
    assert_eq!(project(&commit.changes[0], &miguel, &miguel), None);
    let told = redact(world.alert_of(task_id).into(), &miguel);
    assert_eq!((told.version(), told.updated_by()), (1, ANA));
    assert_eq!(redact(told.clone(), &miguel), told);
}

#[test]
fn a_change_becomes_what_each_sees_of_it() {
    let mut world = World::motel();
    world.does(SAM, new_task_for(10, TaskType::General, ANA));
    let commit = world.does(SAM, Command::AssignTask { task_id: id(10), assignee: BEN });
    let seen = |who| project(&commit.changes[0], &world.person(who), &world.person(who));
    let entity = Entity::from(world.task(id(10)));
    assert_eq!(seen(ANA), Some(ViewChange::Remove { entity: task(id(10)), deleted: false }));
    let gained = ViewChange::Upsert { entity: entity.clone(), before: None, created: false };
    assert_eq!(seen(BEN), Some(gained));
    assert_eq!(seen(MIGUEL), None);
    let Some(ViewChange::Upsert { before: Some(before), .. }) = seen(SAM) else { panic!() };
    assert_eq!(serde_json::Value::Object(before), json!({ "assignedTo": ANA }));
    let same = Change { before: Some(entity.clone()), after: Some(entity) };
    assert_eq!(project(&same, &world.person(SAM), &world.person(SAM)), None);
    assert_eq!(project(&Change { before: None, after: None }, &world.person(SAM), &world.person(SAM)), None);
}

#[test]
fn a_view_change_is_written_as_the_protocol_has_it_and_read_again() {
    let mut world = World::motel();
    let ana = world.person(ANA);
    let seen = |commit: &Commit| project(&commit.changes[0], &ana, &ana).unwrap();
    let commit = world.does(SAM, set_suite(S103, SuiteStatus::Inspected));
    let changed = seen(&commit);
    let at = commit.at.to_string();
    assert_eq!(
        serde_json::to_value(&changed).unwrap(),
        json!({
            "op": "UPSERT",
            "entityType": "SUITE",
            "entity": {
                "id": S103, "suiteNumber": "103", "floor": 1, "status": "INSPECTED",
                "version": 2, "updatedAt": at, "updatedBy": SAM,
            },
            "before": { "status": "VACANT_DIRTY" },
            "created": false,
        })
    );
    let created = seen(&world.does(SAM, new_task(10, TaskType::General)));
    assert_eq!(serde_json::to_value(&created).unwrap()["created"], true);
    assert_eq!(serde_json::to_value(&created).unwrap().get("before"), None);
    let deleted = seen(&world.does(MARIA, Command::DeleteTask { task_id: id(10) }));
    assert_eq!(
        serde_json::to_value(&deleted).unwrap(),
        json!({ "op": "REMOVE", "entityType": "TASK", "id": id(10), "deleted": true })
    );
    for change in [changed, created, deleted] {
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(serde_json::from_str::<ViewChange>(&text).unwrap(), change);
        let value = serde_json::to_value(&change).unwrap();
        assert_eq!(serde_json::from_value::<ViewChange>(value).unwrap(), change);
    }
}

#[test]
fn what_a_newer_release_says_is_unsupported_and_never_an_error() {
    for text in [
        r#"{"op":"UPSERT","entityType":"MINIBAR","entity":{"id":7,"beer":2},"created":true}"#,
        r#"{"op":"REMOVE","entityType":"MINIBAR","id":7}"#,
        r#"{"op":"SHUFFLE","entityType":"TASK","by":{}}"#,
        r#"{"op":"SHUFFLE"}"#,
    ] {
        let change: ViewChange = serde_json::from_str(text).unwrap();
        assert!(matches!(change, ViewChange::Unsupported { .. }), "{text}");
        assert_eq!(change.reference(), None);
        let again: ViewChange = serde_json::from_str(&serde_json::to_string(&change).unwrap()).unwrap();
        assert_eq!(again, change);
    }
    for text in
        [r#"{"op":"UPSERT","entityType":"TASK"}"#, r#"{"op":"REMOVE","entityType":"TASK"}"#, "{}", "7"]
    {
        assert!(serde_json::from_str::<ViewChange>(text).is_err(), "{text}");
    }
}
