//! What a person does: predicted at once, without any network.

use innsync_domain::{Command, NotePatch, Reason, SuiteStatus};
use innsync_engine::{Input, OpState, Output};
use innsync_protocol::limits::OP_BYTES;

use crate::support::*;

#[test]
fn a_tap_is_seen_at_once_and_sent_in_the_same_breath() {
    let mut motel = Motel::new([suite(101, SuiteStatus::VacantDirty)]);
    let mut ana_s = Phone::online(ana(), &mut motel);
    let op = ana_s.tap(set_status(101, SuiteStatus::Cleaning));
    assert_eq!(ana_s.sees(&suite_ref(101), "status"), "CLEANING");
    assert_eq!(ana_s.state_of(op), Some(OpState::Sent));
    let queued = ana_s.store.op(op).unwrap().clone();
    assert_eq!(queued.op.base_version, Some(1));
    assert_eq!(queued.op.base["status"], "VACANT_DIRTY");
    assert_eq!(queued.attempts, 1);

    ana_s.catch_up(&mut motel);
    assert_eq!(ana_s.state_of(op), None);
    assert_eq!(ana_s.sees(&suite_ref(101), "status"), "CLEANING");
    // G7: confirmed without ever being shown reverted.
    assert_eq!(ana_s.store.history(&suite_ref(101), "status"), ["VACANT_DIRTY", "CLEANING"]);
    assert!(ana_s.toasts().is_empty(), "what goes through at once is no news");
}

#[test]
fn what_the_rules_refuse_changes_nothing() {
    let mut motel = Motel::new([suite(101, SuiteStatus::Occupied)]);
    let mut ana_s = Phone::online(ana(), &mut motel);
    let before = ana_s.store.clone();
    let refused = ana_s.try_to(set_status(101, SuiteStatus::OutOfService)).unwrap_err();
    assert_eq!(refused.reason, Reason::Forbidden);
    assert_eq!(ana_s.store, before);
}

#[test]
fn before_the_first_snapshot_a_command_says_what_is_missing() {
    let mut ana_s = Phone::new(ana());
    let refused = ana_s.try_to(set_status(101, SuiteStatus::Cleaning)).unwrap_err();
    assert_eq!(refused.reason.as_str(), "NO_DATA");
    assert!(refused.message.contains("connect it once"), "{}", refused.message);
}

#[test]
fn what_the_phone_does_not_see_is_queued_without_a_prediction() {
    // A task of another department: ana cannot know whether it exists.
    let mut motel = Motel::new([]);
    let mut ana_s = Phone::online(ana(), &mut motel);
    ana_s.offline();
    let op = ana_s.tap(Command::StartTask { task_id: id(77) });
    let footprint = &ana_s.store.op(op).unwrap().footprint;
    assert_eq!(footprint.writes, [task_ref(id(77))]);
    assert!(ana_s.store.row(&task_ref(id(77))).is_none());
    // A manager would see it, so for maria it is refused at once.
    let mut maria_s = Phone::online(maria(), &mut motel);
    let refused = maria_s.try_to(Command::StartTask { task_id: id(77) }).unwrap_err();
    assert_eq!(refused.reason, Reason::NotFound);
}

#[test]
fn an_operation_that_is_too_large_is_refused_by_its_limit() {
    let mut motel = Motel::new([]);
    let mut ana_s = Phone::online(ana(), &mut motel);
    let note = Command::CreateNote {
        note_id: id(60),
        title: "Lost and found".into(),
        content: "é".repeat(OP_BYTES / 2),
        suite_id: None,
        task_id: None,
        audience: Default::default(),
    };
    let refused = ana_s.try_to(note).unwrap_err();
    assert_eq!(refused.reason.as_str(), "TOO_LARGE");
    assert!(refused.message.contains("65536"), "{}", refused.message);
}

#[test]
fn the_same_tap_delivered_twice_is_one_operation() {
    let mut motel = Motel::new([]);
    let mut ana_s = Phone::online(ana(), &mut motel);
    ana_s.offline();
    let execute = |command| Input::Execute { request: 1, id: id(800), command, depends_on: vec![] };
    ana_s.feed(execute(report(id(70), "Lamp broken")));
    let again = ana_s.feed(execute(report(id(70), "Lamp broken")));
    assert!(matches!(&again[0], Output::Executed { result: Ok(receipt), .. } if receipt.id == id(800)));
    let other = ana_s.feed(execute(report(id(71), "Another")));
    assert!(
        matches!(&other[0], Output::Executed { result: Err(refused), .. } if refused.reason == Reason::IdReused)
    );
    assert_eq!(ana_s.engine.status().pending_changes, 1);
}

#[test]
fn a_checkout_offline_makes_the_cleaning_task_that_the_server_will_make() {
    let mut motel = Motel::new([suite(101, SuiteStatus::Occupied)]);
    let mut desk = Phone::online(miguel(), &mut motel);
    desk.offline();
    desk.tap(set_status(101, SuiteStatus::VacantDirty));
    let predicted = desk.sees(&suite_ref(101), "openCleaningTask");
    assert_ne!(predicted, "null");
    desk.pass(40_000);
    desk.serve(&mut motel);
    desk.greet(&motel);
    desk.catch_up(&mut motel);
    assert_eq!(desk.sees(&suite_ref(101), "openCleaningTask"), predicted);
    assert_eq!(desk.store.rows(), &motel.visible(miguel()));
    assert_eq!(desk.store.history(&suite_ref(101), "status"), ["OCCUPIED", "VACANT_DIRTY"]); // G7
}

#[test]
fn notes_show_their_edit_and_keep_the_mirrors_version() {
    let mut motel = Motel::new([]);
    let create = Command::CreateNote {
        note_id: id(60),
        title: "Keys".into(),
        content: String::new(),
        suite_id: None,
        task_id: None,
        audience: Default::default(),
    };
    motel.act(ana(), create);
    let mut ana_s = Phone::online(ana(), &mut motel);
    ana_s.offline();
    let patch = NotePatch { title: Some("Keys are back".into()), ..NotePatch::default() };
    ana_s.tap(Command::EditNote { note_id: id(60), patch });
    let note = innsync_domain::EntityRef::new(innsync_domain::EntityKind::Note, id(60));
    assert_eq!(ana_s.sees(&note, "title"), "Keys are back");
    assert_eq!(ana_s.store.row(&note).unwrap().version(), 1);
}
