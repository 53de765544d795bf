//! Sockets and HTTP against a server that plays well, and badly.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::{ANA, PASSWORD, Peer, SUITE_101, TASK_TOWELS, TOKEN, mark, reaches, snapshot, soon, until};
use innsync_client::{ClientEvent, Command, ConnectionState, Error, Options, PendingWork, sign_in};
use serde_json::json;

#[tokio::test]
async fn signing_in_tells_what_to_do_when_it_fails() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    for (status, body, error) in [
        (401, "{}", Error::SignInRequired),
        (404, "{}", Error::SignInRequired),
        (426, "{}", Error::UpdateRequired),
        (503, "{}", Error::Offline),
        (302, "", Error::Offline),
        (200, "<html>Welcome to the motel's Wi-Fi</html>", Error::Offline),
    ] {
        peer.answer("POST /v1/sessions", status, body);
        let refused = sign_in(peer.options(phone.path()), PASSWORD).await;
        assert_eq!(refused.unwrap_err(), error, "{status}");
    }
    let nobody = Options::new("http://127.0.0.1:1", "seaside", "ana", phone.path());
    assert_eq!(sign_in(nobody.clone(), PASSWORD).await.unwrap_err(), Error::Offline);
    assert_eq!(innsync_client::open(nobody).unwrap_err(), Error::SignInRequired, "she never signed in");
}

#[tokio::test]
async fn the_token_goes_in_a_header_and_the_subprotocol_is_offered() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, mut link) = peer.ana_at_work(phone.path()).await;
    assert_eq!(link.asked.line, "GET /v1/ws HTTP/1.1");
    assert_eq!(link.asked.headers["authorization"], format!("Bearer {TOKEN}"));
    assert_eq!(link.asked.headers["sec-websocket-protocol"], "innsync.v1");
    let resume = link.hear("RESUME").await;
    assert_eq!(resume["device"], "handset-3");
    assert_eq!(ana.account().employee, ANA);
}

#[tokio::test]
async fn a_snapshot_comes_line_by_line_and_one_that_was_cut_is_fetched_again() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let mut cut = snapshot();
    cut.truncate(3);
    peer.snapshot(&cut);
    let ana = peer.sign_in(phone.path()).await;
    ana.connect();
    let _link = peer.welcome().await;
    peer.is_asked("POST /v1/snapshot").await;
    assert!(!ana.status().has_data);
    peer.snapshot(&snapshot());
    until(&ana.watch_status(), |status| status.has_data).await;
    let cards = ana.my_tasks().await.unwrap().tasks;
    assert_eq!(cards.len(), 1);
    assert_eq!(cards[0].task.id, TASK_TOWELS);
    assert_eq!(cards[0].suite_number.as_deref(), Some("101"));
    assert_eq!(cards[0].assignee.as_deref(), Some("Ana"));
}

#[tokio::test]
async fn a_socket_that_the_server_closes_is_opened_again() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, link) = peer.ana_at_work(phone.path()).await;
    let states = ana.watch_connection();
    reaches(&states, ConnectionState::Connected).await;
    link.close(1001, "restart").await;
    reaches(&states, ConnectionState::Reconnecting).await;
    let _again = peer.welcome().await;
    reaches(&states, ConnectionState::Connected).await;
}

#[tokio::test]
async fn disconnecting_says_goodbye_and_stays_so() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, mut link) = peer.ana_at_work(phone.path()).await;
    ana.disconnect();
    assert_eq!(link.closed().await, Some((1000, "Client disconnect".to_owned())));
    reaches(&ana.watch_connection(), ConnectionState::Disconnected).await;
    let again = tokio::time::timeout(Duration::from_millis(1_500), peer.socket()).await;
    assert!(again.is_err(), "it stays disconnected");
}

#[tokio::test]
async fn a_frame_that_cannot_be_read_does_not_end_the_connection() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, mut link) = peer.ana_at_work(phone.path()).await;
    let events = ana.events();
    for text in ["{", "null", "\"DELTA\"", r#"{"type":"DELTA"}"#, r#"{"type":7}"#] {
        link.send_text(text).await;
    }
    link.send(&json!({"type":"MINIBAR_RESTOCKED","data":{"suite":"101"}})).await;
    let unknown = until(&events, |event| event.name() == "MINIBAR_RESTOCKED").await;
    assert!(matches!(unknown, ClientEvent::Other { text, .. } if text.contains("101")));
    assert_eq!(ana.connection_state(), ConnectionState::Connected);
}

#[tokio::test]
async fn a_frame_that_is_too_big_is_refused_with_1009() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, mut link) = peer.ana_at_work(phone.path()).await;
    let states = ana.watch_connection();
    link.send(&json!({"type":"NOISE","data":"x".repeat(300 * 1024)})).await;
    assert_eq!(link.closed().await.map(|(code, _)| code), Some(1009));
    reaches(&states, ConnectionState::Reconnecting).await;
    let _again = peer.welcome().await;
    reaches(&states, ConnectionState::Connected).await;
}

#[tokio::test]
async fn what_the_server_changes_is_seen_and_told() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, mut link) = peer.ana_at_work(phone.path()).await;
    link.hear("RESUME").await;
    let (heard, hears) = std::sync::mpsc::channel();
    let _subscription = ana.on("ENTITY_UPDATED", move |event| heard.send(event.clone()).unwrap());
    let board = ana.watch::<innsync_client::SuiteBoard>();
    let suite = json!({
        "id": SUITE_101, "suiteNumber": "101", "floor": 1, "status": "CLEANING", "version": 2,
        "updatedAt": "2026-11-22T09:00:00.000Z", "updatedBy": common::MARIA,
    });
    let change = json!({
        "op": "UPSERT", "entityType": "SUITE", "entity": suite, "before": {"status": "VACANT_DIRTY"}, "created": false,
    });
    let commit =
        json!({"seq": 2, "at": "2026-11-22T09:00:00.000Z", "by": common::MARIA, "changes": [change]});
    link.send(&json!({"type":"DELTA","epoch":1,"from":1,"to":2,"mark":mark(2),"commits":[commit]})).await;
    until(&board, |board| board.floors[0].suites[0].suite.version == 2).await;
    let event = hears.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!(event.name(), "ENTITY_UPDATED");
}

#[tokio::test]
async fn executing_never_waits_for_the_network() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, _link) = peer.ana_at_work(phone.path()).await;
    // The server takes requests and never answers: there is no script for POST /v1/ops.
    let begun = Instant::now();
    let receipt = ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_eq!(receipt.command, "START_TASK");
    assert!(ana.my_tasks().await.unwrap().tasks[0].unsent);
    assert_eq!(ana.outbox().await.unwrap().len(), 1);
    let waited = ana.settled(receipt.id, Duration::from_millis(200)).await;
    assert_eq!(waited.unwrap_err(), Error::Timeout);
    peer.is_asked("POST /v1/ops").await;
    assert_eq!(
        ana.sign_out(PendingWork::Send(Duration::from_millis(200))).await.unwrap_err(),
        Error::Timeout
    );
}

#[tokio::test]
async fn five_failures_are_told_once_and_attempts_go_on() {
    let phone = tempfile::tempdir().unwrap();
    let ana = {
        let peer = Peer::start().await;
        peer.sign_in(phone.path()).await
    };
    let (events, statuses) = (ana.events(), ana.watch_status());
    ana.connect();
    for attempts in 1..10 {
        until(&statuses, |status| status.reconnect_attempts >= attempts).await;
        // "There is a network": the next attempt is made at once.
        ana.network_changed(true);
    }
    let mut failed = 0;
    ana.close().await;
    while let Some(event) = events.next().await {
        failed += u32::from(event == ClientEvent::ReconnectFailed);
    }
    assert_eq!(failed, 1);
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_broken_off() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, mut link) = peer.ana_at_work(phone.path()).await;
    link.hear("RESUME").await;
    // Nobody answers a push, a pull, a snapshot; then the phone moves to another network, and asks anew over that.
    soon(ana.up_to_date(Duration::from_secs(10))).await.unwrap();
    peer.silence("GET /v1/sync");
    ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await.unwrap();
    peer.is_asked("POST /v1/ops").await;
    let pulls = peer.asked("GET /v1/sync").len();
    let (told, ()) = tokio::join!(ana.up_to_date(Duration::from_millis(200)), async {
        peer.is_asked_more_than("GET /v1/sync", pulls).await;
    });
    assert_eq!(told, Err(Error::Timeout));
    ana.network_changed(true);
    peer.is_given_up("POST /v1/ops").await;
    peer.is_given_up("GET /v1/sync").await;

    peer.silence("POST /v1/snapshot");
    let snapshots = peer.asked("POST /v1/snapshot").len();
    ana.refresh().await.unwrap();
    peer.is_asked_more_than("POST /v1/snapshot", snapshots).await;
    ana.network_changed(true);
    peer.is_given_up("POST /v1/snapshot").await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let portal = vec![("location", "/portal".to_owned())];
    peer.answer_with("POST /v1/sessions", (307, portal, Vec::new()));
    assert_eq!(sign_in(peer.options(phone.path()), PASSWORD).await.unwrap_err(), Error::Offline);
    assert!(peer.asked("POST /portal").is_empty() && peer.asked("GET /portal").is_empty());
}

#[tokio::test]
async fn the_barrier_waits_for_what_the_server_has_and_for_what_was_queued() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, mut link) = peer.ana_at_work(phone.path()).await;
    link.hear("RESUME").await;
    soon(ana.up_to_date(Duration::from_secs(10))).await.unwrap();

    // The server is at 2, which the phone has not heard of, and hears when it asks.
    let head = json!({"type":"DELTA","epoch":1,"from":1,"to":2,"mark":mark(2)});
    peer.answer("GET /v1/sync", 200, &head.to_string());
    soon(ana.up_to_date(Duration::from_secs(10))).await.unwrap();

    // Nobody answers the push: an earlier operation is unresolved.
    ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await.unwrap();
    assert_eq!(ana.up_to_date(Duration::from_millis(300)).await, Err(Error::Timeout));
}
