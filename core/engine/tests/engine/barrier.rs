//! G11: the barrier opens exactly when what the server had at the call is here and earlier operations are settled.

use innsync_domain::SuiteStatus;
use innsync_engine::{HttpFailure, Input, Output};
use innsync_protocol::{ResetReason, SyncAnswer};

use crate::support::*;

fn motel() -> Motel {
    Motel::new((101..=104).map(|number| suite(number, SuiteStatus::VacantDirty)))
}

fn lifted(outputs: &[Output]) -> Vec<u64> {
    let request = |output: &Output| match output {
        Output::UpToDate { request } => Some(*request),
        _ => None,
    };
    outputs.iter().filter_map(request).collect()
}

/// Which barriers were lifted since somebody looked.
fn news(phone: &mut Phone) -> Vec<u64> {
    lifted(&std::mem::take(&mut phone.said))
}

fn raise(phone: &mut Phone, request: u64) {
    phone.feed(Input::Barrier { request });
    phone.pass(0);
}

#[test]
fn it_waits_for_what_the_server_had_at_the_call() {
    // G11
    let mut motel = motel();
    let mut ana = Phone::online(ana(), &mut motel);
    motel.act(maria(), set_status(101, SuiteStatus::Cleaning));
    raise(&mut ana, 1);
    assert!(news(&mut ana).is_empty());
    ana.serve(&mut motel);
    assert_eq!(ana.sees(&suite_ref(101), "status"), "CLEANING");
    assert_eq!(news(&mut ana), [1]);
    // Told once.
    ana.pass(60_000);
    assert!(news(&mut ana).is_empty());
}

#[test]
fn an_answer_to_what_was_asked_before_says_nothing_about_what_came_since() {
    // G11
    let mut motel = motel();
    let mut ana = Phone::online(ana(), &mut motel);
    raise(&mut ana, 1);
    let first = ana.next_request("/v1/sync");
    let old = motel.sync(ana.employee, ana.cursor());
    motel.act(maria(), set_status(101, SuiteStatus::Cleaning));
    raise(&mut ana, 2);
    ana.answer(&first, 200, old.to_json());
    assert_eq!(news(&mut ana), [1]);
    ana.pass(0);
    ana.serve(&mut motel);
    assert_eq!(news(&mut ana), [2]);
    assert_eq!(ana.sees(&suite_ref(101), "status"), "CLEANING");
}

#[test]
fn it_waits_for_every_page() {
    // G11
    let mut motel = motel();
    let mut ana = Phone::online(ana(), &mut motel);
    let from = motel.seq();
    motel.act(maria(), set_status(101, SuiteStatus::Cleaning));
    motel.act(maria(), set_status(102, SuiteStatus::Cleaning));
    raise(&mut ana, 1);
    let request = ana.next_request("/v1/sync");
    let mut page = motel.delta(ana.employee, from, from + 1);
    page.more = true;
    ana.answer(&request, 200, SyncAnswer::Delta(page).to_json());
    assert!(news(&mut ana).is_empty());
    ana.pass(0);
    ana.serve(&mut motel);
    assert_eq!(news(&mut ana), [1]);
    assert_eq!(ana.sees(&suite_ref(102), "status"), "CLEANING");
}

#[test]
fn it_waits_for_earlier_operations_and_for_no_later_ones() {
    // G11
    let mut motel = motel();
    let mut ana = Phone::online(ana(), &mut motel);
    ana.tap(set_status(101, SuiteStatus::Cleaning));
    raise(&mut ana, 1);
    ana.tap(set_status(102, SuiteStatus::Cleaning));
    let pull = ana.next_request("/v1/sync");
    ana.serve_one(&pull, &mut motel);
    assert!(news(&mut ana).is_empty(), "the first one is not confirmed");
    let push = ana.next_request("/v1/ops");
    ana.serve_one(&push, &mut motel);
    ana.catch_up(&mut motel);
    assert_eq!(news(&mut ana), [1]);
}

#[test]
fn a_parked_operation_is_settled() {
    // G11, G4
    let mut motel = motel();
    let mut ana = Phone::online(ana(), &mut motel);
    ana.offline();
    motel.act(maria(), innsync_domain::Command::DeleteSuite { suite_id: suite_ref(101).id });
    let lost = ana.tap(set_status(101, SuiteStatus::Cleaning));
    ana.go_online(&mut motel);
    ana.catch_up(&mut motel);
    raise(&mut ana, 1);
    ana.serve(&mut motel);
    assert!(matches!(ana.state_of(lost), Some(innsync_engine::OpState::Parked { .. })));
    assert_eq!(news(&mut ana), [1]);
}

#[test]
fn without_a_network_it_waits_and_goes_on_afterwards() {
    // G11, G3
    let mut motel = motel();
    let mut ana = Phone::online(ana(), &mut motel);
    raise(&mut ana, 1);
    while ana.has_request("/v1/sync") {
        let request = ana.next_request("/v1/sync");
        ana.feed(Input::Http { id: request.id, answer: Err(HttpFailure { detail: "no network".into() }) });
        ana.pass(0);
    }
    ana.pass(40_000);
    assert!(news(&mut ana).is_empty());
    ana.serve(&mut motel);
    assert_eq!(news(&mut ana), [1]);
}

#[test]
fn a_reset_brings_a_snapshot_before_it_opens() {
    // G11, G17
    let mut motel = motel();
    let mut ana = Phone::online(ana(), &mut motel);
    motel.act(maria(), set_status(101, SuiteStatus::Cleaning));
    raise(&mut ana, 1);
    ana.reset(ResetReason::Horizon);
    while let Some(at) = ana.requests.iter().position(|request| request.path.starts_with("/v1/sync")) {
        let pull = ana.requests.remove(at).unwrap();
        ana.serve_one(&pull, &mut motel);
    }
    assert!(news(&mut ana).is_empty(), "the snapshot is under way");
    ana.pass(0);
    ana.serve(&mut motel);
    ana.pass(1_000);
    ana.serve(&mut motel);
    assert_eq!(news(&mut ana), [1]);
}

#[test]
fn who_gave_up_is_not_told() {
    let mut motel = motel();
    let mut ana = Phone::online(ana(), &mut motel);
    raise(&mut ana, 1);
    raise(&mut ana, 2);
    ana.feed(Input::GiveUpBarrier { request: 1 });
    ana.serve(&mut motel);
    ana.pass(0);
    ana.serve(&mut motel);
    assert_eq!(news(&mut ana), [2]);
}

#[test]
fn disconnected_on_purpose_nothing_is_asked() {
    let mut motel = motel();
    let mut ana = Phone::online(ana(), &mut motel);
    ana.feed(Input::Disconnect);
    raise(&mut ana, 1);
    ana.pass(60_000);
    assert!(ana.requests.is_empty());
    assert!(news(&mut ana).is_empty());
}
