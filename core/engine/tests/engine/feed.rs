//! The feed's rules, to the letter.

use innsync_domain::SuiteStatus;
use innsync_engine::{ClientEvent, Input, Output, SocketEvent};
use innsync_protocol::{HeartbeatAck, ServerFrame};

use crate::support::*;

/// maria changes 101 three times: commits 1, 2, 3.
fn three_commits(motel: &mut Motel) {
    for status in [SuiteStatus::OutOfService, SuiteStatus::VacantDirty, SuiteStatus::Inspected] {
        motel.act(maria(), set_status(101, status));
    }
}

fn story() -> (Motel, Phone) {
    let mut motel = Motel::new([suite(101, SuiteStatus::VacantClean)]);
    let phone = Phone::online(ana(), &mut motel);
    three_commits(&mut motel);
    (motel, phone)
}

#[test]
fn the_next_delta_is_applied_and_an_old_one_ignored() {
    let (motel, mut phone) = story();
    phone.delta(motel.delta(ana(), 0, 2));
    assert_eq!(phone.sees(&suite_ref(101), "status"), "VACANT_DIRTY");
    phone.delta(motel.delta(ana(), 0, 1));
    assert_eq!(phone.sees(&suite_ref(101), "status"), "VACANT_DIRTY");
    assert_eq!(phone.cursor().seq, 2);
    assert!(phone.requests.is_empty());
}

#[test]
fn frames_that_waited_together_come_to_the_same_as_one_by_one() {
    // G6, G7
    let (mut motel, phone) = story();
    drop(phone);
    let mut one_by_one = Phone::online(ana(), &mut motel);
    let mut together = Phone::online(ana(), &mut motel);
    let begun = motel.seq();
    for phone in [&mut one_by_one, &mut together] {
        phone.tap(report(id(77), "Towels for 101"));
    }
    three_commits(&mut motel);
    let delta = |seq: u64| ServerFrame::Delta(motel.delta(ana(), seq, seq + 1)).to_json();
    let frames: Vec<String> = (begun..motel.seq()).map(delta).collect();
    for text in &frames {
        one_by_one.text(text);
    }
    let generation = together.socket.unwrap();
    let told = together.feed(Input::Socket { generation, event: SocketEvent::Frames(frames) });
    assert_eq!(together.store.rows(), one_by_one.store.rows());
    assert_eq!(together.cursor(), motel.cursor());
    let events = told.iter().filter(|output| matches!(output, Output::Event(_))).count();
    assert_eq!(events, 3, "each is told");
}

#[test]
fn what_comes_after_a_farewell_in_the_same_breath_is_not_heard() {
    let (mut motel, phone) = story();
    drop(phone);
    let mut ana = Phone::online(ana(), &mut motel);
    let before = ana.cursor();
    three_commits(&mut motel);
    let delta = ServerFrame::Delta(motel.delta(ana.employee, before.seq, motel.seq()));
    let frames = vec![ServerFrame::Reconnect { after: 10 }.to_json(), delta.to_json()];
    let generation = ana.socket.unwrap();
    ana.feed(Input::Socket { generation, event: SocketEvent::Frames(frames) });
    assert_eq!(ana.cursor(), before);
}

#[test]
fn of_an_overlapping_delta_the_commits_after_mine_are_applied() {
    let (motel, mut phone) = story();
    phone.delta(motel.delta(ana(), 0, 2));
    phone.delta(motel.delta(ana(), 1, 3));
    assert_eq!(phone.sees(&suite_ref(101), "status"), "INSPECTED");
    assert_eq!(phone.cursor(), motel.cursor());
}

#[test]
fn a_gap_is_pulled_once_and_what_comes_meanwhile_waits() {
    let (mut motel, mut phone) = story();
    phone.delta(motel.delta(ana(), 1, 2));
    assert_eq!(phone.cursor().seq, 0, "nothing half-applied"); // G6
    let pull = phone.next_request("/v1/sync?epoch=1&seq=0&mark=0000000000000000");
    assert_eq!(pull.method, "GET");
    phone.delta(motel.delta(ana(), 2, 3));
    motel.act(maria(), set_status(101, SuiteStatus::VacantDirty));
    phone.delta(motel.delta(ana(), 3, 4));
    assert!(phone.requests.is_empty(), "one pull at a time");
    // The pull answers what was there when it was read: up to 2.
    let answer = innsync_protocol::SyncAnswer::Delta(motel.delta(ana(), 0, 2)).to_json();
    phone.answer(&pull, 200, answer);
    assert_eq!(phone.cursor(), motel.cursor());
    assert_eq!(phone.sees(&suite_ref(101), "status"), "VACANT_DIRTY");
    assert!(phone.requests.is_empty());
}

#[test]
fn more_to_come_is_pulled_at_once() {
    let (motel, mut phone) = story();
    let delta = innsync_protocol::Delta { more: true, ..motel.delta(ana(), 0, 1) };
    phone.delta(delta);
    assert!(phone.has_request("/v1/sync?epoch=1&seq=1"));
}

#[test]
fn a_failed_pull_comes_again_and_a_captive_portal_is_a_failure() {
    let (mut motel, mut phone) = story();
    phone.delta(motel.delta(ana(), 1, 2));
    let pull = phone.next_request("/v1/sync");
    phone.fail(&pull);
    phone.pass(1_000);
    let pull = phone.next_request("/v1/sync");
    phone.answer(&pull, 200, "<html>Accept our terms</html>");
    phone.pass(2_000);
    phone.serve(&mut motel);
    assert_eq!(phone.cursor(), motel.cursor());
}

#[test]
fn a_wish_to_wait_is_honoured() {
    let (motel, mut phone) = story();
    phone.delta(motel.delta(ana(), 1, 2));
    let pull = phone.next_request("/v1/sync");
    let answer = innsync_engine::HttpAnswer { status: 503, retry_after_ms: Some(9_000), body: String::new() };
    phone.feed(Input::Http { id: pull.id, answer: Ok(answer) });
    phone.pass(8_999);
    assert!(!phone.has_request("/v1/sync"));
    phone.pass(1);
    assert!(phone.has_request("/v1/sync"));
}

#[test]
fn a_heartbeats_answer_is_an_empty_delta() {
    let (mut motel, mut phone) = story();
    let ack = |from, to, motel: &Motel, epoch| {
        ServerFrame::HeartbeatAck(HeartbeatAck {
            timestamp: MORNING + 5_000,
            epoch,
            from,
            to,
            mark: motel.mark(to),
        })
    };
    phone.frame(ack(0, 3, &motel, 0));
    assert_eq!(phone.cursor().seq, 0, "epoch 0 says nothing");
    // It is in the order of the feed: what is between was nothing that ana may see.
    phone.frame(ack(0, 1, &motel, 1));
    assert_eq!(phone.cursor().seq, 1);
    assert_eq!(phone.engine.status().up_to_date_as_of, Some(at(5_000)));
    phone.frame(ack(2, 3, &motel, 1));
    phone.serve(&mut motel);
    assert_eq!(phone.cursor(), motel.cursor());
}

#[test]
fn a_sign_of_life_before_the_answer_to_resume_says_nothing_of_the_feed() {
    // G10: the server's catch-up takes long; its heartbeat's answer has the epoch and no place.
    let (mut motel, phone) = story();
    drop(phone);
    let mut ana = Phone::online(ana(), &mut motel);
    ana.delta(motel.delta(ana.employee, 0, motel.seq()));
    ana.break_link();
    ana.feed(Input::Foreground);
    ana.settle();
    ana.greet(&motel);
    let (epoch, timestamp) = (motel.epoch, 0);
    let mark = innsync_protocol::Mark(0);
    ana.frame(ServerFrame::HeartbeatAck(HeartbeatAck { timestamp, epoch, from: 0, to: 0, mark }));
    assert!(ana.engine.status().sync_in_progress, "RESUME is not answered");
}

#[test]
fn a_new_connection_is_not_up_to_date_before_the_server_says_so() {
    // G10
    let mut motel = Motel::new([]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.ack(&motel);
    assert!(!phone.engine.status().sync_in_progress);
    phone.break_link();
    phone.feed(Input::Foreground);
    phone.settle();
    phone.greet(&motel);
    assert!(phone.engine.status().sync_in_progress);
    let mine = phone.cursor().seq;
    phone.delta(motel.delta(ana(), mine, motel.seq()));
    assert!(!phone.engine.status().sync_in_progress);
}

#[test]
fn another_mark_or_epoch_is_asked_about() {
    let (motel, mut phone) = story();
    phone.delta(motel.delta(ana(), 0, 3));
    let mut other = motel.delta(ana(), 3, 3);
    other.mark = innsync_protocol::Mark(99);
    phone.delta(other);
    assert!(phone.has_request("/v1/sync"));
    phone.requests.clear();

    let (mut motel, mut phone) = story();
    motel.epoch = 2;
    phone.delta(motel.delta(ana(), 0, 1));
    phone.serve(&mut motel);
    // The pull said RESET, and the snapshot brought the other history.
    assert_eq!(phone.cursor(), motel.cursor());
}

#[test]
fn a_frame_that_cannot_be_read_is_told_and_pulled() {
    let (mut motel, mut phone) = story();
    for text in ["", "{", "[]", r#"{"type":"DELTA","epoch":"x"}"#, "\u{0}"] {
        phone.text(text);
    }
    assert_eq!(phone.events().iter().filter(|it| matches!(it, ClientEvent::Error { .. })).count(), 5);
    phone.serve(&mut motel);
    assert_eq!(phone.cursor(), motel.cursor());
}

#[test]
fn rows_that_do_not_change_are_not_written_again() {
    let (motel, mut phone) = story();
    phone.delta(motel.delta(ana(), 0, 3));
    let seen = phone.store.seen.len();
    phone.delta(motel.delta(ana(), 0, 3));
    assert_eq!(phone.store.seen.len(), seen);
}

#[test]
fn every_typed_event_goes_out_also_of_ones_own() {
    let (mut motel, mut phone) = story();
    phone.delta(motel.delta(ana(), 0, 3));
    let names: Vec<&str> = phone.events().iter().map(|it| it.name()).collect();
    assert_eq!(names, ["ENTITY_UPDATED"; 3]);
    phone.tap(report(id(70), "Lamp"));
    phone.catch_up(&mut motel);
    assert!(phone.events().iter().any(|it| it.name() == "ENTITY_CREATED"));
}

/// Lets the time come at which the phone compares what it has with the server.
fn compare(phone: &mut Phone, motel: &mut Motel) {
    phone.feed(Input::SignedIn(session("token-for-days", 100 * 3_600_000)));
    let every = innsync_engine::limits::DIGEST_EVERY_MS * 2;
    for _ in 0..every / 30_000 {
        phone.pass(30_000);
        phone.ack(motel);
        if phone.requests.iter().any(|it| it.path.ends_with("&digest=true")) {
            return;
        }
        phone.serve(motel);
    }
    panic!("nothing was compared in {every} ms");
}

#[test]
fn a_phone_that_holds_something_else_than_the_server_finds_out_and_fetches_it_anew() {
    // G9
    let mut motel = Motel::new([suite(101, SuiteStatus::VacantDirty), suite(102, SuiteStatus::VacantClean)]);
    let mut phone = Phone::online(ana(), &mut motel);
    let healed = |phone: &Phone| innsync_engine::StoreRead::meta(&phone.store).unwrap().healed;

    // What waits in the outbox is no difference.
    phone.tap(set_status(101, SuiteStatus::Cleaning));
    compare(&mut phone, &mut motel);
    phone.serve(&mut motel);
    phone.settle();
    assert_eq!((healed(&phone), phone.has_request("/v1/snapshot")), (0, false));

    phone.store.lose_row(&suite_ref(102));
    compare(&mut phone, &mut motel);
    phone.catch_up(&mut motel);
    assert_eq!(phone.sees(&suite_ref(102), "status"), "VACANT_CLEAN");
    assert_eq!(healed(&phone), 1);
    let told = phone.events();
    let told = told
        .iter()
        .any(|event| matches!(event, ClientEvent::Error { detail } if detail.contains("fetched anew")));
    assert!(told, "{:?}", phone.events());
}

#[test]
fn a_digest_of_another_place_in_the_feed_says_nothing() {
    let (mut motel, mut phone) = story();
    phone.delta(motel.delta(ana(), 0, 3));
    compare(&mut phone, &mut motel);
    let pull = phone.next_request("/v1/sync");
    let digest = Some(motel.digest(ana()));
    let answer = innsync_protocol::Delta { digest, ..motel.delta(ana(), 3, 3) };
    // Something comes in between, on the socket.
    motel.act(maria(), set_status(101, SuiteStatus::OutOfService));
    let body = innsync_protocol::SyncAnswer::Delta(answer).to_json();
    let answer = innsync_engine::HttpAnswer { status: 200, retry_after_ms: None, body };
    phone.feed(Input::Http { id: pull.id, answer: Ok(answer) });
    phone.delta(motel.delta(ana(), 3, 4));
    phone.settle();
    assert!(!phone.has_request("/v1/snapshot"));
    assert_eq!(phone.cursor(), motel.cursor());
}
