//! Emergencies: the task, its alert, and who hears.

use innsync_domain::{
    Command, Entity, EntityKind, EntityRef, NotificationPriority, NotificationType, Priority, Reason,
    Severity, TaskPatch, TaskStatus, TaskType, Uuid, ViewChange, derived_id, project,
};

use crate::world::*;

fn alert_of(task: Uuid) -> Uuid {
    derived_id(task, "alert")
}

#[test]
fn ana_raises_an_emergency_and_managers_are_told() {
    let mut world = World::motel();
    let commit = world.does(ANA, raise(9));
    let task = world.task(id(9));
    assert_eq!(
        (task.task_type, task.priority, task.status),
        (TaskType::Emergency, Priority::Emergency, TaskStatus::Pending)
    );
    let alert = world.alert_of(id(9));
    assert_eq!((alert.message.as_str(), alert.severity), ("Smoke in the laundry", Severity::Critical));
    assert_eq!((alert.raised_by, alert.raised_at, alert.version), (ANA, commit.at, 1));
    let told = commit.notifications();
    assert_eq!(told.iter().map(|it| it.recipient_id).collect::<Vec<_>>(), [MARIA, PAULA]);
    assert_eq!(told[0].notification_type, NotificationType::Emergency);
    assert_eq!(told[0].priority, NotificationPriority::Urgent);
    assert_eq!((told[0].title.as_str(), told[0].message.as_str()), ("Emergency", "Smoke in the laundry"));
    assert_eq!(told[0].related_entity_id, Some(id(9)));
    assert_eq!(commit.effects.changes.len(), 1, "a phone predicts the task, never the alert");
}

#[test]
fn a_task_of_type_emergency_is_the_same_with_the_severity_given() {
    let mut world = World::motel();
    let mut command = new_task(9, TaskType::Emergency);
    if let Command::CreateTask { severity, assigned_to, suite_id, .. } = &mut command {
        (*severity, *assigned_to, *suite_id) = (Some(Severity::High), Some(MIGUEL), Some(S101));
    }
    let commit = world.does(MARIA, command);
    assert_eq!(world.task(id(9)).priority, Priority::Emergency);
    let alert = world.alert_of(id(9));
    assert_eq!(
        (alert.severity, alert.message.as_str()),
        (Severity::High, "Task 9"),
        "the title, as nothing else is said"
    );
    assert_eq!((alert.related_task_id, alert.related_suite_id), (Some(id(9)), Some(S101)));
    let told: Vec<_> =
        commit.notifications().into_iter().map(|it| (it.recipient_id, it.notification_type)).collect();
    assert_eq!(told, [(MIGUEL, NotificationType::TaskAssigned), (PAULA, NotificationType::Emergency)]);
}

#[test]
fn only_people_on_duty_raise_emergencies_but_those_who_direct() {
    let mut world = World::motel();
    for who in [ANA, LUCIA, SAM] {
        world.does(who, set_duty(who, false));
    }
    world.refuses_as(ANA, raise(9), Reason::NotOnDuty);
    world.refuses_as(LUCIA, new_task(9, TaskType::Emergency), Reason::NotOnDuty);
    world.does(SAM, raise(9));
    world.does(PAULA, raise(8));
}

#[test]
fn emergency_is_a_type_and_a_priority_together() {
    let mut world = World::motel();
    let task_id = world.emergency(ANA, 9);
    world.does(SAM, new_task(10, TaskType::General));
    let edit = |task_id, task_type, priority| Command::EditTask {
        task_id,
        patch: TaskPatch { task_type, priority, ..TaskPatch::default() },
    };
    for (command, field) in [
        (edit(task_id, Some(TaskType::General), None), "type"),
        (edit(id(10), Some(TaskType::Emergency), None), "type"),
        (edit(task_id, None, Some(Priority::Low)), "priority"),
        (edit(id(10), None, Some(Priority::Emergency)), "priority"),
    ] {
        let rejection = world.refuses_as(SAM, command, Reason::InvalidField);
        assert_eq!(rejection.field.as_deref(), Some(field));
    }
    assert_eq!(
        world.does(SAM, edit(task_id, Some(TaskType::Emergency), Some(Priority::Emergency))).changes,
        []
    );
}

#[test]
fn everybody_acknowledges_once() {
    let mut world = World::motel();
    let alert_id = alert_of(world.emergency(ANA, 9));
    let commit = world.does(BEN, Command::AcknowledgeAlert { alert_id });
    world.does(LUCIA, Command::AcknowledgeAlert { alert_id });
    assert_eq!(world.does(BEN, Command::AcknowledgeAlert { alert_id }).changes, []);
    let alert = world.alert_of(id(9));
    assert_eq!(alert.acknowledgements.len(), 2);
    assert_eq!((alert.acknowledgements[0].employee_id, alert.acknowledgements[0].at), (BEN, commit.at));
}

#[test]
fn an_acknowledgement_that_comes_after_the_end_still_counts() {
    let mut world = World::motel();
    let alert_id = alert_of(world.emergency(ANA, 9));
    world.does(ANA, Command::ResolveAlert { alert_id });
    world.does(BEN, Command::AcknowledgeAlert { alert_id });
    assert_eq!(world.alert_of(id(9)).acknowledgements.len(), 1);
    world.does(MIGUEL, set_duty(MIGUEL, false));
    world.refuses_as(MIGUEL, Command::AcknowledgeAlert { alert_id }, Reason::NotFound);
}

#[test]
fn the_alert_ends_with_its_task_but_not_the_task_with_its_alert() {
    let ends: [(Uuid, fn(Uuid) -> Command); 3] = [
        (SAM, |task_id| Command::CompleteTask { task_id }),
        (SAM, |task_id| Command::CancelTask { task_id }),
        (MARIA, |task_id| Command::DeleteTask { task_id }),
    ];
    for (who, end) in ends {
        let mut world = World::motel();
        let task_id = world.emergency(ANA, 9);
        let commit = world.does(who, end(task_id));
        let alert = world.alert_of(task_id);
        assert_eq!((alert.resolved_by, alert.resolved_at), (Some(who), Some(commit.at)));
    }
    let mut world = World::motel();
    let task_id = world.emergency(ANA, 9);
    world.does(ANA, Command::ResolveAlert { alert_id: alert_of(task_id) });
    assert_eq!(world.does(ANA, Command::ResolveAlert { alert_id: alert_of(task_id) }).changes, []);
    assert_eq!(world.does(SAM, Command::ResolveAlert { alert_id: alert_of(task_id) }).changes, []);
    world.refuses_as(BEN, Command::ResolveAlert { alert_id: alert_of(task_id) }, Reason::NotFound);
    assert_task(&world, task_id, TaskStatus::Pending, None);
}

#[test]
fn an_emergency_under_the_id_of_a_deleted_one_raises_an_alert_of_its_own() {
    let mut world = World::motel();
    let task_id = world.emergency(ANA, 9);
    world.does(LUCIA, Command::AcknowledgeAlert { alert_id: alert_of(task_id) });
    world.does(MARIA, Command::DeleteTask { task_id });
    let first = world.alert_of(task_id);

    let commit = world.does(ANA, raise(9));
    let raised = commit.changes.iter().find_map(|change| match (&change.before, &change.after) {
        (None, Some(Entity::Alert(alert))) => Some(alert.clone()),
        _ => None,
    });
    let second = raised.expect("an alert");
    assert_ne!(second.id, first.id);
    assert_eq!((second.related_task_id, second.resolved_at, second.version), (Some(task_id), None, 1));
    assert!(second.acknowledgements.is_empty());
    assert_eq!(commit.notifications().iter().map(|it| it.recipient_id).collect::<Vec<_>>(), [MARIA, PAULA]);
    assert_eq!(world.alert_of(task_id), first, "the first one stays as it was");

    let commit = world.does(MARIA, Command::DeleteTask { task_id });
    let ended = commit.changes.iter().any(|change| match &change.after {
        Some(Entity::Alert(alert)) => alert.id == second.id && alert.resolved_at.is_some(),
        _ => false,
    });
    assert!(ended, "it ends with its task");
}

#[test]
fn a_phone_that_has_not_heard_of_the_alert_leaves_it_out() {
    let mut world = World::motel();
    let task_id = world.emergency(ANA, 9);
    let sam = world.person(SAM);
    let mut offline = world.clone();
    offline.entities.remove(&EntityRef::new(EntityKind::Alert, alert_of(task_id)));
    let phone = Phone { world: &offline, person: &sam };
    let context = innsync_domain::Context { operation: id(77), actor: &sam, at: Default::default() };
    let effects = innsync_domain::execute(&Command::CompleteTask { task_id }, &context, &phone).unwrap();
    assert_eq!(effects.changes.len(), 1);
    assert_eq!(effects.skipped[0].reason, "ALERT_NOT_VISIBLE");
}

#[test]
fn who_comes_on_duty_sees_the_emergency_and_who_leaves_no_longer_does() {
    // G25
    let mut world = World::motel();
    world.does(BEN, set_duty(BEN, false));
    let task_id = world.emergency(ANA, 9);
    let (off, on) = (world.person(BEN), innsync_domain::Person { is_on_duty: true, ..world.person(BEN) });
    let arrival = world.does(BEN, set_duty(BEN, true));
    let seen: Vec<ViewChange> =
        arrival.changes.iter().filter_map(|change| project(change, &off, &on)).collect();
    assert_eq!(seen.len(), 3, "himself, the task, the alert: {seen:?}");
    assert!(seen[1..].iter().all(|it| matches!(it, ViewChange::Upsert { before: None, created: false, .. })));
    let departure = world.does(BEN, set_duty(BEN, false));
    let lost: Vec<ViewChange> =
        departure.changes.iter().filter_map(|change| project(change, &on, &off)).collect();
    assert!(lost.contains(&ViewChange::Remove { entity: task(task_id), deleted: false }));
    assert_eq!(world.task(task_id).version, 1, "sight changes no version");
    // To ana, who was on duty all the while, nothing happened but ben's coming and going.
    let ana = world.person(ANA);
    assert_eq!(arrival.changes.iter().filter_map(|change| project(change, &ana, &ana)).count(), 1);
}
