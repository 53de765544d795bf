//! Suites: their numbers, their states, and the cleaning task after a checkout.

use crate::Uuid;
use crate::command::SuitePatch;
use crate::derived_id;
use crate::entity::{EntityKind, EntityRef, Fields, Suite, Task};
use crate::execute::scratch::Found;
use crate::execute::{Scratch, Stop, check, cleaning, permission};
use crate::rejection::{Reason, Rejection};
use crate::transition::{suite_target_allowed, suite_transition_allowed};
use crate::vocabulary::{Priority, SuiteStatus, TaskStatus, TaskType};

fn reference(id: Uuid) -> EntityRef {
    EntityRef::new(EntityKind::Suite, id)
}

/// Adds a suite. That its number is free, only the server knows: see [`crate::react`].
pub(super) fn create(
    s: &mut Scratch<'_>,
    id: Uuid,
    number: &str,
    floor: i32,
    status: &SuiteStatus,
) -> Result<(), Stop> {
    check::known("status", status.as_str(), status.is_known())?;
    check::permitted(permission::may_manage(s.actor()), reference(id), "Only a manager may add suites.")?;
    check::suite_number(number)?;
    check::floor(floor)?;
    s.fresh::<Suite>(id)?;
    s.put(Suite {
        id,
        suite_number: number.to_owned(),
        floor,
        status: status.clone(),
        open_cleaning_task: None,
        version: 0,
        updated_at: s.context().at,
        updated_by: s.actor().id,
        extra: Fields::new(),
    })
}

/// Changes number or floor.
pub(super) fn edit(s: &mut Scratch<'_>, id: Uuid, patch: &SuitePatch) -> Result<(), Stop> {
    let mut suite = s.primary::<Suite>(id)?;
    check::permitted(permission::may_manage(s.actor()), reference(id), "Only a manager may edit suites.")?;
    if let Some(number) = &patch.suite_number {
        check::suite_number(number)?;
        suite.suite_number.clone_from(number);
    }
    if let Some(floor) = patch.floor {
        check::floor(floor)?;
        suite.floor = floor;
    }
    s.put(suite)
}

/// Changes the status, as the actor's role may. A checkout makes one cleaning task while none is open.
pub(super) fn set_status(s: &mut Scratch<'_>, id: Uuid, status: &SuiteStatus) -> Result<(), Stop> {
    let mut suite = s.primary::<Suite>(id)?;
    check::known("status", status.as_str(), status.is_known())?;
    let role = &s.actor().role;
    let message = format!("Your role does not make suites {status}; ask a supervisor.");
    check::permitted(suite_target_allowed(role, status), reference(id), &message)?;
    if suite.status == *status {
        return Ok(());
    }
    if !suite_transition_allowed(role, &suite.status, status) {
        let (number, from) = (&suite.suite_number, &suite.status);
        let message = format!(
            "Suite {number} is {from}, and your role does not make it {status} from there; ask a supervisor."
        );
        return Err(check::illegal(reference(id), message).into());
    }
    let checkout = suite.status == SuiteStatus::Occupied && *status == SuiteStatus::VacantDirty;
    suite.status = status.clone();
    s.put(suite.clone())?;
    if checkout && suite.open_cleaning_task.is_none() {
        create_cleaning(s, &suite)?;
    }
    Ok(())
}

/// The cleaning task that follows a checkout, open to all housekeepers.
fn create_cleaning(s: &mut Scratch<'_>, suite: &Suite) -> Result<(), Stop> {
    let (at, by) = (s.context().at, s.actor().id);
    let id = derived_id(s.context().operation, "cleaning");
    if let Found::Known(_) = s.find::<Task>(id)? {
        s.skip(EntityRef::new(EntityKind::Task, id), "TASK_EXISTS");
        return Ok(());
    }
    let task = Task {
        id,
        title: format!("Clean Suite {}", suite.suite_number),
        description: String::new(),
        task_type: TaskType::Cleaning,
        priority: Priority::Normal,
        status: TaskStatus::Pending,
        suite_id: Some(suite.id),
        assigned_to: None,
        department: TaskType::Cleaning.department(),
        due_at: None,
        created_by: by,
        created_at: at,
        version: 0,
        updated_at: at,
        updated_by: by,
        extra: Fields::new(),
    };
    s.put(task.clone())?;
    cleaning::follow(s, None, Some(&task))
}

/// Removes a suite, unless it waits for its cleaning.
pub(super) fn delete(s: &mut Scratch<'_>, id: Uuid) -> Result<(), Stop> {
    let suite = s.primary::<Suite>(id)?;
    check::permitted(permission::may_manage(s.actor()), reference(id), "Only a manager may remove suites.")?;
    if suite.open_cleaning_task.is_some() {
        let number = &suite.suite_number;
        let message = format!("Suite {number} has an open cleaning task; complete or cancel it first.");
        return Err(Rejection::permanent(Reason::InUse, message).about(reference(id)).into());
    }
    s.remove(reference(id))
}
