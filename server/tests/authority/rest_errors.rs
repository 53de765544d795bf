//! What can be wrong with a call, each with its status, its code and the field's name.

use innsync_domain::{Command, TaskType};
use innsync_protocol::{PROBLEM_JSON, limits};
use innsync_server::random::SeededRandom;
use serde_json::{Value, json};

use crate::motel::{Motel, id, read};

#[test]
fn what_is_not_json_says_where() {
    let mut motel = Motel::open();
    let path = format!("/v1/suites/{}", id("102"));
    for body in ["{", "{\"floor\":}", "{'floor': 2}", "nonsense", "[]", "7", "\"x\"", "{} {}", "\u{0}"] {
        let answer = motel.send("maria", "PATCH", &path, body.as_bytes(), None);
        let problem = read(&answer);
        assert_eq!((answer.status, answer.content_type), (400, PROBLEM_JSON), "{body} {problem}");
        assert_eq!((&problem["code"], &problem["class"]), (&json!("MALFORMED_JSON"), &json!("PERMANENT")));
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("line 1 column"), "{detail}");
    }
    let answer = motel.send("maria", "PATCH", &path, b"{\"suiteNumber\":\"\xff\"}", None);
    assert_eq!(answer.status, 400);
    let deep = "[".repeat(100_000);
    assert_eq!(motel.send("maria", "PATCH", &path, deep.as_bytes(), None).status, 400);
    assert_eq!(motel.send("maria", "POST", "/v1/ops", deep.as_bytes(), None).status, 400);
}

#[test]
fn a_wrong_field_is_named() {
    let mut motel = Motel::open();
    let suite = format!("/v1/suites/{}", id("102"));
    let ana = format!("/v1/employees/{}", id("ana"));
    let task = format!("/v1/tasks/{}", motel.create_task("maria", "Lamp", TaskType::General, None));
    for (method, path, body, field) in [
        ("POST", "/v1/suites", json!({"floor": 1}), "suiteNumber"),
        ("POST", "/v1/suites", json!({"suiteNumber": "7", "floor": "one"}), "floor"),
        ("POST", "/v1/suites", json!({"suiteNumber": "7", "floor": 3_000_000_000_u64}), "floor"),
        ("POST", "/v1/suites", json!({"suiteNumber": "7", "floor": 1, "status": "HAUNTED"}), "status"),
        ("POST", "/v1/suites", json!({"suiteNumber": "", "floor": 1}), "suiteNumber"),
        ("POST", "/v1/suites", json!({"suiteNumber": "9".repeat(21), "floor": 1}), "suiteNumber"),
        ("POST", "/v1/suites", json!({"id": "seven", "suiteNumber": "7", "floor": 1}), "id"),
        ("POST", "/v1/tasks", json!({}), "title"),
        ("POST", "/v1/tasks", json!({"title": null}), "title"),
        ("POST", "/v1/tasks", json!({"title": "x", "status": "COMPLETED"}), "status"),
        ("POST", "/v1/tasks", json!({"title": "x", "suiteId": id("no such")}), "suiteId"),
        ("POST", "/v1/tasks", json!({"title": "x", "assignedTo": id("no such")}), "assignedTo"),
        ("POST", "/v1/tasks", json!({"title": "x", "dueAt": "tomorrow"}), "dueAt"),
        ("POST", "/v1/tasks", json!({"title": "x", "duet": 1}), "duet"),
        ("POST", "/v1/notes", json!({"title": "x", "audience": {"kind": "DEPARTMENT"}}), "audience"),
        ("POST", "/v1/employees", json!({"name": "x", "role": "KING", "department": "MANAGEMENT"}), "role"),
        ("PATCH", &suite, json!({"suiteNumber": null}), "suiteNumber"),
        ("PATCH", &suite, json!({"version": "1"}), "version"),
        ("PATCH", &suite, json!({"version": -1}), "version"),
        ("PATCH", &suite, json!({"floor": 1, "force": "yes"}), "force"),
        ("PATCH", &suite, json!({"id": id("other")}), "id"),
        ("PATCH", &format!("{suite}/status"), json!({}), "status"),
        ("PATCH", &task, json!({"createdBy": id("ben")}), "createdBy"),
        ("PATCH", &task, json!({"assignedTo": 7}), "assignedTo"),
        ("PATCH", &format!("{task}/assign"), json!({}), "assignee"),
        ("PATCH", &format!("{task}/complete"), json!({"status": "PENDING"}), "status"),
        ("PATCH", &format!("{ana}/status"), json!({}), "status"),
        ("PATCH", &ana, json!({"isOnDuty": true, "status": "OFF_DUTY"}), "status"),
        ("PATCH", &ana, json!({"isOnDuty": 1}), "isOnDuty"),
        ("POST", "/v1/announcements", json!({"title": "x"}), "message"),
        ("POST", "/v1/shifts", json!({"oldShift": "Night"}), "newShift"),
        ("POST", "/v1/ops", json!({}), "ops"),
        ("POST", "/v1/snapshot", json!({"pending": ["x"]}), "pending"),
        ("POST", "/v1/snapshot", json!({"pending": vec![id("x"); 257]}), "pending"),
    ] {
        let (status, problem) = motel.rest("maria", method, path, body.clone());
        assert_eq!(
            (status, &problem["code"]),
            (422, &json!("INVALID_FIELD")),
            "{method} {path} {body} {problem}"
        );
        assert_eq!(problem["field"], field, "{method} {path} {body} {problem}");
    }
    for (name, value) in [("epoch", "x"), ("seq", "-1"), ("mark", "1"), ("pending", "x")] {
        let query = [(name.to_owned(), value.to_owned())];
        let path = "/v1/sync";
        let request = innsync_server::api::ApiRequest {
            method: "GET",
            path,
            query: &query,
            body: b"",
            idempotency_key: None,
            login: None,
        };
        let answer = motel.call("ana", &request);
        assert_eq!((answer.status, &read(&answer)["field"]), (422, &json!(name)));
    }
}

#[test]
fn what_is_wrong_with_a_field_says_what_was_expected() {
    let mut motel = Motel::open();
    let task = format!("/v1/tasks/{}", motel.create_task("maria", "Lamp", TaskType::General, None));
    for (method, path, body, words) in [
        ("POST", "/v1/suites", json!({"floor": 1}), &["suiteNumber is missing", "text"][..]),
        (
            "POST",
            "/v1/suites",
            json!({"suiteNumber": "7", "floor": "one"}),
            &["floor must be a whole number"],
        ),
        ("POST", "/v1/tasks", json!({"title": 7}), &["title must be text"]),
        ("POST", "/v1/tasks", json!({"title": "x", "suiteId": "102"}), &["suiteId must be an id", "UUID"]),
        ("POST", "/v1/tasks", json!({"title": "x", "dueAt": "tomorrow"}), &["dueAt must be a time", "2026-"]),
        ("POST", "/v1/tasks", json!({"title": "x", "taskType": "CLEANING"}), &["taskType", "type", "dueAt"]),
        ("POST", "/v1/tasks", json!({"title": "x", "type": 7}), &["type must be one of CLEANING"]),
        ("POST", "/v1/employees", json!({"name": "x"}), &["role is missing", "HOUSEKEEPER"]),
        ("POST", "/v1/notes", json!({"title": "x", "audience": "all"}), &["audience must be", "ALL_STAFF"]),
        (
            "POST",
            "/v1/shifts",
            json!({"oldShift": "a", "newShift": "b", "onDutyEmployees": "ana"}),
            &["list of ids"],
        ),
        ("PATCH", &task, json!({"version": "1"}), &["version must be a whole number"]),
        ("PATCH", &task, json!({"force": "yes"}), &["force must be true or false"]),
        ("POST", "/v1/ops", json!({}), &["ops must be a list of operations", "missing"]),
        ("POST", "/v1/snapshot", json!({"pending": ["x"]}), &["pending must be a list of ids"]),
    ] {
        let (status, problem) = motel.rest("maria", method, path, body.clone());
        let detail = problem["detail"].as_str().unwrap();
        assert_eq!(status, 422, "{body} {problem}");
        assert!(words.iter().all(|word| detail.contains(word)), "{body} {detail}");
    }
}

/// The page's table of bodies: method, path, and fields, of which those that may be left out end with `?`.
fn documented_bodies() -> Vec<(String, String, Vec<String>)> {
    let page = include_str!("../../../docs/protocol.md");
    let table = page.split("| body of | fields |").nth(1).unwrap().lines().skip(2);
    let rows = table.take_while(|line| line.starts_with('|')).map(|line| {
        let code: Vec<&str> = line.split('`').collect();
        let (method, path) = code[1].split_once(' ').unwrap();
        let fields = code[3].split(' ').map(str::to_owned).collect();
        (method.to_owned(), path.to_owned(), fields)
    });
    rows.collect()
}

#[test]
fn the_protocol_names_every_field_of_a_body() {
    let mut motel = Motel::open();
    let task = motel.create_task("maria", "Lamp", TaskType::General, None);
    motel.rest("maria", "POST", "/v1/notes", json!({"id": id("Keys"), "title": "Keys"}));
    let bodies = documented_bodies();
    assert!(bodies.len() >= 14, "{bodies:?}");
    for (method, path, fields) in bodies {
        let target = match path.split('/').nth(2).unwrap() {
            "suites" => id("102"),
            "notes" => id("Keys"),
            "employees" => id("ana"),
            _ => task,
        };
        let url = path.replace("{id}", &target.to_string());
        let whole = json!({
            "suiteNumber": "7", "floor": 1, "status": "", "title": "x", "assignee": id("ana"), "text": "x",
            "name": "Lea", "role": "HOUSEKEEPER", "department": "HOUSEKEEPING", "isOnDuty": true, "message": "x",
            "oldShift": "x", "newShift": "y",
        });
        let required: Vec<&String> = fields.iter().filter(|field| !field.ends_with('?')).collect();
        for missing in required.iter().filter(|_| method == "POST" || required.len() == 1) {
            let some = required.iter().filter(|field| field != &missing);
            let body: Value = some.map(|field| (field.to_string(), whole[field.as_str()].clone())).collect();
            let (status, problem) = motel.rest("maria", &method, &url, body);
            assert_eq!((status, &problem["field"]), (422, &json!(missing)), "{method} {path} {problem}");
        }
        let mut body: Value =
            required.iter().map(|field| (field.to_string(), whole[field.as_str()].clone())).collect();
        if body.get("status").is_some() {
            body["status"] = json!("OCCUPIED");
        }
        if path == "/v1/employees/{id}/status" {
            body["isOnDuty"] = json!(true);
        }
        body["minibar"] = json!("empty");
        let (status, problem) = motel.rest("maria", &method, &url, body);
        assert_eq!((status, &problem["field"]), (422, &json!("minibar")), "{method} {path} {problem}");
        let (_, told) = problem["detail"].as_str().unwrap().split_once("there is ").unwrap();
        let mut told: Vec<&str> = told.trim_end_matches('.').split(", ").collect();
        told.retain(|field| !["id", "version", "force"].contains(field));
        let mut written: Vec<&str> = fields.iter().map(|field| field.trim_end_matches('?')).collect();
        told.sort_unstable();
        written.sort_unstable();
        assert_eq!(told, written, "{method} {path}");
    }
}

#[test]
fn the_protocols_example_of_a_problem_is_one() {
    let page = include_str!("../../../docs/protocol.md");
    let example = page.split("```json problem").nth(1).unwrap().split("```").next().unwrap();
    let (_, problem) = Motel::open().rest("maria", "POST", "/v1/notes", json!({"title": " "}));
    assert_eq!(problem, serde_json::from_str::<Value>(example).unwrap());
}

#[test]
fn a_path_that_is_not_there_says_what_is_wrong_with_it() {
    let mut motel = Motel::open();
    let task = motel.create_task("maria", "Lamp", TaskType::General, None);
    for (path, words) in [
        ("/v1/tasks/abc".to_owned(), &["abc", "id", "UUID"][..]),
        ("/v1/tasks/abc/complete".to_owned(), &["abc", "id", "UUID"]),
        (format!("/v1/tasks/{task}/dance"), &["dance", "complete", "assign"]),
        (format!("/v1/alerts/{task}/read"), &["read", "acknowledge"]),
        (format!("/v1/shifts/{task}/read"), &["read"]),
        ("/v1/minibars".to_owned(), &["minibars", "suites", "tasks"]),
        ("/v1/tasks/".to_owned(), &["/v1/tasks"]),
        ("/".to_owned(), &["/v1/"]),
    ] {
        let (status, problem) = motel.rest("maria", "GET", &path, Value::Null);
        let detail = problem["detail"].as_str().unwrap();
        assert_eq!(status, 404, "{path}");
        assert!(words.iter().all(|word| detail.contains(word)), "{path}: {detail}");
    }
}

#[test]
fn paths_and_methods_that_are_not_there() {
    let mut motel = Motel::open();
    for path in [
        "/v1/minibars",
        "/v1/tasks/7",
        "/v1/tasks/7/complete",
        "/v1/suites/x/status",
        "/v1",
        "",
        "/v1/tasks/",
    ] {
        for method in ["GET", "POST", "PATCH", "DELETE", "PUT", "DANCE"] {
            let (status, problem) = motel.rest("maria", method, path, Value::Null);
            assert_eq!((status, &problem["code"]), (404, &json!("NOT_FOUND")), "{method} {path}");
        }
    }
    for (method, path, allow) in [
        ("PUT", "/v1/tasks", "GET, POST"),
        ("DELETE", "/v1/alerts", "GET"),
        ("POST", &format!("/v1/tasks/{}", id("x")), "GET, PATCH, DELETE"),
        ("GET", "/v1/ops", "POST"),
        ("POST", "/v1/sync", "GET"),
    ] {
        let answer = motel.send("maria", method, path, b"", None);
        assert_eq!(answer.status, 405);
        assert_eq!(answer.headers, [("Allow", allow.to_owned())]);
        assert_eq!(read(&answer)["code"], "METHOD_NOT_ALLOWED");
    }
}

#[test]
fn what_is_too_large() {
    let mut motel = Motel::open();
    let body = format!("{{\"title\":\"{}\"}}", "x".repeat(limits::BODY_BYTES));
    let answer = motel.send("maria", "POST", "/v1/notes", body.as_bytes(), None);
    assert_eq!((answer.status, &read(&answer)["code"]), (413, &json!("BODY_TOO_LARGE")));
    let (status, _) = motel.rest("maria", "POST", "/v1/ops", json!({"ops": vec![1; 257]}));
    assert_eq!(status, 413);
    let (status, problem) = motel.rest("maria", "POST", "/v1/notes", json!({"title": "x".repeat(201)}));
    assert_eq!((status, &problem["field"]), (422, &json!("title")));
}

#[test]
fn who_may_not_is_told_so() {
    let mut motel = Motel::open();
    let task = motel.create_task("maria", "Lamp", TaskType::Cleaning, Some("ana"));
    for (who, method, path, body, code) in [
        ("ana", "POST", "/v1/suites".to_owned(), json!({"suiteNumber": "7", "floor": 1}), "FORBIDDEN"),
        ("ana", "DELETE", format!("/v1/tasks/{task}"), json!(null), "FORBIDDEN"),
        ("ana", "PATCH", format!("/v1/tasks/{task}/cancel"), json!(null), "FORBIDDEN"),
        (
            "sam",
            "PATCH",
            format!("/v1/suites/{}/status", id("101")),
            json!({"status": "INSPECTED"}),
            "FORBIDDEN",
        ),
        (
            "ben",
            "PATCH",
            format!("/v1/employees/{}/status", id("ana")),
            json!({"isOnDuty": false}),
            "FORBIDDEN",
        ),
    ] {
        let (status, problem) = motel.rest(who, method, &path, body);
        assert_eq!((status, &problem["code"]), (403, &json!(code)), "{path} {problem}");
        assert_eq!(problem["class"], "PERMANENT", "a failed permission check is no matter of signing in");
    }
    motel.does("ben", Command::SetDuty { employee_id: id("ben"), is_on_duty: false });
    let (status, problem) =
        motel.rest("ben", "POST", "/v1/tasks", json!({"title": "Fire", "type": "EMERGENCY"}));
    assert_eq!((status, &problem["code"]), (403, &json!("NOT_ON_DUTY")));
    let body = json!({"suiteNumber": "101", "floor": 1});
    let (status, problem) = motel.rest("maria", "POST", "/v1/suites", body);
    assert_eq!(
        (status, &problem["code"], &problem["field"]),
        (422, &json!("ALREADY_EXISTS"), &json!("suiteNumber"))
    );
}

/// Something that a client might send, right or wrong.
fn anything(random: &mut SeededRandom, depth: u32) -> Value {
    let names = [
        "id",
        "title",
        "status",
        "assignedTo",
        "suiteNumber",
        "floor",
        "version",
        "force",
        "audience",
        "kind",
        "ops",
        "isOnDuty",
        "text",
        "role",
        "department",
        "name",
        "type",
        "pending",
        "dueAt",
        "comments",
        "",
    ];
    let below = |random: &mut SeededRandom, most: u64| (random.next_u64() % most) as usize;
    match below(random, if depth == 0 { 7 } else { 9 }) {
        0 => Value::Null,
        1 => json!(random.next_u64()),
        2 => json!(-1.5e300),
        3 => json!(["PENDING", "COMPLETED", "MANAGER", "", "\u{0}\u{feff}"][below(random, 5)]),
        4 => json!(id(["ana", "101", "Lamp", "Keys"][below(random, 4)])),
        5 => json!(random.next_u64() < u64::MAX / 2),
        6 => json!("2026-11-22T08:00:00Z"),
        7 => (0..below(random, 4)).map(|_| anything(random, depth - 1)).collect(),
        _ => {
            let fields = (0..below(random, 6))
                .map(|_| (names[below(random, names.len() as u64)].to_owned(), anything(random, depth - 1)));
            Value::Object(fields.collect())
        }
    }
}

#[test]
fn whatever_is_sent_is_answered() {
    let mut random = SeededRandom::new(5);
    let mut motel = Motel::open();
    motel.create_task("maria", "Lamp", TaskType::Cleaning, None);
    motel.rest("maria", "POST", "/v1/notes", json!({"id": id("Keys"), "title": "Keys"}));
    let mut accepted = 0;
    for _ in 0..4_000 {
        let mut one = |of: &[&'static str]| of[(random.next_u64() % of.len() as u64) as usize];
        let kind = one(&[
            "suites",
            "tasks",
            "notes",
            "employees",
            "alerts",
            "announcements",
            "shifts",
            "notifications",
            "ops",
        ]);
        let tail = one(&["", "", "/complete", "/assign", "/status", "/comments", "/read", "/resolve", "/x"]);
        let (method, key) = (one(&["GET", "POST", "PATCH", "DELETE"]), one(&["", "", "", "one", "\u{1}"]));
        let target = id(one(&["ana", "101", "Lamp", "Keys"]));
        let who = one(&crate::motel::STAFF);
        let path = if one(&["", "x"]).is_empty() {
            format!("/v1/{kind}")
        } else {
            format!("/v1/{kind}/{target}{tail}")
        };
        let body = match anything(&mut random, 3) {
            Value::Object(fields) => Value::Object(fields),
            Value::Null | Value::Bool(_) => json!({}),
            other => json!({"title": other}),
        };
        let key = Some(key).filter(|key| !key.is_empty());
        let answer = motel.send(who, method, &path, body.to_string().as_bytes(), key);
        let known = [200, 201, 204, 401, 403, 404, 405, 409, 422];
        assert!(known.contains(&answer.status), "{method} {path} {body} {answer:?}");
        accepted += usize::from(answer.status < 300 && method != "GET");
        assert_eq!(answer.status >= 400, answer.content_type == PROBLEM_JSON);
        read(&answer);
    }
    assert!(accepted > 10, "hardly anything was right: {accepted}");
    let seqs: Vec<u64> = motel.log.iter().map(|committed| committed.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
}
