//! Real processes that are killed: nothing is lost, nothing is done twice.

use std::time::Duration;

use innsync_client::{Command, ConnectionState, Outcome};
use innsync_domain::Audience;
use innsync_e2e::{PATIENCE, Phone, Server, becomes};

fn comment(phone: &Phone, note: innsync_client::Uuid, text: String) -> Command {
    Command::AddComment { note_id: note, comment_id: phone.innsync.new_id(), text }
}

/// ```text
/// ana     ──c──c──c──c──c──c──c──c──c──c──▶ one note, 40 comments
/// server  ──✘ ──── ✘ ──── ✘ ────
/// ```
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_three_times_has_every_comment_once() {
    // G1, G2, G17
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start(&home.path().join("ledger.sqlite")).unwrap();
    let ana = Phone::sign_in("ana", server.url(), home.path()).await.unwrap();
    ana.go_online().await.unwrap();
    let note_id = ana.innsync.new_id();
    let create = Command::CreateNote {
        note_id,
        title: "Night log".into(),
        content: String::new(),
        suite_id: None,
        task_id: None,
        audience: Audience::AllStaff,
    };
    ana.does(create).await.unwrap();
    let mut last = None;
    for round in 0..4 {
        for index in 0..10 {
            last = Some(ana.does(comment(&ana, note_id, format!("{round}-{index}"))).await.unwrap().id);
        }
        if round < 3 {
            server.kill();
            server.restart().unwrap();
        }
    }
    let settled = ana.innsync.settled(last.unwrap(), Duration::from_secs(60)).await;
    assert_eq!(settled, Ok(Outcome::Confirmed));
    let notes = server.http().unwrap().list("maria", "notes").await.unwrap();
    let note = notes.iter().find(|note| note["title"] == "Night log").unwrap();
    let texts: Vec<&str> = note["comments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|comment| comment["text"].as_str().unwrap())
        .collect();
    let meant: Vec<String> =
        (0..4).flat_map(|round| (0..10).map(move |index| format!("{round}-{index}"))).collect();
    assert_eq!(texts, meant, "every comment once, in the order that ana meant them");
    ana.innsync.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_is_opened_again_without_a_network_shows_its_day_and_sends_it_later() {
    // G1
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start(&home.path().join("ledger.sqlite")).unwrap();
    let mut ben = Phone::sign_in("ben", server.url(), home.path()).await.unwrap();
    ben.go_online().await.unwrap();
    server.kill();
    let lost = becomes(|| async { ben.innsync.connection_state() == ConnectionState::Reconnecting }).await;
    assert!(lost, "the link is down");
    let card = ben.innsync.unassigned().await.unwrap().tasks.into_iter().next().unwrap();
    ben.does(Command::TakeTask { task_id: card.task.id }).await.unwrap();
    ben.innsync.close().await;

    ben.open_again(server.url()).unwrap();
    let mine = ben.innsync.my_tasks().await.unwrap();
    assert!(
        mine.tasks.iter().any(|it| it.task.id == card.task.id && it.unsent),
        "taken, and marked as not yet sent"
    );
    server.restart().unwrap();
    ben.go_online().await.unwrap();
    let tasks = server.http().unwrap().list("ben", "tasks").await.unwrap();
    let task = tasks.iter().find(|task| task["id"] == card.task.id.to_string()).unwrap();
    assert_eq!(task["assignedTo"], ben.employee.to_string());
    ben.innsync.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_curl_changes_shows_on_phones_and_what_a_phone_changes_shows_to_curl() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("ledger.sqlite")).unwrap();
    let ana = Phone::sign_in("ana", server.url(), home.path()).await.unwrap();
    let ben = Phone::sign_in("ben", server.url(), home.path()).await.unwrap();
    for phone in [&ana, &ben] {
        phone.go_online().await.unwrap();
    }
    let http = server.http().unwrap();
    let maria = http.token("maria").await.unwrap();
    let body = serde_json::json!({ "title": "Clean Suite 101", "assignedTo": ana.employee }).to_string();
    let answer = http.send("POST", "/v1/tasks", Some(&maria), Some(body)).await.unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = answer.body["id"].as_str().unwrap().parse().unwrap();
    assert!(becomes(|| async { ana.task(id).await.is_some() && ana.unread().await > 0 }).await, "seed §7.2");

    let receipt = ana.does(Command::CompleteTask { task_id: id }).await.unwrap();
    assert_eq!(ana.innsync.settled(receipt.id, PATIENCE).await, Ok(Outcome::Confirmed));
    let path = format!("/v1/tasks/{id}");
    let seen = http.send("GET", &path, Some(&maria), None).await.unwrap();
    assert_eq!(seen.body["status"], "COMPLETED");
    let ben_token = http.token("ben").await.unwrap();
    let hidden = http.send("GET", &path, Some(&ben_token), None).await.unwrap();
    assert_eq!((hidden.status, hidden.body["code"].as_str()), (404, Some("NOT_FOUND")), "G25");
    assert!(ben.task(id).await.is_none(), "G25");

    let body = serde_json::json!({ "title": "Too late", "version": 1 }).to_string();
    let stale = http.send("PATCH", &path, Some(&maria), Some(body)).await.unwrap();
    assert_eq!((stale.status, stale.content_type.as_str()), (409, "application/problem+json"), "{stale:?}");
    assert_eq!(stale.body["current"]["entity"]["status"], "COMPLETED", "seed §5.1");
    for phone in [&ana, &ben] {
        phone.innsync.close().await;
    }
}
