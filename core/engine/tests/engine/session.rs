//! Tokens come and go; nothing is lost by it (G12).

use innsync_domain::{Entity, SuiteStatus, Timestamp};
use innsync_engine::{HttpRequest, Input, OpState, Output, SignInReason};
use innsync_protocol::{ClientFrame, SessionAnswer};

use crate::support::phone::session;
use crate::support::*;

pub fn answer_refresh(phone: &mut Phone, request: &HttpRequest, token: &str) {
    let employee = staff().into_iter().find_map(|it| match it {
        Entity::Employee(it) if it.id == phone.employee => Some(it),
        _ => None,
    });
    let answer = SessionAnswer {
        access_token: token.into(),
        refresh_token: format!("refresh-{token}"),
        expires_at: Timestamp::from_millis(phone.now.wall.as_millis() + 3_600_000),
        employee: employee.unwrap(),
        property: Motel::new([]).property(),
    };
    let body = serde_json::to_string(&answer).unwrap();
    phone.answer(request, 200, body);
}

#[test]
fn a_token_is_refreshed_before_it_expires_on_the_same_socket() {
    let mut motel = Motel::new([]);
    let mut phone = Phone::online(ana(), &mut motel);
    let socket = phone.socket;
    for _ in 0..118 {
        phone.pass(30_000);
        phone.ack(&motel);
    }
    let refresh = phone.next_request("/v1/sessions/refresh");
    assert!(refresh.body.as_ref().unwrap().0.contains("refresh-token-1"));
    answer_refresh(&mut phone, &refresh, "token-2");
    assert_eq!(phone.socket, socket);
    assert!(phone.frames.contains(&ClientFrame::Auth { token: "token-2".into() }));
    assert!(
        phone.said.iter().any(|it| matches!(it, Output::SaveSession(it) if it.access_token == "token-2"))
    );
}

#[test]
fn a_refused_push_costs_no_attempt_and_goes_on_with_the_fresh_token() {
    let mut motel = Motel::new([]);
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(report(id(70), "Lamp"));
    let push = phone.next_request("/v1/ops");
    assert_eq!(push.token.as_ref().unwrap().0, "token-1");
    phone.answer(&push, 401, "{}");
    assert_eq!(phone.state_of(op), Some(OpState::Queued));
    assert_eq!(phone.store.op(op).unwrap().attempts, 0);
    assert!(phone.why(op).contains("renewed"), "{}", phone.why(op));
    assert!(!phone.has_request("/v1/ops"), "paused");
    let refresh = phone.next_request("/v1/sessions/refresh");
    assert!(!phone.has_request("/v1/sessions/refresh"), "one refresh at a time");
    answer_refresh(&mut phone, &refresh, "token-2");
    let push = phone.next_request("/v1/ops");
    assert_eq!(push.token.as_ref().unwrap().0, "token-2");
    phone.serve_one(&push, &mut motel);
    phone.catch_up(&mut motel);
    assert_eq!(phone.state_of(op), None);
}

#[test]
fn a_refresh_that_a_sign_in_overtook_is_not_heard() {
    for refused in [false, true] {
        let mut motel = Motel::new([]);
        let mut phone = Phone::online(ana(), &mut motel);
        phone.tap(report(id(70), "Lamp"));
        let push = phone.next_request("/v1/ops");
        phone.answer(&push, 401, "{}");
        let refresh = phone.next_request("/v1/sessions/refresh");
        phone.feed(Input::SignedIn(session("token-2", 3_600_000)));
        assert!(!phone.engine.waits_for(refresh.id));
        match refused {
            false => answer_refresh(&mut phone, &refresh, "token-3"),
            true => drop(phone.answer(&refresh, 401, "{}")),
        }
        let told = |it: &Output| matches!(it, Output::SaveSession(_) | Output::SignInRequired(_));
        assert!(!phone.said.iter().any(told), "refused: {refused}");
        assert_eq!(phone.next_request("/v1/ops").token.unwrap().0, "token-2");
    }
}

#[test]
fn a_socket_that_went_with_an_older_token_does_not_end_the_session() {
    let mut motel = Motel::new([]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.offline();
    phone.tap(report(id(70), "Lamp"));
    phone.feed(Input::Foreground);
    phone.settle();
    let old_socket = phone.socket.unwrap();
    let push = phone.next_request("/v1/ops");
    phone.answer(&push, 401, "{}");
    let refresh = phone.next_request("/v1/sessions/refresh");
    answer_refresh(&mut phone, &refresh, "token-2");
    // Only now does the server say of the socket what it said of the push.
    phone.close(1008);
    assert!(!phone.engine.status().needs_sign_in);
    assert!(phone.socket.unwrap() > old_socket, "tried again at once, with the new token");
    phone.greet(&motel);
    assert!(!phone.has_request("/v1/sessions/refresh"));
}

#[test]
fn when_the_session_is_over_work_goes_on_and_waits() {
    let mut motel = Motel::new([suite(101, SuiteStatus::VacantDirty)]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.tap(report(id(70), "Lamp"));
    let push = phone.next_request("/v1/ops");
    phone.answer(&push, 401, "{}");
    let refresh = phone.next_request("/v1/sessions/refresh");
    phone.answer(&refresh, 401, "{}");
    assert!(phone.said.contains(&Output::SignInRequired(SignInReason::Expired)));
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    assert_eq!(phone.sees(&suite_ref(101), "status"), "CLEANING");
    phone.pass(86_400_000);
    assert!(phone.requests.is_empty());
    assert_eq!(phone.store.op(op).unwrap().attempts, 0);
    assert!(phone.why(op).contains("sign in"), "{}", phone.why(op));

    phone.feed(Input::SignedIn(session("token-9", 90_000_000)));
    phone.pass(2_000); // G12
    assert_eq!(phone.next_request("/v1/ops").token.unwrap().0, "token-9");
}

#[test]
fn a_refresh_that_cannot_reach_the_server_is_tried_again_with_backoff() {
    let mut phone = Phone::over(ana(), TestStore::default(), Some(session("token-1", -5_000)), "boot-1");
    phone.feed(Input::Connect);
    for _ in 0..5 {
        while !phone.has_request("/v1/sessions/refresh") {
            phone.pass(1_000);
            phone.requests.retain(|it| it.path.contains("refresh"));
        }
        let refresh = phone.next_request("/v1/sessions/refresh");
        phone.answer(&refresh, 200, "<html>Welcome to our Wi-Fi</html>");
    }
    while !phone.has_request("/v1/sessions/refresh") {
        phone.pass(1_000);
    }
    let refresh = phone.next_request("/v1/sessions/refresh");
    answer_refresh(&mut phone, &refresh, "token-2");
    phone.pass(1_000);
    assert!(phone.socket.is_some());
}

#[test]
fn without_a_session_the_person_is_asked_once_and_everything_starts_with_the_sign_in() {
    let motel = Motel::new([]);
    let mut phone = Phone::over(ana(), TestStore::default(), None, "boot-1");
    phone.feed(Input::Connect);
    phone.feed(Input::Foreground);
    phone.pass(60_000);
    let asked = Output::SignInRequired(SignInReason::NoSession);
    assert_eq!(phone.said.iter().filter(|it| **it == asked).count(), 1);
    assert!(phone.requests.is_empty() && phone.socket.is_none());
    phone.feed(Input::SignedIn(session("token-1", 3_600_000)));
    phone.greet(&motel);
    assert!(phone.has_request("/v1/snapshot"));
}

#[test]
fn a_token_of_another_person_is_not_used() {
    // G13
    let motel = Motel::new([]);
    let mut phone = Phone::new(ana());
    phone.feed(Input::Connect);
    phone.employee = ben();
    phone.greet(&motel);
    assert!(phone.socket.is_none());
    assert!(phone.engine.status().needs_sign_in);
}
