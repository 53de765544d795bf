//! The seed's §6, and what else follows from what people do.

use innsync_domain::{Command, EntityKind, EntityRef, SuiteStatus, TaskType};
use serde_json::json;

use crate::motel::{Motel, Phone, id};

#[test]
fn maria_assigns_a_task_and_ben_has_it_with_a_notification() {
    // §6.1, §7.2
    let mut motel = Motel::open();
    let mut ben = motel.snapshot("ben");
    let body = json!({"title": "Clean Suite 101", "assignedTo": id("ben")});
    let (status, task) = motel.rest("maria", "POST", "/v1/tasks", body);
    assert_eq!((status, &task["version"], &task["type"]), (201, &json!(1), &json!("GENERAL")), "{task}");
    ben.catch_up(&motel);
    let task_id = task["id"].as_str().unwrap().parse().unwrap();
    assert!(ben.holds(EntityKind::Task, task_id));
    let news = ben.entities.values().find(|entity| entity.kind() == EntityKind::Notification).unwrap();
    assert_eq!(news.field("relatedEntityId").unwrap(), task["id"]);
    assert_eq!(news.field("type").unwrap(), "TASK_ASSIGNED");
}

#[test]
fn a_checkout_creates_the_cleaning_task_and_completing_it_cleans_the_suite() {
    // §6.2, §6.3
    let mut motel = Motel::open();
    let mut ana = motel.snapshot("ana");
    let path = format!("/v1/suites/{}/status", id("101"));
    let (status, suite) = motel.rest("sam", "PATCH", &path, json!({"status": "VACANT_DIRTY"}));
    assert_eq!((status, &suite["status"]), (200, &json!("VACANT_DIRTY")), "{suite}");
    let committed = motel.log.last().unwrap().clone();
    ana.catch_up(&motel);
    let task = suite["openCleaningTask"].as_str().unwrap();
    assert!(ana.holds(EntityKind::Task, task.parse().unwrap()), "it is there to be taken");
    let told = ana.entities.values().any(|entity| entity.field("type") == Some(json!("TASK_AVAILABLE")));
    assert!(told, "{committed:?}");

    assert_eq!(motel.rest("ana", "PATCH", &format!("/v1/tasks/{task}/take"), json!(null)).0, 200);
    assert_eq!(motel.rest("ana", "PATCH", &format!("/v1/tasks/{task}/start"), json!(null)).0, 200);
    assert_eq!(motel.field(EntityKind::Suite, id("101"), "status"), "CLEANING");
    let (status, done) = motel.rest("ana", "PATCH", &format!("/v1/tasks/{task}/complete"), json!({}));
    assert_eq!((status, &done["status"]), (200, &json!("COMPLETED")));
    assert_eq!(motel.field(EntityKind::Suite, id("101"), "status"), "VACANT_CLEAN");
}

#[test]
fn an_emergency_alarms_everybody_on_duty_and_its_acknowledgements_are_its_raisers() {
    // §6.4
    let mut motel = Motel::open();
    motel.does("ben", Command::SetDuty { employee_id: id("ben"), is_on_duty: false });
    let body =
        json!({"title": "Fire in 102", "description": "Smoke", "type": "EMERGENCY", "severity": "HIGH"});
    let (status, task) = motel.rest("ana", "POST", "/v1/tasks", body);
    assert_eq!((status, &task["priority"]), (201, &json!("EMERGENCY")), "{task}");
    let alerts = |motel: &mut Motel, who: &str| motel.rest(who, "GET", "/v1/alerts", json!(null)).1;
    let alert = alerts(&mut motel, "miguel")[0].clone();
    assert_eq!(alert["relatedTaskId"], task["id"]);
    assert_eq!((&alert["severity"], &alert["message"]), (&json!("HIGH"), &json!("Smoke")));
    assert_eq!(alerts(&mut motel, "ben"), json!([]), "ben is not at work");

    let path = format!("/v1/alerts/{}/acknowledge", alert["id"].as_str().unwrap());
    assert_eq!(motel.rest("miguel", "POST", &path, json!(null)).0, 200);
    assert_eq!(motel.rest("sam", "POST", &path, json!(null)).0, 200);
    let acknowledged =
        |motel: &mut Motel, who: &str| alerts(motel, who)[0]["acknowledgements"].as_array().unwrap().len();
    assert_eq!(acknowledged(&mut motel, "ana"), 2, "who raised it sees whom it has reached");
    assert_eq!(acknowledged(&mut motel, "maria"), 2);
    assert_eq!(acknowledged(&mut motel, "sam"), 1, "others see their own");

    // He comes to work: the emergency comes into his sight; when it ends, it leaves it.
    let mut ben = motel.snapshot("ben");
    motel.does("ben", Command::SetDuty { employee_id: id("ben"), is_on_duty: true });
    ben.catch_up(&motel);
    let alert_id = alert["id"].as_str().unwrap().parse().unwrap();
    assert!(ben.holds(EntityKind::Alert, alert_id));
    let path = format!("/v1/alerts/{}/resolve", alert["id"].as_str().unwrap());
    assert_eq!(motel.rest("ana", "POST", &path, json!(null)).0, 200);
    ben.catch_up(&motel);
    assert!(!ben.holds(EntityKind::Alert, alert_id));
    assert_eq!(ben.resets, [], "duty is no other scope");
    ben.assert_is_fresh(&motel);
}

#[test]
fn a_task_given_to_somebody_else_leaves_the_first_ones_phone() {
    let mut motel = Motel::open();
    let task_id = motel.create_task("maria", "Fix the tap", TaskType::Maintenance, Some("ana"));
    let mut ana = motel.snapshot("ana");
    assert!(ana.holds(EntityKind::Task, task_id));
    motel.does("maria", Command::AssignTask { task_id, assignee: id("ben") });
    ana.catch_up(&motel);
    assert!(!ana.holds(EntityKind::Task, task_id));
    ana.assert_is_fresh(&motel);
}

#[test]
fn somebody_who_leaves_leaves_no_work_behind_and_signs_in_no_more() {
    let mut motel = Motel::open();
    let task_id = motel.create_task("maria", "Clean 102", TaskType::Cleaning, Some("ben"));
    assert!(motel.reader().credentials("seaside", "ben").unwrap().is_some());
    assert_eq!(motel.rest("maria", "DELETE", &format!("/v1/employees/{}", id("ben")), json!(null)).0, 204);
    assert_eq!(motel.field(EntityKind::Task, task_id, "assignedTo"), json!(null));
    assert!(motel.reader().credentials("seaside", "ben").unwrap().is_none());
    let op = motel.op("ben", Command::CompleteTask { task_id });
    let (status, problem) = motel.rest("ben", "POST", "/v1/ops", json!({ "ops": [op] }));
    assert_eq!(
        (status, &problem["code"]),
        (401, &json!("SESSION_REVOKED")),
        "nothing of the outbox is decided"
    );
    let (status, problem) = motel.rest("ben", "GET", "/v1/tasks", json!(null));
    assert_eq!((status, &problem["code"]), (401, &json!("SESSION_REVOKED")));
}

#[test]
fn the_times_of_intents_are_kept_but_never_in_the_future() {
    let mut motel = Motel::open();
    motel.later(3600);
    let mut op = motel.op("maria", crate::motel::create_task("Early", TaskType::General, None));
    op.intent.corrected = Some(motel.now.plus_millis(-600_000));
    let mut ahead = motel.op("maria", crate::motel::create_task("Ahead", TaskType::General, None));
    ahead.intent.corrected = Some(motel.now.plus_millis(86_400_000));
    motel.push("maria", &[op, ahead]);
    let created = |motel: &Motel, title| motel.field(EntityKind::Task, id(title), "createdAt");
    assert_eq!(created(&motel, "Early"), motel.now.plus_millis(-600_000).to_string());
    assert_eq!(created(&motel, "Ahead"), motel.now.to_string());
    let early = motel.entity(EntityRef::new(EntityKind::Task, id("Early")));
    assert_eq!(early.updated_at(), motel.now, "when the server took it");
}

#[test]
fn a_new_role_is_another_scope() {
    let mut motel = Motel::open();
    motel.create_task("maria", "Clean 102", TaskType::Cleaning, Some("ben"));
    let mut miguel = motel.snapshot("miguel");
    let path = format!("/v1/employees/{}", id("miguel"));
    assert_eq!(motel.rest("maria", "PATCH", &path, json!({"role": "SUPERVISOR"})).0, 200);
    motel.does("sam", Command::SetSuiteStatus { suite_id: id("101"), status: SuiteStatus::VacantDirty });
    miguel.catch_up(&motel);
    assert_eq!(miguel.resets, [innsync_protocol::ResetReason::Scope]);
    assert!(miguel.holds(EntityKind::Task, id("Clean 102")));
    let mut late = Phone::new("miguel");
    late.catch_up(&motel);
    assert_eq!(late.resets, [innsync_protocol::ResetReason::History]);
    assert_eq!(late.entities, miguel.entities);
}
