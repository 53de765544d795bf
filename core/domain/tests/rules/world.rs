//! A small motel in memory, with the authority's way of committing: decide, react, stamp, apply.

use std::collections::BTreeMap;

use innsync_domain::{
    Alert, Change, Command, Context, Department, Directory, Effects, Employee, EmployeeStatus, Entity,
    EntityKind, EntityRef, Fields, Lookup, Note, Notification, Person, Read, ReadError, Reason, Rejection,
    Role, Skipped, Stop, Suite, SuiteStatus, Task, TaskStatus, TaskType, Timestamp, Uuid, derived_id,
    execute, may_see, react, redact,
};

/// A housekeeper.
pub(crate) const ANA: Uuid = Uuid::from_u128(1);
/// A housekeeper.
pub(crate) const BEN: Uuid = Uuid::from_u128(2);
/// Maintenance.
pub(crate) const MIGUEL: Uuid = Uuid::from_u128(3);
/// Front desk.
pub(crate) const LUCIA: Uuid = Uuid::from_u128(4);
/// The supervisor of housekeeping.
pub(crate) const SAM: Uuid = Uuid::from_u128(5);
/// A manager.
pub(crate) const MARIA: Uuid = Uuid::from_u128(6);
/// Another manager, off duty.
pub(crate) const PAULA: Uuid = Uuid::from_u128(7);

/// Suites; 101 is clean, 102 occupied, 103 dirty.
pub(crate) const S101: Uuid = Uuid::from_u128(101);
pub(crate) const S102: Uuid = Uuid::from_u128(102);
pub(crate) const S103: Uuid = Uuid::from_u128(103);

/// The suite's place among the entities.
pub(crate) fn suite(id: Uuid) -> EntityRef {
    EntityRef::new(EntityKind::Suite, id)
}
pub(crate) fn task(id: Uuid) -> EntityRef {
    EntityRef::new(EntityKind::Task, id)
}
pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// The state of the motel.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) entities: BTreeMap<EntityRef, Entity>,
    pub(crate) commits: u64,
}

/// What one operation came to.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) operation: Uuid,
    pub(crate) by: Uuid,
    pub(crate) at: Timestamp,
    /// Stamped, the command's own and what the authority added.
    pub(crate) changes: Vec<Change>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) effects: Effects,
}

impl Commit {
    /// The change of one entity.
    pub(crate) fn of(&self, reference: &EntityRef) -> Option<&Change> {
        self.changes.iter().find(|change| change.reference().as_ref() == Some(reference))
    }
    /// Everything created of one kind.
    pub(crate) fn created(&self, kind: &EntityKind) -> Vec<Entity> {
        self.changes
            .iter()
            .filter(|change| change.before.is_none())
            .filter_map(|change| change.after.clone())
            .filter(|entity| entity.kind() == *kind)
            .collect()
    }
    pub(crate) fn notifications(&self) -> Vec<Notification> {
        let only = |entity| if let Entity::Notification(it) = entity { Some(it) } else { None };
        self.created(&EntityKind::Notification).into_iter().filter_map(only).collect()
    }
}

impl World {
    /// Everybody but paula on duty and available.
    pub(crate) fn motel() -> Self {
        let mut world = Self::default();
        for (id, name, role, department) in [
            (ANA, "Ana", Role::Housekeeper, Department::Housekeeping),
            (BEN, "Ben", Role::Housekeeper, Department::Housekeeping),
            (MIGUEL, "Miguel", Role::Maintenance, Department::Maintenance),
            (LUCIA, "Lucia", Role::FrontDesk, Department::FrontDesk),
            (SAM, "Sam", Role::Supervisor, Department::Housekeeping),
            (MARIA, "Maria", Role::Manager, Department::Management),
            (PAULA, "Paula", Role::Manager, Department::Management),
        ] {
            world.put(employee(id, name, role, department, id != PAULA));
        }
        for (id, number, status) in [
            (S101, "101", SuiteStatus::VacantClean),
            (S102, "102", SuiteStatus::Occupied),
            (S103, "103", SuiteStatus::VacantDirty),
        ] {
            world.put(Suite {
                id,
                suite_number: number.into(),
                floor: 1,
                status,
                open_cleaning_task: None,
                version: 1,
                updated_at: Timestamp::default(),
                updated_by: MARIA,
                extra: Fields::new(),
            });
        }
        world
    }

    pub(crate) fn put(&mut self, entity: impl Into<Entity>) {
        let entity = entity.into();
        self.entities.insert(entity.reference(), entity);
    }

    /// Does `command` for `who`, as the authority would.
    pub(crate) fn act(&mut self, who: Uuid, command: Command) -> Result<Commit, Rejection> {
        let operation = Uuid::from_u128(0xF000_0000 + u128::from(self.commits));
        let at = Timestamp::from_millis(1_795_335_000_000 + self.commits as i64 * 1000);
        let actor = self.person(who);
        let context = Context { operation, actor: &actor, at };
        let decided = execute(&command, &context, self)
            .and_then(|effects| Ok((react(&command, &context, &effects, self, self)?, effects)));
        let (reactions, effects) = match decided {
            Ok(decided) => decided,
            Err(Stop::Rejected(rejection)) => return Err(rejection),
            Err(stop) => panic!("{command:?}: {stop}"),
        };
        let mut changes: Vec<Change> = effects.changes.iter().cloned().chain(reactions).collect();
        for change in &mut changes {
            change.stamp(at, who);
            let reference = change.reference().unwrap();
            assert_eq!(self.entities.get(&reference), change.before.as_ref(), "before is what was there");
            match change.after.clone() {
                Some(after) => self.entities.insert(reference, after),
                None => self.entities.remove(&reference),
            };
        }
        self.commits += 1;
        Ok(Commit { operation, by: who, at, changes, skipped: effects.skipped.clone(), effects })
    }

    /// Does `command` and expects that it goes through.
    #[track_caller]
    pub(crate) fn does(&mut self, who: Uuid, command: Command) -> Commit {
        match self.act(who, command.clone()) {
            Ok(commit) => commit,
            Err(rejection) => panic!("{command:?}: {rejection}"),
        }
    }

    /// Does `command` and expects a refusal.
    #[track_caller]
    pub(crate) fn refuses(&mut self, who: Uuid, command: Command) -> Rejection {
        match self.act(who, command.clone()) {
            Err(rejection) => rejection,
            Ok(commit) => panic!("{command:?} was accepted: {:?}", commit.changes),
        }
    }

    /// Does `command` and expects a refusal for that reason.
    #[track_caller]
    pub(crate) fn refuses_as(&mut self, who: Uuid, command: Command, reason: Reason) -> Rejection {
        let rejection = self.refuses(who, command);
        assert_eq!(rejection.reason, reason, "{rejection}");
        assert!(!rejection.message.is_empty());
        rejection
    }

    pub(crate) fn employee(&self, id: Uuid) -> Employee {
        match self.entities.get(&EntityRef::new(EntityKind::Employee, id)) {
            Some(Entity::Employee(employee)) => employee.clone(),
            _ => panic!("no employee {id}"),
        }
    }
    pub(crate) fn person(&self, id: Uuid) -> Person {
        Person::from(&self.employee(id))
    }
    pub(crate) fn task(&self, id: Uuid) -> Task {
        match self.entities.get(&task(id)) {
            Some(Entity::Task(task)) => task.clone(),
            _ => panic!("no task {id}"),
        }
    }
    pub(crate) fn suite(&self, id: Uuid) -> Suite {
        match self.entities.get(&suite(id)) {
            Some(Entity::Suite(suite)) => suite.clone(),
            _ => panic!("no suite {id}"),
        }
    }
    pub(crate) fn note(&self, id: Uuid) -> Note {
        match self.entities.get(&EntityRef::new(EntityKind::Note, id)) {
            Some(Entity::Note(note)) => note.clone(),
            _ => panic!("no note {id}"),
        }
    }
    pub(crate) fn alert_of(&self, task: Uuid) -> Alert {
        match self.entities.get(&EntityRef::new(EntityKind::Alert, derived_id(task, "alert"))) {
            Some(Entity::Alert(alert)) => alert.clone(),
            _ => panic!("no alert of {task}"),
        }
    }

    /// What a person sees of it all.
    pub(crate) fn seen_by(&self, person: &Person) -> BTreeMap<EntityRef, Entity> {
        let seen = self.entities.iter().filter(|(_, entity)| may_see(entity, person));
        seen.map(|(reference, entity)| (reference.clone(), redact(entity.clone(), person))).collect()
    }

    /// A cleaning task of that suite, unassigned.
    pub(crate) fn cleaning(&mut self, task_id: u128, suite_id: Uuid) -> Uuid {
        let mut command = new_task(task_id, TaskType::Cleaning);
        if let Command::CreateTask { suite_id: place, .. } = &mut command {
            *place = Some(suite_id);
        }
        self.does(SAM, command);
        id(task_id)
    }

    /// A cleaning task of that suite that ana has begun.
    pub(crate) fn cleaning_by_ana(&mut self, task_id: u128, suite_id: Uuid) -> Uuid {
        let task_id = self.cleaning(task_id, suite_id);
        self.does(ANA, Command::TakeTask { task_id });
        self.does(ANA, Command::StartTask { task_id });
        task_id
    }

    pub(crate) fn emergency(&mut self, who: Uuid, task_id: u128) -> Uuid {
        self.does(who, raise(task_id));
        id(task_id)
    }
}

impl Read for World {
    fn read(&self, kind: EntityKind, id: Uuid) -> Result<Lookup, ReadError> {
        Ok(self.entities.get(&EntityRef::new(kind, id)).cloned().map_or(Lookup::Absent, Lookup::Known))
    }
}

impl Directory for World {
    fn employees(&self) -> Result<Vec<Employee>, ReadError> {
        let only = |entity: &Entity| if let Entity::Employee(it) = entity { Some(it.clone()) } else { None };
        Ok(self.entities.values().filter_map(only).collect())
    }
    fn open_emergencies(&self) -> Result<Vec<Entity>, ReadError> {
        let open = |entity: &&Entity| match entity {
            Entity::Task(task) => task.task_type == TaskType::Emergency && task.status.is_open(),
            Entity::Alert(alert) => alert.resolved_at.is_none(),
            _ => false,
        };
        Ok(self.entities.values().filter(open).cloned().collect())
    }
    fn open_tasks_of(&self, employee: Uuid) -> Result<Vec<Task>, ReadError> {
        let theirs = |entity: &Entity| match entity {
            Entity::Task(task) if task.assigned_to == Some(employee) && task.status.is_open() => {
                Some(task.clone())
            }
            _ => None,
        };
        Ok(self.entities.values().filter_map(theirs).collect())
    }
    fn suite_number_taken(&self, number: &str, except: Uuid) -> Result<bool, ReadError> {
        let taken = |entity: &Entity| matches!(entity, Entity::Suite(it) if it.suite_number == number && it.id != except);
        Ok(self.entities.values().any(taken))
    }
}

/// An up-to-date phone: what its person does not see may exist, but for kinds that everybody sees.
pub(crate) struct Phone<'a> {
    pub(crate) world: &'a World,
    pub(crate) person: &'a Person,
}

impl Read for Phone<'_> {
    fn read(&self, kind: EntityKind, id: Uuid) -> Result<Lookup, ReadError> {
        let public = matches!(
            kind,
            EntityKind::Suite | EntityKind::Employee | EntityKind::Announcement | EntityKind::Shift
        );
        Ok(match self.world.entities.get(&EntityRef::new(kind, id)) {
            Some(entity) if may_see(entity, self.person) => {
                Lookup::Known(redact(entity.clone(), self.person))
            }
            None if public => Lookup::Absent,
            _ => Lookup::Unknown,
        })
    }
}

pub(crate) fn employee(
    id: Uuid,
    name: &str,
    role: Role,
    department: Department,
    is_on_duty: bool,
) -> Employee {
    Employee {
        id,
        name: name.into(),
        role,
        department,
        status: if is_on_duty { EmployeeStatus::Available } else { EmployeeStatus::OffDuty },
        is_on_duty,
        version: 1,
        updated_at: Timestamp::default(),
        updated_by: MARIA,
        extra: Fields::new(),
    }
}

/// A command that creates a plain task.
pub(crate) fn new_task(task_id: u128, task_type: TaskType) -> Command {
    Command::CreateTask {
        task_id: id(task_id),
        title: format!("Task {task_id}"),
        description: String::new(),
        task_type,
        priority: innsync_domain::Priority::Normal,
        suite_id: None,
        assigned_to: None,
        due_at: None,
        severity: None,
    }
}

/// The same, for somebody.
pub(crate) fn new_task_for(task_id: u128, task_type: TaskType, assignee: Uuid) -> Command {
    let mut command = new_task(task_id, task_type);
    if let Command::CreateTask { assigned_to, .. } = &mut command {
        *assigned_to = Some(assignee);
    }
    command
}

pub(crate) fn raise(task_id: u128) -> Command {
    Command::RaiseEmergency {
        task_id: id(task_id),
        title: "Fire".into(),
        description: "Smoke in the laundry".into(),
        severity: innsync_domain::Severity::Critical,
        suite_id: None,
    }
}

pub(crate) fn new_note(note_id: u128, audience: innsync_domain::Audience) -> Command {
    Command::CreateNote {
        note_id: id(note_id),
        title: "Towels".into(),
        content: "There are few left".into(),
        suite_id: None,
        task_id: None,
        audience,
    }
}

pub(crate) fn set_suite(suite_id: Uuid, status: SuiteStatus) -> Command {
    Command::SetSuiteStatus { suite_id, status }
}

pub(crate) fn set_duty(employee_id: Uuid, is_on_duty: bool) -> Command {
    Command::SetDuty { employee_id, is_on_duty }
}

/// Whether the task is at that status.
#[track_caller]
pub(crate) fn assert_task(world: &World, task_id: Uuid, status: TaskStatus, assigned_to: Option<Uuid>) {
    let task = world.task(task_id);
    assert_eq!((task.status, task.assigned_to), (status, assigned_to));
}

/// Whether the suite is at that status and names that cleaning.
#[track_caller]
pub(crate) fn assert_suite(
    world: &World,
    suite_id: Uuid,
    status: SuiteStatus,
    open_cleaning_task: Option<Uuid>,
) {
    let suite = world.suite(suite_id);
    assert_eq!((suite.status, suite.open_cleaning_task), (status, open_cleaning_task));
}
