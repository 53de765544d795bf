//! Which state may follow which, as tables. Who may cause it stands in `execute/permission.rs` for tasks and here for
//! suites, where every role has transitions of its own.

use crate::vocabulary::{Role, SuiteStatus, TaskStatus};

use SuiteStatus::{Cleaning, Inspected, Occupied, OutOfService, VacantClean, VacantDirty};
use TaskStatus::{Cancelled, Completed, InProgress, Pending};

/// The life of a task.
const TASK: &[(TaskStatus, TaskStatus)] = &[
    (Pending, InProgress), // start
    (Pending, Completed),  // complete, without having said that one began
    (Pending, Cancelled),
    (InProgress, Completed),
    (InProgress, Cancelled),
    (InProgress, Pending), // release, or given to somebody else
    (Completed, Pending),  // reopen
    (Cancelled, Pending),  // reopen
];

/// The front desk checks guests in and out.
const FRONT_DESK: &[(SuiteStatus, SuiteStatus)] =
    &[(VacantClean, Occupied), (Inspected, Occupied), (Occupied, VacantDirty)];

/// Housekeepers clean.
const HOUSEKEEPER: &[(SuiteStatus, SuiteStatus)] = &[(VacantDirty, Cleaning), (Cleaning, VacantClean)];

/// Maintenance takes a suite out of service whatever its state, and gives it back dirty.
const MAINTENANCE: &[(SuiteStatus, SuiteStatus)] = &[
    (VacantClean, OutOfService),
    (VacantDirty, OutOfService),
    (Occupied, OutOfService),
    (Cleaning, OutOfService),
    (Inspected, OutOfService),
    (OutOfService, VacantDirty),
];

/// Whether a task may go from one status to the other. Staying as it is is no transition.
pub fn task_transition_allowed(from: &TaskStatus, to: &TaskStatus) -> bool {
    TASK.iter().any(|(start, end)| start == from && end == to)
}

/// Whether somebody of that role may take a suite from one status to the other. Staying as it is is no transition.
pub fn suite_transition_allowed(role: &Role, from: &SuiteStatus, to: &SuiteStatus) -> bool {
    let table = match role {
        Role::Supervisor | Role::Manager => return from != to && to.is_known(),
        Role::FrontDesk => FRONT_DESK,
        Role::Housekeeper => HOUSEKEEPER,
        Role::Maintenance => MAINTENANCE,
        Role::Other(_) => return false,
    };
    table.iter().any(|(start, end)| start == from && end == to)
}

/// Whether somebody of that role may ever bring a suite into that status.
pub(crate) fn suite_target_allowed(role: &Role, to: &SuiteStatus) -> bool {
    SuiteStatus::KNOWN.iter().any(|from| suite_transition_allowed(role, from, to))
}
