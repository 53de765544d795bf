//! Full disks, and drivers that never answer.

use innsync_domain::{Command, SuiteStatus};
use innsync_engine::{ConnectionState, Input, OpState};

use crate::support::*;

#[test]
fn a_delta_whose_commit_failed_is_pulled() {
    let mut motel = Motel::new([suite(101, SuiteStatus::VacantClean)]);
    let mut phone = Phone::online(ana(), &mut motel);
    motel.act(maria(), set_status(101, SuiteStatus::OutOfService));
    phone.disk_full = true;
    phone.delta(motel.delta(ana(), 0, 1));
    assert_eq!(phone.cursor().seq, 0);
    phone.ack(&motel);
    phone.pass(2_000);
    phone.serve(&mut motel);
    assert_eq!(phone.cursor(), motel.cursor());
    assert_eq!(phone.state(), ConnectionState::Connected);
}

#[test]
fn an_answer_whose_commit_failed_is_asked_for_again() {
    let mut motel = Motel::new([task(id(71), "Towels", Some(ana())).into()]);
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(Command::StartTask { task_id: id(71) });
    let push = phone.next_request("/v1/ops");
    phone.disk_full = true;
    phone.serve_one(&push, &mut motel);
    assert_eq!(phone.state_of(op), Some(OpState::Sent));
    assert!(phone.why(op).contains("storage"), "{}", phone.why(op));
    phone.ack(&motel);
    phone.pass(2_000);
    phone.catch_up(&mut motel);
    assert_eq!(phone.state_of(op), None);
    assert_eq!(motel.arrivals[&op], 2);
}

#[test]
fn a_tap_whose_commit_failed_has_not_happened() {
    let mut motel = Motel::new([suite(101, SuiteStatus::VacantDirty)]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.disk_full = true;
    let id = phone.new_id();
    let command = set_status(101, SuiteStatus::Cleaning);
    phone.feed(Input::Execute { request: 1, id, command: command.clone(), depends_on: vec![] });
    assert_eq!(phone.sees(&suite_ref(101), "status"), "VACANT_DIRTY");
    assert_eq!(phone.engine.status().pending_changes, 0);
    assert_eq!(phone.tap(command), id_of_next(id));
}

fn id_of_next(before: innsync_domain::Uuid) -> innsync_domain::Uuid {
    id(before.as_u128() + 1)
}

#[test]
fn a_snapshot_whose_commit_failed_begins_anew() {
    let mut motel = Motel::new([suite(101, SuiteStatus::VacantDirty)]);
    let mut phone = Phone::new(ana());
    phone.feed(Input::Connect);
    phone.greet(&motel);
    let request = phone.next_request("/v1/snapshot");
    let lines = motel.snapshot(ana(), &[]);
    phone.disk_full = true;
    phone.feed(Input::SnapshotLines { id: request.id, lines: lines[..3].to_vec() });
    phone.feed(Input::SnapshotLines { id: request.id, lines: lines[3..].to_vec() });
    assert!(!phone.engine.status().has_data);
    phone.ack(&motel);
    phone.pass(2_000);
    phone.serve(&mut motel);
    assert_eq!(phone.store.rows(), &motel.visible(ana()));
}

#[test]
fn what_must_not_be_lost_needs_no_disk() {
    let mut motel = Motel::new([suite(101, SuiteStatus::VacantDirty)]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.tap(set_status(101, SuiteStatus::Cleaning));
    let inputs = [
        Input::Foreground,
        Input::Sync { until: u64::MAX },
        Input::NetworkChanged { available: false },
        Input::NetworkChanged { available: true },
        Input::SignedIn(crate::support::phone::session("token-3", 3_600_000)),
        Input::Disconnect,
        Input::Connect,
        Input::CommitFailed,
    ];
    for input in inputs {
        let step = phone.engine.prepare(phone.now, input.clone(), &phone.store).unwrap();
        assert!(step.batch.writes.is_empty(), "{input:?}: {:?}", step.batch);
        phone.feed(input);
    }
}

#[test]
fn a_request_that_is_never_answered_is_given_up() {
    let mut motel = Motel::new([task(id(71), "Towels", Some(ana())).into()]);
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(Command::StartTask { task_id: id(71) });
    let lost = phone.next_request("/v1/ops");
    for _ in 0..4 {
        phone.pass(10_000);
        phone.ack(&motel);
    }
    assert!(phone.has_request("/v1/ops"), "{}", phone.why(op));
    // The late answer is nobody's.
    let before = phone.store.clone();
    phone.answer(&lost, 200, "{}");
    assert_eq!(phone.store, before);
}

#[test]
fn answers_to_nothing_do_nothing() {
    let mut motel = Motel::new([]);
    let mut phone = Phone::online(ana(), &mut motel);
    let before = phone.store.clone();
    phone.feed(Input::SnapshotLines { id: 4_711, lines: vec!["{}".into()] });
    phone.feed(Input::Retry { parked: id(1), id: id(2) });
    phone.feed(Input::Discard { id: id(1) });
    phone.feed(Input::Presented { effect: id(1) });
    for _ in 0..5 {
        phone.feed(Input::Tick);
    }
    assert_eq!(phone.store, before);
    assert!(phone.requests.is_empty());
}
