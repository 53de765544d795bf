//! Two people change the same thing, one of them without having seen the other's change.

use innsync_domain::{
    BaseCheck, Command, Context, FieldConflict, Reason, Stop, TaskPatch, TaskStatus, TaskType, Timestamp,
    check_base,
};
use serde_json::{Value, json};

use crate::world::*;

fn check(
    world: &World,
    who: innsync_domain::Uuid,
    command: &Command,
    base: Value,
) -> Result<BaseCheck, Stop> {
    let actor = world.person(who);
    let context = Context { operation: id(7000), actor: &actor, at: Timestamp::default() };
    let Value::Object(base) = base else { panic!("{base}") };
    check_base(command, &context, &base, world)
}

fn conflict(field: &str, base: Value, mine: Value, theirs: Value) -> BaseCheck {
    BaseCheck::Conflict(vec![FieldConflict { field: field.into(), base, mine, theirs }])
}

fn retitle(title: &str) -> Command {
    let patch = TaskPatch { title: Some(title.into()), ..TaskPatch::default() };
    Command::EditTask { task_id: id(10), patch }
}

fn world() -> World {
    let mut world = World::motel();
    world.does(SAM, new_task_for(10, TaskType::General, ANA));
    world
}

#[test]
fn an_edit_of_what_nobody_else_touched_is_clean() {
    let mut world = world();
    world.does(ANA, Command::StartTask { task_id: id(10) });
    let base = json!({ "title": "Task 10" });
    assert_eq!(check(&world, SAM, &retitle("Mine"), base).unwrap(), BaseCheck::Clean);
    assert_eq!(check(&world, SAM, &retitle("Mine"), json!({})).unwrap(), BaseCheck::Clean);
}

#[test]
fn two_edits_of_one_field_are_a_conflict_with_all_three_values() {
    let mut world = world();
    world.does(MARIA, retitle("Theirs"));
    let base = json!({ "title": "Task 10" });
    assert_eq!(
        check(&world, SAM, &retitle("Mine"), base.clone()).unwrap(),
        conflict("title", json!("Task 10"), json!("Mine"), json!("Theirs"))
    );
    assert_eq!(
        check(&world, SAM, &retitle("Theirs"), base).unwrap(),
        BaseCheck::Clean,
        "both meant the same"
    );
}

#[test]
fn completing_what_was_cancelled_meanwhile_is_a_conflict() {
    let mut world = world();
    world.does(SAM, Command::CancelTask { task_id: id(10) });
    let base = json!({ "status": "PENDING" });
    let complete = Command::CompleteTask { task_id: id(10) };
    assert_eq!(
        check(&world, ANA, &complete, base).unwrap(),
        conflict("status", json!("PENDING"), json!("COMPLETED"), json!("CANCELLED"))
    );
}

#[test]
fn completing_what_was_completed_meanwhile_is_none() {
    let mut world = world();
    world.does(SAM, Command::CompleteTask { task_id: id(10) });
    let complete = Command::CompleteTask { task_id: id(10) };
    assert_eq!(check(&world, ANA, &complete, json!({ "status": "PENDING" })).unwrap(), BaseCheck::Clean);
    assert_eq!(world.task(id(10)).status, TaskStatus::Completed);
}

#[test]
fn an_empty_field_is_null_in_base_and_conflict() {
    let mut world = world();
    world.does(SAM, Command::ReleaseTask { task_id: id(10) });
    world.does(SAM, Command::AssignTask { task_id: id(10), assignee: BEN });
    let assign = Command::AssignTask { task_id: id(10), assignee: MIGUEL };
    assert_eq!(
        check(&world, MARIA, &assign, json!({ "assignedTo": null })).unwrap(),
        conflict("assignedTo", Value::Null, json!(MIGUEL), json!(BEN))
    );
}

#[test]
fn where_the_command_was_never_possible_mine_is_null() {
    let mut world = world();
    world.does(SAM, Command::CancelTask { task_id: id(10) });
    let reopen = Command::ReopenTask { task_id: id(10) };
    let base = json!({ "status": "IN_PROGRESS" });
    assert_eq!(
        check(&world, SAM, &reopen, base).unwrap(),
        conflict("status", json!("IN_PROGRESS"), Value::Null, json!("CANCELLED"))
    );
}

#[test]
fn what_only_adds_and_what_is_gone_is_clean() {
    let mut world = world();
    world.does(ANA, new_note(20, innsync_domain::Audience::AllStaff));
    let comment = Command::AddComment { note_id: id(20), comment_id: id(30), text: "Yes".into() };
    assert_eq!(check(&world, BEN, &comment, json!({ "title": "Other" })).unwrap(), BaseCheck::Clean);
    world.does(MARIA, Command::DeleteTask { task_id: id(10) });
    assert_eq!(check(&world, SAM, &retitle("Mine"), json!({ "title": "Old" })).unwrap(), BaseCheck::Clean);
}

#[test]
fn a_conflict_gives_nothing_away_of_what_is_hidden_by_now() {
    // G25
    let mut world = world();
    world.does(SAM, Command::AssignTask { task_id: id(10), assignee: BEN });
    world.does(SAM, retitle("For ben's eyes"));
    let complete = Command::CompleteTask { task_id: id(10) };
    let base = json!({ "status": "PENDING", "title": "Task 10" });
    assert_eq!(check(&world, ANA, &complete, base).unwrap(), BaseCheck::Clean);
    world.refuses_as(ANA, complete, Reason::NotFound);
}

#[test]
fn base_values_that_make_no_sense_are_refused_and_unknown_names_passed_over() {
    let world = world();
    let stop = check(&world, SAM, &retitle("Mine"), json!({ "title": 7 })).unwrap_err();
    let Stop::Rejected(rejection) = stop else { panic!("{stop}") };
    assert_eq!((rejection.reason, rejection.field.as_deref()), (Reason::InvalidField, Some("base")));
    let base = json!({ "colour": "red", "version": 1, "id": "x", "updatedAt": 3 });
    assert_eq!(check(&world, SAM, &retitle("Mine"), base).unwrap(), BaseCheck::Clean);
}
