//! Phones on bad links: they get everything, and hold nobody up.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::house::{House, Session};

/// Asks for the snapshot, reads the first line of the answer, and nothing more.
async fn ask_and_stop_reading(house: &House, who: &Session) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(house.address.parse().unwrap()).await.unwrap();
    let request = format!(
        "GET /v1/snapshot HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\r\n",
        house.address, who.access
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 15];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    stream
}

#[tokio::test]
async fn phones_that_do_not_read_their_snapshot_keep_nobody_from_theirs() {
    let house = House::demo();
    let (maria, ana) = (house.sign_in("maria").await, house.sign_in("ana").await);
    house.fill_with_notes(&maria, 1_200, 15_000).await;
    let mut stuck = Vec::new();
    for _ in 0..8 {
        let other = house.sign_in("ana").await;
        stuck.push(ask_and_stop_reading(&house, &other).await);
    }
    let snapshot = house.call("GET", "/v1/snapshot", Some(&ana.access), None);
    let snapshot = tokio::time::timeout(std::time::Duration::from_secs(20), snapshot).await.unwrap();
    let lines = snapshot.body.as_str().unwrap();
    assert!(lines.lines().last().unwrap().contains("\"END\""));
    assert!(lines.lines().filter(|line| line.contains("\"NOTE\"")).count() >= 1_200);

    // Whoever was slow gets everything as well, once they read.
    let mut rest = Vec::new();
    let mut slow = stuck.remove(0);
    while !rest.ends_with(b"\r\n0\r\n\r\n") {
        assert!(slow.read_buf(&mut rest).await.unwrap() > 0, "the snapshot was cut");
    }
}

#[tokio::test]
async fn a_session_that_asks_for_another_snapshot_gives_up_the_one_before() {
    let house = House::demo();
    let (maria, ana) = (house.sign_in("maria").await, house.sign_in("ana").await);
    house.fill_with_notes(&maria, 1_200, 15_000).await;
    let mut older = ask_and_stop_reading(&house, &ana).await;
    house.snapshot_start(&ana.access).await;
    let mut rest = Vec::new();
    let _ = older.read_to_end(&mut rest).await;
    assert!(!rest.ends_with(b"\r\n0\r\n\r\n"), "it is cut");
    assert!(rest.len() < 9_000_000, "and what waited for it is thrown away");
}

#[tokio::test]
async fn a_phone_that_missed_thousands_of_changes_is_never_cut_and_ends_with_everything() {
    let house = House::demo();
    let (maria, ana) = (house.sign_in("maria").await, house.sign_in("ana").await);
    let mut phone = house.phone(&ana.access).await;
    phone.until("CONNECTED").await;
    let start = house.snapshot_start(&ana.access).await;
    house.fill_with_notes(&maria, 4_000, 5_000).await;
    phone.say(resume(&start)).await;

    // Its link is slow: not before it has pulled as much as it missed does it look at what came.
    let (mut at, mut notes) = (start.clone(), 0);
    pull(&house, &ana, &mut at, &mut notes).await;
    assert_eq!(notes, 4_000);

    // It starts over, with what its socket has for it, and pulls where the protocol says so.
    let (mut at, mut notes) = (start, 0);
    let last = json!({ "title": "The last", "content": "Good night" });
    assert_eq!(house.call("POST", "/v1/notes", Some(&maria.access), Some(last)).await.status, 201);
    while notes < 4_001 {
        let frame = phone.frame().await;
        assert_eq!(frame["type"], "DELTA", "{frame}");
        if frame["from"].as_u64() > at["seq"].as_u64() {
            pull(&house, &ana, &mut at, &mut notes).await;
        } else {
            take(&frame, &mut at, &mut notes);
        }
    }
}

fn resume(at: &Value) -> Value {
    let (epoch, seq, mark) = (&at["epoch"], &at["seq"], &at["mark"]);
    json!({ "type": "RESUME", "epoch": epoch, "seq": seq, "mark": mark, "device": "handset-1" })
}

/// Pulls until there is no more.
async fn pull(house: &House, who: &Session, at: &mut Value, notes: &mut usize) {
    loop {
        let mark = at["mark"].as_str().unwrap();
        let path = format!("/v1/sync?epoch={}&seq={}&mark={mark}", at["epoch"], at["seq"]);
        let page = house.call("GET", &path, Some(&who.access), None).await;
        assert_eq!((page.status, page.body["type"].as_str()), (200, Some("DELTA")), "{}", page.body);
        take(&page.body, at, notes);
        if page.body["more"] != true {
            return;
        }
    }
}

/// Takes over the commits after the cursor, and counts the new notes.
fn take(delta: &Value, at: &mut Value, notes: &mut usize) {
    let mine = at["seq"].as_u64().unwrap();
    if delta["to"].as_u64().unwrap() <= mine {
        return;
    }
    for commit in delta["commits"].as_array().into_iter().flatten() {
        let changes = commit["changes"].as_array().unwrap();
        if commit["seq"].as_u64().unwrap() > mine {
            *notes += changes.iter().filter(|it| it["entityType"] == "NOTE" && it["created"] == true).count();
        }
    }
    *at = json!({ "epoch": delta["epoch"], "seq": delta["to"], "mark": delta["mark"] });
}

/// What the server answers to somebody who has got so many lines of the snapshot of that name.
async fn goes_on(house: &House, who: &Session, id: &Value, lines: usize) -> Vec<String> {
    let body = json!({ "pending": [], "resume": { "id": id, "lines": lines } });
    let answer = house.call("POST", "/v1/snapshot", Some(&who.access), Some(body)).await;
    assert_eq!(answer.status, 200);
    answer.body.as_str().unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_snapshot_that_was_cut_goes_on_for_whom_it_was_made_and_nobody_else() {
    // G16, G25
    let house = House::demo();
    let (maria, ana) = (house.sign_in("maria").await, house.sign_in("ana").await);
    let whole = house.call("POST", "/v1/snapshot", Some(&ana.access), Some(json!({}))).await;
    let whole: Vec<&str> = whole.body.as_str().unwrap().lines().collect();
    let start: Value = serde_json::from_str(whole[0]).unwrap();
    let id = &start["id"];
    let first = |lines: &[String]| -> Value { serde_json::from_str(&lines[0]).unwrap() };
    for had in [0, 7, whole.len() - 2, 12] {
        let rest = goes_on(&house, &ana, id, had).await;
        let expected = if had == 0 { Value::Null } else { json!(had) };
        assert_eq!((&first(&rest)["id"], &first(&rest)["from"]), (id, &expected));
        assert_eq!(rest[1..], whole[1 + had..]);
    }

    // Somebody else's, one that there is not, and more lines than there are: a new one, whole.
    for (who, id, lines) in
        [(&maria, id, 7), (&ana, &json!("1f0c5b5e-0000-4000-8000-0000000000aa"), 7), (&ana, id, 100_000)]
    {
        let other = goes_on(&house, who, id, lines).await;
        assert_ne!(&first(&other)["id"], id);
        assert_eq!(first(&other)["from"], Value::Null);
        assert!(other.last().unwrap().contains("\"END\""));
    }

    // Who has become somebody else does not get what they were to see before.
    let before =
        goes_on(&house, &ana, &Value::String("00000000-0000-0000-0000-000000000000".to_owned()), 0).await;
    let promoted = json!({ "role": "MAINTENANCE", "department": "MAINTENANCE" });
    let path = format!("/v1/employees/{}", innsync_server::demo::person_id("ana"));
    assert_eq!(house.call("PATCH", &path, Some(&maria.access), Some(promoted)).await.status, 200);
    let after = goes_on(&house, &ana, &first(&before)["id"], 3).await;
    assert_ne!(first(&after)["id"], first(&before)["id"]);
}
