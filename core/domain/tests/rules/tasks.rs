//! The life of a task.

use innsync_domain::{
    Command, Department, EntityRef, Priority, Reason, SuiteStatus, TaskPatch, TaskStatus, TaskType,
    suite_transition_allowed, task_transition_allowed,
};
use innsync_domain::{EntityKind, Role};

use crate::world::*;

use TaskStatus::{Cancelled, Completed, InProgress, Pending};

/// A task of ana's in every status.
fn ana_with_task(status: &TaskStatus) -> World {
    let mut world = World::motel();
    let task_id = id(10);
    world.does(SAM, new_task_for(10, TaskType::General, ANA));
    match status {
        Pending => {}
        InProgress => drop(world.does(ANA, Command::StartTask { task_id })),
        Completed => drop(world.does(ANA, Command::CompleteTask { task_id })),
        Cancelled => drop(world.does(SAM, Command::CancelTask { task_id })),
        TaskStatus::Other(other) => panic!("{other}"),
    }
    world
}

#[test]
fn every_transition_of_every_command() {
    type Outcome = Result<TaskStatus, Reason>;
    const ILLEGAL: Outcome = Err(Reason::IllegalTransition);
    let task_id = id(10);
    // From:                                     PENDING, IN_PROGRESS, COMPLETED, CANCELLED
    let table: [(Command, [Outcome; 4]); 7] = [
        (Command::StartTask { task_id }, [Ok(InProgress), Ok(InProgress), ILLEGAL, ILLEGAL]),
        (Command::CompleteTask { task_id }, [Ok(Completed), Ok(Completed), Ok(Completed), ILLEGAL]),
        (Command::CancelTask { task_id }, [Ok(Cancelled), Ok(Cancelled), ILLEGAL, Ok(Cancelled)]),
        (Command::ReleaseTask { task_id }, [Ok(Pending), Ok(Pending), ILLEGAL, ILLEGAL]),
        (Command::ReopenTask { task_id }, [Ok(Pending), ILLEGAL, Ok(Pending), Ok(Pending)]),
        (Command::AssignTask { task_id, assignee: BEN }, [Ok(Pending), Ok(Pending), ILLEGAL, ILLEGAL]),
        (
            Command::AssignTask { task_id, assignee: ANA },
            [Ok(Pending), Ok(InProgress), Ok(Completed), Ok(Cancelled)],
        ),
    ];
    for (command, outcomes) in table {
        for (from, expected) in TaskStatus::KNOWN.iter().zip(outcomes) {
            let mut world = ana_with_task(from);
            let outcome = world.act(SAM, command.clone());
            let outcome = outcome.map(|_| world.task(task_id).status).map_err(|rejection| rejection.reason);
            assert_eq!(outcome, expected, "{} from {from}", command.name());
            if let Ok(to) = outcome {
                assert!(to == *from || task_transition_allowed(from, &to), "{from} to {to} is in the table");
            }
        }
    }
}

#[test]
fn what_is_already_so_changes_nothing() {
    let task_id = id(10);
    for (status, who, command) in [
        (InProgress, ANA, Command::StartTask { task_id }),
        (Completed, ANA, Command::CompleteTask { task_id }),
        (Cancelled, SAM, Command::CancelTask { task_id }),
        (Pending, SAM, Command::ReopenTask { task_id }),
        (InProgress, SAM, Command::AssignTask { task_id, assignee: ANA }),
        (InProgress, ANA, Command::TakeTask { task_id }),
        (Pending, SAM, Command::EditTask { task_id, patch: TaskPatch::default() }),
    ] {
        let mut world = ana_with_task(&status);
        let commit = world.does(who, command.clone());
        assert_eq!(commit.changes, [], "{}", command.name());
        assert!(commit.effects.reads.contains(&task(task_id)), "it was looked at all the same");
    }
}

#[test]
fn the_tables_of_transitions_are_the_protocols() {
    assert!(!task_transition_allowed(&Completed, &Cancelled));
    assert!(!task_transition_allowed(&Pending, &Pending));
    use SuiteStatus::{Cleaning, Inspected, Occupied, OutOfService, VacantClean, VacantDirty};
    let allowed = |role: &Role| -> Vec<(SuiteStatus, SuiteStatus)> {
        let all =
            SuiteStatus::KNOWN.iter().flat_map(|from| SuiteStatus::KNOWN.iter().map(move |to| (from, to)));
        all.filter(|(from, to)| suite_transition_allowed(role, from, to))
            .map(|(from, to)| (from.clone(), to.clone()))
            .collect()
    };
    assert_eq!(allowed(&Role::Manager).len(), 30);
    assert_eq!(allowed(&Role::Supervisor).len(), 30);
    assert_eq!(allowed(&Role::Housekeeper), [(VacantDirty, Cleaning), (Cleaning, VacantClean)]);
    assert_eq!(
        allowed(&Role::FrontDesk),
        [(VacantClean, Occupied), (Occupied, VacantDirty), (Inspected, Occupied)]
    );
    let maintenance = allowed(&Role::Maintenance);
    assert_eq!(maintenance.len(), 6);
    assert!(maintenance.contains(&(OutOfService, VacantDirty)));
    assert_eq!(allowed(&Role::Other("CONCIERGE".into())), []);
}

#[test]
fn the_type_decides_the_department() {
    let mut world = World::motel();
    for (number, (task_type, department)) in (10..).zip([
        (TaskType::Cleaning, Some(Department::Housekeeping)),
        (TaskType::Inspection, Some(Department::Housekeeping)),
        (TaskType::Maintenance, Some(Department::Maintenance)),
        (TaskType::General, None),
        (TaskType::Emergency, None),
    ]) {
        world.does(MARIA, new_task(number, task_type));
        assert_eq!(world.task(id(number)).department, department);
    }
    let patch = TaskPatch { task_type: Some(TaskType::Maintenance), ..TaskPatch::default() };
    world.does(MARIA, Command::EditTask { task_id: id(10), patch });
    assert_eq!(world.task(id(10)).department, Some(Department::Maintenance));
}

#[test]
fn a_new_task_bears_its_creator_and_the_time_of_the_intent() {
    let mut world = World::motel();
    let commit = world.does(LUCIA, new_task(10, TaskType::General));
    let made = world.task(id(10));
    assert_eq!((made.created_by, made.created_at), (LUCIA, commit.at));
    assert_eq!((made.version, made.updated_by, made.updated_at), (1, LUCIA, commit.at));
    let predicted = commit.effects.changes[0].after.as_ref().unwrap();
    assert_eq!(predicted.version(), 0, "the version is the server's to give");
    world.refuses_as(LUCIA, new_task(10, TaskType::General), Reason::AlreadyExists);
}

#[test]
fn whoever_starts_a_task_of_nobodys_has_it() {
    let mut world = World::motel();
    world.does(SAM, new_task(10, TaskType::General));
    world.does(SAM, Command::StartTask { task_id: id(10) });
    assert_task(&world, id(10), InProgress, Some(SAM));
}

#[test]
fn sam_starts_anas_task_and_it_stays_hers() {
    let mut world = ana_with_task(&Pending);
    world.does(SAM, Command::StartTask { task_id: id(10) });
    assert_task(&world, id(10), InProgress, Some(ANA));
}

#[test]
fn a_released_task_is_nobodys_and_pending() {
    let mut world = ana_with_task(&InProgress);
    world.does(ANA, Command::ReleaseTask { task_id: id(10) });
    assert_task(&world, id(10), Pending, None);
}

#[test]
fn work_that_ana_began_is_pending_again_when_it_is_given_to_ben() {
    let mut world = ana_with_task(&InProgress);
    world.does(SAM, Command::AssignTask { task_id: id(10), assignee: BEN });
    assert_task(&world, id(10), Pending, Some(BEN));
}

#[test]
fn nobody_gets_a_task_who_is_not_there() {
    let mut world = ana_with_task(&Pending);
    let rejection = world.refuses_as(
        SAM,
        Command::AssignTask { task_id: id(10), assignee: id(999) },
        Reason::InvalidField,
    );
    assert_eq!(rejection.field.as_deref(), Some("assignee"));
    let rejection = world.refuses_as(SAM, new_task_for(11, TaskType::General, id(999)), Reason::InvalidField);
    assert_eq!(rejection.field.as_deref(), Some("assignedTo"));
}

#[test]
fn ana_and_ben_take_the_same_task_and_one_has_it() {
    let mut world = World::motel();
    let task_id = world.cleaning(10, S103);
    world.does(ANA, Command::TakeTask { task_id });
    // Ben no longer sees the task; he hears that it is taken, and not by whom.
    world.refuses_as(BEN, Command::TakeTask { task_id }, Reason::AlreadyTaken);
    // Miguel never saw it.
    world.refuses_as(MIGUEL, Command::TakeTask { task_id }, Reason::NotFound);
    assert_task(&world, task_id, Pending, Some(ANA));
}

#[test]
fn only_people_on_duty_take_tasks() {
    let mut world = World::motel();
    world.does(SAM, new_task(10, TaskType::General));
    world.does(ANA, set_duty(ANA, false));
    world.refuses_as(ANA, Command::TakeTask { task_id: id(10) }, Reason::NotOnDuty);
}

#[test]
fn a_finished_task_is_not_taken() {
    let mut world = World::motel();
    world.does(SAM, new_task(10, TaskType::General));
    world.does(SAM, Command::CancelTask { task_id: id(10) });
    world.refuses_as(ANA, Command::TakeTask { task_id: id(10) }, Reason::IllegalTransition);
}

#[test]
fn a_reopened_task_is_still_anas_unless_she_has_left() {
    let mut world = ana_with_task(&Completed);
    world.does(SAM, Command::ReopenTask { task_id: id(10) });
    assert_task(&world, id(10), Pending, Some(ANA));

    let mut world = ana_with_task(&Completed);
    world.does(MARIA, Command::DeleteEmployee { employee_id: ANA });
    world.does(SAM, Command::ReopenTask { task_id: id(10) });
    assert_task(&world, id(10), Pending, None);
}

#[test]
fn lucia_edits_her_report_until_somebody_begins() {
    let mut world = World::motel();
    world.does(LUCIA, new_task(10, TaskType::Maintenance));
    let edit = Command::EditTask {
        task_id: id(10),
        patch: TaskPatch {
            description: Some("The tap of 102 drips".into()),
            suite_id: Some(Some(S102)),
            priority: Some(Priority::Urgent),
            ..TaskPatch::default()
        },
    };
    world.does(LUCIA, edit.clone());
    assert_eq!(world.task(id(10)).suite_id, Some(S102));
    world.does(MIGUEL, Command::TakeTask { task_id: id(10) });
    world.does(MIGUEL, Command::StartTask { task_id: id(10) });
    world.refuses_as(LUCIA, edit, Reason::Forbidden);
}

#[test]
fn ana_does_not_retype_her_report_to_what_she_may_not_create() {
    let mut world = World::motel();
    world.does(ANA, new_task(10, TaskType::General));
    let retype = |task_type| Command::EditTask {
        task_id: id(10),
        patch: TaskPatch { task_type: Some(task_type), ..TaskPatch::default() },
    };
    world.refuses_as(ANA, retype(TaskType::Cleaning), Reason::Forbidden);
    world.does(ANA, retype(TaskType::Maintenance));
}

#[test]
fn a_phone_does_not_guess_about_what_it_does_not_see() {
    let mut world = World::motel();
    let task_id = world.cleaning(10, S103);
    let miguel = world.person(MIGUEL);
    let phone = Phone { world: &world, person: &miguel };
    let context = innsync_domain::Context { operation: id(1), actor: &miguel, at: Default::default() };
    let stop = innsync_domain::execute(&Command::StartTask { task_id }, &context, &phone).unwrap_err();
    assert_eq!(stop, innsync_domain::Stop::Unknown(EntityRef::new(EntityKind::Task, task_id)));
}
