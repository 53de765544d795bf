//! What one just did is taken back by commands that do the opposite, as far as the rules let one.

use innsync_domain::{
    Audience, Command, EmployeeStatus, Entity, EntityKind, EntityRef, Priority, Reason, SuiteStatus,
    TaskPatch, TaskStatus, TaskType, Uuid, inverse,
};

use crate::world::*;

/// Lets somebody do something and take it back.
fn and_back(world: &mut World, who: Uuid, command: Command) -> (Option<Entity>, Option<Entity>) {
    let primary = command.primary();
    let before = world.entities.get(&primary).cloned();
    world.does(who, command.clone());
    let after = world.entities.get(&primary).cloned();
    let back = inverse(&command, before.as_ref(), after.as_ref(), &world.person(who)).expect("a way back");
    for command in back {
        world.does(who, command);
    }
    (before, world.entities.get(&primary).cloned())
}

#[track_caller]
fn comes_back(world: &mut World, who: Uuid, command: Command) {
    let (before, after) = and_back(world, who, command);
    match (before, after) {
        (Some(before), Some(after)) => assert_eq!(before.diff(&after).0, Default::default()),
        (before, after) => assert_eq!(before, after),
    }
}

fn motel() -> World {
    let mut world = World::motel();
    world.does(SAM, new_task_for(10, TaskType::General, ANA));
    world.does(SAM, new_note(20, Audience::AllStaff));
    world
}

#[test]
fn edits_of_things_come_back_field_by_field() {
    let mut world = motel();
    let patch = TaskPatch {
        title: Some("Lamp".into()),
        priority: Some(Priority::High),
        suite_id: Some(Some(S101)),
        ..TaskPatch::default()
    };
    comes_back(&mut world, SAM, Command::EditTask { task_id: id(10), patch });
    comes_back(&mut world, MARIA, set_suite(S103, SuiteStatus::OutOfService));
}

#[test]
fn steps_of_a_task_come_back_also_where_that_takes_two() {
    let task = || id(10);
    for begun in [false, true] {
        let mut world = motel();
        if begun {
            world.does(ANA, Command::StartTask { task_id: task() });
        } else {
            comes_back(&mut world, SAM, Command::StartTask { task_id: task() });
        }
        comes_back(&mut world, SAM, Command::CompleteTask { task_id: task() });
        comes_back(&mut world, SAM, Command::CancelTask { task_id: task() });
        comes_back(&mut world, SAM, Command::AssignTask { task_id: task(), assignee: BEN });
        comes_back(&mut world, SAM, Command::ReleaseTask { task_id: task() });
        world.does(SAM, Command::CompleteTask { task_id: task() });
        comes_back(&mut world, SAM, Command::ReopenTask { task_id: task() });
    }
}

#[test]
fn what_was_made_is_unmade_by_who_may() {
    let mut world = motel();
    comes_back(&mut world, MARIA, new_task_for(11, TaskType::General, BEN));
    comes_back(&mut world, ANA, new_note(21, Audience::AllStaff));
}

#[test]
fn duty_and_what_one_is_doing_come_back() {
    let mut world = motel();
    world.does(ANA, Command::SetDuty { employee_id: ANA, is_on_duty: true });
    comes_back(
        &mut world,
        ANA,
        Command::SetEmployeeStatus { employee_id: ANA, status: EmployeeStatus::OnBreak },
    );
    world.does(ANA, Command::SetEmployeeStatus { employee_id: ANA, status: EmployeeStatus::OnBreak });
    comes_back(&mut world, ANA, Command::SetDuty { employee_id: ANA, is_on_duty: false });
}

#[test]
fn undo_does_nothing_that_one_may_not_do_by_hand() {
    let mut world = motel();
    let complete = Command::CompleteTask { task_id: id(10) };
    let before = world.entities[&task(id(10))].clone();
    world.does(ANA, complete.clone());
    let after = world.entities[&task(id(10))].clone();
    assert_eq!(world.task(id(10)).status, TaskStatus::Completed);
    let back = inverse(&complete, Some(&before), Some(&after), &world.person(ANA)).unwrap();
    assert_eq!(back, [Command::ReopenTask { task_id: id(10) }]);
    world.refuses_as(ANA, back[0].clone(), Reason::Forbidden);
}

#[test]
fn from_a_comment_an_alarm_or_a_deletion_there_is_no_way_back() {
    let mut world = motel();
    let comment = Command::AddComment { note_id: id(20), comment_id: id(31), text: "Yes".into() };
    let note = EntityRef::new(EntityKind::Note, id(20));
    let before = world.entities[&note].clone();
    world.does(ANA, comment.clone());
    let after = world.entities[&note].clone();
    assert_eq!(inverse(&comment, Some(&before), Some(&after), &world.person(ANA)), None);
    let delete = Command::DeleteTask { task_id: id(10) };
    let gone = world.entities[&task(id(10))].clone();
    assert_eq!(inverse(&delete, Some(&gone), None, &world.person(MARIA)), None);
}
