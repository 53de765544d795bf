//! Whom a commit rings.

use innsync_domain::{
    Command, EmployeeStatus, NotificationPriority, NotificationType, SuiteStatus, TaskType, Uuid, derived_id,
};

use crate::world::*;

/// Who was told that there is a task to be taken.
fn told_available(commit: &Commit) -> Vec<Uuid> {
    let available =
        |it: &innsync_domain::Notification| it.notification_type == NotificationType::TaskAvailable;
    commit.notifications().into_iter().filter(available).map(|it| it.recipient_id).collect()
}

#[test]
fn the_assignee_is_told_in_the_seeds_words() {
    let mut world = World::motel();
    world.does(MARIA, new_task(10, TaskType::General));
    let commit = world.does(MARIA, Command::AssignTask { task_id: id(10), assignee: ANA });
    let [told] = &commit.notifications()[..] else { panic!("{:?}", commit.notifications()) };
    assert_eq!(told.id, derived_id(commit.operation, &format!("assigned:{}:{ANA}", id(10))));
    assert_eq!((told.recipient_id, &told.notification_type), (ANA, &NotificationType::TaskAssigned));
    assert_eq!((told.title.as_str(), told.message.as_str()), ("New Task Assigned", "Task 10"));
    assert_eq!((&told.priority, told.related_entity_id), (&NotificationPriority::Normal, Some(id(10))));
}

#[test]
fn nobody_is_told_of_what_they_did_themselves() {
    let mut world = World::motel();
    world.does(SAM, new_task(10, TaskType::General));
    assert_eq!(world.does(SAM, Command::AssignTask { task_id: id(10), assignee: SAM }).notifications(), []);
    let task_id = world.cleaning(11, S103);
    assert_eq!(world.does(ANA, Command::TakeTask { task_id }).notifications(), []);
    assert_eq!(told_available(&world.does(ANA, Command::ReleaseTask { task_id })), [BEN, SAM]);
}

#[test]
fn a_checkout_rings_the_housekeepers_who_are_free() {
    let mut world = World::motel();
    world.does(ANA, Command::SetEmployeeStatus { employee_id: ANA, status: EmployeeStatus::Busy });
    let commit = world.does(LUCIA, set_suite(S102, SuiteStatus::VacantDirty));
    assert_eq!(told_available(&commit), [BEN, SAM]);
    assert_eq!(commit.notifications()[0].title, "New Unassigned Task");
    assert_eq!(commit.notifications()[0].message, "Clean Suite 102");
    world.does(BEN, set_duty(BEN, false));
    let miguels = world.does(LUCIA, new_task(10, TaskType::Maintenance));
    assert_eq!(told_available(&miguels), [MIGUEL]);
}

#[test]
fn a_task_of_no_department_rings_nobody() {
    let mut world = World::motel();
    assert_eq!(world.does(LUCIA, new_task(10, TaskType::General)).notifications(), []);
}

#[test]
fn a_reopened_task_of_nobodys_rings_and_an_assigned_one_does_not() {
    let mut world = World::motel();
    let task_id = world.cleaning(10, S103);
    world.does(SAM, Command::CancelTask { task_id });
    assert_eq!(told_available(&world.does(SAM, Command::ReopenTask { task_id })), [ANA, BEN]);
    world.does(ANA, Command::TakeTask { task_id });
    world.does(SAM, Command::CancelTask { task_id });
    assert_eq!(world.does(SAM, Command::ReopenTask { task_id }).notifications(), []);
}
