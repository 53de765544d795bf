//! Before the app sleeps: what is sent and fetched, and when waiting is of no use any more.

use innsync_domain::{Command, ErrorClass, Reason, Rejection, SuiteStatus};
use innsync_engine::limits::SILENCE_MS;
use innsync_engine::{HttpAnswer, Input, OpState, Rest, Unfinished};
use innsync_protocol::{CloseCode, OpOutcome, OpResult, PushAnswer};

use crate::support::*;

const SYNC: Input = Input::Sync { until: u64::MAX };

fn motel() -> Motel {
    Motel::new([suite(101, SuiteStatus::VacantDirty), suite(102, SuiteStatus::VacantDirty)])
}

/// What waiting for so many milliseconds at most is good for.
fn rest(phone: &Phone, millis: u64) -> Rest {
    phone.engine.rest(phone.now, phone.now.boot_ms + millis)
}

/// A phone whose socket is gone, while HTTP works.
fn without_socket(motel: &mut Motel) -> Phone {
    let mut phone = Phone::online(ana(), motel);
    phone.break_link();
    phone.requests.clear();
    phone
}

#[test]
fn everything_is_sent_and_asked_for_without_a_socket() {
    let mut motel = motel();
    let mut phone = without_socket(&mut motel);
    let tap = phone.tap(set_status(101, SuiteStatus::Cleaning));
    motel.act(maria(), set_status(102, SuiteStatus::Occupied));
    phone.feed(SYNC);
    phone.settle();
    while rest(&phone, 20_000) == Rest::Busy {
        let request = phone.requests.pop_front().expect("it waits for something");
        phone.serve_one(&request, &mut motel);
    }
    assert_eq!(rest(&phone, 20_000), Rest::Done);
    assert_eq!(phone.state_of(tap), None, "confirmed by a pull that followed the push");
    assert_eq!(phone.sees(&suite_ref(102), "status"), "OCCUPIED");
    assert_eq!(phone.cursor(), motel.cursor());
}

#[test]
fn a_pull_that_was_asked_for_too_early_is_followed_by_another() {
    let mut motel = motel();
    let mut phone = without_socket(&mut motel);
    phone.feed(SYNC);
    phone.settle();
    let early = phone.next_request("/v1/sync");
    // The server answers, and only then maria changes something and a push tells so.
    let answer = motel.sync(ana(), phone.cursor()).to_json();
    motel.act(maria(), set_status(102, SuiteStatus::Occupied));
    phone.feed(SYNC);
    phone.answer(&early, 200, answer);
    assert!(!phone.engine.is_fresh());
    phone.serve(&mut motel);
    assert!(phone.engine.is_fresh());
    assert_eq!(phone.sees(&suite_ref(102), "status"), "OCCUPIED");
}

#[test]
fn where_a_socket_is_up_it_is_asked_all_the_same() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    assert_eq!(rest(&phone, 20_000), Rest::Done);
    phone.feed(SYNC);
    phone.settle();
    assert_eq!(rest(&phone, 20_000), Rest::Busy);
    phone.serve(&mut motel);
    assert_eq!(rest(&phone, 20_000), Rest::Done);
}

#[test]
fn without_a_network_nothing_is_waited_for() {
    let mut motel = motel();
    let mut phone = without_socket(&mut motel);
    phone.tap(set_status(101, SuiteStatus::Cleaning));
    phone.feed(SYNC);
    phone.settle();
    while let Some(request) = phone.requests.pop_front() {
        assert_eq!(rest(&phone, 20_000), Rest::Busy);
        phone.fail(&request);
    }
    assert_eq!(rest(&phone, 20_000), Rest::Left(Unfinished::Offline));
}

#[test]
fn what_was_asked_before_and_fails_now_says_nothing_of_the_network() {
    let mut motel = motel();
    let mut phone = without_socket(&mut motel);
    phone.feed(SYNC);
    phone.settle();
    let early = phone.next_request("/v1/sync");
    phone.feed(SYNC);
    phone.fail(&early);
    assert_eq!(rest(&phone, 20_000), Rest::Busy);
    phone.serve(&mut motel);
    assert_eq!(rest(&phone, 20_000), Rest::Done);
}

#[test]
fn a_push_that_hangs_is_not_waited_for_where_nothing_else_gets_through() {
    let mut motel = motel();
    let mut phone = without_socket(&mut motel);
    phone.tap(set_status(101, SuiteStatus::Cleaning));
    phone.feed(SYNC);
    phone.settle();
    assert!(phone.has_request("/v1/ops"));
    let pull = phone.next_request("/v1/sync");
    phone.fail(&pull);
    assert_eq!(rest(&phone, 20_000), Rest::Left(Unfinished::Offline));
}

#[test]
fn where_the_platform_knows_of_no_network_nothing_is_waited_for_until_something_is_heard() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.tap(set_status(101, SuiteStatus::Cleaning));
    phone.feed(Input::NetworkChanged { available: false });
    phone.feed(SYNC);
    phone.settle();
    assert_eq!(rest(&phone, 20_000), Rest::Left(Unfinished::Offline));
    // It was wrong.
    phone.ack(&motel);
    assert_eq!(rest(&phone, 20_000), Rest::Busy);
    phone.catch_up(&mut motel);
    assert_eq!(rest(&phone, 20_000), Rest::Done);
}

#[test]
fn what_is_sent_is_asked_for_though_a_socket_should_bring_it() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    let tap = phone.tap(set_status(101, SuiteStatus::Cleaning));
    phone.feed(SYNC);
    phone.settle();
    // The socket is dead, and nobody knows yet.
    phone.serve(&mut motel);
    assert_eq!((rest(&phone, 20_000), phone.state_of(tap)), (Rest::Done, None));
}

#[test]
fn a_network_that_swallows_everything_is_not_waited_for_to_the_end() {
    let mut motel = motel();
    let mut phone = without_socket(&mut motel);
    phone.feed(SYNC);
    phone.pass(SILENCE_MS - 1);
    assert_eq!(rest(&phone, 20_000), Rest::Busy);
    phone.pass(1);
    assert_eq!(rest(&phone, 20_000), Rest::Left(Unfinished::Offline));
    // Whoever answers late is heard.
    let pull = phone.next_request("/v1/sync");
    phone.serve_one(&pull, &mut motel);
    assert_eq!(rest(&phone, 20_000), Rest::Done);
}

#[test]
fn a_server_that_is_busy_is_waited_for_as_long_as_there_is_time() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.tap(set_status(101, SuiteStatus::Cleaning));
    phone.feed(SYNC);
    phone.settle();
    let pull = phone.next_request("/v1/sync");
    phone.serve_one(&pull, &mut motel);
    let push = phone.next_request("/v1/ops");
    let busy = HttpAnswer { status: 503, retry_after_ms: Some(12_000), body: String::new() };
    phone.feed(Input::Http { id: push.id, answer: Ok(busy) });
    phone.settle();
    assert_eq!(rest(&phone, 11_000), Rest::Left(Unfinished::ServerBusy));
    assert_eq!(rest(&phone, 20_000), Rest::Busy);
    phone.ack(&motel);
    phone.pass(12_000);
    phone.catch_up(&mut motel);
    assert_eq!(rest(&phone, 0), Rest::Done);
}

#[test]
fn what_follows_a_parked_operation_is_not_waited_for() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    let first = phone.tap(set_status(101, SuiteStatus::Cleaning));
    phone.settle();
    let push = phone.next_request("/v1/ops");
    let second = phone.try_after(set_status(102, SuiteStatus::Cleaning), vec![first]).unwrap().id;
    let rejection =
        Rejection { class: ErrorClass::Permanent, ..Rejection::permanent(Reason::Forbidden, "No.") };
    let results = vec![OpResult { id: first, result: OpOutcome::rejected(rejection) }];
    phone.answer(&push, 200, serde_json::to_string(&PushAnswer { results }).unwrap());
    phone.feed(SYNC);
    phone.settle();
    phone.serve(&mut motel);
    assert_eq!(rest(&phone, 20_000), Rest::Left(Unfinished::NeedsPerson));
    assert!(phone.engine.is_fresh());
    assert_eq!(phone.state_of(second), Some(OpState::Queued));
}

#[test]
fn nobody_is_waited_for_who_is_not_asked() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.feed(Input::Disconnect);
    phone.feed(SYNC);
    phone.settle();
    assert_eq!(rest(&phone, 20_000), Rest::Left(Unfinished::Disconnected));
    assert!(phone.requests.is_empty());

    let mut signed_out = Phone::over(ana(), phone.store.clone(), None, "boot-1");
    signed_out.feed(Input::Connect);
    signed_out.feed(SYNC);
    assert_eq!(rest(&signed_out, 20_000), Rest::Left(Unfinished::SignInRequired));
}

#[test]
fn a_token_that_is_refused_is_renewed_first() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.close(CloseCode::POLICY.0);
    phone.feed(SYNC);
    phone.settle();
    assert_eq!(rest(&phone, 20_000), Rest::Busy);
    let refresh = phone.next_request("/v1/sessions/refresh");
    crate::session::answer_refresh(&mut phone, &refresh, "token-2");
    assert_eq!(rest(&phone, 20_000), Rest::Busy);
    phone.serve(&mut motel);
    assert_eq!(rest(&phone, 20_000), Rest::Done);
}

#[test]
fn a_disk_that_cannot_be_written_is_waited_for_as_long_as_there_is_time() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.disk_full = true;
    phone.feed(Input::Execute {
        request: 1,
        id: id(9),
        command: Command::SetSuiteStatus { suite_id: suite_id(101), status: SuiteStatus::Cleaning },
        depends_on: vec![],
    });
    assert_eq!(rest(&phone, 0), Rest::Left(Unfinished::StorageFailed));
    assert_eq!(rest(&phone, 20_000), Rest::Busy);
}

#[test]
fn an_empty_phone_is_fresh_when_its_first_snapshot_and_what_came_after_it_are_there() {
    let mut motel = motel();
    let mut phone = Phone::new(ana());
    phone.feed(Input::Connect);
    phone.feed(SYNC);
    phone.settle();
    let snapshot = phone.next_request("/v1/snapshot");
    assert_eq!(rest(&phone, 20_000), Rest::Busy);
    phone.serve_one(&snapshot, &mut motel);
    assert!(!phone.engine.is_fresh());
    phone.serve(&mut motel);
    assert_eq!(rest(&phone, 20_000), Rest::Done);
}
