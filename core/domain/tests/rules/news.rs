//! Announcements, shifts, and reading one's notifications.

use innsync_domain::{Command, Entity, EntityKind, EntityRef, Reason, TaskType};

use crate::world::*;

fn read(world: &World, id: innsync_domain::Uuid) -> Option<innsync_domain::Timestamp> {
    match &world.entities[&EntityRef::new(EntityKind::Notification, id)] {
        Entity::Notification(notification) => notification.read_at,
        other => panic!("{other:?}"),
    }
}

#[test]
fn ana_reads_her_notifications_once_and_only_hers() {
    let mut world = World::motel();
    let first = world.does(SAM, new_task_for(10, TaskType::General, ANA)).notifications()[0].id;
    let second = world.does(SAM, new_task_for(11, TaskType::General, ANA)).notifications()[0].id;
    let bens = world.does(SAM, new_task_for(12, TaskType::General, BEN)).notifications()[0].id;
    let mark = |ids: &[innsync_domain::Uuid]| Command::MarkRead { notification_ids: ids.to_vec() };

    let at = world.does(ANA, mark(&[first])).at;
    let commit = world.does(ANA, mark(&[first, second, bens, id(999), second]));
    assert_eq!(commit.changes.len(), 1);
    assert_eq!(commit.skipped.len(), 2);
    assert_eq!(read(&world, first), Some(at), "read when it was first read");
    assert_eq!(read(&world, second), Some(commit.at));
    assert_eq!(read(&world, bens), None);

    world.refuses_as(ANA, mark(&[bens]), Reason::NotFound);
    world.refuses_as(ANA, mark(&[]), Reason::InvalidField);
    assert_eq!(world.does(ANA, mark(&[first])).changes, []);
}

#[test]
fn a_change_of_shift_changes_nobodys_duty() {
    let mut world = World::motel();
    let shift = Command::ChangeShift {
        shift_id: id(80),
        old_shift: "Night".into(),
        new_shift: "Morning".into(),
        on_duty_employees: vec![PAULA],
    };
    let commit = world.does(SAM, shift.clone());
    assert_eq!(commit.changes.len(), 1);
    assert!(!world.employee(PAULA).is_on_duty);
    world.refuses_as(SAM, shift, Reason::AlreadyExists);
}
