//! What a person makes of a conflict, and what they take back.

use innsync_domain::{Command, Fields, Priority, Reason, SuiteStatus, TaskPatch, Uuid};
use innsync_engine::{Input, OpState, Output, ParkReason, Receipt, Settlement, StoreRead};
use serde_json::json;

use crate::support::*;

fn motel() -> Motel {
    let suites = [suite(101, SuiteStatus::VacantDirty), suite(102, SuiteStatus::VacantDirty)];
    Motel::new(suites.into_iter().chain([task(id(71), "Lamp", Some(ana())).into()]))
}

fn edit(patch: TaskPatch) -> Command {
    Command::EditTask { task_id: id(71), patch }
}

fn retitle(title: &str) -> Command {
    edit(TaskPatch { title: Some(title.into()), ..TaskPatch::default() })
}

/// Sam's phone, on which his edit of title and priority is parked: the title is maria's by now.
fn in_conflict(motel: &mut Motel) -> (Phone, Uuid) {
    let mut phone = Phone::online(sam(), motel);
    phone.offline();
    let patch =
        TaskPatch { title: Some("Bulb".into()), priority: Some(Priority::High), ..TaskPatch::default() };
    let op = phone.tap(edit(patch));
    motel.act(maria(), retitle("Candle"));
    phone.feed(Input::Foreground);
    phone.greet(motel);
    phone.catch_up(motel);
    let Some(OpState::Parked { reason: ParkReason::Conflict { fields, .. } }) = phone.state_of(op) else {
        panic!("{:?}", phone.state_of(op))
    };
    assert_eq!(fields.iter().map(|it| it.field.as_str()).collect::<Vec<_>>(), ["title"]);
    (phone, op)
}

fn answer(outputs: Vec<Output>) -> Result<Receipt, Reason> {
    let result = outputs.into_iter().find_map(|it| match it {
        Output::Executed { result, .. } => Some(result),
        _ => None,
    });
    result.expect("an answer").map_err(|rejection| rejection.reason)
}

fn settle(phone: &mut Phone, parked: Uuid, seen: u64, choice: Settlement) -> Result<Receipt, Reason> {
    let id = phone.new_id();
    answer(phone.feed(Input::Settle { request: 9, parked, id, seen: Some(seen), choice }))
}

fn undo(phone: &mut Phone) -> Result<Receipt, Reason> {
    let id = phone.new_id();
    answer(phone.feed(Input::Undo { request: 9, id }))
}

fn version(phone: &Phone) -> u64 {
    phone.store.mirror(&innsync_domain::EntityKind::Task, id(71)).unwrap().unwrap().version()
}

#[test]
fn theirs_stays_and_what_nobody_else_changed_is_sent_all_the_same() {
    // G8
    let mut motel = motel();
    let (mut phone, op) = in_conflict(&mut motel);
    let seen = version(&phone);
    let kept = settle(&mut phone, op, seen, Settlement::Theirs).unwrap();
    assert_eq!(kept.command, "KEEP_THEIRS");
    assert_eq!(phone.state_of(op), None);
    phone.catch_up(&mut motel);
    let task = &motel.rows[&task_ref(id(71))];
    assert_eq!((task.field("title"), task.field("priority")), (Some(json!("Candle")), Some(json!("HIGH"))));
    let lost: Vec<_> = motel.rows.values().filter_map(|it| it.field("lost")).collect();
    assert_eq!(lost, [json!("Bulb")]);
    assert_eq!(phone.engine.status().pending_changes, 0);
}

#[test]
fn mine_takes_the_place_of_what_was_shown() {
    // G8
    let mut motel = motel();
    let (mut phone, op) = in_conflict(&mut motel);
    let seen = version(&phone);
    settle(&mut phone, op, seen, Settlement::Mine).unwrap();
    phone.catch_up(&mut motel);
    assert_eq!(motel.rows[&task_ref(id(71))].field("title"), Some(json!("Bulb")));
    assert!(motel.received.iter().any(|op| op.force && op.base["title"] == json!("Candle")));
}

#[test]
fn mine_does_not_put_back_what_was_only_named_as_it_was_seen() {
    // G8: a form sends all its fields; the description was no edit of sam's, and the sheet does not ask about it.
    let mut motel = motel();
    let mut phone = Phone::online(sam(), &mut motel);
    phone.offline();
    let form = |title: &str| {
        let patch =
            TaskPatch { title: Some(title.into()), description: Some(String::new()), ..TaskPatch::default() };
        edit(patch)
    };
    let op = phone.tap(form("Bulb"));
    let theirs = TaskPatch { description: Some("On the left".into()), ..TaskPatch::default() };
    motel.act(maria(), retitle("Candle"));
    motel.act(maria(), edit(theirs));
    phone.feed(Input::Foreground);
    phone.greet(&motel);
    phone.catch_up(&mut motel);
    let seen = version(&phone);
    settle(&mut phone, op, seen, Settlement::Mine).unwrap();
    phone.catch_up(&mut motel);
    let task = &motel.rows[&task_ref(id(71))];
    let now = (task.field("title"), task.field("description"));
    assert_eq!(now, (Some(json!("Bulb")), Some(json!("On the left"))));
}

#[test]
fn what_follows_a_settled_conflict_has_not_seen_what_the_settlement_has() {
    // G8
    let mut motel = motel();
    let mut phone = Phone::online(maria(), &mut motel);
    phone.offline();
    let first = phone.tap(retitle("Bulb"));
    let second = phone.tap(Command::DeleteTask { task_id: id(71) });
    motel.act(sam(), retitle("Candle"));
    phone.feed(Input::Foreground);
    phone.greet(&motel);
    phone.catch_up(&mut motel);
    let (seen, before) = (version(&phone), phone.store.op(second).map(|op| op.op.base_version));
    settle(&mut phone, first, seen, Settlement::Mine).unwrap();
    phone.catch_up(&mut motel);
    let sent = motel.received.iter().rev().find(|op| op.id == second).map(|op| op.base_version);
    assert_eq!(sent, before, "it says what maria saw when she deleted it");
}

#[test]
fn what_was_changed_since_it_was_shown_is_not_settled() {
    // G8
    let mut motel = motel();
    let (mut phone, op) = in_conflict(&mut motel);
    let seen = version(&phone);
    motel.act(maria(), retitle("Torch"));
    phone.catch_up(&mut motel);
    for choice in [Settlement::Theirs, Settlement::Mine, Settlement::Merged(Fields::new())] {
        assert_eq!(settle(&mut phone, op, seen, choice), Err(Reason::ChangedMeanwhile));
    }
    assert!(matches!(phone.state_of(op), Some(OpState::Parked { .. })));
    let other = phone.new_id();
    assert_eq!(settle(&mut phone, other, seen, Settlement::Mine), Err(Reason::NotInConflict));
}

#[test]
fn what_is_merged_by_hand_has_a_value_for_each_field_in_dispute_and_no_other() {
    let mut motel = motel();
    let (mut phone, op) = in_conflict(&mut motel);
    let seen = version(&phone);
    let merged = |fields: &[(&str, serde_json::Value)]| {
        Settlement::Merged(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    };
    for wrong in [
        merged(&[]),
        merged(&[("priority", json!("LOW"))]),
        merged(&[("title", json!("Bulb and candle")), ("status", json!("COMPLETED"))]),
        merged(&[("title", json!(7))]),
    ] {
        assert_eq!(settle(&mut phone, op, seen, wrong.clone()), Err(Reason::InvalidField), "{wrong:?}");
    }
    settle(&mut phone, op, seen, merged(&[("title", json!("Bulb and candle"))])).unwrap();
    phone.catch_up(&mut motel);
    assert_eq!(motel.rows[&task_ref(id(71))].field("title"), Some(json!("Bulb and candle")));
}

#[test]
fn a_retry_of_a_conflict_does_not_overwrite_what_its_person_was_not_asked_about() {
    // G8
    let mut motel = motel();
    let (mut phone, op) = in_conflict(&mut motel);
    let again = phone.new_id();
    phone.feed(Input::Retry { parked: op, id: again });
    phone.catch_up(&mut motel);
    assert!(matches!(phone.state_of(again), Some(OpState::Parked { reason: ParkReason::Conflict { .. } })));
    let edited = phone.new_id();
    let result =
        phone.feed(Input::Edit { request: 9, parked: again, id: edited, command: retitle("Lantern") });
    answer(result).unwrap();
    phone.catch_up(&mut motel);
    assert!(matches!(phone.state_of(edited), Some(OpState::Parked { reason: ParkReason::Conflict { .. } })));
    assert_eq!(motel.rows[&task_ref(id(71))].field("title"), Some(json!("Candle")));
}

#[test]
fn what_has_not_left_the_phone_is_taken_back_as_if_it_had_never_been() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    assert_eq!(undo(&mut phone), Err(Reason::NothingToUndo));
    phone.offline();
    let op = phone.tap(Command::StartTask { task_id: id(71) });
    assert_eq!(phone.engine.undoable().map(|it| (it.operation, it.unsent)), Some((op, true)));
    assert_eq!(undo(&mut phone).map(|it| (it.id, it.state)), Ok((op, None)));
    assert_eq!(phone.sees(&task_ref(id(71)), "status"), "PENDING");
    assert_eq!(undo(&mut phone), Err(Reason::NothingToUndo));
    // Also after a restart, as long as it is here alone.
    let op = phone.tap(Command::StartTask { task_id: id(71) });
    phone.restart();
    assert_eq!(undo(&mut phone).map(|it| it.id), Ok(op));
    assert_eq!(phone.engine.status().pending_changes, 0);
}

#[test]
fn what_was_discarded_by_hand_is_not_taken_back_once_more_and_what_was_tried_anew_is() {
    let mut motel = motel();
    let mut phone = Phone::online(sam(), &mut motel);
    phone.offline();
    let first = phone.tap(retitle("Bulb"));
    let second = phone.tap(edit(TaskPatch { priority: Some(Priority::High), ..TaskPatch::default() }));
    phone.feed(Input::Discard { id: second });
    assert_eq!(phone.engine.undoable().map(|it| (it.operation, it.unsent)), Some((first, true)));
    let (mut phone, parked) = in_conflict(&mut motel);
    let again = phone.new_id();
    phone.offline();
    phone.feed(Input::Retry { parked, id: again });
    assert_eq!(phone.engine.undoable().map(|it| it.operation), Some(again));
    assert_eq!(undo(&mut phone).map(|it| it.id), Ok(again));
    assert_eq!(phone.engine.undoable(), None);
}

#[test]
fn what_was_sent_is_taken_back_by_doing_the_opposite_as_far_as_the_rules_allow_it() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.tap(Command::StartTask { task_id: id(71) });
    phone.catch_up(&mut motel);
    let receipt = undo(&mut phone).unwrap();
    assert_eq!(receipt.command, "TAKE_TASK", "released, and taken again");
    phone.catch_up(&mut motel);
    let task = &motel.rows[&task_ref(id(71))];
    assert_eq!(
        (task.field("status"), task.field("assignedTo")),
        (Some(json!("PENDING")), Some(json!(ana())))
    );
    phone.tap(Command::CompleteTask { task_id: id(71) });
    phone.catch_up(&mut motel);
    assert_eq!(undo(&mut phone), Err(Reason::Forbidden), "a housekeeper does not reopen tasks");
    assert_eq!(phone.sees(&task_ref(id(71)), "status"), "COMPLETED");
}

#[test]
fn a_second_tap_on_undo_does_not_take_back_the_half_of_it() {
    let mut motel = motel();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.tap(Command::StartTask { task_id: id(71) });
    phone.catch_up(&mut motel);
    undo(&mut phone).unwrap();
    assert_eq!(undo(&mut phone), Err(Reason::NothingToUndo));
    phone.catch_up(&mut motel);
    assert_eq!(motel.rows[&task_ref(id(71))].field("assignedTo"), Some(json!(ana())));
}

#[test]
fn nothing_is_taken_back_over_what_somebody_else_has_done_since() {
    // G8
    let mut motel = motel();
    let mut phone = Phone::online(sam(), &mut motel);
    phone.tap(retitle("Bulb"));
    phone.catch_up(&mut motel);
    motel.act(maria(), retitle("Candle"));
    phone.catch_up(&mut motel);
    assert_eq!(undo(&mut phone), Err(Reason::ChangedMeanwhile));
    assert_eq!(phone.engine.status().pending_changes, 0);
}
