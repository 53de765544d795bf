//! Idempotency-Key: a call sent twice takes effect once.

use serde_json::json;

use crate::motel::{Motel, id, read};

#[test]
fn the_same_call_is_answered_as_the_first_time() {
    // G2
    let mut motel = Motel::open();
    let body = json!({"title": "Towels"}).to_string();
    let first = motel.send("maria", "POST", "/v1/tasks", body.as_bytes(), Some("key-1"));
    let head = motel.reader().head("seaside").unwrap();
    let second = motel.send("maria", "POST", "/v1/tasks", body.as_bytes(), Some("key-1"));
    assert_eq!((first.status, &first.body, &first.headers), (second.status, &second.body, &second.headers));
    assert_eq!((first.committed.len(), second.committed.len()), (1, 0));
    assert_eq!(motel.reader().head("seaside").unwrap(), head);

    // A refusal, too; and what is answered with nothing.
    let path = format!("/v1/suites/{}", id("102"));
    let refused = motel.send("ana", "DELETE", &path, b"", Some("key-1"));
    assert_eq!(refused.status, 403, "another person's key is another key");
    assert_eq!(motel.send("ana", "DELETE", &path, b"", Some("key-1")), refused);
    assert_eq!(motel.send("maria", "DELETE", &path, b"", Some("key-2")).status, 204);
    assert_eq!(motel.send("maria", "DELETE", &path, b"", Some("key-2")).status, 204);
    assert_eq!(motel.send("maria", "DELETE", &path, b"", None).status, 404);
}

#[test]
fn a_key_is_for_one_call() {
    let mut motel = Motel::open();
    let body = json!({"title": "Towels"}).to_string();
    motel.send("maria", "POST", "/v1/tasks", body.as_bytes(), Some("key-1"));
    for (path, body) in [("/v1/tasks", json!({"title": "Soap"})), ("/v1/notes", json!({"title": "Towels"}))] {
        let answer = motel.send("maria", "POST", path, body.to_string().as_bytes(), Some("key-1"));
        assert_eq!((answer.status, &read(&answer)["code"]), (422, &json!("IDEMPOTENCY_KEY_REUSED")));
    }
    motel.later(25 * 3600);
    let answer = motel.send("maria", "POST", "/v1/notes", body.as_bytes(), Some("key-1"));
    assert_eq!(answer.status, 201, "a day later it is forgotten");
}

#[test]
fn a_call_that_could_not_be_read_does_not_use_its_key_up() {
    let mut motel = Motel::open();
    assert_eq!(motel.send("maria", "POST", "/v1/tasks", b"{", Some("key-1")).status, 400);
    assert_eq!(motel.send("maria", "POST", "/v1/tasks", b"{\"title\":\"x\"}", Some("key-1")).status, 201);
    for key in ["", "a b", "\u{e9}", &"k".repeat(256)] {
        let answer = motel.send("maria", "POST", "/v1/tasks", b"{\"title\":\"x\"}", Some(key));
        assert_eq!((answer.status, &read(&answer)["field"]), (422, &json!("Idempotency-Key")), "{key}");
    }
}

#[test]
fn a_password_leaves_no_trace() {
    let mut motel = Motel::open();
    let body = |password: &str| {
        json!({"name": "Kim", "role": "HOUSEKEEPER", "department": "HOUSEKEEPING", "person": "kim", "password": password})
            .to_string()
    };
    let first = motel.send("maria", "POST", "/v1/employees", body("one").as_bytes(), Some("key-1"));
    let again = motel.send("maria", "POST", "/v1/employees", body("two").as_bytes(), Some("key-1"));
    assert_eq!((first.status, &first.body), (201, &again.body), "its hash is not part of what is compared");
}
