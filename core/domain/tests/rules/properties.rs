//! What must hold whatever people do, in whatever order.

use std::collections::BTreeMap;

use innsync_domain::{
    AnnouncementPriority, Audience, Change, Command, Context, Department, EmployeePatch, EmployeeStatus,
    Entity, EntityKind, EntityRef, NotePatch, Person, Priority, Role, Ruling, Severity, SuitePatch,
    SuiteStatus, TaskPatch, TaskStatus, TaskType, Timestamp, Uuid, ViewChange, decide, derive, execute,
    may_see, project, redact,
};
use proptest::prelude::*;

use crate::world::*;

/// One thing that somebody tries: who, what, and numbers that choose the rest.
#[derive(Debug, Clone)]
struct Attempt {
    who: u8,
    what: u8,
    pick: [u8; 5],
}

fn attempts() -> impl Strategy<Value = Vec<Attempt>> {
    let attempt = (any::<u8>(), any::<u8>(), any::<[u8; 5]>()).prop_map(|(who, what, pick)| Attempt {
        who,
        what,
        pick,
    });
    proptest::collection::vec(attempt, 1..120)
}

/// Chooses among the values, and now and then something that is not there.
fn choose<T: Clone>(values: &[T], pick: u8) -> T {
    values[usize::from(pick) % values.len()].clone()
}

impl Attempt {
    /// Half of them by those who direct, or little would ever be allowed.
    fn actor(&self, world: &World) -> Uuid {
        let staff = ids(world, &EntityKind::Employee);
        let directs = |who: &Uuid| world.person(*who).role.directs();
        let directing: Vec<Uuid> = staff.iter().copied().filter(directs).collect();
        let among = if self.who < 128 && !directing.is_empty() { directing } else { staff };
        choose(&among, self.who)
    }

    /// An existing entity of that kind, mostly.
    fn existing(&self, world: &World, kind: &EntityKind, at: usize) -> Uuid {
        let all = ids(world, kind);
        if all.is_empty() || self.pick[at] == 255 { id(99_999) } else { choose(&all, self.pick[at]) }
    }

    /// An id that is new, mostly.
    fn fresh(&self, world: &World) -> Uuid {
        if self.pick[4] == 0 { id(99_998) } else { id(200_000 + u128::from(world.commits)) }
    }

    fn text(&self, at: usize) -> String {
        choose(&["Lamp", "Towels", "é", "é é", "Tap", "", " "], self.pick[at] / 20).to_owned()
    }

    fn command(&self, world: &World) -> Command {
        let pick = self.pick;
        let task_id = self.existing(world, &EntityKind::Task, 0);
        let suite_id = self.existing(world, &EntityKind::Suite, 1);
        let employee_id = self.existing(world, &EntityKind::Employee, 2);
        let note_id = self.existing(world, &EntityKind::Note, 0);
        let alert_id = self.existing(world, &EntityKind::Alert, 0);
        let new = self.fresh(world);
        let maybe_suite = (!pick[3].is_multiple_of(3)).then_some(suite_id);
        match self.what % 36 {
            0 => Command::CreateSuite {
                suite_id: new,
                suite_number: format!("{}", 101 + pick[0] % 9),
                floor: i32::from(pick[1]),
                status: choose(SuiteStatus::KNOWN, pick[2]),
            },
            1 => Command::EditSuite {
                suite_id,
                patch: SuitePatch { suite_number: Some(format!("{}", 101 + pick[0] % 9)), floor: None },
            },
            2..=5 => set_suite(suite_id, choose(SuiteStatus::KNOWN, pick[0])),
            6 => Command::DeleteSuite { suite_id },
            7..=10 => self.create_task(new, maybe_suite, employee_id),
            11..=12 => Command::EditTask { task_id, patch: self.task_patch(maybe_suite) },
            13 => Command::AssignTask { task_id, assignee: employee_id },
            14..=15 => Command::TakeTask { task_id },
            16..=17 => Command::StartTask { task_id },
            18..=19 => Command::CompleteTask { task_id },
            20 => Command::ReleaseTask { task_id },
            21 => Command::ReopenTask { task_id },
            22 => Command::CancelTask { task_id },
            23 => Command::DeleteTask { task_id },
            24 => Command::CreateNote {
                note_id: new,
                title: self.text(0),
                content: self.text(1),
                suite_id: maybe_suite,
                task_id: None,
                audience: self.audience(employee_id),
            },
            25 => Command::EditNote {
                note_id,
                patch: NotePatch { audience: Some(self.audience(employee_id)), ..NotePatch::default() },
            },
            26 => Command::AddComment { note_id, comment_id: new, text: self.text(1) },
            27 if pick[0] < 64 => Command::DeleteNote { note_id },
            27 => Command::MarkRead {
                notification_ids: (1..4)
                    .map(|at| self.existing(world, &EntityKind::Notification, at))
                    .collect(),
            },
            28 => Command::CreateEmployee {
                employee_id: new,
                name: self.text(0),
                role: choose(Role::KNOWN, pick[1]),
                department: choose(Department::KNOWN, pick[2]),
            },
            29 => Command::EditEmployee {
                employee_id,
                patch: EmployeePatch {
                    role: Some(choose(Role::KNOWN, pick[0])),
                    department: Some(choose(Department::KNOWN, pick[1])),
                    name: None,
                },
            },
            30 if pick[0] < 64 => Command::DeleteEmployee { employee_id },
            30 | 31 => set_duty(employee_id, pick[0].is_multiple_of(2)),
            32 => Command::SetEmployeeStatus { employee_id, status: choose(EmployeeStatus::KNOWN, pick[0]) },
            33 => Command::RaiseEmergency {
                task_id: new,
                title: self.text(0),
                description: self.text(1),
                severity: choose(Severity::KNOWN, pick[2]),
                suite_id: maybe_suite,
            },
            34 if pick[1] < 128 => Command::AcknowledgeAlert { alert_id },
            34 => Command::ResolveAlert { alert_id },
            _ if pick[1] < 128 => Command::Announce {
                announcement_id: new,
                title: self.text(0),
                message: self.text(1),
                priority: choose(AnnouncementPriority::KNOWN, pick[2]),
                expires_at: None,
            },
            _ => Command::ChangeShift {
                shift_id: new,
                old_shift: self.text(0),
                new_shift: self.text(1),
                on_duty_employees: vec![employee_id],
            },
        }
    }

    fn create_task(&self, task_id: Uuid, suite_id: Option<Uuid>, employee_id: Uuid) -> Command {
        Command::CreateTask {
            task_id,
            title: "Lamp".into(),
            description: self.text(0),
            task_type: choose(TaskType::KNOWN, self.pick[0]),
            priority: choose(Priority::KNOWN, self.pick[0] / 5),
            suite_id,
            assigned_to: (self.pick[3] < 80).then_some(employee_id),
            due_at: None,
            severity: None,
        }
    }

    fn task_patch(&self, suite_id: Option<Uuid>) -> TaskPatch {
        let pick = self.pick;
        TaskPatch {
            title: (pick[1] < 64).then(|| self.text(2)),
            task_type: (pick[2] < 128).then(|| choose(TaskType::KNOWN, pick[2])),
            priority: (pick[3] < 64).then(|| choose(Priority::KNOWN, pick[3])),
            suite_id: (pick[4] < 128).then_some(suite_id),
            ..TaskPatch::default()
        }
    }

    fn audience(&self, employee_id: Uuid) -> Audience {
        choose(
            &[
                Audience::AllStaff,
                Audience::Managers,
                Audience::Department { department: choose(Department::KNOWN, self.pick[3]) },
                Audience::People { people: vec![employee_id] },
            ],
            self.pick[1],
        )
    }
}

fn ids(world: &World, kind: &EntityKind) -> Vec<Uuid> {
    world.entities.keys().filter(|reference| reference.kind == *kind).map(|reference| reference.id).collect()
}

/// Holds after every commit.
fn check_invariants(world: &World) {
    let mut cleanings: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for entity in world.entities.values() {
        match entity {
            Entity::Task(task) => {
                let emergency = task.task_type == TaskType::Emergency;
                assert_eq!(emergency, task.priority == Priority::Emergency, "{task:?}");
                assert_eq!(task.department, task.task_type.department(), "{task:?}");
                if task.status == TaskStatus::InProgress {
                    assert!(task.assigned_to.is_some(), "{task:?}");
                }
                if let (TaskType::Cleaning, true, Some(suite)) =
                    (&task.task_type, task.status.is_open(), task.suite_id)
                {
                    cleanings.entry(suite).or_default().push(task.id);
                }
                if let (Some(assignee), true) = (task.assigned_to, task.status.is_open()) {
                    assert!(world.entities.contains_key(&EntityRef::new(EntityKind::Employee, assignee)));
                }
            }
            Entity::Employee(employee) => {
                let off = employee.status == EmployeeStatus::OffDuty;
                assert_eq!(employee.is_on_duty, !off, "{employee:?}");
            }
            Entity::Alert(alert) => {
                let task = alert.related_task_id.and_then(|id| world.entities.get(&task(id)));
                let open = matches!(task, Some(Entity::Task(task)) if task.status.is_open());
                assert_eq!(alert.resolved_at.is_some(), alert.resolved_by.is_some());
                assert!(open || alert.resolved_at.is_some(), "{alert:?}");
            }
            _ => {}
        }
    }
    for entity in world.entities.values() {
        if let Entity::Suite(suite) = entity {
            let open = cleanings.get(&suite.id).cloned().unwrap_or_default();
            assert_eq!(open, Vec::from_iter(suite.open_cleaning_task), "{suite:?}");
        }
    }
    let numbers: Vec<&String> = world
        .entities
        .values()
        .filter_map(|entity| if let Entity::Suite(suite) = entity { Some(&suite.suite_number) } else { None })
        .collect();
    let distinct: std::collections::BTreeSet<&&String> = numbers.iter().collect();
    assert_eq!(distinct.len(), numbers.len(), "{numbers:?}");
}

/// Versions grow by one, and only of what changed.
fn check_versions(commit: &Commit) {
    let mut seen = std::collections::BTreeSet::new();
    for change in &commit.changes {
        assert!(seen.insert(change.reference().unwrap()), "one change for each entity: {change:?}");
        let before = change.before.as_ref().map_or(0, Entity::version);
        if let Some(after) = &change.after {
            let expected = if change.before.as_ref() == Some(after) { before } else { before + 1 };
            assert_eq!(after.version(), expected, "{change:?}");
        }
    }
    for change in &commit.effects.changes {
        assert_ne!(change.before, change.after);
        assert!(
            commit.effects.reads.contains(&change.reference().unwrap()),
            "what is written is in the footprint"
        );
    }
}

type Picture = BTreeMap<EntityRef, Entity>;

/// Takes what a viewer is sent of a commit into their picture.
fn follow(picture: &mut Picture, commit: &Commit, before: &Person, after: &Person) {
    for change in &commit.changes {
        let Some(view) = project(change, before, after) else { continue };
        let text = serde_json::to_string(&view).unwrap();
        let view: ViewChange = serde_json::from_str(&text).unwrap();
        for event in derive(&view, commit.by, commit.at, after.id) {
            assert_eq!(Some(event.entity()), view.reference());
            event.to_json();
        }
        match view {
            ViewChange::Upsert { entity, before: prior, created } => {
                assert!(may_see(&entity, after), "{entity:?}"); // G25
                assert_eq!(entity, redact(entity.clone(), after));
                let old = picture.insert(entity.reference(), entity);
                assert_eq!(old.is_some(), prior.is_some());
                assert!(!created || change.before.is_none());
                for (name, value) in prior.iter().flatten() {
                    let old = old.as_ref().and_then(|old| old.field(name)).unwrap_or_default();
                    assert_eq!(old, *value, "before is what the viewer had");
                }
            }
            ViewChange::Remove { entity, .. } => assert!(picture.remove(&entity).is_some(), "{entity:?}"),
            ViewChange::Unsupported { kind } => panic!("{kind}"),
        }
    }
}

/// A phone's picture of each person, brought up to date with one commit.
fn follow_all(pictures: &mut BTreeMap<Uuid, Picture>, before: &World, after: &World, commit: &Commit) {
    pictures.retain(|who, _| after.entities.contains_key(&EntityRef::new(EntityKind::Employee, *who)));
    for who in ids(after, &EntityKind::Employee) {
        let now = after.person(who);
        let was = before.entities.get(&EntityRef::new(EntityKind::Employee, who)).map(|_| before.person(who));
        match was {
            // Same scope: what is sent suffices, whether on duty or off.
            Some(was) if was.role == now.role && was.department == now.department => {
                let picture = pictures.get_mut(&who).unwrap();
                follow(picture, commit, &was, &now);
                assert_eq!(*picture, after.seen_by(&now), "{now:?} after {commit:?}");
            }
            // RESET {SCOPE}.
            _ => drop(pictures.insert(who, after.seen_by(&now))),
        }
    }
}

/// What a phone that is up to date predicts is what the authority decides, for every entity that it predicts.
fn check_prediction(world: &World, actor: &Person, command: &Command, commit: &Commit) {
    let phone = Phone { world, person: actor };
    let context = Context { operation: commit.operation, actor, at: commit.at };
    let Ok(predicted) = execute(command, &context, &phone) else { return };
    for change in predicted.changes {
        let reference = change.reference().unwrap();
        let decided = commit.effects.changes.iter().find(|it| it.reference().as_ref() == Some(&reference));
        let Some(decided) = decided else { panic!("{command:?} predicted {change:?}") };
        let redacted = |entity: &Option<Entity>| entity.clone().map(|entity| redact(entity, actor));
        assert_eq!(change.after, redacted(&decided.after), "{command:?}");
    }
}

/// A motel where something of everything is going on already.
fn busy_motel() -> World {
    let mut world = World::motel();
    world.cleaning_by_ana(10, S103);
    world.cleaning(11, S102);
    world.does(LUCIA, new_task(12, TaskType::Maintenance));
    world.does(MARIA, new_task_for(13, TaskType::General, BEN));
    world.does(SAM, new_task(14, TaskType::Inspection));
    world.does(SAM, Command::CancelTask { task_id: id(14) });
    world.emergency(MIGUEL, 15);
    world.does(ANA, new_note(20, Audience::AllStaff));
    world.does(LUCIA, new_note(21, Audience::People { people: vec![BEN] }));
    world
}

fn play(attempts: &[Attempt]) {
    let mut world = busy_motel();
    let mut pictures: BTreeMap<Uuid, Picture> = ids(&world, &EntityKind::Employee)
        .into_iter()
        .map(|who| (who, world.seen_by(&world.person(who))))
        .collect();
    for attempt in attempts {
        let who = attempt.actor(&world);
        let (command, before, actor) = (attempt.command(&world), world.clone(), world.person(who));
        let text = serde_json::to_string(&command).unwrap();
        assert_eq!(serde_json::from_str::<Command>(&text).unwrap(), command);
        let Ok(commit) = world.act(who, command.clone()) else { continue };
        check_invariants(&world);
        check_versions(&commit);
        check_prediction(&before, &actor, &command, &commit);
        follow_all(&mut pictures, &before, &world, &commit);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_people_do_the_house_stays_in_order(attempts in attempts()) {
        play(&attempts); // G9, G25
    }

    #[test]
    fn a_stale_base_never_panics_and_a_true_one_is_clean(attempts in attempts(), stale in any::<bool>()) {
        let mut world = busy_motel();
        for attempt in &attempts {
            let who = attempt.actor(&world);
            let (command, actor) = (attempt.command(&world), world.person(who));
            let context = Context { operation: id(5), actor: &actor, at: Timestamp::default() };
            let primary = world.entities.get(&command.primary()).cloned();
            let mut base = innsync_domain::Fields::new();
            if let Some(entity) = &primary {
                for name in ["title", "status", "assignedTo", "suiteNumber", "audience", "role", "isOnDuty"] {
                    if let Some(value) = entity.field(name) {
                        base.insert(name.to_owned(), value);
                    }
                }
            }
            if stale {
                for value in base.values_mut() {
                    *value = choose(&["Lamp".into(), "PENDING".into(), serde_json::Value::Null, true.into()], attempt.pick[0]);
                }
            }
            let ruling = decide(&crate::conflicts::seen_by(&command, &context, &base), &world);
            if !stale {
                let asked = matches!(ruling, Ok(Ruling::Person { .. }));
                prop_assert!(!asked, "{command:?} on what its author saw: {ruling:?}");
            }
            drop(world.act(who, command));
        }
    }

    #[test]
    fn no_command_panics_whatever_is_written_in_it(text in ".{0,60}", number in any::<u128>(), floor in any::<i32>()) {
        let mut world = World::motel();
        let status = SuiteStatus::from(text.as_str());
        let any_id = Uuid::from_u128(number);
        for command in [
            Command::CreateSuite { suite_id: any_id, suite_number: text.clone(), floor, status: status.clone() },
            set_suite(S101, status),
            Command::AddComment { note_id: any_id, comment_id: any_id, text: text.clone() },
            new_task(number, TaskType::from(text.as_str())),
            new_note(number, Audience::Department { department: Department::from(text.as_str()) }),
            Command::SetEmployeeStatus { employee_id: MARIA, status: EmployeeStatus::from(text.as_str()) },
            Command::DeleteEmployee { employee_id: any_id },
        ] {
            drop(world.act(MARIA, command));
        }
        check_invariants(&world);
    }
}

#[test]
fn a_change_of_nothing_is_no_change_to_anybody() {
    let world = World::motel();
    for (entity, who) in
        world.entities.values().zip([ANA, BEN, MIGUEL, LUCIA, SAM, MARIA, PAULA].iter().cycle())
    {
        let change = Change { before: Some(entity.clone()), after: Some(entity.clone()) };
        assert_eq!(project(&change, &world.person(*who), &world.person(*who)), None);
    }
}
