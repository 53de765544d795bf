//! How a suite follows its cleaning task. A suite has at most one open CLEANING task and `openCleaningTask` names it;
//! this is the one place that writes that field.
//!
//! ```text
//!   start                VACANT_DIRTY → CLEANING
//!   complete             VACANT_DIRTY, CLEANING → VACANT_CLEAN      never an occupied one: stay-overs, late completions
//!   stop on the way      CLEANING → VACANT_DIRTY                    release, cancel, delete, given to somebody else
//! ```

use crate::Uuid;
use crate::entity::{EntityKind, EntityRef, Suite, Task};
use crate::execute::{Scratch, Stop};
use crate::rejection::{Reason, Rejection};
use crate::vocabulary::{SuiteStatus, TaskStatus, TaskType};

/// An open cleaning task of a suite.
#[derive(Clone, Copy)]
struct Cleaning {
    task: Uuid,
    suite: Uuid,
    in_progress: bool,
}

impl Cleaning {
    fn of(task: &Task) -> Option<Self> {
        let open = task.task_type == TaskType::Cleaning && task.status.is_open();
        let in_progress = task.status == TaskStatus::InProgress;
        open.then_some(task.suite_id).flatten().map(|suite| Self { task: task.id, suite, in_progress })
    }
}

/// Lets the suites follow a task that was created (no `before`), changed or deleted (no `after`).
/// Refused with CLEANING_ALREADY_OPEN where the suite has another open cleaning task.
pub(super) fn follow(s: &mut Scratch<'_>, before: Option<&Task>, after: Option<&Task>) -> Result<(), Stop> {
    let completed = after.is_some_and(|task| task.status == TaskStatus::Completed);
    match (before.and_then(Cleaning::of), after.and_then(Cleaning::of)) {
        (Some(was), Some(is)) if was.suite == is.suite => match (was.in_progress, is.in_progress) {
            (false, true) => with_suite(s, is, begin),
            (true, false) => with_suite(s, was, stop),
            (false, false) | (true, true) => Ok(()),
        },
        (was, is) => {
            if let Some(was) = was {
                with_suite(s, was, if completed { finish } else { abandon })?;
            }
            is.map_or(Ok(()), |is| with_suite(s, is, open))
        }
    }
}

/// A step of a suite that follows its cleaning.
type Step = fn(&mut Suite, Cleaning) -> Result<Done, Rejection>;
/// Whether the guard held; else the reason's code.
type Done = Result<(), &'static str>;

fn with_suite(s: &mut Scratch<'_>, cleaning: Cleaning, step: Step) -> Result<(), Stop> {
    let Some(mut suite) = s.secondary::<Suite>(cleaning.suite)? else { return Ok(()) };
    if let Err(reason) = step(&mut suite, cleaning)? {
        s.skip(EntityRef::new(EntityKind::Suite, suite.id), reason);
    }
    s.put(suite)
}

fn open(suite: &mut Suite, cleaning: Cleaning) -> Result<Done, Rejection> {
    if suite.open_cleaning_task.is_some_and(|task| task != cleaning.task) {
        let message =
            format!("Suite {} already has an open cleaning task; use that one.", suite.suite_number);
        return Err(Rejection::permanent(Reason::CleaningAlreadyOpen, message)
            .about(EntityRef::new(EntityKind::Suite, suite.id)));
    }
    suite.open_cleaning_task = Some(cleaning.task);
    if cleaning.in_progress { begin(suite, cleaning) } else { Ok(Ok(())) }
}

fn begin(suite: &mut Suite, _: Cleaning) -> Result<Done, Rejection> {
    Ok(match suite.status {
        SuiteStatus::VacantDirty => {
            suite.status = SuiteStatus::Cleaning;
            Ok(())
        }
        SuiteStatus::Cleaning => Ok(()),
        _ => Err("SUITE_NOT_DIRTY"),
    })
}

fn stop(suite: &mut Suite, _: Cleaning) -> Result<Done, Rejection> {
    Ok(match suite.status {
        SuiteStatus::Cleaning => {
            suite.status = SuiteStatus::VacantDirty;
            Ok(())
        }
        SuiteStatus::VacantDirty => Ok(()),
        _ => Err("SUITE_NOT_CLEANING"),
    })
}

fn finish(suite: &mut Suite, cleaning: Cleaning) -> Result<Done, Rejection> {
    close(suite, cleaning);
    Ok(match suite.status {
        SuiteStatus::VacantDirty | SuiteStatus::Cleaning => {
            suite.status = SuiteStatus::VacantClean;
            Ok(())
        }
        SuiteStatus::VacantClean => Ok(()),
        _ => Err("SUITE_NOT_DIRTY"),
    })
}

fn abandon(suite: &mut Suite, cleaning: Cleaning) -> Result<Done, Rejection> {
    close(suite, cleaning);
    if cleaning.in_progress { stop(suite, cleaning) } else { Ok(Ok(())) }
}

fn close(suite: &mut Suite, cleaning: Cleaning) {
    if suite.open_cleaning_task == Some(cleaning.task) {
        suite.open_cleaning_task = None;
    }
}
