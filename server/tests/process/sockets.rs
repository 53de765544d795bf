//! Sockets end to end.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn the_seeds_client_is_told_of_its_task() {
    let house = House::demo();
    let (maria, ana) = (house.sign_in("maria").await, house.sign_in("ana").await);
    let mut socket = house.seed(&ana.access).await;
    let connected = socket.frame().await;
    assert_eq!(
        (connected["type"].as_str(), connected["userId"].as_str()),
        (Some("CONNECTED"), Some(ana.id.as_str()))
    );
    socket.say(json!({ "type": "SUBSCRIBE", "entityType": "TASK" })).await;
    let task = json!({ "title": "Clean Suite 101", "assignedTo": ana.id });
    assert_eq!(house.call("POST", "/v1/tasks", Some(&maria.access), Some(task)).await.status, 201);
    assert_eq!(socket.frame().await["type"], "ENTITY_CREATED");
    let assigned = socket.frame().await;
    assert_eq!(assigned["type"], "TASK_ASSIGNED");
    assert_eq!(assigned["data"]["task"]["title"], "Clean Suite 101");
    assert_eq!(assigned["data"]["assignedBy"], maria.id);
    assert_eq!(socket.frame().await["type"], "NOTIFICATION");
    socket.say(json!({ "type": "HEARTBEAT", "timestamp": 1 })).await;
    assert_eq!(socket.frame().await["type"], "HEARTBEAT_ACK");
}

#[tokio::test]
async fn a_phone_resumes_and_follows() {
    let house = House::demo();
    let (maria, ana) = (house.sign_in("maria").await, house.sign_in("ana").await);
    let mut phone = house.phone(&ana.access).await;
    phone.until("CONNECTED").await;
    let start = house.resume(&mut phone, &ana.access).await;
    let first = phone.frame().await;
    assert_eq!((&first["type"], &first["to"]), (&json!("DELTA"), &start["seq"]));
    let task = json!({ "title": "Clean Suite 101", "assignedTo": ana.id });
    house.call("POST", "/v1/tasks", Some(&maria.access), Some(task)).await;
    let delta = phone.frame().await;
    assert_eq!(delta["from"], start["seq"]);
    assert_eq!(delta["commits"][0]["changes"][0]["entity"]["title"], "Clean Suite 101");

    phone.say(json!({ "type": "AUTH", "token": house.sign_in("ana").await.access })).await;
    phone.until("AUTH_OK").await;
    phone.say(json!({ "type": "AUTH", "token": maria.access })).await;
    assert_eq!(phone.closed().await.0, 1008);
}

#[tokio::test]
async fn bad_frames_are_answered_and_the_socket_is_kept() {
    let house = House::demo();
    let mut socket = house.seed(&house.sign_in("ana").await.access).await;
    socket.until("CONNECTED").await;
    for (text, code) in [
        ("{", "MALFORMED_FRAME"),
        ("{\"type\":\"DANCE\"}", "UNKNOWN_TYPE"),
        ("{\"type\":\"SUBSCRIBE\"}", "INVALID_FIELDS"),
    ] {
        socket.say_text(text.to_owned()).await;
        let error = socket.frame().await;
        assert_eq!((error["type"].as_str(), error["code"].as_str()), (Some("ERROR"), Some(code)));
    }
    socket.say_binary(vec![0; 10]).await;
    assert_eq!(socket.frame().await["type"], "ERROR");
    socket.say(json!({ "type": "ENTITY_UPDATED", "entityType": "SUITE", "data": {} })).await;
    assert!(socket.is_silent().await);
}

#[tokio::test]
async fn a_frame_that_is_too_large_closes_with_1009() {
    let house = House::demo();
    let ana = house.sign_in("ana").await;
    for bytes in [300_000, 1_200_000] {
        let mut socket = house.phone(&ana.access).await;
        socket.until("CONNECTED").await;
        socket.say_text("x".repeat(bytes)).await;
        let (code, reason) = socket.closed().await;
        assert!(code == 1009 || (bytes > 1_000_000 && code == 1006), "{bytes}: {code} {reason}");
    }
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_cut_and_holds_nobody_up() {
    let house = House::demo();
    let (maria, ana) = (house.sign_in("maria").await, house.sign_in("ana").await);
    let mut stuck = house.seed(&ana.access).await;
    let mut live = house.seed(&maria.access).await;
    live.until("CONNECTED").await;
    let long = "Bring towels. ".repeat(1_400);
    for number in 0..400 {
        let note = json!({ "title": format!("Note {number}"), "content": long });
        assert_eq!(house.call("POST", "/v1/notes", Some(&maria.access), Some(note)).await.status, 201);
        live.until("ENTITY_CREATED").await;
    }
    let (code, reason) = stuck.closed().await;
    assert!(code == 4001 || code == 1006, "{code} {reason}");
}

#[tokio::test]
async fn a_plain_request_to_the_socket_is_told_to_upgrade() {
    let house = House::demo();
    let answer = house.call("GET", "/v1/ws", None, None).await;
    assert_eq!((answer.status, answer.body["code"].as_str()), (426, Some("UPGRADE_REQUIRED")));
}

#[tokio::test]
async fn an_event_arrives_in_no_time() {
    let house = House::demo();
    let (maria, ana) = (house.sign_in("maria").await, house.sign_in("ana").await);
    let mut socket = house.seed(&ana.access).await;
    socket.until("CONNECTED").await;
    let began = Instant::now();
    let emergency = json!({ "title": "Water", "description": "Pipe burst in 104", "type": "EMERGENCY" });
    assert_eq!(house.call("POST", "/v1/tasks", Some(&maria.access), Some(emergency)).await.status, 201);
    socket.until("EMERGENCY_ALERT").await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}
