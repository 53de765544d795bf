//! What a phone shows and sounds of what others do.

use innsync_domain::{
    Acknowledgement, Alert, Announcement, AnnouncementPriority, Command, Entity, EntityKind, Fields,
    Notification, NotificationPriority, NotificationType, Severity, SuiteStatus, Task, Uuid, ViewChange,
};
use innsync_engine::{EffectBody, Input, Output, StoreRead};
use innsync_protocol::{Commit, Delta, ResetReason};

use crate::support::*;

/// A commit as the server would send it, by hand.
fn told(motel: &Motel, phone: &Phone, by: Uuid, rows: Vec<Entity>) -> Delta {
    let changes =
        rows.into_iter().map(|entity| ViewChange::Upsert { entity, before: None, created: true }).collect();
    let from = phone.cursor().seq;
    let commit = Commit { seq: from + 1, at: at(0), by, changes };
    Delta {
        epoch: 1,
        from,
        to: from + 1,
        mark: motel.mark(from + 1),
        commits: vec![commit],
        results: vec![],
        more: false,
        digest: None,
    }
}

fn alert(number: u128, raised_by: Uuid) -> Alert {
    Alert {
        id: id(number),
        title: "Fire".into(),
        message: "Kitchen, second floor".into(),
        severity: Severity::Critical,
        related_task_id: None,
        related_suite_id: None,
        raised_by,
        raised_at: at(0),
        acknowledgements: vec![],
        resolved_at: None,
        resolved_by: None,
        version: 1,
        updated_at: at(0),
        updated_by: raised_by,
        extra: Fields::new(),
    }
}

fn notification(number: u128, priority: NotificationPriority, kind: NotificationType) -> Entity {
    Notification {
        id: id(number),
        recipient_id: ana(),
        notification_type: kind,
        title: "New".into(),
        message: "Clean Suite 101".into(),
        priority,
        related_entity_id: None,
        read_at: None,
        version: 1,
        updated_at: at(0),
        updated_by: maria(),
        extra: Fields::new(),
    }
    .into()
}

fn story() -> (Motel, Phone) {
    let mut motel = Motel::new([suite(101, SuiteStatus::VacantDirty)]);
    let phone = Phone::online(ana(), &mut motel);
    (motel, phone)
}

#[test]
fn a_suites_news_of_others_are_told_and_ones_own_are_not() {
    let (mut motel, mut phone) = story();
    motel.act(maria(), set_status(101, SuiteStatus::OutOfService));
    phone.catch_up(&mut motel);
    let EffectBody::Toast { key, args, .. } = &phone.effects()[0].body else { panic!() };
    assert_eq!((key.as_str(), args["number"].as_str()), ("suite.status", "101"));
    phone.said.clear();
    motel.act(maria(), set_status(101, SuiteStatus::VacantDirty));
    phone.catch_up(&mut motel);
    phone.said.clear();
    phone.tap(set_status(101, SuiteStatus::Cleaning));
    phone.catch_up(&mut motel);
    assert!(phone.toasts().is_empty(), "one's own changes are no news");
    phone.delta(told(&motel, &phone, maria(), vec![suite(303, SuiteStatus::VacantClean)]));
    assert_eq!(phone.toasts(), ["suite.created"]);
}

#[test]
fn a_task_for_me_is_one_toast_one_sound_and_one_system_notification() {
    let (motel, mut phone) = story();
    let mine: Task = task(id(71), "Towels", Some(ana()));
    let inbox = notification(41, NotificationPriority::Normal, NotificationType::TaskAssigned);
    phone.delta(told(&motel, &phone, maria(), vec![mine.into(), inbox]));
    let bodies: Vec<EffectBody> = phone.effects().into_iter().map(|it| it.body).collect();
    assert_eq!(bodies.len(), 3, "{bodies:?}");
    assert_eq!(bodies[0], EffectBody::Sound { name: "task-assigned".into(), looping: false });
    assert!(matches!(&bodies[1], EffectBody::SystemNotification { key, .. } if key == "task.assigned"));
    assert!(matches!(&bodies[2], EffectBody::Toast { args, .. } if args["title"] == "Towels"));
    assert_eq!(phone.store.effects().unwrap().len(), 3, "they stay until presented");
    let first = phone.effects()[0].id;
    phone.feed(Input::Presented { effect: first });
    assert_eq!(phone.store.effects().unwrap().len(), 2);
}

#[test]
fn an_emergency_rings_once() {
    // G23
    let (motel, mut phone) = story();
    let inbox = notification(42, NotificationPriority::Urgent, NotificationType::Emergency);
    phone.delta(told(&motel, &phone, maria(), vec![alert(50, maria()).into(), inbox]));
    let bodies: Vec<EffectBody> = phone.effects().into_iter().map(|it| it.body).collect();
    assert!(matches!(&bodies[0], EffectBody::EmergencyModal { alert_id, .. } if *alert_id == id(50)));
    assert_eq!(bodies[1], EffectBody::Sound { name: "emergency".into(), looping: true });
    assert!(matches!(&bodies[2], EffectBody::Toast { key, duration_ms: 10_000, args, .. }
            if key == "emergency" && args["message"] == "Kitchen, second floor"));
    assert_eq!(bodies.len(), 3, "the strongest toast alone");
    phone.said.clear();
    // It comes into sight again, after a shift: it is the same emergency.
    phone.delta(told(&motel, &phone, ana(), vec![alert(50, maria()).into()]));
    assert!(phone.effects().is_empty());
}

#[test]
fn what_is_over_by_the_time_it_arrives_does_not_ring() {
    let (motel, mut phone) = story();
    let mut over = alert(50, maria());
    over.resolved_at = Some(at(1));
    phone.delta(told(&motel, &phone, maria(), vec![over.into()]));
    // Nor does one's own alarm.
    phone.delta(told(&motel, &phone, ana(), vec![alert(51, ana()).into()]));
    assert!(phone.effects().is_empty(), "{:?}", phone.effects());
}

#[test]
fn an_emergency_that_was_over_before_it_was_shown_rings_no_more() {
    // G23
    let (motel, mut phone) = story();
    phone.delta(told(&motel, &phone, maria(), vec![alert(50, maria()).into()]));
    assert_eq!(phone.store.effects().unwrap().len(), 3);
    phone.said.clear();
    let mut over = alert(50, maria());
    over.resolved_at = Some(at(1));
    phone.delta(told(&motel, &phone, maria(), vec![over.into()]));
    let bodies: Vec<EffectBody> = phone.store.effects().unwrap().into_iter().map(|it| it.body).collect();
    assert_eq!(bodies, [EffectBody::EmergencyOver { alert_id: id(50) }]);
    let withdrawn = phone.said.iter().filter(|it| matches!(it, Output::Withdrawn(_))).count();
    assert_eq!(withdrawn, 3, "an open stream does not bring them either");
}

/// Everything that is there is shown.
fn present_all(phone: &mut Phone) {
    for effect in phone.store.effects().unwrap() {
        phone.feed(Input::Presented { effect: effect.id });
    }
    phone.said.clear();
}

#[test]
fn an_emergency_on_the_screen_is_told_when_it_is_over_however_that_is_heard() {
    // G23: a resolved alert goes out of ana's sight.
    for by_snapshot in [false, true] {
        let (mut motel, mut phone) = story();
        motel.rows.insert(Entity::from(alert(50, maria())).reference(), alert(50, maria()).into());
        phone.reset(ResetReason::Horizon);
        phone.catch_up(&mut motel);
        present_all(&mut phone);
        motel.act(maria(), Command::ResolveAlert { alert_id: id(50) });
        if by_snapshot {
            phone.reset(ResetReason::Horizon);
        }
        phone.catch_up(&mut motel);
        let bodies: Vec<EffectBody> = phone.effects().into_iter().map(|it| it.body).collect();
        assert_eq!(bodies, [EffectBody::EmergencyOver { alert_id: id(50) }], "{by_snapshot}");
        phone.said.clear();
        phone.reset(ResetReason::Horizon);
        phone.catch_up(&mut motel);
        assert!(phone.effects().is_empty(), "told once");
    }
}

#[test]
fn what_nobody_presents_grows_neither_old_nor_without_bound() {
    let (motel, mut phone) = story();
    phone.delta(told(&motel, &phone, maria(), vec![alert(50, maria()).into()]));
    let alarm: Vec<Uuid> = phone.effects()[..2].iter().map(|it| it.id).collect();
    phone.delta(told(&motel, &phone, maria(), vec![suite(102, SuiteStatus::VacantClean)]));
    let old = phone.effects()[3].clone();
    phone.pass(30_000);
    phone.now.wall = phone.now.wall.plus_millis(3_600_000);
    assert!(old.is_stale(phone.now.wall));
    phone.said.clear();
    for number in 0..150 {
        let urgent = notification(1_000 + number, NotificationPriority::High, NotificationType::TaskAssigned);
        phone.delta(told(&motel, &phone, maria(), vec![urgent]));
    }
    assert!(phone.said.contains(&Output::Withdrawn(old.id)));
    let waiting = phone.store.effects().unwrap();
    assert_eq!(waiting.len(), 2 + 100);
    assert!(alarm.iter().all(|id| waiting.iter().any(|it| it.id == *id)), "the emergency goes on");
    let newest = phone.effects().last().unwrap().id;
    assert_eq!(waiting.last().unwrap().id, newest);
}

#[test]
fn coming_on_duty_finds_the_emergency_that_is_going_on() {
    let (motel, mut phone) = story();
    phone.delta(told(&motel, &phone, ana(), vec![alert(50, ben()).into()]));
    assert_eq!(phone.toasts(), ["emergency"]);
}

/// Ana goes on or off duty, on another phone of hers, and this one hears of it: alerts come into sight and go.
fn duty(motel: &mut Motel, phone: &mut Phone, is_on_duty: bool, by_snapshot: bool) -> Vec<EffectBody> {
    phone.said.clear();
    let before = phone.cursor().seq;
    motel.act(ana(), Command::SetDuty { employee_id: ana(), is_on_duty });
    if by_snapshot {
        phone.reset(ResetReason::Scope);
    } else {
        let mut delta = motel.delta(ana(), before, motel.seq());
        for row in motel.rows.values().filter(|row| row.kind() == EntityKind::Alert) {
            let (entity, before) = (row.reference(), None);
            delta.commits[0].changes.push(match is_on_duty {
                true => ViewChange::Upsert { entity: row.clone(), before, created: false },
                false => ViewChange::Remove { entity, deleted: false },
            });
        }
        phone.delta(delta);
    }
    phone.catch_up(motel);
    phone.effects().into_iter().map(|it| it.body).collect()
}

#[test]
fn an_emergency_that_goes_on_rings_again_for_who_comes_back_on_duty() {
    // G23
    for (by_snapshot, presented) in [(false, false), (false, true), (true, false), (true, true)] {
        let (mut motel, mut phone) = story();
        for number in [50, 51] {
            motel
                .rows
                .insert(Entity::from(alert(number, maria())).reference(), alert(number, maria()).into());
        }
        phone.reset(ResetReason::Horizon);
        phone.catch_up(&mut motel);
        let first = phone.effects();
        assert_eq!(first.len(), 6, "both ring: {first:?}");
        if presented {
            present_all(&mut phone);
        }
        let over = [50, 51].map(|number| EffectBody::EmergencyOver { alert_id: id(number) });
        for _ in 0..2 {
            let off = duty(&mut motel, &mut phone, false, by_snapshot);
            assert_eq!(off, over, "{by_snapshot} {presented}");
            let on = duty(&mut motel, &mut phone, true, by_snapshot);
            let first: Vec<EffectBody> = first.iter().map(|it| it.body.clone()).collect();
            assert_eq!(on, first, "{by_snapshot} {presented}");
            // Told again while they ring, either way, also after a restart.
            phone.said.clear();
            phone.restart();
            phone.go_online(&mut motel);
            phone.reset(ResetReason::Horizon);
            phone.catch_up(&mut motel);
            assert!(phone.effects().is_empty(), "once: {:?}", phone.effects());
        }
    }
}

#[test]
fn notifications_and_announcements_are_told_by_their_priority() {
    let (motel, mut phone) = story();
    let announcement = |number: u128, priority, expires_at| -> Entity {
        Announcement {
            id: id(number),
            title: "Pool".into(),
            message: "The pool is closed.".into(),
            priority,
            expires_at,
            created_by: maria(),
            created_at: at(0),
            version: 1,
            updated_at: at(0),
            updated_by: maria(),
            extra: Fields::new(),
        }
        .into()
    };
    let normal = NotificationPriority::Normal;
    for (row, keys) in [
        (notification(41, NotificationPriority::High, NotificationType::TaskAssigned), vec!["notification"]),
        (notification(42, normal.clone(), NotificationType::TaskAvailable), vec!["task.available"]),
        (notification(43, normal, NotificationType::TaskAssigned), vec![]),
        (announcement(44, AnnouncementPriority::High, None), vec!["announcement"]),
        (announcement(45, AnnouncementPriority::Low, None), vec![]),
        (announcement(46, AnnouncementPriority::High, Some(at(-1))), vec![]),
    ] {
        let kind = row.kind();
        phone.delta(told(&motel, &phone, maria(), vec![row]));
        assert_eq!(phone.toasts(), keys, "{kind}");
    }
}

#[test]
fn a_snapshot_is_no_news_and_neither_is_last_weeks_board() {
    let (mut motel, mut phone) = story();
    motel.act(maria(), set_status(101, SuiteStatus::OutOfService));
    phone.reset(ResetReason::Horizon);
    phone.catch_up(&mut motel);
    assert!(phone.toasts().is_empty());
    phone.pass(30_000);
    phone.ack(&motel);
    phone.now.wall = phone.now.wall.plus_millis(86_400_000);
    phone.offline();
    phone.feed(Input::Foreground);
    phone.greet(&motel);
    phone.said.clear();
    motel.act(maria(), set_status(101, SuiteStatus::VacantDirty));
    phone.delta(motel.delta(ana(), 1, 2));
    assert!(phone.toasts().is_empty());
}

#[test]
fn an_emergency_that_came_only_with_a_snapshot_rings_once() {
    // G23
    for reason in [ResetReason::Scope, ResetReason::Horizon, ResetReason::History] {
        let (mut motel, mut phone) = story();
        let mut acknowledged = alert(51, maria());
        acknowledged.acknowledgements =
            vec![Acknowledgement { employee_id: ana(), at: at(1), extra: Fields::new() }];
        for row in [alert(50, maria()), acknowledged, alert(52, ana())] {
            motel.rows.insert(Entity::from(row.clone()).reference(), row.into());
        }
        phone.reset(reason);
        phone.catch_up(&mut motel);
        let bodies: Vec<EffectBody> = phone.effects().into_iter().map(|it| it.body).collect();
        assert!(matches!(&bodies[0], EffectBody::EmergencyModal { alert_id, .. } if *alert_id == id(50)));
        assert_eq!(bodies[1], EffectBody::Sound { name: "emergency".into(), looping: true });
        assert!(matches!(&bodies[2], EffectBody::Toast { key, .. } if key == "emergency"));
        assert_eq!(bodies.len(), 3, "neither what ana acknowledged nor what she raised: {bodies:?}");
        phone.said.clear();
        phone.reset(reason);
        phone.catch_up(&mut motel);
        phone.delta(told(&motel, &phone, maria(), vec![alert(50, maria()).into()]));
        assert!(phone.effects().is_empty(), "it is the same emergency");
    }
}

#[test]
fn the_first_snapshot_rings_too() {
    // G23: ana takes a new phone in the middle of it.
    let mut motel = Motel::new([alert(50, maria()).into()]);
    let mut phone = Phone::new(ana());
    phone.feed(Input::Connect);
    phone.settle();
    phone.greet(&motel);
    phone.catch_up(&mut motel);
    assert_eq!(phone.toasts(), ["emergency"]);
}

#[test]
fn the_same_commit_after_a_restart_is_not_told_again() {
    let (motel, mut phone) = story();
    let delta = told(&motel, &phone, maria(), vec![alert(50, maria()).into()]);
    phone.delta(delta.clone());
    assert_eq!(phone.toasts(), ["emergency"]);
    phone.feed(Input::ClearCache);
    phone.restart();
    let mut fresh = Motel::new([alert(50, maria()).into()]);
    phone.go_online(&mut fresh);
    phone.delta(Delta { from: 0, to: 1, ..delta });
    assert!(phone.toasts().is_empty());
}

#[test]
fn the_figures_of_the_sync_are_in_its_toast() {
    let (mut motel, mut phone) = story();
    phone.break_link();
    phone.tap(report(id(70), "Lamp"));
    phone
        .tap(Command::SetEmployeeStatus { employee_id: ana(), status: innsync_domain::EmployeeStatus::Busy });
    phone.feed(Input::NetworkChanged { available: true });
    phone.greet(&motel);
    phone.catch_up(&mut motel);
    let done: Vec<EffectBody> = phone.effects().into_iter().map(|it| it.body).collect();
    assert!(
        matches!(done.last(), Some(EffectBody::Toast { key, args, .. })
            if key == "sync.done" && args["n"] == "2" && args["failed"] == "0"),
        "{done:?}"
    );
    assert_eq!(phone.store.row(&suite_ref(101)).unwrap().kind(), EntityKind::Suite);
}
