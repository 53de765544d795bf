//! The snapshot: first sync, resets, cuts.

use innsync_domain::{EntityKind, SuiteStatus};
use innsync_engine::{Batch, Input, Meta, OpState, Output, StoreRead, Write};
use innsync_protocol::limits::PENDING_PER_RESUME;
use innsync_protocol::{
    ClientFrame, Delta, OpResult, ResetReason, SnapshotLine, SnapshotRequest, SnapshotResume, SnapshotStart,
    SyncAnswer,
};

use crate::support::*;

fn motel() -> Motel {
    Motel::new((101..=120).map(|number| suite(number, SuiteStatus::VacantDirty)))
}

#[test]
fn the_first_rows_are_usable_before_the_rest_is_here() {
    // G16
    let motel = motel();
    let mut phone = Phone::new(ana());
    phone.feed(Input::Connect);
    phone.greet(&motel);
    let request = phone.next_request("/v1/snapshot");
    assert!(request.streams_lines && request.method == "POST");
    let lines = motel.snapshot(ana(), &[]);
    phone.feed(Input::SnapshotLines { id: request.id, lines: lines[..12].to_vec() });
    assert!(phone.store.rows().len() > 5);
    assert!(!phone.engine.status().has_data);
    assert!(phone.engine.status().sync_in_progress);
    // What is there can be worked on, once ana herself has come.
    phone.feed(Input::SnapshotLines { id: request.id, lines: lines[12..lines.len() - 1].to_vec() });
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    phone.feed(Input::SnapshotLines { id: request.id, lines: lines[lines.len() - 1..].to_vec() });
    phone.answer(&request, 200, "");
    assert!(phone.engine.status().has_data);
    assert_eq!(phone.cursor(), motel.cursor());
    assert_eq!(phone.sees(&suite_ref(101), "status"), "CLEANING");
    assert!(phone.state_of(op).is_some());
    // The feed goes on from here.
    assert!(matches!(phone.frames.last(), Some(ClientFrame::Resume(it)) if it.cursor == motel.cursor()));
}

#[test]
fn a_snapshot_that_is_cut_is_asked_again() {
    let mut motel = motel();
    let mut phone = Phone::new(ana());
    phone.feed(Input::Connect);
    phone.greet(&motel);
    for cut in [0, 1, 7, 20] {
        let request = phone.next_request("/v1/snapshot");
        let lines = motel.snapshot(ana(), &[]);
        phone.feed(Input::SnapshotLines { id: request.id, lines: lines[..cut].to_vec() });
        phone.answer(&request, 200, "");
        assert!(!phone.engine.status().has_data);
        while !phone.has_request("/v1/snapshot") {
            phone.pass(500);
        }
    }
    phone.serve(&mut motel);
    assert_eq!(phone.store.rows(), &motel.visible(ana()));
}

/// A snapshot that the server has a name for: all of it, or what comes after so many lines.
fn named(motel: &Motel, name: u128, after: usize) -> Vec<String> {
    let mut lines = motel.snapshot(ana(), &[]);
    let Ok(SnapshotLine::Start(start)) = SnapshotLine::parse(&lines[0]) else { panic!("{}", lines[0]) };
    let start = SnapshotStart { id: Some(id(name)), from: after as u64, ..start };
    lines.drain(..=after);
    lines.insert(0, SnapshotLine::Start(start).to_json());
    lines
}

fn resume_of(request: &innsync_engine::HttpRequest) -> Option<SnapshotResume> {
    let body: SnapshotRequest = serde_json::from_str(&request.body.as_ref().unwrap().0).unwrap();
    body.resume
}

fn cut_after(phone: &mut Phone, lines: &[String]) -> innsync_engine::HttpRequest {
    let request = phone.next_request("/v1/snapshot");
    phone.feed(Input::SnapshotLines { id: request.id, lines: lines.to_vec() });
    phone.answer(&request, 200, "");
    while !phone.has_request("/v1/snapshot") {
        phone.pass(500);
    }
    request
}

#[test]
fn a_snapshot_that_is_cut_goes_on_where_it_was() {
    // G16
    let motel = motel();
    for first_sync in [true, false] {
        let mut phone = Phone::new(ana());
        phone.feed(Input::Connect);
        phone.greet(&motel);
        if !first_sync {
            phone.serve(&mut motel.clone());
            phone.reset(ResetReason::Horizon);
        }
        let all = named(&motel, 1, 0);
        assert_eq!(resume_of(&cut_after(&mut phone, &all[..8])), None);
        let progress = phone.engine.status().progress.unwrap();
        assert_eq!((progress.rows, progress.of), (7, all.len() as u64 - 2));
        // Cut again before anything came, and once more on the way.
        assert_eq!(resume_of(&cut_after(&mut phone, &[])), Some(SnapshotResume { id: id(1), lines: 7 }));
        let second = named(&motel, 1, 7);
        assert_eq!(
            resume_of(&cut_after(&mut phone, &second[..4])),
            Some(SnapshotResume { id: id(1), lines: 7 })
        );
        let last = phone.next_request("/v1/snapshot");
        assert_eq!(resume_of(&last), Some(SnapshotResume { id: id(1), lines: 10 }));
        phone.feed(Input::SnapshotLines { id: last.id, lines: named(&motel, 1, 10) });
        assert_eq!(phone.store.rows(), &motel.visible(ana()), "first sync: {first_sync}");
        assert_eq!((phone.cursor(), phone.engine.status().progress), (motel.cursor(), None));
    }
}

/// Ana's phone, whose first snapshot was cut after a few lines.
fn cut_in_its_first_snapshot(motel: &Motel) -> Phone {
    let mut phone = Phone::new(ana());
    phone.feed(Input::Connect);
    phone.greet(motel);
    cut_after(&mut phone, &named(motel, 1, 0)[..8]);
    phone
}

#[test]
fn a_snapshot_that_the_server_has_not_kept_begins_anew() {
    let mut motel = motel();
    let mut phone = cut_in_its_first_snapshot(&motel);
    motel.act(maria(), innsync_domain::Command::DeleteSuite { suite_id: suite_ref(101).id });
    let request = phone.next_request("/v1/snapshot");
    assert!(resume_of(&request).is_some());
    phone.feed(Input::SnapshotLines { id: request.id, lines: named(&motel, 2, 0) });
    assert_eq!(phone.store.rows(), &motel.visible(ana()), "of the first one nothing is left");
    assert_eq!(phone.cursor(), motel.cursor());
}

#[test]
fn a_snapshot_that_goes_on_from_elsewhere_is_not_used() {
    let mut motel = motel();
    let mut phone = cut_in_its_first_snapshot(&motel);
    let request = phone.next_request("/v1/snapshot");
    phone.feed(Input::SnapshotLines { id: request.id, lines: named(&motel, 1, 9) });
    assert!(!phone.engine.status().has_data);
    phone.pass(60_000);
    assert_eq!(resume_of(phone.requests.back().unwrap()), None);
    phone.serve(&mut motel);
    assert_eq!(phone.store.rows(), &motel.visible(ana()));
}

#[test]
fn a_reset_is_staged_behind_the_screen_and_swapped_in_with_the_outbox_over_it() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    let push = phone.next_request("/v1/ops");
    motel.act(maria(), set_status(105, SuiteStatus::OutOfService));
    let before = phone.store.seen.len();

    phone.reset(ResetReason::Horizon);
    let request = phone.next_request("/v1/snapshot");
    assert!(request.body.as_ref().unwrap().0.contains(&op.to_string()));
    let lines = motel.snapshot(ana(), &[]);
    for chunk in lines[..lines.len() - 1].chunks(4) {
        phone.feed(Input::SnapshotLines { id: request.id, lines: chunk.to_vec() });
        // Deltas meanwhile wait for the end.
        phone.delta(motel.delta(ana(), 0, 1));
    }
    assert_eq!(phone.store.seen.len(), before, "nothing is shown by halves"); // G6
    phone.feed(Input::SnapshotLines { id: request.id, lines: lines[lines.len() - 1..].to_vec() });
    assert_eq!(phone.sees(&suite_ref(105), "status"), "OUT_OF_SERVICE");
    assert_eq!(phone.store.history(&suite_ref(101), "status"), ["VACANT_DIRTY", "CLEANING"]); // G7
    assert_eq!(phone.state_of(op), Some(OpState::Sent));
    phone.serve_one(&push, &mut motel);
    phone.answer(&request, 200, "");
    phone.catch_up(&mut motel);
    assert_eq!(phone.state_of(op), None);
    assert_eq!(phone.store.rows(), &motel.visible(ana()));
}

#[test]
fn the_snapshots_end_answers_operations_whose_answer_was_lost() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    let push = phone.next_request("/v1/ops");
    motel.push(&push.body.as_ref().unwrap().0);
    phone.reset(ResetReason::Scope);
    let request = phone.next_request("/v1/snapshot");
    phone.serve_one(&request, &mut motel);
    assert_eq!(phone.state_of(op), None);
    assert_eq!(phone.store.history(&suite_ref(101), "status"), ["VACANT_DIRTY", "CLEANING"]);
}

#[test]
fn after_a_restored_backup_a_confirmed_operation_that_it_lost_is_offered_again() {
    // G17: taken by the server, not yet in this phone's mirror.
    let mut motel = motel();
    let mut backup = motel.clone();
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    let push = phone.next_request("/v1/ops");
    phone.serve_one(&push, &mut motel);
    assert!(matches!(phone.state_of(op), Some(OpState::Applied { .. })));
    backup.epoch = 2;
    let mut motel = backup;
    phone.reset(ResetReason::History);
    phone.catch_up(&mut motel);
    assert_eq!(phone.state_of(op), None);
    assert!(motel.outcomes[&op].seq().is_some());
    assert_eq!(phone.store.history(&suite_ref(101), "status"), ["VACANT_DIRTY", "CLEANING"]);
}

#[test]
fn what_the_other_history_answers_is_not_reached_by_the_old_cursor() {
    // G7, G17: three commits later than the backup, the phone pushes to the server that was restored from it.
    let mut motel = motel();
    let mut backup = motel.clone();
    for number in 103..106 {
        motel.act(maria(), set_status(number, SuiteStatus::OutOfService));
    }
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    let push = phone.next_request("/v1/ops");
    backup.epoch = 2;
    let mut motel = backup;
    phone.reset(ResetReason::History);
    phone.serve_one(&push, &mut motel);
    assert_eq!(motel.outcomes[&op].seq(), Some(1), "lower than the cursor of the other history");
    assert_eq!(phone.sees(&suite_ref(101), "status"), "CLEANING");
    phone.catch_up(&mut motel);
    assert_eq!(phone.state_of(op), None);
    assert_eq!(phone.store.history(&suite_ref(101), "status"), ["VACANT_DIRTY", "CLEANING"]);
}

#[test]
fn an_answer_of_the_other_history_that_overtakes_the_reset_confirms_nothing() {
    // G7, G17: RESUME and the first push leave together.
    let mut motel = motel();
    let mut backup = motel.clone();
    for number in 103..106 {
        motel.act(maria(), set_status(number, SuiteStatus::OutOfService));
    }
    for socket in [true, false] {
        let mut phone = Phone::online(ana(), &mut motel);
        phone.offline();
        let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
        backup.epoch = 2;
        let mut motel = backup.clone();
        phone.feed(Input::Foreground);
        phone.settle();
        if socket {
            phone.greet(&motel);
        }
        let push = phone.next_request("/v1/ops");
        phone.serve_one(&push, &mut motel);
        assert_eq!(motel.outcomes[&op].seq(), Some(1), "lower than the cursor of the other history");
        assert_eq!(phone.sees(&suite_ref(101), "status"), "CLEANING");
        if !socket {
            phone.serve(&mut motel);
            phone.greet(&motel);
        }
        phone.catch_up(&mut motel);
        assert_eq!(phone.state_of(op), None);
        assert_eq!(phone.store.history(&suite_ref(101), "status"), ["VACANT_DIRTY", "CLEANING"]);
    }
}

#[test]
fn an_answer_that_overtakes_that_of_resume_is_confirmed_by_it() {
    // G7
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    let lost = phone.next_request("/v1/ops");
    motel.push(&lost.body.as_ref().unwrap().0);
    phone.delta(Delta { results: Vec::new(), ..motel.delta(ana(), 0, 1) });
    phone.break_link();
    phone.fail(&lost);
    phone.feed(Input::Foreground);
    phone.settle();
    phone.greet(&motel);
    while phone.has_request("/v1/sync") {
        let pull = phone.next_request("/v1/sync");
        phone.serve_one(&pull, &mut motel);
    }
    while !phone.has_request("/v1/ops") {
        phone.pass(500);
    }
    let push = phone.next_request("/v1/ops");
    phone.serve_one(&push, &mut motel);
    assert!(matches!(phone.state_of(op), Some(OpState::Applied { .. })), "who answers is not known yet");
    phone.delta(motel.delta(ana(), 1, 1));
    assert_eq!(phone.state_of(op), None);
}

#[test]
fn what_a_backup_lost_that_nobody_declares_is_sent_again_though_the_cursor_is_in_it() {
    // G1, G3, G17: taken and answered, and its commit not seen; another commit may have its number by then.
    for others in [0, 1] {
        let mut motel = motel();
        let mut backup = motel.clone();
        let mut phone = Phone::online(ana(), &mut motel);
        let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
        let push = phone.next_request("/v1/ops");
        phone.serve_one(&push, &mut motel);
        assert!(matches!(phone.state_of(op), Some(OpState::Applied { seq: 1, .. })));
        phone.break_link();
        let mut motel = backup.clone();
        for _ in 0..others {
            backup.act(maria(), set_status(105, SuiteStatus::OutOfService));
            motel = backup.clone();
        }
        phone.feed(Input::Foreground);
        phone.settle();
        phone.greet(&motel);
        phone.delta(motel.delta(ana(), 0, others));
        phone.catch_up(&mut motel);
        assert_eq!(phone.state_of(op), None);
        assert!(motel.outcomes[&op].seq().is_some());
        assert_eq!(phone.store.history(&suite_ref(101), "status"), ["VACANT_DIRTY", "CLEANING"]);
    }
}

#[test]
fn what_was_taken_after_resume_was_answered_is_not_sent_again() {
    // G7: the push leaves with RESUME, and is taken after the server has said what came before it.
    for snapshot in [false, true] {
        let mut motel = motel();
        let mut phone = Phone::online(ana(), &mut motel);
        phone.offline();
        let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
        phone.feed(Input::Foreground);
        phone.settle();
        let push = phone.next_request("/v1/ops");
        phone.greet(&motel);
        phone.requests.clear();
        let early = motel.snapshot(ana(), &[op]);
        if snapshot {
            phone.feed(Input::Refetch);
            phone.settle();
        }
        phone.serve_one(&push, &mut motel);
        assert!(matches!(phone.state_of(op), Some(OpState::Applied { .. })));
        if snapshot {
            let request = phone.next_request("/v1/snapshot");
            phone.feed(Input::SnapshotLines { id: request.id, lines: early });
        } else {
            phone.delta(motel.delta(ana(), 0, 0));
        }
        assert!(matches!(phone.state_of(op), Some(OpState::Applied { .. })), "it was not known of then");
        assert!(!phone.has_request("/v1/ops"));
        phone.catch_up(&mut motel);
        assert_eq!(phone.state_of(op), None);
        assert_eq!(motel.arrivals[&op], 1);
    }
}

#[test]
fn what_was_taken_is_not_parked_as_too_large() {
    // G7: a proxy answers the push with 413 after the socket has told that it was taken.
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    let push = phone.next_request("/v1/ops");
    motel.push(&push.body.as_ref().unwrap().0);
    let results = vec![OpResult { id: op, result: motel.outcomes[&op].clone() }];
    phone.delta(Delta { results, ..motel.delta(ana(), 0, 0) });
    phone.answer(&push, 413, "<html>413</html>");
    assert!(matches!(phone.state_of(op), Some(OpState::Applied { .. })), "{:?}", phone.state_of(op));
    phone.delta(motel.delta(ana(), 0, 1));
    assert_eq!(phone.state_of(op), None);
    assert_eq!(phone.store.history(&suite_ref(101), "status"), ["VACANT_DIRTY", "CLEANING"]);
}

#[test]
fn a_phone_without_a_cursor_has_no_history_to_leave() {
    // G7: what the server answers to such a RESUME is no sign of a restored backup.
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.offline();
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    phone.feed(Input::ClearCache);
    phone.come_back(&motel);
    let snapshot = phone.next_request("/v1/snapshot");
    let push = phone.next_request("/v1/ops");
    let early = motel.snapshot(ana(), &[]);
    phone.reset(ResetReason::History);
    phone.serve_one(&push, &mut motel);
    phone.feed(Input::SnapshotLines { id: snapshot.id, lines: early });
    assert!(matches!(phone.state_of(op), Some(OpState::Applied { .. })), "{:?}", phone.state_of(op));
    phone.catch_up(&mut motel);
    assert_eq!((phone.state_of(op), motel.arrivals[&op]), (None, 1));
}

#[test]
fn what_a_server_that_was_took_is_asked_about_where_the_socket_does_not_bring_it() {
    // G1, G3, G17: its answer comes late, after RESUME was answered by the server that was restored.
    let mut motel = motel();
    let mut backup = motel.clone();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.offline();
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    phone.feed(Input::Foreground);
    phone.settle();
    let push = phone.next_request("/v1/ops");
    phone.greet(&backup);
    phone.delta(backup.delta(ana(), 0, 0));
    phone.serve(&mut backup);
    phone.serve_one(&push, &mut motel);
    assert!(matches!(phone.state_of(op), Some(OpState::Applied { .. })));
    for _ in 0..30 {
        phone.pass(1_000);
        phone.ack(&backup);
        phone.serve(&mut backup);
    }
    phone.catch_up(&mut backup);
    assert_eq!(phone.state_of(op), None);
    assert!(backup.outcomes[&op].seq().is_some());
}

#[test]
fn what_a_backup_lost_that_nobody_declares_is_sent_again_without_a_socket() {
    // G3, G17: every pull ends before the commit that was named, and goes on from the cursor.
    let mut motel = motel();
    let mut backup = motel.clone();
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    let push = phone.next_request("/v1/ops");
    phone.serve_one(&push, &mut motel);
    assert!(matches!(phone.state_of(op), Some(OpState::Applied { seq: 1, .. })));
    phone.break_link();
    while phone.state_of(op).is_some() {
        phone.pass(5_000);
        phone.serve(&mut backup);
        assert!(phone.now.boot_ms < 300_000, "{:?}", phone.state_of(op));
    }
    assert!(backup.outcomes[&op].seq().is_some());
    assert_eq!(phone.store.history(&suite_ref(101), "status"), ["VACANT_DIRTY", "CLEANING"]);
}

#[test]
fn what_the_other_history_refused_is_left_to_a_person() {
    // G1, G17: a request that arrived twice, the second time at the server that was restored.
    for socket in [true, false] {
        let mut motel = motel();
        let mut backup = motel.clone();
        let mut phone = Phone::online(ana(), &mut motel);
        phone.pass(1_000);
        let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
        let push = phone.next_request("/v1/ops");
        phone.serve_one(&push, &mut motel);
        phone.break_link();
        backup.act(maria(), set_status(101, SuiteStatus::OutOfService));
        backup.push(&push.body.as_ref().unwrap().0);
        assert_eq!(backup.outcomes[&op].seq(), None);
        let mut motel = backup;
        phone.feed(Input::Foreground);
        phone.settle();
        phone.greet(&motel);
        let results = vec![OpResult { id: op, result: motel.outcomes[&op].clone() }];
        match socket {
            true => drop(phone.delta(Delta { results, ..motel.delta(ana(), 0, 1) })),
            false => phone.reset(ResetReason::History),
        }
        phone.catch_up(&mut motel);
        assert!(matches!(phone.state_of(op), Some(OpState::Parked { .. })), "{:?}", phone.state_of(op));
        assert_eq!(phone.sees(&suite_ref(101), "status"), "OUT_OF_SERVICE");
    }
}

#[test]
fn what_another_server_answers_is_not_reached_while_nobody_knows_that_the_link_is_dead() {
    // G7, G17: the socket leads nowhere any more, and the server was restored from a backup.
    let mut motel = motel();
    let mut backup = motel.clone();
    let mut phone = Phone::online(ana(), &mut motel);
    motel.act(maria(), set_status(105, SuiteStatus::OutOfService));
    phone.delta(motel.delta(ana(), 0, 1));
    backup.epoch = 2;
    let mut motel = backup;
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    let push = phone.next_request("/v1/ops");
    phone.serve_one(&push, &mut motel);
    assert!(matches!(phone.state_of(op), Some(OpState::Applied { seq: 1, .. })), "it is of another history");
    phone.catch_up(&mut motel);
    assert_eq!(phone.state_of(op), None);
    assert_eq!(phone.store.history(&suite_ref(101), "status"), ["VACANT_DIRTY", "CLEANING"]);
    assert_eq!(phone.store.rows(), &motel.visible(ana()));
}

#[test]
fn what_depends_on_an_operation_that_a_backup_lost_does_not_wait_for_it() {
    // G3, G17: the one is confirmed, the other could not be sent any more.
    let mut motel = motel();
    let mut backup = motel.clone();
    let mut phone = Phone::online(ana(), &mut motel);
    let first = phone.tap(set_status(101, SuiteStatus::Cleaning));
    let second = phone.try_after(set_status(103, SuiteStatus::Cleaning), vec![first]).unwrap().id;
    let push = phone.next_request("/v1/ops");
    let mut ops: innsync_protocol::PushRequest =
        serde_json::from_str(&push.body.as_ref().unwrap().0).unwrap();
    ops.ops.truncate(1);
    motel.push(&serde_json::to_string(&ops).unwrap());
    phone.fail(&push);
    phone.delta(motel.delta(ana(), 0, 1));
    assert_eq!(phone.state_of(first), None);
    phone.break_link();
    backup.epoch = 2;
    phone.feed(Input::Foreground);
    phone.settle();
    phone.greet(&backup);
    let push = phone.next_request("/v1/ops");
    phone.reset(ResetReason::History);
    let snapshot = phone.next_request("/v1/snapshot");
    phone.serve_one(&snapshot, &mut backup);
    phone.fail(&push);
    while phone.state_of(second).is_some() {
        phone.pass(1_000);
        phone.catch_up(&mut backup);
    }
    assert!(backup.outcomes[&second].seq().is_some());
    let sent = backup.received.last().unwrap();
    assert_eq!((sent.id, &sent.depends_on), (second, &vec![]), "a server would wait for it");
}

#[test]
fn what_a_backup_lost_that_nobody_declares_shows_where_a_snapshot_is_fetched_for_another_reason() {
    // G1, G3, G17: sam became a supervisor, or ana wants everything anew: nobody says HISTORY, but the server has less than
    // this phone. Of so many operations it is not asked about all.
    for resets in [true, false] {
        let mut motel = motel();
        let mut backup = motel.clone();
        let mut phone = Phone::online(ana(), &mut motel);
        let first = phone.tap(set_status(101, SuiteStatus::Cleaning));
        let push = phone.next_request("/v1/ops");
        phone.serve_one(&push, &mut motel);
        phone.delta(motel.delta(ana(), 0, 1));
        assert_eq!(phone.state_of(first), None);
        let second = phone.try_after(set_status(103, SuiteStatus::Cleaning), vec![first]).unwrap().id;
        let calls: Vec<_> =
            (0..260).map(|call| phone.tap(report(id(7_000 + call), "Towels for 105"))).collect();
        phone.serve(&mut motel);
        let is_taken = |id: &_| matches!(phone.state_of(*id), Some(OpState::Applied { .. }));
        assert!(calls.len() > PENDING_PER_RESUME && calls.iter().chain([&second]).all(is_taken));
        backup.history = 1;
        match resets {
            true => phone.reset(ResetReason::Scope),
            false => drop(phone.feed(Input::ClearCache)),
        }
        phone.settle();
        let snapshot = phone.next_request("/v1/snapshot");
        phone.serve_one(&snapshot, &mut backup);
        while phone.engine.status().pending_changes > 0 {
            phone.pass(1_000);
            phone.catch_up(&mut backup);
            assert!(phone.now.boot_ms < 600_000, "{:?}", phone.why(second));
        }
        assert!(calls.iter().chain([&second]).all(|id| backup.outcomes[id].seq().is_some()));
        let sent = backup.received.iter().rfind(|op| op.id == second).unwrap();
        assert!(sent.depends_on.is_empty(), "a server would wait for it");
    }
}

#[test]
fn a_pull_goes_on_over_a_link_that_breaks_all_the_time() {
    // G5, G6: no socket lives as long as a page takes.
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    for number in [103, 104, 105] {
        motel.act(maria(), set_status(number, SuiteStatus::OutOfService));
    }
    phone.delta(motel.delta(ana(), 1, 1));
    for (from, to) in [(0, 1), (1, 2)] {
        let pull = phone.next_request(&format!("/v1/sync?epoch=1&seq={from}&"));
        phone.break_link();
        phone.come_back(&motel);
        assert!(!phone.has_request("/v1/sync"), "it is under way");
        let page = Delta { more: true, ..motel.delta(ana(), from, to) };
        phone.answer(&pull, 200, SyncAnswer::Delta(page).to_json());
        assert_eq!(phone.cursor().seq, 0, "whether the server still knows that is not known");
    }
    // What comes live meanwhile is shown.
    let page = phone.next_request("/v1/sync?epoch=1&seq=2&");
    phone.break_link();
    phone.come_back(&motel);
    let Some(ClientFrame::Resume(resume)) = phone.frames.last() else { panic!("{:?}", phone.frames) };
    assert_eq!((resume.cursor.seq, resume.cursor.mark), (2, motel.mark(2)));
    phone.delta(motel.delta(ana(), 2, 3));
    assert_eq!(phone.cursor(), motel.cursor(), "all three, in one transaction");
    assert_eq!(phone.store.rows(), &motel.visible(ana()));
    motel.act(maria(), set_status(104, SuiteStatus::VacantDirty));
    phone.delta(motel.delta(ana(), 3, 4));
    assert_eq!(phone.sees(&suite_ref(104), "status"), "VACANT_DIRTY");
    let late = SyncAnswer::Delta(motel.delta(ana(), 2, 3)).to_json();
    phone.answer(&page, 200, late);
    phone.catch_up(&mut motel);
    assert_eq!(phone.store.history(&suite_ref(104), "status").last().unwrap(), "VACANT_DIRTY");
}

#[test]
fn who_waits_for_what_is_new_does_not_wait_for_a_pull_of_an_older_connection() {
    // G11: it may lead nowhere.
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    motel.act(maria(), set_status(103, SuiteStatus::OutOfService));
    motel.act(maria(), set_status(104, SuiteStatus::OutOfService));
    phone.delta(motel.delta(ana(), 1, 2));
    let _hangs = phone.next_request("/v1/sync");
    phone.break_link();
    phone.come_back(&motel);
    assert!(!phone.has_request("/v1/sync"));
    phone.feed(Input::Barrier { request: 9 });
    phone.settle();
    phone.serve(&mut motel);
    assert!(phone.said.contains(&Output::UpToDate { request: 9 }));
    assert_eq!(phone.cursor(), motel.cursor());
}

#[test]
fn frames_of_a_connection_end_with_it() {
    // G6, G17: a frame that waited for a pull would fit, were the server still what it was.
    let mut motel = motel();
    let mut backup = motel.clone();
    let mut phone = Phone::online(ana(), &mut motel);
    for number in [103, 104, 105] {
        motel.act(maria(), set_status(number, SuiteStatus::OutOfService));
    }
    phone.delta(motel.delta(ana(), 1, 2));
    let pull = phone.next_request("/v1/sync");
    phone.delta(motel.delta(ana(), 2, 3));
    assert_eq!(phone.cursor().seq, 0, "it waits for the pull");
    let late = innsync_protocol::SyncAnswer::Delta(motel.delta(ana(), 0, 2)).to_json();
    phone.break_link();
    backup.history = 1;
    for number in [101, 102] {
        backup.act(maria(), set_status(number, SuiteStatus::OutOfService));
    }
    let mut motel = backup;
    phone.come_back(&motel);
    phone.answer(&pull, 200, late);
    assert_eq!(phone.cursor().seq, 0, "it may be of a server that was");
    phone.delta(motel.delta(ana(), 2, 2));
    phone.catch_up(&mut motel);
    assert_eq!(phone.cursor(), motel.cursor());
    assert_eq!(phone.store.rows(), &motel.visible(ana()));
    let seen = phone.store.history(&suite_ref(103), "status");
    assert!(!seen.contains(&"OUT_OF_SERVICE".to_owned()), "of what was lost nothing was shown: {seen:?}");
}

#[test]
fn that_a_backup_was_restored_is_not_forgotten_by_a_restart() {
    // G1, G17
    let mut motel = motel();
    let backup = motel.clone();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.ack(&motel);
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    let push = phone.next_request("/v1/ops");
    phone.serve_one(&push, &mut motel);
    assert!(matches!(phone.state_of(op), Some(OpState::Applied { .. })));
    let mut motel = backup;
    phone.reset(ResetReason::History);
    phone.restart();
    phone.go_online(&mut motel);
    assert!(motel.outcomes[&op].seq().is_some(), "offered again");
    assert_eq!(phone.state_of(op), None);
    assert_eq!(phone.store.history(&suite_ref(101), "status"), ["VACANT_DIRTY", "CLEANING"]);
}

#[test]
fn clearing_one_kind_keeps_the_others_and_the_outbox() {
    // G1, G9
    let mut motel = Motel::new(
        [suite(101, SuiteStatus::VacantDirty), suite(102, SuiteStatus::VacantDirty)]
            .into_iter()
            .chain([task(id(71), "Towels", Some(ana())).into()]),
    );
    let mut phone = Phone::online(ana(), &mut motel);
    phone.offline();
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    let lamp = phone.tap(report(id(70), "Lamp"));
    phone.feed(Input::ClearKind { kind: EntityKind::Suite });
    assert_eq!(phone.store.row(&suite_ref(102)), None);
    assert_eq!(phone.sees(&task_ref(id(71)), "title"), "Towels");
    assert_eq!(phone.sees(&task_ref(id(70)), "title"), "Lamp", "still predicted");
    assert!(!phone.engine.status().has_data);
    // Killed before it is fetched: it is not forgotten that it is to be.
    phone.restart();
    assert!(phone.state_of(op).is_some() && phone.state_of(lamp).is_some());
    phone.feed(Input::Connect);
    phone.settle();
    phone.greet(&motel);
    let request = phone.next_request("/v1/snapshot");
    let lines = motel.snapshot(ana(), &[]);
    phone.feed(Input::SnapshotLines { id: request.id, lines: lines[..4].to_vec() });
    assert_eq!(phone.sees(&task_ref(id(71)), "title"), "Towels", "the rest stays on the screen meanwhile");
    phone.feed(Input::SnapshotLines { id: request.id, lines: lines[4..].to_vec() });
    phone.answer(&request, 200, "");
    assert_eq!(phone.sees(&suite_ref(101), "status"), "CLEANING");
    phone.catch_up(&mut motel);
    assert_eq!((phone.state_of(op), phone.state_of(lamp)), (None, None));
    assert_eq!(phone.store.rows(), &motel.visible(ana()));
}

/// The app is killed and started again, as a release that is newer than the one that ran before.
fn update_the_app(phone: &mut Phone) {
    let meta = phone.store.meta().unwrap();
    assert!(meta.passed_over.is_some());
    let older = Meta { passed_over: Some("0.0.1".into()), ..meta };
    phone.store.commit(&Batch { writes: vec![Write::PutMeta(older)] });
    phone.restart();
}

#[test]
fn what_an_older_release_passed_over_a_newer_one_fetches() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    let mark = motel.mark(1).0;
    let minibar = format!(
        r#"{{"type":"DELTA","epoch":1,"from":0,"to":1,"mark":"{mark:016x}","commits":[{{"seq":1,
        "at":"2026-11-22T08:30:00.000Z","by":"{}","changes":[{{"op":"UPSERT","entityType":"MINIBAR","entity":{{}},
        "created":true}}]}}]}}"#,
        maria()
    );
    motel.act(maria(), set_status(105, SuiteStatus::OutOfService));
    phone.text(&minibar);
    assert_eq!(phone.cursor().seq, 1);
    phone.restart();
    phone.go_online(&mut motel);
    assert_eq!(phone.sees(&suite_ref(105), "status"), "VACANT_DIRTY", "the same release asks for nothing");
    update_the_app(&mut phone);
    phone.go_online(&mut motel);
    assert_eq!(phone.sees(&suite_ref(105), "status"), "OUT_OF_SERVICE");
    assert_eq!(phone.store.meta().unwrap().passed_over, None);
}

#[test]
fn clearing_the_cache_keeps_the_outbox() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.offline();
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    phone.feed(Input::ClearCache);
    assert!(phone.store.rows().is_empty());
    assert!(!phone.engine.status().has_data);
    assert!(phone.state_of(op).is_some());
    phone.requests.clear();
    phone.pass(60_000);
    while phone.socket.is_none() {
        phone.pass(1_000);
    }
    phone.greet(&motel);
    phone.catch_up(&mut motel);
    assert_eq!(phone.state_of(op), None);
    assert_eq!(phone.sees(&suite_ref(101), "status"), "CLEANING");
}

#[test]
fn a_refetch_changes_nothing_where_nothing_changed() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    let seen = phone.store.seen.len();
    phone.feed(Input::Refetch);
    phone.catch_up(&mut motel);
    assert_eq!(phone.store.seen.len(), seen);
}

#[test]
fn a_snapshots_answer_that_is_none_is_no_snapshot() {
    let motel = motel();
    let mut phone = Phone::new(ana());
    phone.feed(Input::Connect);
    phone.greet(&motel);
    let request = phone.next_request("/v1/snapshot");
    let page = vec!["<html>".to_owned(), "Welcome".to_owned()];
    phone.feed(Input::SnapshotLines { id: request.id, lines: page });
    phone.answer(&request, 200, "");
    assert!(phone.store.rows().is_empty());
    phone.pass(2_000);
    assert!(phone.has_request("/v1/snapshot"));
}
