//! The suite board and the dashboard.

use std::collections::HashMap;

use innsync_domain::{Alert, Employee, Suite, SuiteStatus, Task, TaskStatus, Uuid};
use innsync_engine::StoreError;
use innsync_store::Query;

use super::glance::Glance;
use super::{Dashboard, Emergency, Floor, SuiteBoard, SuiteCard};

pub(super) fn suite_board(glance: &Glance<'_>) -> Result<SuiteBoard, StoreError> {
    let mut open_tasks: HashMap<Uuid, u32> = HashMap::new();
    for task in glance.query::<Task>(&Query::tasks().open())? {
        if let Some(suite) = task.suite_id {
            *open_tasks.entry(suite).or_default() += 1;
        }
    }
    let mut floors: Vec<Floor> = Vec::new();
    // In the query's order: floor, then number.
    for suite in glance.query::<Suite>(&Query::suites())? {
        let card = SuiteCard {
            open_tasks: open_tasks.get(&suite.id).copied().unwrap_or_default(),
            unsent: glance.is_unsent(suite.id)?,
            conflict: glance.conflict_about(suite.id)?,
            suite,
        };
        match floors.last_mut() {
            Some(last) if last.floor == card.suite.floor => last.suites.push(card),
            _ => floors.push(Floor { floor: card.suite.floor, suites: vec![card] }),
        }
    }
    Ok(SuiteBoard { floors })
}

pub(super) fn dashboard(glance: &Glance<'_>) -> Result<Dashboard, StoreError> {
    let suites = glance.query::<Suite>(&Query::suites())?;
    let tasks = glance.query::<Task>(&Query::tasks())?;
    let employees = glance.query::<Employee>(&Query::employees())?;
    let alerts = glance.query::<Alert>(&Query::alerts().open())?;
    let count = |matching: &dyn Fn(&Task) -> bool| {
        u32::try_from(tasks.iter().filter(|task| matching(task)).count()).unwrap_or(u32::MAX)
    };
    Ok(Dashboard {
        suites: figures(SuiteStatus::KNOWN, suites.into_iter().map(|suite| suite.status)),
        tasks: figures(TaskStatus::KNOWN, tasks.iter().map(|task| task.status.clone())),
        overdue: count(&|task| glance.is_overdue(task)),
        unassigned: count(&|task| task.status.is_open() && task.assigned_to.is_none()),
        emergencies: alerts.into_iter().map(|alert| emergency(alert, &employees)).collect(),
        on_duty: employees.into_iter().filter(|one| one.is_on_duty).collect(),
    })
}

fn figures<T: Clone + PartialEq>(known: &[T], found: impl Iterator<Item = T>) -> Vec<(T, u32)> {
    let mut figures: Vec<(T, u32)> = known.iter().map(|value| (value.clone(), 0)).collect();
    for value in found {
        match figures.iter_mut().find(|(one, _)| *one == value) {
            Some((_, count)) => *count += 1,
            None => figures.push((value, 1)),
        }
    }
    figures
}

fn emergency(alert: Alert, employees: &[Employee]) -> Emergency {
    let name = |id: Uuid| {
        let found = employees.iter().find(|one| one.id == id);
        found.map_or_else(|| id.to_string(), |one| one.name.clone())
    };
    let has = |one: &Employee| alert.acknowledgements.iter().any(|it| it.employee_id == one.id);
    let waits = |one: &&Employee| one.is_on_duty && one.id != alert.raised_by && !has(one);
    Emergency {
        acknowledged: alert.acknowledgements.iter().map(|it| name(it.employee_id)).collect(),
        not_yet: employees.iter().filter(waits).map(|one| one.name.clone()).collect(),
        alert,
    }
}
