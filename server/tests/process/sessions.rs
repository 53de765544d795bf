//! Signing in, staying signed in, signing out.

use serde_json::{Value, json};

use crate::house::{House, Session, done, person};

#[tokio::test]
async fn ana_signs_in_and_sees_the_house() {
    let house = House::demo();
    let ana = house.sign_in("ana").await;
    let suites = house.call("GET", "/v1/suites", Some(&ana.access), None).await;
    assert_eq!((suites.status, suites.body.as_array().unwrap().len()), (200, 20));
    let health = house.call("GET", "/v1/health", None, None).await;
    assert_eq!(health.body["status"], "ok");
    assert_eq!(health.body["properties"][0]["id"], "seaside");
    assert!(!health.body.to_string().to_lowercase().contains("ana"), "{}", health.body);
}

#[tokio::test]
async fn a_wrong_password_an_unknown_person_and_an_unknown_property_look_alike() {
    let house = House::demo();
    let answers = [
        house.try_sign_in("seaside", "ana", "wrong").await,
        house.try_sign_in("seaside", "nobody", "demo").await,
        house.try_sign_in("nowhere", "ana", "demo").await,
    ];
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (401, &answers[0].body));
        assert_eq!(answer.body["code"], "BAD_CREDENTIALS");
        assert!(answer.headers.contains_key("www-authenticate"));
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let house = House::demo();
    for _ in 0..5 {
        assert_eq!(house.try_sign_in("seaside", "ana", "guess").await.status, 401);
    }
    let held = house.try_sign_in("seaside", "ana", "demo").await;
    assert_eq!((held.status, held.body["code"].as_str()), (429, Some("TOO_MANY_ATTEMPTS")));
    let seconds: u64 = held.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=15).contains(&seconds), "{seconds}");
    assert_eq!(house.try_sign_in("seaside", "ben", "demo").await.status, 201, "others are let in");
}

#[tokio::test]
async fn a_refresh_whose_answer_was_lost_may_be_asked_again() {
    let house = House::demo();
    let first = house.sign_in("ana").await;
    let lost = house.refresh(&first.refresh).await;
    let again = house.refresh(&first.refresh).await;
    assert_eq!((lost.status, again.status), (200, 200));
    let (lost, again) = (Session::of(&lost), Session::of(&again));
    assert_ne!(lost.refresh, again.refresh);
    assert_eq!(house.refresh(&again.refresh).await.status, 200);
    assert_eq!(house.call("GET", "/v1/suites", Some(&again.access), None).await.status, 200);
    let unknown = house.refresh("0123").await;
    assert_eq!((unknown.status, unknown.body["code"].as_str()), (401, Some("SESSION_REVOKED")));
}

#[tokio::test]
async fn an_old_refresh_token_ends_tokens_and_sockets() {
    let house = House::demo();
    let first = house.sign_in("ana").await;
    let second = Session::of(&house.refresh(&first.refresh).await);
    let mut socket = house.phone(&second.access).await;
    socket.until("CONNECTED").await;
    // As if it had been used long ago.
    let ledger = rusqlite::Connection::open(house.data()).unwrap();
    ledger.execute("UPDATE refresh_tokens SET superseded_at = 1 WHERE superseded_at > 0", []).unwrap();
    assert_eq!(house.refresh(&first.refresh).await.body["code"], "SESSION_REVOKED");
    assert_eq!(socket.closed().await, (1008, "Signed out".to_owned()));
    for session in [&first, &second] {
        let answer = house.call("GET", "/v1/suites", Some(&session.access), None).await;
        assert_eq!(answer.body["code"], "TOKEN_INVALID");
    }
    assert_eq!(house.refresh(&second.refresh).await.body["code"], "SESSION_REVOKED");
}

#[tokio::test]
async fn signing_out_ends_tokens_and_sockets() {
    let house = House::demo();
    let (ana, ben) = (house.sign_in("ana").await, house.sign_in("ben").await);
    let mut socket = house.phone(&ana.access).await;
    let mut bens = house.phone(&ben.access).await;
    socket.until("CONNECTED").await;
    bens.until("CONNECTED").await;
    assert_eq!(house.call("DELETE", "/v1/sessions/current", Some(&ana.access), None).await.status, 204);
    assert_eq!(socket.closed().await, (1008, "Signed out".to_owned()));
    assert_eq!(house.call("GET", "/v1/suites", Some(&ana.access), None).await.body["code"], "TOKEN_INVALID");
    assert_eq!(house.refresh(&ana.refresh).await.body["code"], "SESSION_REVOKED");
    bens.say(json!({ "type": "HEARTBEAT", "timestamp": 1 })).await;
    bens.until("HEARTBEAT_ACK").await;
}

#[tokio::test]
async fn who_leaves_the_staff_comes_in_no_more() {
    let house = House::demo();
    let (maria, ben) = (house.sign_in("maria").await, house.sign_in("ben").await);
    let mut socket = house.phone(&ben.access).await;
    socket.until("CONNECTED").await;
    let path = format!("/v1/employees/{}", ben.id);
    let deleted = house.call("DELETE", &path, Some(&maria.access), None).await;
    assert!(deleted.status < 300, "{}", deleted.body);
    assert_eq!(socket.closed().await.0, 1008);
    assert_eq!(house.refresh(&ben.refresh).await.status, 401);
    assert_eq!(house.call("GET", "/v1/suites", Some(&ben.access), None).await.status, 401);
    assert_eq!(house.try_sign_in("seaside", "ben", "demo").await.status, 401);
    assert_eq!(house.phone(&ben.access).await.next().await, Err((1008, "Authentication failed".to_owned())));
}

#[tokio::test]
async fn maria_adds_somebody_who_then_signs_in() {
    let house = House::demo();
    let (maria, sam) = (house.sign_in("maria").await, house.sign_in("sam").await);
    let new = json!({ "name": "Lea", "role": "HOUSEKEEPER", "department": "HOUSEKEEPING", "person": "lea", "password": "tide-table" });
    assert_eq!(house.call("POST", "/v1/employees", Some(&sam.access), Some(new.clone())).await.status, 403);
    assert_eq!(house.try_sign_in("seaside", "lea", "tide-table").await.status, 401);
    let added = house.call("POST", "/v1/employees", Some(&maria.access), Some(new.clone())).await;
    assert_eq!(added.status, 201, "{}", added.body);
    assert_eq!(house.try_sign_in("seaside", "lea", "tide-table").await.status, 201);
    let again = house.call("POST", "/v1/employees", Some(&maria.access), Some(new)).await;
    assert_eq!((again.status, again.body["field"].as_str()), (422, Some("person")));
}

#[tokio::test]
async fn who_is_no_manager_learns_nothing_of_the_names_people_sign_in_with() {
    let house = House::demo();
    let sam = house.sign_in("sam").await;
    let mut answers = Vec::new();
    for person in ["ana", "nobody-yet"] {
        let new = json!({ "name": "Lea", "role": "HOUSEKEEPER", "department": "HOUSEKEEPING", "person": person, "password": "tide-table" });
        let answer = house.call("POST", "/v1/employees", Some(&sam.access), Some(new)).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (403, Some("FORBIDDEN")));
        answers.push(answer.body);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn an_answer_given_again_changes_no_password() {
    let house = House::demo();
    let maria = house.sign_in("maria").await;
    for password in ["tide-table", "another"] {
        let new = json!({ "name": "Lea", "role": "HOUSEKEEPER", "department": "HOUSEKEEPING", "person": "lea", "password": password });
        let request = reqwest::Client::new()
            .post(format!("http://{}/v1/employees", house.address))
            .bearer_auth(&maria.access)
            .header("idempotency-key", "lea")
            .body(new.to_string());
        assert_eq!(request.send().await.unwrap().status(), 201);
    }
    assert_eq!(house.try_sign_in("seaside", "lea", "tide-table").await.status, 201);
    assert_eq!(house.try_sign_in("seaside", "lea", "another").await.status, 401);
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_answered_without_being_quoted() {
    let house = House::demo();
    for (body, status, code) in [
        ("{\"property\":\"seaside\",", 400, "MALFORMED_JSON"),
        (
            "{\"property\":\"seaside\",\"person\":\"ana\",\"password\":[\"pelican\"],\"device\":\"x\"}",
            422,
            "INVALID_FIELD",
        ),
        ("{}", 422, "INVALID_FIELD"),
    ] {
        let answer = house.send("POST", "/v1/sessions", None, Some(body.to_owned())).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{body}");
        assert!(!answer.body.to_string().contains("pelican"));
    }
    assert_eq!(house.call("GET", "/v1/sessions", None, None).await.status, 405);
    let ana = house.sign_in("ana").await;
    let large = house.send("POST", "/v1/tasks", Some(&ana.access), Some("x".repeat(1_100_000))).await;
    assert_eq!((large.status, large.body["code"].as_str()), (413, Some("BODY_TOO_LARGE")));
    let malformed = house.send("POST", "/v1/tasks", Some(&ana.access), Some("{".to_owned())).await;
    assert_eq!((malformed.status, malformed.body["code"].as_str()), (400, Some("MALFORMED_JSON")));
}

#[tokio::test]
async fn a_sign_in_that_lacks_something_is_told_what_and_is_not_quoted() {
    let house = House::demo();
    let whole = json!({ "property": "seaside", "person": "ana", "password": "demo", "device": "handset-1" });
    for field in ["property", "person", "password", "device"] {
        for wrong in [Value::Null, json!(["pelican"]), json!("")] {
            let mut body = whole.clone();
            body[field] = wrong.clone();
            if wrong.is_null() {
                body.as_object_mut().unwrap().remove(field);
            }
            let answer = house.call("POST", "/v1/sessions", None, Some(body)).await;
            let (code, detail) = (answer.body["code"].as_str(), answer.body["detail"].as_str().unwrap());
            assert_eq!((answer.status, code), (422, Some("INVALID_FIELD")), "{field} {wrong}");
            assert_eq!(answer.body["field"], field, "{wrong}");
            assert!(detail.contains(field) && !detail.contains("pelican"), "{detail}");
        }
    }
    for body in [json!({}), json!({ "refreshToken": 7 })] {
        let answer = house.call("POST", "/v1/sessions/refresh", None, Some(body)).await;
        assert_eq!((answer.status, answer.body["field"].as_str()), (422, Some("refreshToken")));
    }
}

#[tokio::test]
async fn how_somebody_new_signs_in_is_never_passed_over() {
    let house = House::demo();
    let maria = house.sign_in("maria").await;
    let lea = json!({ "name": "Lea", "role": "HOUSEKEEPER", "department": "HOUSEKEEPING" });
    for (person, password, field) in [
        (json!("lea"), Value::Null, "password"),
        (Value::Null, json!("tide-table"), "person"),
        (json!(7), json!("tide-table"), "person"),
        (json!("lea"), json!(1234), "password"),
        (json!(""), json!("tide-table"), "person"),
        (json!("lea of the sea"), json!("tide-table"), "person"),
        (json!("lea"), json!("abc"), "password"),
    ] {
        let mut body = lea.clone();
        (body["person"], body["password"]) = (person, password);
        let answer = house.call("POST", "/v1/employees", Some(&maria.access), Some(body.clone())).await;
        assert_eq!((answer.status, answer.body["field"].as_str()), (422, Some(field)), "{body}");
    }
    let staff = house.call("GET", "/v1/employees", Some(&maria.access), None).await;
    assert_eq!(staff.body.as_array().unwrap().len(), 5, "nobody was added");
}

#[tokio::test]
async fn a_path_that_is_none_says_where_the_api_is() {
    let house = House::demo();
    for path in ["/", "/tasks", "/v2/tasks"] {
        let answer = house.call("GET", path, None, None).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (404, Some("NOT_FOUND")), "{path}");
        assert!(answer.body["detail"].as_str().unwrap().contains("/v1/"), "{}", answer.body);
    }
    let answer = house.call("GET", "/v1/sessions", None, None).await;
    assert_eq!((answer.status, answer.headers["allow"].to_str().unwrap()), (405, "POST"));
    assert!(answer.body["detail"].as_str().unwrap().contains("POST"));
}

#[tokio::test]
async fn what_is_refused_before_it_is_read_is_answered_all_the_same() {
    let house = House::demo();
    let ana = house.sign_in("ana").await;
    // However much is still on its way: who sends it hears why it is refused, and sees no connection break.
    for round in 0..10 {
        for bytes in [1_100_000, 3_000_000, 9_000_000] {
            let large = "x".repeat(bytes);
            let answer = house.send("POST", "/v1/tasks", Some(&ana.access), Some(large.clone())).await;
            let code = answer.body["code"].as_str();
            assert_eq!((answer.status, code), (413, Some("BODY_TOO_LARGE")), "{bytes} in round {round}");
            let answer = house.send("POST", "/v1/ops", Some("nonsense"), Some(large)).await;
            let code = answer.body["code"].as_str();
            assert_eq!((answer.status, code), (401, Some("TOKEN_INVALID")), "{bytes} in round {round}");
        }
    }
}

#[tokio::test]
async fn who_has_signed_out_stays_out_after_a_restart() {
    let house = House::demo();
    let (ana, ben, miguel) =
        (house.sign_in("ana").await, house.sign_in("ben").await, house.sign_in("miguel").await);
    assert_eq!(house.call("DELETE", "/v1/sessions/current", Some(&ana.access), None).await.status, 204);
    done(&person("set-password", &house.data(), "seaside", "ben", &[]), "drift-wood\n");
    let house = house.restarted(&[]).await;
    for gone in [&ana, &ben] {
        let answer = house.call("GET", "/v1/suites", Some(&gone.access), None).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (401, Some("TOKEN_INVALID")));
        assert_eq!(house.phone(&gone.access).await.closed().await.0, 1008);
    }
    assert_eq!(house.call("GET", "/v1/suites", Some(&miguel.access), None).await.status, 200);
}

#[tokio::test]
async fn who_gets_another_password_is_signed_out_of_a_server_that_runs() {
    let house = House::demo();
    let (ben, miguel) = (house.sign_in("ben").await, house.sign_in("miguel").await);
    let mut phone = house.phone(&ben.access).await;
    phone.until("CONNECTED").await;
    done(&person("set-password", &house.data(), "seaside", "ben", &[]), "drift-wood\n");
    assert_eq!(phone.closed().await.0, 1008);
    let answer = house.call("GET", "/v1/suites", Some(&ben.access), None).await;
    assert_eq!((answer.status, answer.body["code"].as_str()), (401, Some("TOKEN_INVALID")));
    assert_eq!(house.call("GET", "/v1/suites", Some(&miguel.access), None).await.status, 200);
    assert_eq!(house.try_sign_in("seaside", "ben", "drift-wood").await.status, 201);
}

#[tokio::test]
async fn somebody_new_is_on_the_staff_and_can_sign_in_or_neither() {
    let house = House::demo();
    let maria = house.sign_in("maria").await;
    let ledger = rusqlite::Connection::open(house.data()).unwrap();
    ledger
        .execute_batch(
            "CREATE TRIGGER broken BEFORE INSERT ON people BEGIN SELECT RAISE(ABORT, 'broken'); END",
        )
        .unwrap();
    let new = json!({ "name": "Lea", "role": "HOUSEKEEPER", "department": "HOUSEKEEPING", "person": "lea", "password": "tide-table" });
    let failed = house.call("POST", "/v1/employees", Some(&maria.access), Some(new.clone())).await;
    assert_eq!((failed.status, failed.body["code"].as_str()), (500, Some("INTERNAL")));
    let staff = house.call("GET", "/v1/employees", Some(&maria.access), None).await;
    assert!(!staff.body.to_string().contains("Lea"), "{}", staff.body);

    ledger.execute_batch("DROP TRIGGER broken").unwrap();
    let added = house.call("POST", "/v1/employees", Some(&maria.access), Some(new)).await;
    assert_eq!(added.status, 201, "{}", added.body);
    assert_eq!(house.try_sign_in("seaside", "lea", "tide-table").await.status, 201);
}
