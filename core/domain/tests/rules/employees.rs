//! People, their duty, and what becomes of their work when they leave.

use innsync_domain::{
    Command, Department, EmployeePatch, EmployeeStatus, Reason, Role, SuiteStatus, TaskStatus, TaskType,
};

use crate::world::*;

fn status(employee_id: innsync_domain::Uuid, status: EmployeeStatus) -> Command {
    Command::SetEmployeeStatus { employee_id, status }
}

#[test]
fn duty_and_status_agree() {
    let mut world = World::motel();
    let told = |world: &World| (world.employee(ANA).is_on_duty, world.employee(ANA).status);
    world.does(ANA, status(ANA, EmployeeStatus::Busy));
    assert_eq!(world.does(ANA, set_duty(ANA, true)).changes, [], "busy is on duty already");
    assert_eq!(told(&world), (true, EmployeeStatus::Busy));
    world.does(ANA, status(ANA, EmployeeStatus::OffDuty));
    assert_eq!(told(&world), (false, EmployeeStatus::OffDuty));
    assert_eq!(world.does(ANA, set_duty(ANA, false)).changes, []);
    world.refuses_as(ANA, status(ANA, EmployeeStatus::OnBreak), Reason::NotOnDuty);
    world.does(SAM, set_duty(ANA, true));
    assert_eq!(told(&world), (true, EmployeeStatus::Available));
    assert_eq!(world.does(ANA, status(ANA, EmployeeStatus::Available)).changes, []);
}

#[test]
fn a_manager_neither_leaves_nor_demotes_herself() {
    let mut world = World::motel();
    world.refuses_as(MARIA, Command::DeleteEmployee { employee_id: MARIA }, Reason::Forbidden);
    let demote = |employee_id| Command::EditEmployee {
        employee_id,
        patch: EmployeePatch { role: Some(Role::Supervisor), ..EmployeePatch::default() },
    };
    let rejection = world.refuses_as(MARIA, demote(MARIA), Reason::Forbidden);
    assert_eq!(rejection.field.as_deref(), Some("role"));
    world.does(MARIA, demote(PAULA));
    assert_eq!(world.employee(PAULA).role, Role::Supervisor);
}

#[test]
fn a_new_person_is_off_duty() {
    let mut world = World::motel();
    let create = Command::CreateEmployee {
        employee_id: id(8),
        name: "Nina".into(),
        role: Role::Housekeeper,
        department: Department::Housekeeping,
    };
    world.does(MARIA, create.clone());
    assert_eq!(world.employee(id(8)).status, EmployeeStatus::OffDuty);
    world.refuses_as(MARIA, create, Reason::AlreadyExists);
}

#[test]
fn when_ana_leaves_her_open_tasks_are_there_for_ben() {
    let mut world = World::motel();
    let cleaning = world.cleaning_by_ana(10, S103);
    world.does(SAM, new_task_for(11, TaskType::General, ANA));
    world.does(SAM, new_task_for(12, TaskType::General, ANA));
    world.does(ANA, Command::CompleteTask { task_id: id(12) });
    let commit = world.does(MARIA, Command::DeleteEmployee { employee_id: ANA });
    assert_task(&world, cleaning, TaskStatus::Pending, None);
    assert_suite(&world, S103, SuiteStatus::VacantDirty, Some(cleaning));
    assert_task(&world, id(11), TaskStatus::Pending, None);
    assert_task(&world, id(12), TaskStatus::Completed, Some(ANA));
    let told: Vec<_> = commit.notifications().into_iter().map(|it| it.recipient_id).collect();
    assert_eq!(told, [BEN, SAM], "of the cleaning; ana is gone, a GENERAL task rings nobody");
}
