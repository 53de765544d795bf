//! The property that is measured: tasks over and over, and the snapshot that tells of them.

use innsync_domain::{
    Department, Employee, EmployeeStatus, Entity, Fields, Priority, Role, Suite, SuiteStatus, Task,
    TaskStatus, TaskType, Timestamp, Uuid, ViewChange,
};
use innsync_protocol::{Commit, Cursor, Delta, Mark, PropertyInfo, ServerFrame, SnapshotLine, SnapshotStart};

/// Tasks that are measured over.
pub(crate) const TASKS: usize = 10_000;
/// People that tasks are assigned to, by turns; with [`STATUSES`] a hundred tasks for each.
const PEOPLE: usize = 25;
const SUITES: usize = 20;
const STATUSES: [TaskStatus; 4] =
    [TaskStatus::Pending, TaskStatus::InProgress, TaskStatus::Completed, TaskStatus::Cancelled];
const BEGUN: i64 = 1_795_000_000_000;

/// Whose phone it is: a supervisor, who sees every task.
pub(crate) fn me() -> Uuid {
    person(PEOPLE)
}

/// Whose pending tasks are asked for.
pub(crate) fn assignee() -> Uuid {
    person(7)
}

/// The property, as CONNECTED and the snapshot tell it.
pub(crate) fn property() -> PropertyInfo {
    PropertyInfo {
        id: "seaside".into(),
        name: "Seaside Motel".into(),
        time_zone: "America/Los_Angeles".into(),
    }
}

/// Where the snapshot was taken.
pub(crate) fn cursor() -> Cursor {
    Cursor { epoch: 1, seq: 20_000, mark: Mark(0x00c0_ffee_00c0_ffee) }
}

/// The person whose phone it is.
pub(crate) fn employee(id: Uuid) -> Employee {
    Employee {
        id,
        name: format!("Person {}", id.as_u128() & 0xff),
        role: if id == me() { Role::Supervisor } else { Role::Maintenance },
        department: Department::Maintenance,
        status: EmployeeStatus::Available,
        is_on_duty: true,
        version: 1,
        updated_at: Timestamp::from_millis(BEGUN),
        updated_by: me(),
        extra: Fields::new(),
    }
}

/// A property with so many tasks.
pub(crate) fn entities(tasks: usize) -> Vec<Entity> {
    let people = (0..=PEOPLE).map(|index| employee(person(index)).into());
    (0..SUITES)
        .map(|index| suite_entity(index).into())
        .chain(people)
        .chain((0..tasks).map(|i| task(i).into()))
        .collect()
}

/// The snapshot of these, as the bytes of a response's body.
pub(crate) fn snapshot(entities: &[Entity]) -> Vec<u8> {
    let start = SnapshotStart {
        cursor: cursor(),
        rows: entities.len() as u64,
        id: None,
        from: 0,
        property: property(),
    };
    let rows = entities.iter().cloned().map(SnapshotLine::Row);
    let end = [
        SnapshotLine::Section { name: "REST".into(), rows: entities.len() as u64 },
        SnapshotLine::End { results: Vec::new() },
    ];
    let mut body = String::new();
    for line in [SnapshotLine::Start(start)].into_iter().chain(rows).chain(end) {
        body.push_str(&line.to_json());
        body.push('\n');
    }
    body.into_bytes()
}

/// What others do after the snapshot: task after task is renamed.
pub(crate) struct Changes {
    tasks: Vec<Task>,
    head: u64,
}

impl Changes {
    /// To these.
    pub(crate) fn of(entities: &[Entity]) -> Self {
        let task = |entity: &Entity| match entity {
            Entity::Task(task) => Some(task.clone()),
            _ => None,
        };
        Self { tasks: entities.iter().filter_map(task).collect(), head: cursor().seq }
    }

    /// The next ones, as the text of that many DELTA frames.
    pub(crate) fn frames(&mut self, frames: usize, commits: usize) -> Vec<String> {
        (0..frames).map(|_| ServerFrame::Delta(self.delta(commits)).to_json()).collect()
    }

    /// The last commit.
    pub(crate) fn head(&self) -> u64 {
        self.head
    }

    fn delta(&mut self, commits: usize) -> Delta {
        let from = self.head;
        let commits = (0..commits).map(|_| self.commit()).collect();
        let mark = Mark(self.head);
        Delta { epoch: 1, from, to: self.head, mark, commits, results: Vec::new(), more: false, digest: None }
    }

    fn commit(&mut self) -> Commit {
        self.head += 1;
        let seq = self.head;
        let count = self.tasks.len() as u64;
        let task = &mut self.tasks[(seq % count) as usize];
        let before = [("title".to_owned(), task.title.clone().into())].into_iter().collect();
        task.title = format!("Look after the heater, attempt {seq}");
        task.version += 1;
        let at = Timestamp::from_millis(BEGUN + 100_000_000 + seq as i64);
        task.updated_at = at;
        let change = ViewChange::Upsert { entity: task.clone().into(), before: Some(before), created: false };
        Commit { seq, at, by: person(0), changes: vec![change] }
    }
}

fn task(index: usize) -> Task {
    let at = Timestamp::from_millis(BEGUN + index as i64 * 1_000);
    Task {
        id: id_at(at, index),
        title: format!("Look after the heater of room {}", 101 + index % SUITES),
        description:
            "The guest says that it rattles at night and smells of dust; take the long ladder along.".into(),
        task_type: TaskType::Maintenance,
        priority: [Priority::Low, Priority::Normal, Priority::High][index % 3].clone(),
        status: STATUSES[index / PEOPLE % STATUSES.len()].clone(),
        suite_id: Some(suite(index % SUITES)),
        assigned_to: Some(person(index % PEOPLE)),
        department: Some(Department::Maintenance),
        due_at: Some(at.plus_millis(86_400_000)),
        created_by: me(),
        created_at: at,
        version: 3,
        updated_at: at.plus_millis(60_000),
        updated_by: person(index % PEOPLE),
        extra: Fields::new(),
    }
}

fn suite_entity(index: usize) -> Suite {
    Suite {
        id: suite(index),
        suite_number: format!("{}", 101 + index),
        floor: 1,
        status: SuiteStatus::Occupied,
        open_cleaning_task: None,
        version: 2,
        updated_at: Timestamp::from_millis(BEGUN),
        updated_by: me(),
        extra: Fields::new(),
    }
}

fn person(index: usize) -> Uuid {
    Uuid::from_u128(0x0b6d_5b5e_6d4f_5b0a_8a53_0000_0000_0000 + index as u128)
}

fn suite(index: usize) -> Uuid {
    Uuid::from_u128(0x5a0c_5b5e_0000_5000_8000_0000_0000_0000 + index as u128)
}

/// As a phone makes them: the time first, then what looks random.
fn id_at(at: Timestamp, index: usize) -> Uuid {
    let mut random = [0; 10];
    let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    random[..8].copy_from_slice(&mixed.to_le_bytes());
    uuid::Builder::from_unix_timestamp_millis(at.as_millis().unsigned_abs(), &random).into_uuid()
}
