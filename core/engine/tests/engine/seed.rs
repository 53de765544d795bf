//! The seed's own tests (§7.1), and its §4.1.

use innsync_engine::{ConnectionState, Input};

use crate::support::*;

#[test]
fn should_connect_to_websocket_server() {
    let motel = Motel::new([]);
    let mut phone = Phone::new(ana());
    phone.feed(Input::Connect);
    phone.greet(&motel);
    assert_eq!(phone.state(), ConnectionState::Connected);
    assert!(phone.socket.is_some());
}

#[test]
fn should_reconnect_after_disconnection() {
    let mut motel = Motel::new([]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.close(1006);
    assert_eq!(phone.state(), ConnectionState::Reconnecting);
    assert_eq!(phone.engine.status().reconnect_attempts, 1);
    phone.pass(1_000);
    phone.greet(&motel);
    assert_eq!(phone.state(), ConnectionState::Connected);
    assert_eq!(phone.engine.status().reconnect_attempts, 0);
}

#[test]
fn should_queue_messages_when_offline() {
    let motel = Motel::new([]);
    let mut phone = Phone::new(ana());
    for number in 0..105 {
        phone.feed(Input::Send { text: format!(r#"{{"type":"TEST","data":{number}}}"#) });
    }
    assert!(phone.texts.is_empty());
    assert_eq!(phone.engine.status().queued_messages, 100);
    phone.feed(Input::Connect);
    phone.greet(&motel);
    assert_eq!(phone.engine.status().queued_messages, 0);
    let tests: Vec<&String> = phone.texts.iter().filter(|it| it.contains("TEST")).collect();
    assert_eq!(tests.len(), 100, "bounded; the oldest are dropped");
    assert!(tests[0].contains(":5}") && tests[99].contains(":104}"), "in order");
    // Connected, they go at once.
    phone.feed(Input::Send { text: r#"{"type":"TEST","data":"now"}"#.into() });
    assert!(phone.texts.last().unwrap().contains("now"));
}

#[test]
fn the_offline_manager_counts_what_waits_and_says_when_it_is_done() {
    // §4.1
    let mut motel = Motel::new([]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.break_link();
    assert!(!phone.engine.status().is_online);
    assert_eq!(phone.toasts(), ["connection.lost"]);
    phone.feed(Input::NetworkChanged { available: false });
    phone.tap(report(id(70), "Lamp"));
    phone.tap(report(id(71), "Tap drips"));
    assert_eq!(phone.engine.status().pending_changes, 2);
    phone.requests.clear();
    phone.feed(Input::NetworkChanged { available: true });
    phone.greet(&motel);
    assert!(phone.engine.status().is_online && phone.engine.status().sync_in_progress);
    phone.catch_up(&mut motel);
    assert_eq!(phone.toasts(), ["connection.restored", "sync.done"]);
    assert_eq!(phone.engine.status().pending_changes, 0);
    assert_eq!(phone.engine.status().last_sync_time, Some(phone.now.wall));
}
