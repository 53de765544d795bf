//! The typed events, in exactly the seed's shape (§2).

use innsync_domain::{
    AnnouncementPriority, Audience, Command, EmployeeStatus, EntityKind, Event, SuiteStatus, TaskType, Uuid,
    derive, project,
};
use serde_json::{Value, json};

use crate::world::*;

/// What `viewer`, who was and is the same, hears of a commit.
fn heard(world: &World, commit: &Commit, viewer: Uuid) -> Vec<Value> {
    events(world, commit, viewer).iter().map(Event::to_json).collect()
}

fn events(world: &World, commit: &Commit, viewer: Uuid) -> Vec<Event> {
    let person = world.person(viewer);
    let views = commit.changes.iter().filter_map(|change| project(change, &person, &person));
    views.flat_map(|view| derive(&view, commit.by, commit.at, viewer)).collect()
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[test]
fn a_suite_is_created_updated_and_deleted() {
    let mut world = World::motel();
    let create = Command::CreateSuite {
        suite_id: id(104),
        suite_number: "104".into(),
        floor: 1,
        status: SuiteStatus::VacantClean,
    };
    let commit = world.does(MARIA, create);
    let at = commit.at.to_string();
    assert_eq!(
        heard(&world, &commit, ANA),
        [json!({
            "type": "ENTITY_CREATED",
            "entityType": "SUITE",
            "data": {
                "suite": {
                    "id": id(104), "suiteNumber": "104", "floor": 1, "status": "VACANT_CLEAN",
                    "version": 1, "updatedAt": at, "updatedBy": MARIA,
                },
                "createdBy": MARIA,
                "timestamp": at,
            },
        })]
    );
    let commit = world.does(LUCIA, set_suite(id(104), SuiteStatus::Occupied));
    let at = commit.at.to_string();
    assert_eq!(
        heard(&world, &commit, ANA),
        [json!({
            "type": "ENTITY_UPDATED",
            "entityType": "SUITE",
            "data": {
                "suiteId": id(104),
                "changes": {
                    "before": { "status": "VACANT_CLEAN" },
                    "after": { "status": "OCCUPIED", "version": 2, "updatedAt": at, "updatedBy": LUCIA },
                },
                "updatedBy": LUCIA,
                "timestamp": at,
            },
        })]
    );
    let commit = world.does(MARIA, Command::DeleteSuite { suite_id: id(104) });
    let at = commit.at.to_string();
    assert_eq!(
        heard(&world, &commit, ANA),
        [json!({
            "type": "ENTITY_DELETED",
            "entityType": "SUITE",
            "data": { "suiteId": id(104), "deletedBy": MARIA, "timestamp": at },
        })]
    );
}

#[test]
fn a_task_is_assigned_to_ana() {
    // §6.1: the assignee has the task, a toast and a notification; supervisors have their board.
    let mut world = World::motel();
    let commit = world.does(MARIA, new_task_for(10, TaskType::General, ANA));
    let at = commit.at.to_string();
    let told = heard(&world, &commit, ANA);
    assert_eq!(names(&told), ["ENTITY_CREATED", "TASK_ASSIGNED", "NOTIFICATION"]);
    let task = json!({
        "id": id(10), "title": "Task 10", "description": "", "type": "GENERAL", "priority": "NORMAL",
        "status": "PENDING", "assignedTo": ANA, "createdBy": MARIA, "createdAt": at, "version": 1,
        "updatedAt": at, "updatedBy": MARIA,
    });
    assert_eq!(
        told[1],
        json!({
            "type": "TASK_ASSIGNED",
            "data": { "taskId": id(10), "task": task, "assignedTo": ANA, "assignedBy": MARIA, "timestamp": at },
        })
    );
    let notification = &commit.notifications()[0];
    assert_eq!(
        told[2],
        json!({
            "type": "NOTIFICATION",
            "data": {
                "notification": {
                    "id": notification.id, "recipientId": ANA, "type": "TASK_ASSIGNED", "title": "New Task Assigned",
                    "message": "Task 10", "priority": "NORMAL", "relatedEntityId": id(10), "version": 1,
                    "updatedAt": at, "updatedBy": MARIA,
                },
                "timestamp": at,
            },
        })
    );
    assert_eq!(names(&heard(&world, &commit, SAM)), ["ENTITY_CREATED", "TASK_ASSIGNED"]);
    assert!(heard(&world, &commit, BEN).is_empty(), "not his to see"); // G25
}

#[test]
fn a_task_that_comes_into_sight_or_goes_out_of_it() {
    let mut world = World::motel();
    world.does(SAM, new_task_for(10, TaskType::General, ANA));
    let commit = world.does(SAM, Command::AssignTask { task_id: id(10), assignee: BEN });
    assert_eq!(names(&heard(&world, &commit, ANA)), ["ENTITY_DELETED"]);
    assert_eq!(names(&heard(&world, &commit, BEN)), ["ENTITY_CREATED", "TASK_ASSIGNED", "NOTIFICATION"]);
    assert_eq!(names(&heard(&world, &commit, SAM)), ["ENTITY_UPDATED", "TASK_ASSIGNED"]);
    let commit = world.does(BEN, Command::ReleaseTask { task_id: id(10) });
    assert_eq!(names(&heard(&world, &commit, ANA)), ["ENTITY_CREATED"]);
    assert_eq!(heard(&world, &commit, ANA)[0]["data"]["createdBy"], json!(SAM));
}

#[test]
fn ana_completes_a_cleaning_and_the_manager_hears_of_task_and_suite() {
    // §6.2
    let mut world = World::motel();
    let task_id = world.cleaning_by_ana(10, S103);
    let commit = world.does(ANA, Command::CompleteTask { task_id });
    let at = commit.at.to_string();
    let told = heard(&world, &commit, MARIA);
    assert_eq!(names(&told), ["ENTITY_UPDATED", "TASK_STATUS_CHANGED", "ENTITY_UPDATED"]);
    assert_eq!(
        told[1],
        json!({
            "type": "TASK_STATUS_CHANGED",
            "data": {
                "taskId": task_id, "oldStatus": "IN_PROGRESS", "newStatus": "COMPLETED", "changedBy": ANA,
                "timestamp": at,
            },
        })
    );
    assert_eq!(told[2]["entityType"], "SUITE");
    assert_eq!(
        told[2]["data"]["changes"]["before"],
        json!({ "status": "CLEANING", "openCleaningTask": task_id })
    );
    assert_eq!(told[2]["data"]["changes"]["after"]["openCleaningTask"], Value::Null);
}

#[test]
fn a_checkout_tells_everybody_of_the_suite_and_housekeepers_of_the_task() {
    // §6.3
    let mut world = World::motel();
    let commit = world.does(LUCIA, set_suite(S102, SuiteStatus::VacantDirty));
    assert_eq!(names(&heard(&world, &commit, ANA)), ["ENTITY_UPDATED", "ENTITY_CREATED", "NOTIFICATION"]);
    assert_eq!(names(&heard(&world, &commit, MIGUEL)), ["ENTITY_UPDATED"]);
}

#[test]
fn an_emergency_alerts_everybody_on_duty_and_notifies_managers() {
    // §6.4
    let mut world = World::motel();
    world.does(BEN, set_duty(BEN, false));
    let commit = world.does(ANA, raise(9));
    let at = commit.at.to_string();
    let told = heard(&world, &commit, MIGUEL);
    assert_eq!(names(&told), ["ENTITY_CREATED", "EMERGENCY_ALERT"]);
    assert_eq!(
        told[1],
        json!({
            "type": "EMERGENCY_ALERT",
            "data": {
                "title": "Fire", "message": "Smoke in the laundry", "severity": "CRITICAL", "relatedTaskId": id(9),
                "timestamp": at,
            },
        })
    );
    assert_eq!(names(&heard(&world, &commit, PAULA)), ["ENTITY_CREATED", "EMERGENCY_ALERT", "NOTIFICATION"]);
    assert!(heard(&world, &commit, BEN).is_empty(), "ben is off duty"); // G25
}

#[test]
fn an_acknowledgement_of_another_tells_only_those_who_may_know() {
    let mut world = World::motel();
    let task_id = world.emergency(ANA, 9);
    let alert_id = world.alert_of(task_id).id;
    let commit = world.does(BEN, Command::AcknowledgeAlert { alert_id });
    assert_eq!(names(&heard(&world, &commit, ANA)), ["ENTITY_UPDATED"]);
    assert_eq!(names(&heard(&world, &commit, BEN)), ["ENTITY_UPDATED"]);
    assert!(heard(&world, &commit, MIGUEL).is_empty()); // G25
}

#[test]
fn an_employee_goes_off_duty() {
    let mut world = World::motel();
    let commit = world.does(ANA, set_duty(ANA, false));
    let at = commit.at.to_string();
    let told = heard(&world, &commit, BEN);
    assert_eq!(names(&told), ["ENTITY_UPDATED", "EMPLOYEE_STATUS_CHANGED"]);
    assert_eq!(told[0]["data"]["employeeId"], json!(ANA));
    assert_eq!(
        told[1],
        json!({
            "type": "EMPLOYEE_STATUS_CHANGED",
            "data": {
                "employeeId": ANA, "oldStatus": "AVAILABLE", "newStatus": "OFF_DUTY", "isOnDuty": false,
                "timestamp": at,
            },
        })
    );
    world.does(ANA, set_duty(ANA, true));
    let busy = Command::SetEmployeeStatus { employee_id: ANA, status: EmployeeStatus::Busy };
    let commit = world.does(ANA, busy);
    assert_eq!(heard(&world, &commit, BEN)[1]["data"]["newStatus"], "BUSY");
}

#[test]
fn a_note_and_each_comment() {
    let mut world = World::motel();
    let commit = world.does(ANA, new_note(20, Audience::AllStaff));
    let told = heard(&world, &commit, BEN);
    assert_eq!(names(&told), ["ENTITY_CREATED"]);
    assert_eq!(told[0]["entityType"], "NOTE");
    assert_eq!(told[0]["data"]["note"]["title"], "Towels");
    let comment =
        |number| Command::AddComment { note_id: id(20), comment_id: id(number), text: "Yes".into() };
    world.does(BEN, comment(30));
    let commit = world.does(LUCIA, comment(31));
    let at = commit.at.to_string();
    let told = heard(&world, &commit, BEN);
    assert_eq!(names(&told), ["ENTITY_UPDATED", "NOTE_COMMENT_ADDED"]);
    assert_eq!(
        told[1],
        json!({
            "type": "NOTE_COMMENT_ADDED",
            "data": {
                "noteId": id(20),
                "comment": { "id": id(31), "author": LUCIA, "text": "Yes", "createdAt": at },
                "timestamp": at,
            },
        })
    );
}

#[test]
fn an_announcement_and_a_change_of_shift_stand_alone() {
    let mut world = World::motel();
    let announce = Command::Announce {
        announcement_id: id(80),
        title: "Pool".into(),
        message: "Closed".into(),
        priority: AnnouncementPriority::High,
        expires_at: Some(innsync_domain::Timestamp::parse("2026-12-01T00:00:00Z").unwrap()),
    };
    let commit = world.does(MARIA, announce);
    assert_eq!(
        heard(&world, &commit, ANA),
        [json!({
            "type": "SYSTEM_ANNOUNCEMENT",
            "data": {
                "title": "Pool", "message": "Closed", "priority": "HIGH", "expiresAt": "2026-12-01T00:00:00.000Z",
                "timestamp": commit.at.to_string(),
            },
        })]
    );
    let shift = Command::ChangeShift {
        shift_id: id(81),
        old_shift: "Night".into(),
        new_shift: "Morning".into(),
        on_duty_employees: vec![ANA, BEN],
    };
    let commit = world.does(SAM, shift);
    assert_eq!(
        heard(&world, &commit, ANA),
        [json!({
            "type": "SHIFT_CHANGE",
            "data": {
                "oldShift": "Night", "newShift": "Morning", "onDutyEmployees": [ANA, BEN],
                "timestamp": commit.at.to_string(),
            },
        })]
    );
}

#[test]
fn every_event_says_which_entity_it_is_about() {
    let mut world = World::motel();
    let commit = world.does(MARIA, new_task_for(10, TaskType::Emergency, ANA));
    let kinds: Vec<EntityKind> =
        events(&world, &commit, ANA).iter().map(|event| event.entity().kind).collect();
    assert_eq!(kinds, [EntityKind::Task, EntityKind::Task, EntityKind::Notification, EntityKind::Alert]);
    for event in events(&world, &commit, ANA) {
        assert_eq!(event.to_json()["type"], event.name());
        assert_eq!(event.to_json()["data"]["timestamp"], commit.at.to_string());
    }
}
