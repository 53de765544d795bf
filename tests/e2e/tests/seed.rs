//! The seed's §7 against a real server process.

use innsync_client::{Command, ConnectionState, Outcome};
use innsync_e2e::{PATIENCE, Phone, Server, becomes};

async fn is(phone: &Phone, state: ConnectionState) -> bool {
    becomes(|| async { phone.innsync.connection_state() == state }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn should_connect_to_web_socket_server() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("ledger.sqlite")).unwrap();
    let ana = Phone::sign_in("ana", server.url(), home.path()).await.unwrap();
    assert_eq!(ana.innsync.connection_state(), ConnectionState::Disconnected);
    ana.innsync.connect();
    assert!(is(&ana, ConnectionState::Connected).await);
    assert!(becomes(|| async { ana.heard("connected") }).await);
    ana.innsync.disconnect();
    assert!(is(&ana, ConnectionState::Disconnected).await);
    assert!(becomes(|| async { ana.heard("disconnected") }).await);
    ana.innsync.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn should_reconnect_after_disconnection() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start(&home.path().join("ledger.sqlite")).unwrap();
    let ana = Phone::sign_in("ana", server.url(), home.path()).await.unwrap();
    ana.go_online().await.unwrap();
    server.kill();
    assert!(is(&ana, ConnectionState::Reconnecting).await);
    assert!(becomes(|| async { ana.innsync.status().reconnect_attempts > 0 }).await);
    server.restart().unwrap();
    assert!(is(&ana, ConnectionState::Connected).await);
    assert!(becomes(|| async { ana.innsync.status().reconnect_attempts == 0 }).await);
    ana.innsync.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn should_queue_messages_when_offline() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("ledger.sqlite")).unwrap();
    let ana = Phone::sign_in("ana", server.url(), home.path()).await.unwrap();
    ana.innsync.send(r#"{"type":"TEST","data":"test"}"#).unwrap();
    assert!(becomes(|| async { ana.innsync.status().queued_messages == 1 }).await);
    assert!(!ana.heard("error"), "nothing has left the phone");
    ana.innsync.connect();
    // The server does not know the type, and says so: it came through.
    assert!(becomes(|| async { ana.heard("error") }).await);
    assert_eq!(ana.innsync.status().queued_messages, 0);
    ana.innsync.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn employee_receives_task_assignment_in_real_time() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("ledger.sqlite")).unwrap();
    let maria = Phone::sign_in("maria", server.url(), home.path()).await.unwrap();
    let ana = Phone::sign_in("ana", server.url(), home.path()).await.unwrap();
    for phone in [&maria, &ana] {
        phone.go_online().await.unwrap();
    }
    let unread = ana.unread().await;
    let task_id = maria.innsync.new_id();
    let create = serde_json::json!({
        "type": "CREATE_TASK", "taskId": task_id, "title": "Clean Suite 101", "assignedTo": ana.employee,
    });
    let receipt = maria.does(serde_json::from_value::<Command>(create).unwrap()).await.unwrap();
    assert_eq!(maria.innsync.settled(receipt.id, PATIENCE).await, Ok(Outcome::Confirmed));
    assert!(
        becomes(|| async { ana.task(task_id).await.is_some_and(|task| task.title == "Clean Suite 101") })
            .await
    );
    assert!(becomes(|| async { ana.unread().await > unread }).await);
    assert!(becomes(|| async { ana.heard("TASK_ASSIGNED") && ana.heard("notification") }).await);
    for phone in [&maria, &ana] {
        phone.innsync.close().await;
    }
}
