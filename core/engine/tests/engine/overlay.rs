//! What a person sees = mirror + outbox.

use innsync_domain::{Command, Entity, SuiteStatus, TaskPatch, TaskStatus};
use innsync_engine::{Input, OpState, StoreRead};

use crate::support::*;

#[test]
fn what_others_do_is_seen_beneath_ones_own_unsent_edits() {
    // G5
    let mut motel = Motel::new([task(id(71), "Towels", Some(sam())).into()]);
    let mut phone = Phone::online(sam(), &mut motel);
    phone.offline();
    let patch = TaskPatch { title: Some("Towels and soap".into()), ..TaskPatch::default() };
    phone.tap(Command::EditTask { task_id: id(71), patch });
    phone.pass(60_000);
    while phone.socket.is_none() {
        phone.pass(500);
    }
    let patch = TaskPatch { description: Some("In 101".into()), ..TaskPatch::default() };
    motel.act(maria(), Command::EditTask { task_id: id(71), patch });
    phone.greet(&motel);
    // Whatever was asked of the feed is answered; the push is not.
    phone.delta(motel.delta(sam(), 0, 1));
    while phone.has_request("/v1/sync") {
        let pull = phone.next_request("/v1/sync");
        phone.serve_one(&pull, &mut motel);
    }
    assert_eq!(phone.sees(&task_ref(id(71)), "title"), "Towels and soap");
    assert_eq!(phone.sees(&task_ref(id(71)), "description"), "In 101");
    assert_eq!(phone.store.row(&task_ref(id(71))).unwrap().version(), 2, "the mirror's");
}

#[test]
fn a_prediction_that_others_overtake_predicts_nothing() {
    let mut motel = Motel::new([task(id(71), "Towels", None).into()]);
    let mut phone = Phone::online(ana(), &mut motel);
    let op = phone.tap(Command::TakeTask { task_id: id(71) });
    assert_eq!(phone.sees(&task_ref(id(71)), "assignedTo"), ana().to_string());
    // ben was first; the answer to ana's push is still under way. The task is no longer hers to see.
    motel.act(ben(), Command::TakeTask { task_id: id(71) });
    phone.delta(motel.delta(ana(), 0, 1));
    assert!(phone.store.row(&task_ref(id(71))).is_none());
    assert!(phone.store.has_base(&task_ref(id(71)).kind, id(71)).unwrap(), "kept for the outbox");
    phone.catch_up(&mut motel);
    assert!(matches!(phone.state_of(op), Some(OpState::Parked { .. })));
    assert!(!phone.store.has_base(&task_ref(id(71)).kind, id(71)).unwrap());
}

#[test]
fn a_rejected_operation_leaves_the_view_as_if_it_had_never_been() {
    let mut motel = Motel::new([suite(101, SuiteStatus::VacantDirty)]);
    let mut phone = Phone::online(ana(), &mut motel);
    let before = phone.store.rows().clone();
    phone.offline();
    let op = phone.tap(set_status(101, SuiteStatus::Cleaning));
    motel.act(maria(), Command::SetDuty { employee_id: ana(), is_on_duty: true });
    motel.outcomes.insert(
        op,
        innsync_protocol::OpOutcome::rejected(innsync_domain::Rejection::permanent(
            innsync_domain::Reason::Forbidden,
            "Not today.",
        )),
    );
    phone.go_online(&mut motel);
    assert_eq!(phone.store.rows(), &before);
    assert!(phone.why(op).contains("Not today."), "{}", phone.why(op));
    assert_eq!(phone.engine.status().parked, 1);
    assert_eq!(phone.engine.status().pending_changes, 0);
}

#[test]
fn one_operations_consequence_is_the_next_ones_ground() {
    // ana completes the cleaning of 101, whose rule makes 101 clean: two entities, one order.
    let mut motel = Motel::new([suite(101, SuiteStatus::Occupied)]);
    motel.act(miguel(), set_status(101, SuiteStatus::VacantDirty));
    let Some(Entity::Suite(dirty)) = motel.rows.get(&suite_ref(101)).cloned() else { panic!() };
    let cleaning = dirty.open_cleaning_task.unwrap();
    let mut phone = Phone::online(ana(), &mut motel);
    phone.offline();
    let take = phone.tap(Command::TakeTask { task_id: cleaning });
    phone.tap(Command::StartTask { task_id: cleaning });
    assert_eq!(phone.sees(&suite_ref(101), "status"), "CLEANING");
    let complete = phone.tap(Command::CompleteTask { task_id: cleaning });
    assert_eq!(phone.sees(&suite_ref(101), "status"), "VACANT_CLEAN");
    // Discarding the first takes its consequences with it.
    phone.feed(Input::Discard { id: complete });
    assert_eq!(phone.sees(&suite_ref(101), "status"), "CLEANING");
    phone.feed(Input::Discard { id: take });
    assert_eq!(phone.sees(&suite_ref(101), "status"), "VACANT_DIRTY");
    assert_eq!(phone.sees(&task_ref(cleaning), "status"), TaskStatus::Pending.as_str());
}

#[test]
fn going_on_duty_offline_makes_possible_what_needs_it() {
    let mut motel = Motel::new([task(id(71), "Towels", None).into()]);
    motel.act(ana(), Command::SetDuty { employee_id: ana(), is_on_duty: false });
    let mut phone = Phone::online(ana(), &mut motel);
    phone.offline();
    assert!(phone.try_to(Command::TakeTask { task_id: id(71) }).is_err());
    let duty = phone.tap(Command::SetDuty { employee_id: ana(), is_on_duty: true });
    let take = phone.tap(Command::TakeTask { task_id: id(71) });
    // The task is another entity, but being on duty is what it rests on: in order.
    assert!(phone.why(take).contains(&duty.to_string()), "{}", phone.why(take));
    phone.feed(Input::Discard { id: duty });
    assert_eq!(phone.sees(&task_ref(id(71)), "assignedTo"), "null");
}

#[test]
fn no_flicker_whatever_comes_first() {
    // G7: the answer before the delta, the delta before the answer, the answer lost.
    for order in 0..3 {
        let mut motel = Motel::new([suite(101, SuiteStatus::VacantDirty)]);
        let mut phone = Phone::online(ana(), &mut motel);
        phone.tap(set_status(101, SuiteStatus::Cleaning));
        let push = phone.next_request("/v1/ops");
        let answer = motel.push(&push.body.as_ref().unwrap().0);
        match order {
            0 => {
                phone.answer(&push, 200, answer);
                phone.ack(&motel);
                phone.delta(motel.delta(ana(), 0, 1));
            }
            1 => {
                phone.delta(motel.delta(ana(), 0, 1));
                phone.answer(&push, 200, answer);
            }
            _ => {
                phone.fail(&push);
                phone.delta(motel.delta(ana(), 0, 1));
            }
        }
        phone.catch_up(&mut motel);
        assert_eq!(phone.store.history(&suite_ref(101), "status"), ["VACANT_DIRTY", "CLEANING"], "{order}");
        assert_eq!(phone.engine.status().pending_changes, 0);
        assert!(phone.store.bases().unwrap().is_empty());
    }
}
