//! Who and what the stories are about.

pub mod motel;
pub mod phone;
pub mod store;

use innsync_domain::{
    Command, Department, Employee, EmployeeStatus, Entity, EntityKind, EntityRef, Fields, Priority, Role,
    Suite, SuiteStatus, Task, TaskStatus, TaskType, Timestamp, Uuid,
};

pub use motel::Motel;
pub use phone::{Phone, session};
pub use store::TestStore;

/// 2026-11-22T08:00:00Z, when every story begins.
pub const MORNING: i64 = 1_795_334_400_000;

pub fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub fn ana() -> Uuid {
    id(1)
}
pub fn ben() -> Uuid {
    id(2)
}
pub fn miguel() -> Uuid {
    id(3)
}
pub fn sam() -> Uuid {
    id(4)
}
pub fn maria() -> Uuid {
    id(5)
}

/// The id of a suite by its number.
pub fn suite_id(number: u32) -> Uuid {
    id(10_000 + u128::from(number))
}

pub fn suite_ref(number: u32) -> EntityRef {
    EntityRef::new(EntityKind::Suite, suite_id(number))
}

pub fn task_ref(task: Uuid) -> EntityRef {
    EntityRef::new(EntityKind::Task, task)
}

pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(MORNING + millis)
}

pub fn employee(employee: Uuid, name: &str, role: Role, department: Department) -> Entity {
    Employee {
        id: employee,
        name: name.to_owned(),
        role,
        department,
        status: EmployeeStatus::Available,
        is_on_duty: true,
        version: 1,
        updated_at: at(0),
        updated_by: maria(),
        extra: Fields::new(),
    }
    .into()
}

pub fn staff() -> Vec<Entity> {
    vec![
        employee(ana(), "ana", Role::Housekeeper, Department::Housekeeping),
        employee(ben(), "ben", Role::Maintenance, Department::Maintenance),
        employee(miguel(), "miguel", Role::FrontDesk, Department::FrontDesk),
        employee(sam(), "sam", Role::Supervisor, Department::Housekeeping),
        employee(maria(), "maria", Role::Manager, Department::Management),
    ]
}

pub fn suite(number: u32, status: SuiteStatus) -> Entity {
    Suite {
        id: suite_id(number),
        suite_number: number.to_string(),
        floor: i32::try_from(number / 100).unwrap(),
        status,
        open_cleaning_task: None,
        version: 1,
        updated_at: at(0),
        updated_by: maria(),
        extra: Fields::new(),
    }
    .into()
}

pub fn task(task: Uuid, title: &str, assigned_to: Option<Uuid>) -> Task {
    Task {
        id: task,
        title: title.to_owned(),
        description: String::new(),
        task_type: TaskType::General,
        priority: Priority::Normal,
        status: TaskStatus::Pending,
        suite_id: None,
        assigned_to,
        department: None,
        due_at: None,
        created_by: maria(),
        created_at: at(0),
        version: 1,
        updated_at: at(0),
        updated_by: maria(),
        extra: Fields::new(),
    }
}

pub fn set_status(number: u32, status: SuiteStatus) -> Command {
    Command::SetSuiteStatus { suite_id: suite_id(number), status }
}

pub fn report(task_id: Uuid, title: &str) -> Command {
    Command::CreateTask {
        task_id,
        title: title.to_owned(),
        description: String::new(),
        task_type: TaskType::General,
        priority: Priority::Normal,
        suite_id: None,
        assigned_to: None,
        due_at: None,
        severity: None,
    }
}
