//! The seed's §7.1, word for word as far as it is of one mind with its §1.1.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Peer, reaches, until};
use innsync_client::ConnectionState;

/// "should connect to WebSocket server"
#[tokio::test]
async fn should_connect_to_websocket_server() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = peer.sign_in(phone.path()).await;
    assert_eq!(ana.connection_state(), ConnectionState::Disconnected);
    let states = ana.watch_connection();
    ana.connect();
    reaches(&states, ConnectionState::Connecting).await;
    let _socket = peer.welcome().await;
    reaches(&states, ConnectionState::Connected).await;
}

/// "should reconnect after disconnection"
#[tokio::test]
async fn should_reconnect_after_disconnection() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, socket) = peer.ana_at_work(phone.path()).await;
    let states = ana.watch_connection();
    reaches(&states, ConnectionState::Connected).await;
    let statuses = ana.watch_status();
    drop(socket);
    reaches(&states, ConnectionState::Reconnecting).await;
    until(&statuses, |status| status.reconnect_attempts > 0).await;
    let _second = peer.welcome().await;
    reaches(&states, ConnectionState::Connected).await;
    until(&statuses, |status| status.reconnect_attempts == 0).await;
}

/// "should queue messages when offline"
#[tokio::test]
async fn should_queue_messages_when_offline() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = peer.sign_in(phone.path()).await;
    assert_eq!(ana.connection_state(), ConnectionState::Disconnected);
    let statuses = ana.watch_status();
    ana.send(r#"{"type":"TEST","data":"test"}"#).unwrap();
    until(&statuses, |status| status.queued_messages == 1).await;
    ana.connect();
    let mut socket = peer.welcome().await;
    assert_eq!(socket.hear("TEST").await["data"], "test");
    until(&statuses, |status| status.queued_messages == 0).await;
}
