//! Suites on their own.

use innsync_domain::{Command, Reason, SuitePatch, SuiteStatus};

use crate::world::*;

fn create(number: &str) -> Command {
    Command::CreateSuite {
        suite_id: id(104),
        suite_number: number.into(),
        floor: 1,
        status: SuiteStatus::VacantClean,
    }
}

#[test]
fn a_suite_number_is_given_once() {
    let mut world = World::motel();
    let rejection = world.refuses_as(MARIA, create("101"), Reason::AlreadyExists);
    assert_eq!(rejection.field.as_deref(), Some("suiteNumber"));
    world.does(MARIA, create("104"));
    let renumber = |suite_number: &str| Command::EditSuite {
        suite_id: id(104),
        patch: SuitePatch { suite_number: Some(suite_number.into()), floor: Some(2) },
    };
    world.refuses_as(MARIA, renumber("102"), Reason::AlreadyExists);
    world.does(MARIA, renumber("104"));
    world.does(MARIA, renumber("204"));
    assert_eq!((world.suite(id(104)).suite_number.as_str(), world.suite(id(104)).version), ("204", 3));
}

#[test]
fn a_suite_that_waits_for_its_cleaning_is_not_deleted() {
    let mut world = World::motel();
    let task_id = world.cleaning(10, S103);
    world.refuses_as(MARIA, Command::DeleteSuite { suite_id: S103 }, Reason::InUse);
    world.does(MARIA, Command::DeleteTask { task_id });
    let commit = world.does(MARIA, Command::DeleteSuite { suite_id: S103 });
    assert_eq!(commit.of(&suite(S103)).unwrap().after, None);
    world.refuses_as(MARIA, Command::DeleteSuite { suite_id: S103 }, Reason::NotFound);
}

#[test]
fn the_refusal_says_from_what() {
    let mut world = World::motel();
    let rejection =
        world.refuses_as(LUCIA, set_suite(S103, SuiteStatus::Occupied), Reason::IllegalTransition);
    assert!(rejection.message.contains("VACANT_DIRTY"), "{rejection}");
    assert_eq!(rejection.entity, Some(suite(S103)));
}

#[test]
fn the_same_status_again_changes_nothing() {
    let mut world = World::motel();
    assert_eq!(world.does(LUCIA, set_suite(S102, SuiteStatus::Occupied)).changes, []);
}
