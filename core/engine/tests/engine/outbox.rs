//! The outbox: lanes, answers, retries, people's decisions.

use innsync_domain::{Command, ErrorClass, Reason, Rejection, SuiteStatus, Uuid};
use innsync_engine::{HttpAnswer, Input, OpState, Output, StoreRead};
use innsync_protocol::{Op, OpOutcome, OpResult, PushAnswer};

use crate::support::*;

fn ops(body: &innsync_engine::HttpRequest) -> Vec<Op> {
    #[derive(serde::Deserialize)]
    struct Body {
        ops: Vec<Op>,
    }
    serde_json::from_str::<Body>(&body.body.as_ref().unwrap().0).unwrap().ops
}

fn answers(results: &[(innsync_domain::Uuid, OpOutcome)]) -> String {
    let results = results.iter().map(|(id, result)| OpResult { id: *id, result: result.clone() }).collect();
    serde_json::to_string(&PushAnswer { results }).unwrap()
}

fn refused(class: ErrorClass) -> OpOutcome {
    OpOutcome::rejected(Rejection { class, ..Rejection::permanent(Reason::Forbidden, "No.") })
}

fn motel() -> Motel {
    let tasks = (1..=9).map(|number| task(id(70 + number), "Task", Some(ana())).into());
    Motel::new(tasks.chain([suite(101, SuiteStatus::VacantDirty), suite(102, SuiteStatus::VacantDirty)]))
}

/// A phone with these operations queued, just connected: its first push is out.
fn pushing(motel: &mut Motel, commands: Vec<Command>) -> (Phone, Vec<innsync_domain::Uuid>) {
    let mut phone = Phone::online(ana(), motel);
    phone.offline();
    phone.requests.clear();
    phone.feed(Input::NetworkChanged { available: false });
    let taps = commands.into_iter().map(|it| phone.tap(it)).collect();
    phone.requests.clear();
    phone.feed(Input::Foreground);
    phone.greet(motel);
    (phone, taps)
}

#[test]
fn one_lane_goes_one_by_one_and_lanes_go_together() {
    let mut motel = motel();
    let start = |number| Command::StartTask { task_id: id(number) };
    let complete = |number| Command::CompleteTask { task_id: id(number) };
    let (mut phone, taps) = pushing(&mut motel, vec![start(71), complete(71), start(72), complete(72)]);
    let push = phone.next_request("/v1/ops");
    let sent: Vec<_> = ops(&push).iter().map(|op| op.id).collect();
    assert_eq!(sent, [taps[0], taps[2]]);
    assert!(phone.why(taps[1]).contains(&taps[0].to_string()), "{}", phone.why(taps[1]));
    // More to send, but one push at a time.
    phone.tap(start(73));
    assert!(!phone.has_request("/v1/ops"));
    phone.serve_one(&push, &mut motel);
    let push = phone.next_request("/v1/ops");
    let next = ops(&push);
    assert_eq!(next.len(), 3);
    // The next of the lane builds on the version that the first one made: nobody conflicts with themself.
    assert_eq!(next.iter().find(|op| op.id == taps[1]).unwrap().base_version, Some(2));
    phone.serve_one(&push, &mut motel);
    phone.catch_up(&mut motel);
    assert_eq!(phone.engine.status().pending_changes, 0);
    assert_eq!(phone.engine.status().parked, 0);
}

#[test]
fn a_bad_operation_delays_its_own_lane_alone() {
    // G4
    let mut motel = motel();
    let (mut phone, taps) = pushing(
        &mut motel,
        vec![
            Command::StartTask { task_id: id(71) },
            Command::CompleteTask { task_id: id(71) },
            Command::StartTask { task_id: id(72) },
        ],
    );
    let push = phone.next_request("/v1/ops");
    let applied = OpOutcome::Applied { seq: 1, version: 2, skipped: vec![] };
    phone.answer(&push, 200, answers(&[(taps[0], refused(ErrorClass::Permanent)), (taps[2], applied)]));
    assert!(matches!(phone.state_of(taps[0]), Some(OpState::Parked { .. })));
    assert!(phone.why(taps[1]).contains("needs you first"), "{}", phone.why(taps[1]));
    assert_eq!(phone.sees(&task_ref(id(71)), "status"), "COMPLETED", "what waits is still meant");
    let other = phone.tap(Command::StartTask { task_id: id(73) });
    assert!(ops(&phone.next_request("/v1/ops")).iter().any(|op| op.id == other));
    // Discarded, it lets the next one go.
    phone.requests.clear();
    phone.feed(Input::Discard { id: taps[0] });
    phone.pass(60_000);
    assert!(!phone.why(taps[1]).contains("needs you"), "{}", phone.why(taps[1]));
}

#[test]
fn what_depends_on_a_discarded_one_is_left_to_a_person() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.offline();
    let first = phone.tap(Command::StartTask { task_id: id(71) });
    let second = phone.try_after(Command::StartTask { task_id: id(72) }, vec![first]).unwrap().id;
    phone.feed(Input::Discard { id: first });
    assert!(matches!(phone.state_of(second), Some(OpState::Parked { .. })));
    phone.go_online(&mut motel);
    // A person may want it all the same; the server does not wait for the other one.
    phone.feed(Input::Retry { parked: second, id: id(999) });
    let push = phone.next_request("/v1/ops");
    assert!(ops(&push)[0].depends_on.is_empty());
    phone.serve_one(&push, &mut motel);
    phone.catch_up(&mut motel);
    assert_eq!(phone.state_of(id(999)), None);
}

#[test]
fn a_declared_dependency_waits_and_follows_a_retry() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    let first = phone.tap(Command::StartTask { task_id: id(71) });
    let second = phone.try_after(Command::StartTask { task_id: id(72) }, vec![first]).unwrap().id;
    let push = phone.next_request("/v1/ops");
    assert!(phone.why(second).contains("depends on"), "{}", phone.why(second));
    phone.answer(&push, 200, answers(&[(first, refused(ErrorClass::Permanent))]));
    assert!(!phone.has_request("/v1/ops"));
    phone.feed(Input::Retry { parked: first, id: id(999) });
    assert_eq!(phone.state_of(first), None);
    let again = phone.next_request("/v1/ops");
    let sent = ops(&again);
    assert_eq!((sent[0].id, sent[0].supersedes), (id(999), Some(first)));
    phone.serve_one(&again, &mut motel);
    let push = phone.next_request("/v1/ops");
    assert_eq!(ops(&push)[0].depends_on, [id(999)]);
}

#[test]
fn a_transient_answer_is_tried_again_and_told_once() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(Command::StartTask { task_id: id(71) });
    let push = phone.next_request("/v1/ops");
    phone.answer(&push, 200, answers(&[(op, OpOutcome::Retry { after: 3_000 })]));
    assert_eq!(phone.state_of(op), Some(OpState::Queued));
    assert!(phone.why(op).contains("3 s"), "{}", phone.why(op));
    phone.pass(2_999);
    assert!(!phone.has_request("/v1/ops"));
    phone.pass(2);
    let push = phone.next_request("/v1/ops");
    phone.answer(&push, 200, answers(&[(op, refused(ErrorClass::Transient))]));
    phone.pass(5_000);
    assert!(phone.has_request("/v1/ops")); // G3
    assert_eq!(phone.toasts(), ["sync.failed"]);
}

#[test]
fn a_failing_server_is_asked_again_with_backoff_and_its_wish_honoured() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(Command::StartTask { task_id: id(71) });
    let push = phone.next_request("/v1/ops");
    let busy = HttpAnswer { status: 429, retry_after_ms: Some(12_000), body: String::new() };
    phone.feed(Input::Http { id: push.id, answer: Ok(busy) });
    assert!(phone.why(op).contains("12 s"), "{}", phone.why(op));
    phone.pass(11_999);
    assert!(!phone.has_request("/v1/ops"));
    phone.pass(1);
    let push = phone.next_request("/v1/ops");
    phone.answer(&push, 200, "<html>Welcome</html>");
    phone.pass(2_000);
    phone.catch_up(&mut motel);
    assert_eq!(phone.state_of(op), None);
    assert_eq!(motel.arrivals[&op], 1);
}

#[test]
fn too_much_at_once_is_halved_and_too_large_alone_is_a_persons_matter() {
    let mut motel = motel();
    let commands = (1..=4).map(|number| Command::StartTask { task_id: id(70 + number) }).collect();
    let (mut phone, taps) = pushing(&mut motel, commands);
    for expected in [4, 2, 1] {
        let push = phone.next_request("/v1/ops");
        assert_eq!(ops(&push).len(), expected);
        phone.answer(&push, 413, "");
    }
    assert!(matches!(phone.state_of(taps[0]), Some(OpState::Parked { .. })));
    phone.catch_up(&mut motel);
    assert_eq!(phone.engine.status().pending_changes, 0);
}

#[test]
fn a_lost_answer_is_asked_for_again_and_the_operation_taken_once() {
    // G2
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(Command::AddComment { note_id: id(60), comment_id: id(61), text: "Seen".into() });
    let push = phone.next_request("/v1/ops");
    motel.push(&push.body.as_ref().unwrap().0);
    phone.fail(&push);
    phone.pass(2_000);
    phone.catch_up(&mut motel);
    assert!(motel.arrivals[&op] > 1 || phone.state_of(op).is_none());
    assert_ne!(phone.state_of(op), Some(OpState::Sent));
}

#[test]
fn a_phone_that_was_killed_sends_again_what_had_no_answer() {
    // G1
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(Command::StartTask { task_id: id(71) });
    let push = phone.next_request("/v1/ops");
    motel.push(&push.body.as_ref().unwrap().0);
    phone.restart();
    assert_eq!(phone.state_of(op), Some(OpState::Sent));
    assert_eq!(phone.sees(&task_ref(id(71)), "status"), "IN_PROGRESS");
    phone.go_online(&mut motel);
    let resumed = phone.frames.iter().find_map(|it| match it {
        innsync_protocol::ClientFrame::Resume(resume) => Some(resume.pending.clone()),
        _ => None,
    });
    assert_eq!(resumed, Some(vec![op]));
    assert_eq!(phone.state_of(op), None);
    assert_eq!(phone.store.history(&task_ref(id(71)), "status"), ["PENDING", "IN_PROGRESS"]); // G7
}

#[test]
fn a_conflict_waits_for_a_person_and_a_retry_says_what_they_had_seen() {
    // G8
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.offline();
    phone.pass(1_000);
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    motel.act(maria(), set_status(101, SuiteStatus::Inspected));
    motel.act(maria(), set_status(101, SuiteStatus::VacantDirty));
    motel.act(maria(), set_status(101, SuiteStatus::OutOfService));
    motel.act(maria(), set_status(101, SuiteStatus::Occupied));
    phone.feed(Input::Foreground);
    phone.greet(&motel);
    phone.catch_up(&mut motel);
    let Some(OpState::Parked { reason }) = phone.state_of(op) else { panic!("{:?}", phone.state_of(op)) };
    assert!(
        matches!(&reason, innsync_engine::ParkReason::Conflict { fields, .. } if fields[0].theirs == "OCCUPIED")
    );
    assert_eq!(phone.sees(&suite_ref(101), "status"), "OCCUPIED");
    assert!(phone.toasts().contains(&"update.failed".to_owned()));
    // A housekeeper cannot clean an occupied suite: the retry is refused at once, and it is the same conflict still.
    phone.feed(Input::Retry { parked: op, id: id(998) });
    let Some(OpState::Parked { reason }) = phone.state_of(op) else { panic!("{:?}", phone.state_of(op)) };
    assert!(matches!(&reason, innsync_engine::ParkReason::Conflict { rejection: Some(_), .. }), "{reason:?}");
    motel.act(maria(), set_status(101, SuiteStatus::VacantDirty));
    phone.catch_up(&mut motel);
    phone.feed(Input::Retry { parked: op, id: id(999) });
    assert_eq!(phone.store.op(id(999)).unwrap().op.base_version, Some(1));
    phone.catch_up(&mut motel);
    assert_eq!(phone.sees(&suite_ref(101), "status"), "CLEANING");
    assert_eq!(phone.engine.status().parked, 0);
}

#[test]
fn what_is_on_its_way_cannot_be_discarded() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(Command::StartTask { task_id: id(71) });
    phone.feed(Input::Discard { id: op });
    assert_eq!(phone.state_of(op), Some(OpState::Sent));
    assert!(
        phone.said.iter().any(|it| matches!(it, Output::Event(innsync_engine::ClientEvent::Error { .. })))
    );
}

#[test]
fn what_left_the_phone_without_an_answer_cannot_be_discarded() {
    // G2: the server may have carried it out.
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(Command::StartTask { task_id: id(71) });
    let push = phone.next_request("/v1/ops");
    motel.push(&push.body.as_ref().unwrap().0);
    phone.offline();
    phone.fail(&push);
    assert_eq!(phone.state_of(op), Some(OpState::Queued));
    phone.feed(Input::Discard { id: op });
    assert_eq!(phone.state_of(op), Some(OpState::Queued));
    assert!(!phone.store.op(op).unwrap().may_be_discarded());
    // One that has never left it can be.
    let unsent = phone.tap(report(id(70), "Lamp"));
    phone.feed(Input::Discard { id: unsent });
    assert_eq!(phone.state_of(unsent), None);
}

#[test]
fn an_operation_refused_for_its_token_costs_no_attempt() {
    // G12
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(Command::StartTask { task_id: id(71) });
    let push = phone.next_request("/v1/ops");
    phone.answer(&push, 200, answers(&[(op, refused(ErrorClass::Auth))]));
    assert_eq!(phone.state_of(op), Some(OpState::Queued));
    assert_eq!(phone.store.op(op).unwrap().attempts, 0);
    assert!(phone.toasts().is_empty(), "the server does not fail");
}

#[test]
fn an_operation_that_cannot_be_read_any_more_leaves_no_prediction_behind() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.offline();
    let lost = phone.tap(set_status(101, SuiteStatus::Cleaning));
    let kept = phone.tap(report(id(70), "Lamp"));
    phone.store.lose(lost);
    phone.restart();
    phone.settle();
    assert_eq!(phone.sees(&suite_ref(101), "status"), "VACANT_DIRTY");
    assert_eq!(phone.sees(&task_ref(id(70)), "title"), "Lamp");
    assert_eq!(phone.store.bases().unwrap(), [task_ref(id(70))]);
    assert!(phone.state_of(kept).is_some());
}

#[test]
fn an_answer_over_http_stays_over_the_mirror_until_the_feed_brings_it() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(Command::StartTask { task_id: id(71) });
    let push = phone.next_request("/v1/ops");
    phone.serve_one(&push, &mut motel);
    assert_eq!(phone.state_of(op), Some(OpState::Applied { seq: 1, version: 2 }));
    assert_eq!(phone.sees(&task_ref(id(71)), "status"), "IN_PROGRESS");
    assert_eq!(phone.engine.status().pending_changes, 1, "not yet confirmed"); // G10
    phone.delta(motel.delta(ana(), 0, 1));
    assert_eq!(phone.state_of(op), None);
    assert!(phone.engine.status().last_sync_time.is_some());
}

#[test]
fn the_time_of_the_intent_is_corrected_by_the_servers_clock() {
    // G19: ana's clock is a day ahead.
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.offline();
    phone.now.wall = phone.now.wall.plus_millis(86_400_000);
    let tapped_at = phone.now;
    let op = phone.tap(Command::StartTask { task_id: id(71) });
    let intent = phone.store.op(op).unwrap().op.intent.clone();
    assert_eq!(intent.wall, tapped_at.wall);
    assert_eq!(intent.corrected, Some(tapped_at.wall.plus_millis(-86_400_000)));
}

#[test]
fn read_marks_join_those_that_wait_and_hold_nobody_up() {
    let mut motel = motel();
    for number in 1..=3u128 {
        let row = innsync_domain::Notification {
            id: id(40 + number),
            recipient_id: ana(),
            notification_type: innsync_domain::NotificationType::TaskAssigned,
            title: "New Task Assigned".into(),
            message: "Towels".into(),
            priority: innsync_domain::NotificationPriority::Normal,
            related_entity_id: None,
            read_at: None,
            version: 1,
            updated_at: at(0),
            updated_by: maria(),
            extra: Default::default(),
        };
        motel.rows.insert(innsync_domain::Entity::from(row.clone()).reference(), row.into());
    }
    let mut phone = Phone::online(ana(), &mut motel);
    phone.offline();
    phone.feed(Input::NetworkChanged { available: false });
    let mark = |number: u128| Command::MarkRead { notification_ids: vec![id(40 + number)] };
    let first = phone.tap(mark(1));
    assert_eq!(phone.tap(mark(2)), first);
    assert_eq!(phone.engine.status().pending_changes, 1);
    let inbox = |number: u128| {
        innsync_domain::EntityRef::new(innsync_domain::EntityKind::Notification, id(40 + number))
    };
    assert_ne!(phone.sees(&inbox(1), "readAt"), "null");
    assert_ne!(phone.sees(&inbox(2), "readAt"), "null");
    assert_eq!(phone.sees(&inbox(3), "readAt"), "null");
    phone.feed(Input::Foreground);
    phone.greet(&motel);
    // It is on its way: the next one is another.
    assert_ne!(phone.tap(mark(3)), first);
    phone.catch_up(&mut motel);
    assert_eq!(phone.engine.status().pending_changes, 0);
}

#[test]
fn what_went_into_a_network_that_is_gone_goes_again_over_the_next() {
    // G2, G3
    let mut motel = motel();
    let start = |number| Command::StartTask { task_id: id(number) };
    let (mut phone, taps) = pushing(&mut motel, vec![start(71)]);
    let lost = phone.next_request("/v1/ops");
    let later = phone.tap(start(72));
    assert!(!phone.has_request("/v1/ops"), "one push at a time");
    phone.feed(Input::Foreground);
    phone.settle();
    assert!(!phone.has_request("/v1/ops"), "on the same network it may still be answered");
    phone.feed(Input::NetworkChanged { available: true });
    phone.settle();
    let again = phone.next_request("/v1/ops");
    let sent: Vec<_> = ops(&again).iter().map(|op| op.id).collect();
    assert_eq!(sent, [taps[0], later]);
    // It had come through, and only its answer was lost; that comes after all, when nobody waits for it any more.
    motel.push(&lost.body.as_ref().unwrap().0);
    phone.serve_one(&again, &mut motel);
    phone.serve_one(&lost, &mut motel);
    phone.catch_up(&mut motel);
    assert_eq!(phone.engine.status().pending_changes, 0);
    assert_eq!(motel.cursor().seq, 2);
}

#[test]
fn two_hundred_and_fifty_six_at_a_time() {
    let mut motel = motel();
    let commands = (0..300).map(|number| report(id(4_000 + number), "Lamp")).collect();
    let (mut phone, _) = pushing(&mut motel, commands);
    let push = phone.next_request("/v1/ops");
    assert_eq!(ops(&push).len(), 256);
    phone.serve_one(&push, &mut motel);
    assert_eq!(ops(&phone.next_request("/v1/ops")).len(), 44);
}

#[test]
fn every_operation_can_say_why_it_waits() {
    // G24
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.offline();
    phone.feed(Input::NetworkChanged { available: false });
    let op = phone.tap(Command::StartTask { task_id: id(71) });
    assert!(phone.why(op).contains("cannot be reached"), "{}", phone.why(op));
    phone.feed(Input::Disconnect);
    assert!(phone.why(op).contains("disconnected"), "{}", phone.why(op));
    assert_eq!(phone.engine.why_waiting(phone.now, id(1)), None);
}

/// ana started 71 and 101 was taken for dirty; the server does not want the first.
fn a_refused_start(motel: &mut Motel) -> (Phone, Uuid) {
    let mut phone = Phone::online(ana(), motel);
    let op = phone.tap(Command::StartTask { task_id: id(71) });
    let push = phone.next_request("/v1/ops");
    phone.answer(&push, 200, answers(&[(op, refused(ErrorClass::Permanent))]));
    (phone, op)
}

fn edit(phone: &mut Phone, parked: Uuid, new: Uuid, command: Command) -> Result<Uuid, Rejection> {
    let outputs = phone.feed(Input::Edit { request: 9, parked, id: new, command });
    let answer = outputs.into_iter().find_map(|it| match it {
        Output::Executed { request: 9, result } => Some(result),
        _ => None,
    });
    answer.expect("an answer").map(|receipt| receipt.id)
}

#[test]
fn a_parked_operation_is_edited_and_takes_its_old_place() {
    let mut motel = motel();
    let (mut phone, parked) = a_refused_start(&mut motel);
    let after = phone.try_after(Command::StartTask { task_id: id(72) }, vec![parked]).unwrap().id;
    assert_eq!(edit(&mut phone, parked, id(999), Command::CompleteTask { task_id: id(71) }), Ok(id(999)));
    assert_eq!(
        (phone.state_of(parked), phone.sees(&task_ref(id(71)), "status").as_str()),
        (None, "COMPLETED")
    );
    let push = phone.next_request("/v1/ops");
    assert_eq!((ops(&push)[0].id, ops(&push)[0].supersedes), (id(999), Some(parked)));
    phone.serve_one(&push, &mut motel);
    let push = phone.next_request("/v1/ops");
    assert_eq!((ops(&push)[0].id, &ops(&push)[0].depends_on), (after, &vec![id(999)]));
}

#[test]
fn an_edit_that_is_refused_leaves_the_parked_operation_as_it_was() {
    let mut motel = motel();
    let (mut phone, parked) = a_refused_start(&mut motel);
    let before = phone.store.op(parked).cloned();
    // About another task; against the rules; and of an operation that is not parked.
    assert!(edit(&mut phone, parked, id(999), Command::StartTask { task_id: id(72) }).is_err());
    let assign = Command::AssignTask { task_id: id(71), assignee: ben() };
    let refused = edit(&mut phone, parked, id(999), assign).unwrap_err();
    assert!(!refused.message.is_empty());
    assert!(edit(&mut phone, id(5), id(999), Command::StartTask { task_id: id(71) }).is_err());
    assert_eq!(phone.store.op(parked).cloned(), before);
    assert_eq!(phone.state_of(id(999)), None);
}

#[test]
fn a_discarded_operation_goes_with_all_that_builds_on_it_and_is_kept_for_a_while() {
    // G1: forgotten by a person's choice alone, and not without a trace.
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.offline();
    let lamp = phone.tap(report(id(170), "Lamp"));
    let edited = phone.tap(Command::EditTask {
        task_id: id(170),
        patch: innsync_domain::TaskPatch { title: Some("Two lamps".into()), ..Default::default() },
    });
    let other = phone.tap(Command::StartTask { task_id: id(71) });
    let after = phone.try_after(Command::StartTask { task_id: id(72) }, vec![edited]).unwrap().id;
    assert_eq!(phone.engine.dependents(lamp), [edited, after]);
    phone.feed(Input::DiscardWithDependents { id: lamp });
    for gone in [lamp, edited, after] {
        assert_eq!(phone.state_of(gone), None);
    }
    assert_eq!(phone.state_of(other), Some(OpState::Queued));
    assert_eq!(phone.store.row(&task_ref(id(170))), None);
    let kept: Vec<Uuid> = phone.store.discarded.iter().map(|it| it.op.op.id).collect();
    assert_eq!(kept, [after, edited, lamp]);
}
