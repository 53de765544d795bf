//! "Seaside Motel": what a newcomer tries InnSync with. Ids follow from names, so that it is the same everywhere.

use innsync_domain::{Command, Department, Priority, Role, SuiteStatus, TaskType, Timestamp, Uuid};

use crate::auth::{AuthError, Passwords, Secret};
use crate::authority::{Authority, RunOptions};
use crate::ledger::{LedgerError, Property};

/// The property's id.
pub const PROPERTY: &str = "seaside";
/// Everybody's password.
pub const PASSWORD: &str = "demo";

/// Login, name, role, department.
const STAFF: [(&str, &str, Role, Department); 5] = [
    ("maria", "Maria", Role::Manager, Department::Management),
    ("sam", "Sam", Role::Supervisor, Department::Housekeeping),
    ("ana", "Ana", Role::Housekeeper, Department::Housekeeping),
    ("ben", "Ben", Role::Housekeeper, Department::Housekeeping),
    ("miguel", "Miguel", Role::Maintenance, Department::Maintenance),
];

const OCCUPIED: [&str; 6] = ["102", "104", "107", "203", "206", "209"];
const DIRTY: [&str; 5] = ["101", "105", "108", "202", "207"];
const OUT_OF_SERVICE: [&str; 1] = ["210"];

/// The demo was not made.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A password could not be hashed.
    #[error(transparent)]
    Auth(#[from] AuthError),
}

/// The id of the demo's suite of that number.
pub fn suite_id(number: &str) -> Uuid {
    id("suite", number)
}

/// The id of the demo's person who signs in with that name.
pub fn person_id(login: &str) -> Uuid {
    id("person", login)
}

/// The id of the cleaning task of the demo's suite of that number.
pub fn cleaning_id(number: &str) -> Uuid {
    id("cleaning", number)
}

fn id(kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("innsync:{PROPERTY}/{kind}/{name}").as_bytes())
}

/// Fills an empty ledger. One that has a property already is left as it is; says whether it was filled.
pub fn fill(authority: &mut Authority, now: Timestamp) -> Result<bool, DemoError> {
    if !authority.read().properties()?.is_empty() {
        return Ok(false);
    }
    let property = Property {
        id: PROPERTY.to_owned(),
        name: "Seaside Motel".to_owned(),
        time_zone: "America/Los_Angeles".to_owned(),
    };
    authority.create_property(&property)?;
    let hash = Passwords::hash(&Secret::new(PASSWORD.to_owned()))?;
    for (login, name, role, department) in STAFF {
        authority.add_person(now, PROPERTY, login, &hash, name, role, department, Some(person_id(login)))?;
    }
    let duty = STAFF.map(|(login, ..)| Command::SetDuty { employee_id: person_id(login), is_on_duty: true });
    run(authority, now, &duty)?;
    run(authority, now, &house())?;
    Ok(true)
}

fn house() -> Vec<Command> {
    let numbers = (101..=110).chain(201..=210).map(|number: i32| (number.to_string(), number / 100));
    let mut commands = Vec::new();
    for (suite_number, floor) in numbers {
        let suite_id = suite_id(&suite_number);
        let dirty = DIRTY.contains(&suite_number.as_str());
        let status = match suite_number.as_str() {
            number if OCCUPIED.contains(&number) => SuiteStatus::Occupied,
            number if OUT_OF_SERVICE.contains(&number) => SuiteStatus::OutOfService,
            _ if dirty => SuiteStatus::VacantDirty,
            _ => SuiteStatus::VacantClean,
        };
        let title = format!("Clean suite {suite_number}");
        let task_id = cleaning_id(&suite_number);
        commands.push(Command::CreateSuite { suite_id, suite_number, floor, status });
        if dirty {
            commands.push(Command::CreateTask {
                task_id,
                title,
                description: String::new(),
                task_type: TaskType::Cleaning,
                priority: Priority::Normal,
                suite_id: Some(suite_id),
                assigned_to: None,
                due_at: None,
                severity: None,
            });
        }
    }
    commands
}

fn run(authority: &mut Authority, now: Timestamp, commands: &[Command]) -> Result<(), LedgerError> {
    let maria = person_id("maria");
    match authority.run(now, PROPERTY, maria, commands, &RunOptions::default())? {
        Ok(_) => Ok(()),
        Err(problem) => Err(LedgerError::Refused(problem.detail)),
    }
}

#[cfg(test)]
mod tests {
    use innsync_domain::{Entity, EntityKind};

    use super::*;
    use crate::ledger::Ledger;

    #[test]
    fn the_demo_has_a_house_and_a_staff_on_duty_and_is_made_once() {
        let mut authority = Authority::new(Ledger::in_memory().unwrap(), 1);
        let now = Timestamp::from_millis(1_795_335_000_000);
        assert!(fill(&mut authority, now).unwrap());
        assert!(!fill(&mut authority, now).unwrap());

        let all = |kind| authority.read().list(PROPERTY, person_id("maria"), &kind).unwrap();
        let staff = all(EntityKind::Employee);
        assert_eq!(staff.len(), 5);
        assert!(staff.iter().all(|it| matches!(it, Entity::Employee(it) if it.is_on_duty)));
        let suites = all(EntityKind::Suite);
        assert_eq!(suites.len(), 20);
        let count = |status| {
            suites.iter().filter(|it| matches!(it, Entity::Suite(suite) if suite.status == status)).count()
        };
        assert!(count(SuiteStatus::Occupied) >= 4);
        assert_eq!((count(SuiteStatus::VacantDirty), count(SuiteStatus::OutOfService)), (5, 1));
        for suite in &suites {
            let Entity::Suite(suite) = suite else { panic!("{suite:?}") };
            assert_eq!(suite.open_cleaning_task.is_some(), suite.status == SuiteStatus::VacantDirty);
        }
        let tasks = all(EntityKind::Task);
        assert_eq!(tasks.len(), 5);
        assert!(tasks.iter().all(|it| matches!(it, Entity::Task(task) if task.assigned_to.is_none())));
    }
}
