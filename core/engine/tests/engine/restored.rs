//! A server that goes back to a backup: what it had answered and lost, and who still speaks for it.

use innsync_domain::{SuiteStatus, Uuid};
use innsync_engine::{HttpRequest, Input, OpState};
use innsync_protocol::{Delta, OpResult, PushRequest, ResetReason};

use crate::support::*;

fn motel() -> Motel {
    Motel::new([suite(101, SuiteStatus::VacantDirty), suite(105, SuiteStatus::VacantClean)])
}

/// The server as it is by now, to take its place later; it is told so.
fn restored(motel: &Motel) -> Motel {
    let mut backup = motel.clone();
    backup.epoch = 2;
    backup
}

/// The same, and nobody says so.
fn undeclared(motel: &Motel) -> Motel {
    let mut backup = motel.clone();
    backup.history = 1;
    backup
}

/// Ana's phone, to which the server has said that it goes on from where it stands.
fn online(motel: &mut Motel) -> Phone {
    let mut phone = Phone::online(ana(), motel);
    phone.ack(motel);
    phone
}

/// The operations in a push.
fn pushed(push: &HttpRequest) -> Vec<Uuid> {
    let push: PushRequest = serde_json::from_str(&push.body.as_ref().unwrap().0).unwrap();
    let id = |op: &str| serde_json::from_str::<innsync_protocol::Op>(op).unwrap().id;
    push.ops.iter().map(|op| id(op.get())).collect()
}

/// Ana does something, and the server's answer comes; its commit does not.
fn answered(phone: &mut Phone, motel: &mut Motel, status: SuiteStatus) -> Uuid {
    let op = phone.tap(set_status(101, status));
    let push = phone.next_request("/v1/ops");
    phone.serve_one(&push, motel);
    assert!(matches!(phone.state_of(op), Some(OpState::Applied { .. })));
    op
}

#[test]
fn what_a_backup_lost_goes_before_what_ana_has_done_since() {
    // G7, G17: she made 101 up, and says that she is done, before the snapshot that follows RESET is here.
    let mut motel = motel();
    let mut backup = restored(&motel);
    let mut phone = online(&mut motel);
    let first = answered(&mut phone, &mut motel, SuiteStatus::Cleaning);
    phone.reset(ResetReason::History);
    let second = phone.tap(set_status(101, SuiteStatus::VacantClean));
    let push = phone.next_request("/v1/ops");
    assert_eq!(pushed(&push), [first]);
    phone.serve_one(&push, &mut backup);
    phone.catch_up(&mut backup);
    assert_eq!((phone.state_of(first), phone.state_of(second)), (None, None));
    let shown = ["VACANT_DIRTY", "CLEANING", "VACANT_CLEAN"];
    assert_eq!(phone.store.history(&suite_ref(101), "status"), shown);
}

#[test]
fn what_is_sent_again_does_not_cover_what_ana_has_done_since() {
    // G7, G17: the restored server has taken the second before anybody knew that it had lost the first.
    for refused in [false, true] {
        let mut motel = motel();
        let mut backup = restored(&motel);
        let mut phone = online(&mut motel);
        let first = answered(&mut phone, &mut motel, SuiteStatus::Cleaning);
        phone.pass(1_000);
        phone.break_link();
        let second = phone.tap(set_status(101, SuiteStatus::VacantClean));
        phone.feed(Input::Foreground);
        phone.settle();
        phone.greet(&backup);
        let push = phone.next_request("/v1/ops");
        assert_eq!(pushed(&push), [second]);
        // As a server does that has never heard of the first.
        backup.act(maria(), set_status(101, SuiteStatus::Cleaning));
        phone.serve_one(&push, &mut backup);
        assert!(backup.outcomes[&second].seq().is_some());
        phone.reset(ResetReason::History);
        let again = phone.next_request("/v1/ops");
        assert_eq!(pushed(&again), [first]);
        let snapshot = phone.next_request("/v1/snapshot");
        phone.serve_one(&snapshot, &mut backup);
        assert_eq!(phone.sees(&suite_ref(101), "status"), "VACANT_CLEAN");
        assert!(matches!(phone.state_of(second), Some(OpState::Applied { .. })), "it lies over the first");
        if refused {
            let why = innsync_domain::Rejection::permanent("ILLEGAL_TRANSITION".into(), "It is clean.");
            backup.outcomes.insert(first, innsync_protocol::OpOutcome::rejected(why));
        }
        phone.serve_one(&again, &mut backup);
        let gone = phone.state_of(second).is_none();
        assert_eq!(gone, refused, "what is parked covers nothing");
        assert_eq!(phone.sees(&suite_ref(101), "status"), "VACANT_CLEAN");
        phone.catch_up(&mut backup);
        assert_eq!(phone.state_of(second), None);
        assert_eq!(matches!(phone.state_of(first), Some(OpState::Parked { .. })), refused);
    }
}

#[test]
fn what_the_server_that_was_answers_after_reset_is_not_believed() {
    // G1, G17: its answer is long on the way; by then the other history has come as far as the number that it names.
    let mut motel = motel();
    let mut backup = restored(&motel);
    let mut phone = online(&mut motel);
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    let late = phone.next_request("/v1/ops");
    let answer = motel.push(&late.body.as_ref().unwrap().0);
    backup.act(maria(), set_status(105, SuiteStatus::OutOfService));
    phone.reset(ResetReason::History);
    let snapshot = phone.next_request("/v1/snapshot");
    phone.serve_one(&snapshot, &mut backup);
    phone.answer(&late, 200, answer);
    phone.ack(&backup);
    assert_eq!(phone.state_of(op), Some(OpState::Sent));
    phone.catch_up(&mut backup);
    assert_eq!(phone.state_of(op), None);
    assert!(backup.outcomes[&op].seq().is_some(), "the server has it");
}

#[test]
fn what_the_server_that_was_answers_is_asked_again_where_its_number_is_passed() {
    // G1, G17: nobody declares the backup, and the cursor is in it: with a socket, and without.
    for socket in [true, false] {
        let mut motel = motel();
        let mut backup = undeclared(&motel);
        let mut phone = online(&mut motel);
        let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
        let late = phone.next_request("/v1/ops");
        let answer = motel.push(&late.body.as_ref().unwrap().0);
        assert_eq!(motel.outcomes[&op].seq(), Some(1));
        backup.act(maria(), set_status(105, SuiteStatus::OutOfService));
        phone.break_link();
        if socket {
            phone.feed(Input::Foreground);
            phone.settle();
            phone.greet(&backup);
            phone.delta(backup.delta(ana(), 0, 1));
        } else {
            phone.feed(Input::Sync { until: phone.now.boot_ms + 30_000 });
            phone.settle();
            let pull = phone.next_request("/v1/sync");
            phone.serve_one(&pull, &mut backup);
        }
        assert_eq!(phone.cursor().seq, 1);
        phone.answer(&late, 200, answer);
        let asked = |it: Option<OpState>| matches!(it, Some(OpState::Sent | OpState::Queued));
        assert!(asked(phone.state_of(op)), "{:?}", phone.state_of(op));
        if !socket {
            phone.come_back(&backup);
        }
        phone.catch_up(&mut backup);
        assert_eq!(phone.state_of(op), None);
        assert!(backup.outcomes[&op].seq().is_some(), "the server has it");
    }
}

#[test]
fn what_an_older_epoch_says_of_operations_is_not_believed() {
    // G1, G17: a frame of the history that the phone has left.
    let mut motel = motel();
    let mut backup = restored(&motel);
    let mut phone = online(&mut motel);
    phone.reset(ResetReason::History);
    phone.catch_up(&mut backup);
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    let push = phone.next_request("/v1/ops");
    motel.push(&push.body.as_ref().unwrap().0);
    let results = vec![OpResult { id: op, result: motel.outcomes[&op].clone() }];
    phone.delta(Delta { results, ..motel.delta(ana(), 0, 1) });
    assert_eq!(phone.state_of(op), Some(OpState::Sent));
}
