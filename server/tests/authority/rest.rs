//! Plain REST, as the seed's client uses it.

use innsync_domain::{Command, EntityKind, TaskType};
use serde_json::{Value, json};

use crate::motel::{Motel, id, read};

#[test]
fn a_patch_mixes_fields_with_status_and_assignee_in_one_commit() {
    // §3.2
    let mut motel = Motel::open();
    let task_id = motel.create_task("maria", "Towels", TaskType::General, None);
    let seq = motel.reader().head("seaside").unwrap().seq;
    let path = format!("/v1/tasks/{task_id}");
    let updates =
        json!({"title": "Ten towels", "priority": "HIGH", "status": "IN_PROGRESS", "assignedTo": id("ben")});
    let (status, task) = motel.rest("maria", "PATCH", &path, updates);
    assert_eq!(status, 200, "{task}");
    assert_eq!((&task["title"], &task["priority"]), (&json!("Ten towels"), &json!("HIGH")));
    assert_eq!((&task["status"], &task["assignedTo"]), (&json!("IN_PROGRESS"), &json!(id("ben"))));
    assert_eq!(task["version"], 2, "one change, one version");
    assert_eq!(motel.reader().head("seaside").unwrap().seq, seq + 1);

    // One that is refused takes the others with it.
    let updates = json!({"title": "Never", "assignedTo": id("nobody")});
    assert_eq!(motel.rest("maria", "PATCH", &path, updates).0, 422);
    assert_eq!(motel.field(EntityKind::Task, task_id, "title"), "Ten towels");
}

#[test]
fn a_patch_finds_the_steps_that_lead_there() {
    let mut motel = Motel::open();
    let task_id = motel.create_task("maria", "Walk", TaskType::General, None);
    let path = format!("/v1/tasks/{task_id}");
    let me = json!(id("maria"));
    for (updates, status, assignee) in [
        (json!({"status": "COMPLETED"}), "COMPLETED", json!(null)),
        (json!({"status": "PENDING", "title": "Again"}), "PENDING", json!(null)),
        (json!({"assignedTo": me}), "PENDING", me.clone()),
        (json!({"status": "IN_PROGRESS"}), "IN_PROGRESS", me.clone()),
        (json!({"status": "IN_PROGRESS"}), "IN_PROGRESS", me.clone()),
        (json!({"assignedTo": id("ben")}), "PENDING", json!(id("ben"))),
        (json!({"assignedTo": id("ana"), "status": "IN_PROGRESS"}), "IN_PROGRESS", json!(id("ana"))),
        (json!({"assignedTo": null}), "PENDING", json!(null)),
        (json!({"status": "CANCELLED"}), "CANCELLED", json!(null)),
        (json!({"status": "COMPLETED"}), "COMPLETED", json!(null)),
        (json!({}), "COMPLETED", json!(null)),
    ] {
        let (code, task) = motel.rest("maria", "PATCH", &path, updates.clone());
        assert_eq!(code, 200, "{updates} {task}");
        assert_eq!(task["status"], status, "{updates}");
        assert_eq!(task.get("assignedTo").cloned().unwrap_or_default(), assignee, "{updates}");
    }
    // Ana may not assign, but take what is there to be taken.
    let path = format!("/v1/tasks/{}", motel.create_task("maria", "Free", TaskType::Cleaning, None));
    assert_eq!(motel.rest("ana", "PATCH", &path, json!({"assignedTo": id("ben")})).0, 403);
    assert_eq!(
        motel.rest("ana", "PATCH", &path, json!({"assignedTo": id("ana"), "status": "IN_PROGRESS"})).0,
        200
    );
}

#[test]
fn a_stale_version_is_a_conflict_even_where_the_edits_are_disjoint() {
    // §5.1
    let mut motel = Motel::open();
    let task_id = motel.create_task("sam", "Towels", TaskType::General, None);
    let path = format!("/v1/tasks/{task_id}");
    let (_, seen) = motel.rest("maria", "GET", &path, Value::Null);
    assert_eq!(motel.rest("maria", "PATCH", &path, json!({"title": "Ten", "version": 1})).0, 200);
    let updates = json!({"description": "Blue", "title": "Two", "version": seen["version"]});
    let (status, disjoint) =
        motel.rest("sam", "PATCH", &path, json!({"description": "Blue", "version": seen["version"]}));
    assert_eq!((status, &disjoint["fields"]), (409, &Value::Null), "no field is in conflict, the version is");
    let (status, problem) = motel.rest("sam", "PATCH", &path, updates.clone());
    assert_eq!((status, &problem["code"]), (409, &json!("VERSION_CONFLICT")), "{problem}");
    assert_eq!(problem["class"], "CONFLICT");
    assert_eq!(problem["current"]["entityType"], "TASK");
    assert_eq!(problem["current"]["entity"]["version"], 2);
    let changed_at = &problem["current"]["entity"]["updatedAt"];
    let expected = json!([{"field": "title", "base": null, "mine": "Two", "theirs": "Ten", "by": id("maria"),
        "at": changed_at, "policy": "MERGE_TEXT"}]);
    assert_eq!(problem["fields"], expected);

    // §5.3: keep mine; or merge by hand, with the version that was looked at.
    let mut forced = updates;
    forced["force"] = json!(true);
    let (status, task) = motel.rest("sam", "PATCH", &path, forced);
    assert_eq!((status, &task["description"]), (200, &json!("Blue")));
    // Maria is told what of hers was overwritten, and takes it back.
    let (_, conflicts) = motel.rest("maria", "GET", "/v1/conflicts", Value::Null);
    let told = |it: &Value| [&it["field"], &it["lost"], &it["kept"], &it["keptBy"]].map(Clone::clone);
    assert_eq!(told(&conflicts[0]), [json!("title"), json!("Ten"), json!("Two"), json!(id("sam"))]); // G8
    assert_eq!(motel.rest("sam", "GET", "/v1/conflicts", Value::Null).1, json!([])); // G25
    let record = format!("/v1/conflicts/{}", conflicts[0]["id"].as_str().unwrap());
    assert_eq!(motel.rest("sam", "POST", &format!("{record}/restore"), json!({})).0, 404);
    let (status, restored) = motel.rest("maria", "POST", &format!("{record}/restore"), json!({}));
    assert_eq!((status, restored["restoredAt"].is_null()), (200, false), "{restored}");
    let (_, task_now) = motel.rest("maria", "GET", &path, Value::Null);
    assert_eq!((&task_now["title"], &task_now["version"]), (&json!("Ten"), &json!(4)));
    let task = json!({"version": task["version"].as_u64().unwrap() + 1});
    let (status, task) =
        motel.rest("maria", "PATCH", &path, json!({"title": "Merged", "version": task["version"]}));
    assert_eq!((status, &task["version"]), (200, &json!(5)));
    assert_eq!(motel.rest("maria", "PATCH", &path, json!({"title": "Ahead", "version": 99})).0, 409);
    assert_eq!(motel.rest("maria", "PATCH", &path, json!({"version": 1})).0, 409, "also without edits");
    assert_eq!(motel.rest("maria", "PATCH", &format!("{path}/start"), json!({"version": 1})).0, 409);
}

#[test]
fn a_patch_that_names_no_version_leaves_records_for_whose_values_it_overwrites() {
    // G8
    let mut motel = Motel::open();
    let task_id = motel.create_task("sam", "Towels", TaskType::General, None);
    let path = format!("/v1/tasks/{task_id}");
    let lost = |motel: &mut Motel, who: &str| {
        let (_, conflicts) = motel.rest(who, "GET", "/v1/conflicts", Value::Null);
        let all = conflicts.as_array().unwrap().clone();
        all.into_iter()
            .map(|it| [&it["field"], &it["base"], &it["lost"]].map(Clone::clone))
            .collect::<Vec<_>>()
    };
    assert_eq!(motel.rest("maria", "PATCH", &path, json!({"title": "Ten"})).0, 200);
    assert_eq!(motel.rest("sam", "PATCH", &path, json!({"title": "Two"})).0, 200);
    assert_eq!(lost(&mut motel, "maria"), [[json!("title"), json!("Towels"), json!("Ten")]]);
    // A step forward overwrites nothing.
    let begun = motel.create_task("maria", "Mop", TaskType::Cleaning, Some("ana"));
    let begun = format!("/v1/tasks/{begun}");
    assert_eq!(motel.rest("ana", "PATCH", &begun, json!({"status": "IN_PROGRESS"})).0, 200);
    assert_eq!(motel.rest("maria", "PATCH", &begun, json!({"status": "COMPLETED"})).0, 200);
    assert!(lost(&mut motel, "ana").is_empty());
    // Who says what they saw has seen it.
    assert_eq!(motel.rest("maria", "PATCH", &path, json!({"title": "Six", "version": 3})).0, 200);
    assert!(lost(&mut motel, "sam").is_empty());
}

#[test]
fn what_was_changed_once_more_since_a_value_lost_is_not_overwritten_by_restoring_it() {
    // G8
    let mut motel = Motel::open();
    let task_id = motel.create_task("sam", "Towels", TaskType::General, None);
    let path = format!("/v1/tasks/{task_id}");
    for (who, title) in [("maria", "Ten"), ("sam", "Two"), ("sam", "Three")] {
        assert_eq!(motel.rest(who, "PATCH", &path, json!({ "title": title })).0, 200);
    }
    let (_, conflicts) = motel.rest("maria", "GET", "/v1/conflicts", Value::Null);
    let restore = format!("/v1/conflicts/{}/restore", conflicts[0]["id"].as_str().unwrap());
    let (status, problem) = motel.rest("maria", "POST", &restore, json!({}));
    assert_eq!((status, &problem["code"]), (409, &json!("VERSION_CONFLICT")), "{problem}");
    let field = &problem["fields"][0];
    assert_eq!(
        [&field["field"], &field["base"], &field["mine"], &field["theirs"]],
        [&json!("title"), &json!("Two"), &json!("Ten"), &json!("Three")]
    );
    assert_eq!(motel.field(EntityKind::Task, task_id, "title"), "Three");
    assert_eq!(motel.rest("maria", "POST", &restore, json!({"force": true})).0, 200);
    assert_eq!(motel.field(EntityKind::Task, task_id, "title"), "Ten");
    let (_, conflicts) = motel.rest("sam", "GET", "/v1/conflicts", Value::Null);
    assert_eq!(conflicts[0]["lost"], "Three");
}

#[test]
fn force_skips_the_version_check_alone() {
    let mut motel = Motel::open();
    let task_id = motel.create_task("maria", "Hers", TaskType::Cleaning, Some("ana"));
    let path = format!("/v1/tasks/{task_id}");
    assert_eq!(
        motel.rest("ana", "PATCH", &path, json!({"title": "Mine", "version": 9, "force": true})).0,
        403
    );
    motel.does("ana", Command::CompleteTask { task_id });
    let (status, problem) = motel.rest("ana", "PATCH", &format!("{path}/start"), json!({"force": true}));
    assert_eq!((status, &problem["code"]), (422, &json!("ILLEGAL_TRANSITION")));
}

#[test]
fn a_whole_entity_can_be_sent_back() {
    let mut motel = Motel::open();
    let path = format!("/v1/suites/{}", id("102"));
    let (_, mut suite) = motel.rest("maria", "GET", &path, Value::Null);
    suite["floor"] = json!(2);
    let (status, changed) = motel.rest("maria", "PATCH", &path, suite.clone());
    assert_eq!((status, &changed["floor"]), (200, &json!(2)), "{changed}");
    suite["openCleaningTask"] = json!(id("mine"));
    suite["version"] = changed["version"].clone();
    let (status, problem) = motel.rest("maria", "PATCH", &path, suite);
    assert_eq!((status, &problem["field"]), (422, &json!("openCleaningTask")));
}

#[test]
fn everything_can_be_made_changed_and_removed() {
    let mut motel = Motel::open();
    for (collection, new, patch) in [
        ("suites", json!({"suiteNumber": "201", "floor": 2}), json!({"suiteNumber": "202"})),
        (
            "tasks",
            json!({"title": "Lamp", "type": "MAINTENANCE", "dueAt": "2026-11-23T08:00:00Z"}),
            json!({"dueAt": null}),
        ),
        (
            "notes",
            json!({"title": "Keys", "content": "At the desk"}),
            json!({"content": "", "suiteId": id("101")}),
        ),
        (
            "employees",
            json!({"name": "Kim", "role": "HOUSEKEEPER", "department": "HOUSEKEEPING", "person": "kim",
                "password": "secret"}),
            json!({"name": "Kim L.", "isOnDuty": true, "status": "BUSY"}),
        ),
    ] {
        let answer =
            motel.send("maria", "POST", &format!("/v1/{collection}"), new.to_string().as_bytes(), None);
        let made = read(&answer);
        assert_eq!(answer.status, 201, "{made}");
        assert!(!answer.body.contains("secret"));
        let path = format!("/v1/{collection}/{}", made["id"].as_str().unwrap());
        assert_eq!(answer.headers, [("Location", path.clone())]);
        assert_eq!(answer.committed.len(), 1);
        assert_eq!(motel.rest("maria", "GET", &path, Value::Null), (200, made));
        let (status, changed) = motel.rest("maria", "PATCH", &path, patch.clone());
        assert_eq!(status, 200, "{changed}");
        for (field, value) in patch.as_object().unwrap() {
            assert_eq!(changed.get(field).unwrap_or(&Value::Null), value);
        }
        assert_eq!(motel.rest("maria", "DELETE", &path, Value::Null), (204, Value::Null));
        assert_eq!(motel.rest("maria", "DELETE", &path, Value::Null).0, 404);
    }
}

#[test]
fn a_password_that_would_not_be_changed_is_not_passed_over() {
    let mut motel = Motel::open();
    let path = format!("/v1/employees/{}", id("ana"));
    let (status, problem) = motel.rest("maria", "PATCH", &path, json!({"password": "pelican"}));
    assert_eq!((status, &problem["field"]), (422, &json!("password")));
}

#[test]
fn ids_may_be_the_callers_own() {
    let mut motel = Motel::open();
    let body = json!({"id": id("mine"), "title": "Mine"});
    assert_eq!(motel.rest("maria", "POST", "/v1/notes", body.clone()).1["id"], json!(id("mine")));
    let (status, problem) = motel.rest("maria", "POST", "/v1/notes", body);
    assert_eq!((status, &problem["code"]), (422, &json!("ALREADY_EXISTS")));
}

#[test]
fn duty_comments_news_and_read_marks() {
    let mut motel = Motel::open();
    let path = format!("/v1/employees/{}/status", id("ana"));
    assert_eq!(motel.rest("ana", "PATCH", &path, json!({"status": "ON_BREAK"})).1["status"], "ON_BREAK");
    assert_eq!(motel.rest("ana", "PATCH", &path, json!({"isOnDuty": false})).1["status"], "OFF_DUTY");
    assert_eq!(motel.rest("ben", "PATCH", &path, json!({"isOnDuty": true})).0, 403);

    let note = motel.rest("maria", "POST", "/v1/notes", json!({"title": "Keys"})).1;
    let path = format!("/v1/notes/{}/comments", note["id"].as_str().unwrap());
    let (status, note) = motel.rest("ana", "POST", &path, json!({"text": "Found them"}));
    assert_eq!((status, &note["comments"][0]["text"]), (201, &json!("Found them")));

    let body = json!({"title": "Fire drill", "message": "At ten", "priority": "HIGH"});
    assert_eq!(motel.rest("ana", "POST", "/v1/announcements", body.clone()).0, 403);
    assert_eq!(motel.rest("maria", "POST", "/v1/announcements", body).0, 201);
    assert_eq!(motel.rest("ana", "GET", "/v1/announcements", Value::Null).1[0]["message"], "At ten");
    let body = json!({"oldShift": "Night", "newShift": "Day", "onDutyEmployees": [id("ana")]});
    assert_eq!(motel.rest("maria", "POST", "/v1/shifts", body).0, 201);

    motel.create_task("maria", "Lamp", TaskType::General, Some("ana"));
    let (_, news) = motel.rest("ana", "GET", "/v1/notifications", Value::Null);
    let path = format!("/v1/notifications/{}/read", news[0]["id"].as_str().unwrap());
    assert_eq!(motel.rest("ben", "PATCH", &path, Value::Null).0, 404);
    let (status, read) = motel.rest("ana", "PATCH", &path, Value::Null);
    assert_eq!((status, &read["readAt"]), (200, &json!(motel.now.to_string())));
}

#[test]
fn the_sync_calls_answer_what_the_reader_answers() {
    let mut motel = Motel::open();
    let cursor = motel.reader().head("seaside").unwrap();
    let op = motel.op("maria", crate::motel::create_task("Via REST", TaskType::General, None));
    let (status, answer) = motel.rest("maria", "POST", "/v1/ops", json!({"ops": [op]}));
    assert_eq!((status, &answer["results"][0]["result"]["status"]), (200, &json!("APPLIED")));
    let query =
        [("epoch", "1".to_owned()), ("seq", cursor.seq.to_string()), ("mark", cursor.mark.to_string())];
    let query: Vec<_> = query.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let request = innsync_server::api::ApiRequest {
        method: "GET",
        path: "/v1/sync",
        query: &query,
        body: b"",
        idempotency_key: None,
        login: None,
    };
    let delta = read(&motel.call("ana", &request));
    assert_eq!((&delta["type"], &delta["to"]), (&json!("DELTA"), &json!(cursor.seq + 1)));
    assert_eq!(
        motel.rest("ana", "GET", "/v1/sync", Value::Null).1,
        json!({"type": "RESET", "reason": "HISTORY"})
    );
    for (method, body) in [("GET", ""), ("POST", ""), ("POST", "{\"pending\":[]}")] {
        let answer = motel.send("ana", method, "/v1/snapshot", body.as_bytes(), None);
        assert_eq!((answer.status, answer.content_type), (200, "application/x-ndjson"));
        assert!(
            answer.body.ends_with("{\"type\":\"END\",\"results\":[]}\n") || answer.body.contains("\"END\"")
        );
    }
}
