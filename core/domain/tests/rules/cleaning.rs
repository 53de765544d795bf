//! Suites and their cleaning tasks.
//!
//! ```text
//! OCCUPIED ─checkout→ VACANT_DIRTY ─start→ CLEANING ─complete→ VACANT_CLEAN
//!                          ↑                   │
//!                          └──stopped midway───┘
//! ```

use innsync_domain::{Command, Reason, SuiteStatus, TaskPatch, TaskStatus, TaskType, Uuid, derived_id};

use crate::world::*;

use SuiteStatus::{Cleaning, Occupied, OutOfService, VacantClean, VacantDirty};

#[test]
fn a_checkout_makes_one_cleaning_task() {
    let mut world = World::motel();
    let commit = world.does(LUCIA, set_suite(S102, VacantDirty));
    let task_id = derived_id(commit.operation, "cleaning");
    let made = world.task(task_id);
    assert_eq!(made.title, "Clean Suite 102");
    assert_eq!((made.task_type, made.created_by, made.assigned_to), (TaskType::Cleaning, LUCIA, None));
    assert_suite(&world, S102, VacantDirty, Some(task_id));
    assert_eq!(commit.effects.reads, [suite(S102), task(task_id)]);
}

#[test]
fn a_checkout_while_a_cleaning_is_open_makes_none() {
    let mut world = World::motel();
    let stay_over = world.cleaning(10, S102);
    let commit = world.does(LUCIA, set_suite(S102, VacantDirty));
    assert_eq!(commit.effects.changes.len(), 1);
    assert_suite(&world, S102, VacantDirty, Some(stay_over));
}

#[test]
fn going_dirty_from_elsewhere_is_no_checkout() {
    let mut world = World::motel();
    world.does(SAM, set_suite(S101, VacantDirty));
    assert_suite(&world, S101, VacantDirty, None);
}

#[test]
fn ana_cleans_103() {
    let mut world = World::motel();
    let task_id = world.cleaning(10, S103);
    assert_suite(&world, S103, VacantDirty, Some(task_id));
    world.does(ANA, Command::TakeTask { task_id });
    let commit = world.does(ANA, Command::StartTask { task_id });
    assert_suite(&world, S103, Cleaning, Some(task_id));
    assert_eq!(commit.effects.reads, [task(task_id), suite(S103)], "the footprint");
    world.does(ANA, Command::CompleteTask { task_id });
    assert_suite(&world, S103, VacantClean, None);
}

#[test]
fn completing_at_once_cleans_a_dirty_suite() {
    let mut world = World::motel();
    let task_id = world.cleaning(10, S103);
    world.does(SAM, Command::CompleteTask { task_id });
    assert_suite(&world, S103, VacantClean, None);
}

#[test]
fn a_late_completion_never_makes_an_occupied_suite_vacant() {
    let mut world = World::motel();
    let task_id = world.cleaning_by_ana(10, S103);
    world.does(SAM, set_suite(S103, Occupied));
    let commit = world.does(ANA, Command::CompleteTask { task_id });
    assert_suite(&world, S103, Occupied, None);
    assert_eq!(commit.skipped[0].entity, suite(S103));
    assert_eq!(commit.skipped[0].reason, "SUITE_NOT_DIRTY");
}

#[test]
fn a_stay_over_leaves_the_suite_occupied() {
    let mut world = World::motel();
    let task_id = world.cleaning_by_ana(10, S102);
    assert_suite(&world, S102, Occupied, Some(task_id));
    let commit = world.does(ANA, Command::CompleteTask { task_id });
    assert_suite(&world, S102, Occupied, None);
    assert_eq!(commit.skipped.len(), 1);
}

#[test]
fn a_cleaning_that_stops_midway_leaves_the_suite_dirty() {
    let stops: [(Uuid, fn(Uuid) -> Command, bool); 4] = [
        (ANA, |task_id| Command::ReleaseTask { task_id }, true),
        (SAM, |task_id| Command::AssignTask { task_id, assignee: BEN }, true),
        (SAM, |task_id| Command::CancelTask { task_id }, false),
        (MARIA, |task_id| Command::DeleteTask { task_id }, false),
    ];
    for (who, stop, still_open) in stops {
        let mut world = World::motel();
        let task_id = world.cleaning_by_ana(10, S103);
        let command = stop(task_id);
        world.does(who, command);
        assert_suite(&world, S103, VacantDirty, still_open.then_some(task_id));
    }
}

#[test]
fn a_cleaning_that_stops_does_not_touch_a_suite_that_is_something_else_by_now() {
    let mut world = World::motel();
    let task_id = world.cleaning_by_ana(10, S103);
    world.does(MIGUEL, set_suite(S103, OutOfService));
    let commit = world.does(ANA, Command::ReleaseTask { task_id });
    assert_suite(&world, S103, OutOfService, Some(task_id));
    assert_eq!(commit.skipped[0].reason, "SUITE_NOT_CLEANING");
}

#[test]
fn a_suite_has_at_most_one_open_cleaning() {
    let mut world = World::motel();
    let first = world.cleaning(10, S103);
    let mut second = new_task(11, TaskType::Cleaning);
    if let Command::CreateTask { suite_id, .. } = &mut second {
        *suite_id = Some(S103);
    }
    // Created a second time,
    world.refuses_as(SAM, second.clone(), Reason::CleaningAlreadyOpen);
    // moved there,
    world.does(SAM, new_task(12, TaskType::Cleaning));
    let moved = TaskPatch { suite_id: Some(Some(S103)), ..TaskPatch::default() };
    let edit = |number, patch: &TaskPatch| Command::EditTask { task_id: id(number), patch: patch.clone() };
    world.refuses_as(SAM, edit(12, &moved), Reason::CleaningAlreadyOpen);
    // retyped,
    world.does(SAM, new_task(13, TaskType::General));
    world.does(SAM, edit(13, &moved));
    let retyped = TaskPatch { task_type: Some(TaskType::Cleaning), ..TaskPatch::default() };
    world.refuses_as(SAM, edit(13, &retyped), Reason::CleaningAlreadyOpen);
    // or reopened.
    world.does(SAM, Command::CancelTask { task_id: first });
    world.does(SAM, second);
    let rejection =
        world.refuses_as(SAM, Command::ReopenTask { task_id: first }, Reason::CleaningAlreadyOpen);
    assert_eq!(rejection.entity, Some(suite(S103)));
    assert_suite(&world, S103, VacantDirty, Some(id(11)));
}

#[test]
fn reopening_names_the_cleaning_again() {
    let mut world = World::motel();
    let task_id = world.cleaning_by_ana(10, S103);
    world.does(ANA, Command::CompleteTask { task_id });
    world.does(SAM, Command::ReopenTask { task_id });
    assert_suite(&world, S103, VacantClean, Some(task_id));
}

#[test]
fn a_cleaning_that_moves_takes_its_suites_with_it() {
    let mut world = World::motel();
    let task_id = world.cleaning_by_ana(10, S103);
    world.does(SAM, set_suite(S101, VacantDirty));
    let patch = TaskPatch { suite_id: Some(Some(S101)), ..TaskPatch::default() };
    world.does(SAM, Command::EditTask { task_id, patch });
    assert_suite(&world, S103, VacantDirty, None);
    assert_suite(&world, S101, Cleaning, Some(task_id));
    let patch = TaskPatch { task_type: Some(TaskType::Inspection), ..TaskPatch::default() };
    world.does(SAM, Command::EditTask { task_id, patch });
    assert_suite(&world, S101, VacantDirty, None);
}

#[test]
fn a_cleaning_of_a_suite_that_is_gone_goes_on_without_it() {
    let mut world = World::motel();
    let task_id = world.cleaning_by_ana(10, S103);
    world.does(ANA, Command::CompleteTask { task_id });
    world.does(MARIA, Command::DeleteSuite { suite_id: S103 });
    let commit = world.does(SAM, Command::ReopenTask { task_id });
    assert_eq!(commit.skipped[0].reason, "SUITE_GONE");
    assert_task(&world, task_id, TaskStatus::Pending, Some(ANA));
}
