//! Connecting, losing, coming back.

use innsync_domain::SuiteStatus;
use innsync_engine::{ClientEvent, ConnectionState, Input, Output, SignInReason, SocketEvent};
use innsync_protocol::{ClientFrame, CloseCode, ServerFrame};

use crate::support::*;

fn reconnect_delay(phone: &Phone) -> u64 {
    let (at, why) = phone.engine.next_deadline().unwrap();
    assert_eq!(why, "reconnect");
    at - phone.now.boot_ms
}

#[test]
fn connected_means_the_connected_frame_and_not_the_open_socket() {
    let motel = Motel::new([]);
    let mut phone = Phone::new(ana());
    assert_eq!(phone.state(), ConnectionState::Disconnected);
    phone.feed(Input::Connect);
    assert_eq!(phone.state(), ConnectionState::Connecting);
    phone.greet(&motel);
    assert_eq!(phone.state(), ConnectionState::Connected);
    assert!(phone.events().contains(&&ClientEvent::Connected));
    assert!(matches!(&phone.frames[0], ClientFrame::Resume(resume) if resume.device == "handset-3"));
    assert!(phone.engine.status().is_online);
}

#[test]
fn the_backoff_doubles_with_full_jitter_and_after_five_failures_a_person_is_told_once() {
    let mut phone = Phone::new(ana());
    phone.feed(Input::Connect);
    let mut told = 0;
    for bound in [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000] {
        phone.requests.clear();
        phone.break_link();
        told += phone.events().iter().filter(|it| ***it == ClientEvent::ReconnectFailed).count();
        let failing = phone.toasts().iter().filter(|key| *key == "connection.failing").count();
        assert_eq!(failing, usize::from(bound == 16_000));
        assert_eq!(phone.state(), ConnectionState::Reconnecting);
        while phone.socket.is_none() {
            let (at, _) = phone.engine.next_deadline().unwrap();
            assert!(at <= phone.now.boot_ms + bound, "{at} is beyond {bound}");
            phone.pass(at.saturating_sub(phone.now.boot_ms));
        }
    }
    assert_eq!(told, 1);
}

#[test]
fn the_backoff_starts_anew_after_thirty_seconds_connected() {
    let mut motel = Motel::new([]);
    let mut phone = Phone::online(ana(), &mut motel);
    for _ in 0..3 {
        phone.break_link();
        while phone.socket.is_none() {
            phone.pass(1_000);
        }
        phone.greet(&motel);
        phone.catch_up(&mut motel);
    }
    phone.pass(30_000);
    phone.ack(&motel);
    phone.break_link();
    assert!(reconnect_delay(&phone) <= 1_000);
}

#[test]
fn a_dead_link_is_found_within_thirty_five_seconds() {
    // G20
    let mut motel = Motel::new([]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.frames.clear();
    phone.pass(30_000);
    assert!(matches!(phone.frames.last(), Some(ClientFrame::Heartbeat { .. })));
    phone.pass(4_999);
    assert_eq!(phone.state(), ConnectionState::Connected);
    phone.pass(1);
    assert_eq!(phone.state(), ConnectionState::Reconnecting);
    assert_eq!(phone.closed_with, Some((4002, "No sign of life")));
    assert_eq!(phone.toasts(), ["connection.lost"]);
}

#[test]
fn any_frame_is_a_sign_of_life_and_heartbeats_go_on() {
    let mut motel = Motel::new([]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.frames.clear();
    for _ in 0..4 {
        phone.pass(30_000);
        phone.text(r#"{"type":"WEATHER","sky":"blue"}"#);
    }
    assert_eq!(phone.state(), ConnectionState::Connected);
    assert_eq!(phone.frames.iter().filter(|it| matches!(it, ClientFrame::Heartbeat { .. })).count(), 4);
    assert!(phone.events().iter().any(|it| it.name() == "WEATHER"));
}

#[test]
fn the_foreground_probes_a_link_and_finds_it_dead_in_five_seconds() {
    let mut motel = Motel::new([]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.pass(10_000);
    phone.feed(Input::Foreground);
    phone.pass(5_000);
    assert_eq!(phone.state(), ConnectionState::Reconnecting); // G20
}

#[test]
fn a_network_that_comes_back_is_tried_at_once() {
    let mut motel = Motel::new([]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.break_link();
    assert!(phone.socket.is_none());
    phone.feed(Input::NetworkChanged { available: true });
    assert!(phone.socket.is_some());
}

#[test]
fn what_is_being_opened_over_a_network_that_is_gone_is_opened_anew_over_the_next() {
    // G3, G20: else she waits 10 s for a socket that cannot come.
    let motel = Motel::new([]);
    let mut phone = Phone::new(ana());
    phone.feed(Input::Connect);
    let first = phone.socket.unwrap();
    phone.pass(1_000);
    phone.feed(Input::Foreground);
    assert_eq!(phone.socket, Some(first), "a mere look at the app changes nothing");
    phone.feed(Input::NetworkChanged { available: true });
    assert_ne!(phone.socket, Some(first));
    // What becomes of the first is of no interest.
    let event = SocketEvent::Failed("connection reset".into());
    phone.feed(Input::Socket { generation: first, event });
    phone.greet(&motel);
    assert_eq!(phone.state(), ConnectionState::Connected);
}

#[test]
fn the_apps_goodbye_is_final() {
    let mut motel = Motel::new([]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.feed(Input::Disconnect);
    assert_eq!(phone.closed_with, Some((1000, "Client disconnect")));
    assert_eq!(phone.state(), ConnectionState::Disconnected);
    phone.pass(600_000);
    phone.feed(Input::Foreground);
    phone.settle();
    assert!(phone.socket.is_none() && phone.requests.is_empty());
    assert!(phone.toasts().is_empty());
    // Also while it waits to reconnect.
    phone.feed(Input::Connect);
    phone.break_link();
    phone.feed(Input::Disconnect);
    phone.pass(60_000);
    assert!(phone.socket.is_none());
}

#[test]
fn clean_closes_come_back_and_refusals_do_not() {
    let mut motel = Motel::new([]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.close(1000);
    assert_eq!(phone.state(), ConnectionState::Reconnecting);
    phone.pass(2_000);
    phone.greet(&motel);
    phone.close(CloseCode::UNSUPPORTED.0);
    assert_eq!(phone.state(), ConnectionState::Disconnected);
    assert!(
        phone
            .events()
            .iter()
            .any(|it| matches!(it, ClientEvent::Error { detail } if detail.contains("4500")))
    );
    phone.pass(120_000);
    assert!(phone.socket.is_none());
}

#[test]
fn a_bad_token_is_refreshed_once_and_then_a_person_must_sign_in() {
    let mut phone = Phone::new(ana());
    phone.feed(Input::Connect);
    phone.close(1008);
    let refresh = phone.next_request("/v1/sessions/refresh");
    assert!(refresh.token.is_none());
    crate::session::answer_refresh(&mut phone, &refresh, "token-2");
    assert!(phone.socket.is_some());
    phone.close(1008);
    let asked = Output::SignInRequired(SignInReason::Expired);
    assert_eq!(phone.said.iter().filter(|it| **it == asked).count(), 1);
    assert_eq!(phone.state(), ConnectionState::Disconnected);
    assert!(phone.engine.status().needs_sign_in);
    phone.requests.clear();
    phone.pass(300_000);
    assert!(phone.socket.is_none() && phone.requests.is_empty());
}

#[test]
fn a_server_that_drains_is_left_and_met_again_when_it_says() {
    let mut motel = Motel::new([]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.frame(ServerFrame::Reconnect { after: 7_000 });
    assert_eq!(phone.closed_with, Some((1000, "Reconnecting as asked")));
    phone.pass(6_999);
    assert!(phone.socket.is_none());
    phone.pass(1);
    assert!(phone.socket.is_some());
    assert!(phone.toasts().is_empty(), "a planned pause is no loss");
}

#[test]
fn an_attempt_without_connected_times_out() {
    let mut phone = Phone::new(ana());
    phone.feed(Input::Connect);
    let first = phone.socket.unwrap();
    phone.pass(10_000);
    assert_eq!(phone.state(), ConnectionState::Reconnecting);
    phone.pass(1_000);
    assert!(phone.socket.unwrap() > first);
    // The old socket's voice is not heard.
    let late = SocketEvent::Closed { code: 1008, reason: String::new() };
    phone.said.clear();
    phone.feed(Input::Socket { generation: first, event: late });
    assert!(phone.events().is_empty());
}

#[test]
fn loss_and_return_are_told_once_each() {
    let mut motel = Motel::new([]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.break_link();
    assert_eq!(phone.toasts(), ["connection.lost"]);
    for _ in 0..2 {
        phone.requests.clear();
        phone.pass(3_000);
        phone.break_link();
    }
    assert!(phone.toasts().is_empty());
    phone.requests.clear();
    phone.pass(8_000);
    phone.greet(&motel);
    assert_eq!(phone.toasts(), ["connection.restored"]);
}

#[test]
fn where_no_websocket_can_be_had_the_phone_polls() {
    let mut motel = Motel::new([suite(101, SuiteStatus::VacantDirty)]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.break_link();
    for _ in 0..6 {
        while phone.socket.is_none() {
            phone.pass(1_000);
        }
        phone.break_link();
        phone.serve(&mut motel);
    }
    motel.act(maria(), set_status(101, SuiteStatus::OutOfService));
    // The socket opens and opens and never says CONNECTED; HTTP answers.
    for _ in 0..16 {
        phone.pass(1_000);
        phone.serve(&mut motel);
    }
    assert_eq!(phone.sees(&suite_ref(101), "status"), "OUT_OF_SERVICE");
    assert!(phone.engine.status().is_online);
    let op = phone.tap(report(id(70), "Lamp"));
    phone.pass(5_000); // G3
    phone.serve(&mut motel);
    assert_eq!(phone.state_of(op), None, "{}", phone.why(op));
}
