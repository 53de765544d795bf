//! The permission table of the protocol, role by role.
//!
//! Each line is tried by ana (housekeeper), miguel (maintenance), lucia (front desk), sam (supervisor), maria (manager),
//! in a motel where
//!
//! - task 1 (CLEANING of 103) is ana's, created by sam; task 2 (GENERAL) is nobody's; task 3 (MAINTENANCE) is nobody's,
//!   reported by lucia; task 4 (GENERAL) is ana's and cancelled; task 5 (CLEANING of no suite) is nobody's,
//! - note 20 is ben's, for all staff; note 21 is ben's, for managers,
//! - the alert of emergency 9 was raised by miguel.

use innsync_domain::{
    AnnouncementPriority, Audience, Command, Department, EmployeePatch, EmployeeStatus, NotePatch, Reason,
    Role, SuitePatch, SuiteStatus, TaskPatch, TaskType, derived_id,
};

use crate::world::*;

const OK: Option<Reason> = None;
const NO: Option<Reason> = Some(Reason::Forbidden);
/// They may not even see it.
const HID: Option<Reason> = Some(Reason::NotFound);
/// Allowed, but not in this state.
const ILL: Option<Reason> = Some(Reason::IllegalTransition);

const TRIED_BY: [innsync_domain::Uuid; 5] = [ANA, MIGUEL, LUCIA, SAM, MARIA];

fn motel() -> World {
    let mut world = World::motel();
    world.cleaning(1, S103);
    world.does(ANA, Command::TakeTask { task_id: id(1) });
    world.does(SAM, new_task(2, TaskType::General));
    world.does(LUCIA, new_task(3, TaskType::Maintenance));
    world.does(SAM, new_task_for(4, TaskType::General, ANA));
    world.does(SAM, Command::CancelTask { task_id: id(4) });
    world.does(SAM, new_task(5, TaskType::Cleaning));
    world.does(BEN, new_note(20, Audience::AllStaff));
    world.does(BEN, new_note(21, Audience::Managers));
    world.emergency(MIGUEL, 9);
    world
}

#[track_caller]
fn table(rows: Vec<(&str, Command, [Option<Reason>; 5])>) {
    let world = motel();
    for (what, command, expected) in rows {
        for (who, expected) in TRIED_BY.into_iter().zip(expected) {
            let reason = world.clone().act(who, command.clone()).err().map(|rejection| rejection.reason);
            assert_eq!(reason, expected, "{what}, by {}", world.employee(who).name);
        }
    }
}

#[test]
fn who_may_do_what_with_tasks() {
    let title = TaskPatch { title: Some("Other".into()), ..TaskPatch::default() };
    let retype = TaskPatch { task_type: Some(TaskType::Inspection), ..TaskPatch::default() };
    table(vec![
        ("create CLEANING", new_task(50, TaskType::Cleaning), [NO, NO, OK, OK, OK]),
        ("create INSPECTION", new_task(50, TaskType::Inspection), [NO, NO, OK, OK, OK]),
        ("report MAINTENANCE", new_task(50, TaskType::Maintenance), [OK; 5]),
        ("report GENERAL", new_task(50, TaskType::General), [OK; 5]),
        ("create assigned", new_task_for(50, TaskType::General, BEN), [NO, NO, NO, OK, OK]),
        ("raise assigned", new_task_for(50, TaskType::Emergency, BEN), [NO, NO, NO, OK, OK]),
        ("assign ana's", Command::AssignTask { task_id: id(1), assignee: BEN }, [NO, HID, HID, OK, OK]),
        ("assign GENERAL", Command::AssignTask { task_id: id(2), assignee: BEN }, [NO, NO, NO, OK, OK]),
        ("cancel", Command::CancelTask { task_id: id(1) }, [NO, HID, HID, OK, OK]),
        ("reopen", Command::ReopenTask { task_id: id(4) }, [NO, HID, HID, OK, OK]),
        ("take GENERAL", Command::TakeTask { task_id: id(2) }, [OK; 5]),
        ("take MAINTENANCE", Command::TakeTask { task_id: id(3) }, [HID, OK, NO, NO, NO]),
        ("take CLEANING", Command::TakeTask { task_id: id(5) }, [OK, HID, HID, OK, NO]),
        ("start ana's", Command::StartTask { task_id: id(1) }, [OK, HID, HID, OK, OK]),
        ("start nobody's", Command::StartTask { task_id: id(2) }, [NO, NO, NO, OK, OK]),
        ("complete ana's", Command::CompleteTask { task_id: id(1) }, [OK, HID, HID, OK, OK]),
        ("complete nobody's", Command::CompleteTask { task_id: id(2) }, [NO, NO, NO, OK, OK]),
        ("complete a cancelled one", Command::CompleteTask { task_id: id(4) }, [ILL, HID, HID, ILL, ILL]),
        ("release ana's", Command::ReleaseTask { task_id: id(1) }, [OK, HID, HID, OK, OK]),
        ("edit ana's", Command::EditTask { task_id: id(1), patch: title.clone() }, [NO, HID, HID, OK, OK]),
        ("edit lucia's report", Command::EditTask { task_id: id(3), patch: title }, [HID, NO, OK, OK, OK]),
        ("retype lucia's report", Command::EditTask { task_id: id(3), patch: retype }, [HID, NO, OK, OK, OK]),
        ("delete", Command::DeleteTask { task_id: id(1) }, [NO, HID, HID, NO, OK]),
        ("raise an emergency", raise(50), [OK; 5]),
    ]);
}

#[test]
fn who_may_do_what_with_suites() {
    let number = SuitePatch { suite_number: Some("104".into()), floor: None };
    let create = Command::CreateSuite {
        suite_id: id(104),
        suite_number: "104".into(),
        floor: 1,
        status: SuiteStatus::VacantClean,
    };
    table(vec![
        ("create", create, [NO, NO, NO, NO, OK]),
        ("edit", Command::EditSuite { suite_id: S101, patch: number }, [NO, NO, NO, NO, OK]),
        ("delete", Command::DeleteSuite { suite_id: S101 }, [NO, NO, NO, NO, OK]),
        ("check in", set_suite(S101, SuiteStatus::Occupied), [NO, NO, OK, OK, OK]),
        ("check in to a dirty one", set_suite(S103, SuiteStatus::Occupied), [NO, NO, ILL, OK, OK]),
        ("check out", set_suite(S102, SuiteStatus::VacantDirty), [NO, ILL, OK, OK, OK]),
        ("begin cleaning", set_suite(S103, SuiteStatus::Cleaning), [OK, NO, NO, OK, OK]),
        ("clean without having begun", set_suite(S103, SuiteStatus::VacantClean), [ILL, NO, NO, OK, OK]),
        ("inspect", set_suite(S101, SuiteStatus::Inspected), [NO, NO, NO, OK, OK]),
        ("out of service", set_suite(S102, SuiteStatus::OutOfService), [NO, OK, NO, OK, OK]),
        ("as it is already", set_suite(S101, SuiteStatus::VacantClean), [OK, NO, NO, OK, OK]),
    ]);
}

#[test]
fn who_may_do_what_with_notes_and_news() {
    let patch = NotePatch { title: Some("Sheets".into()), ..NotePatch::default() };
    let comment =
        |note_id| Command::AddComment { note_id: id(note_id), comment_id: id(70), text: "Yes".into() };
    let announce = Command::Announce {
        announcement_id: id(80),
        title: "Pool".into(),
        message: "Closed".into(),
        priority: AnnouncementPriority::Normal,
        expires_at: None,
    };
    let shift = Command::ChangeShift {
        shift_id: id(81),
        old_shift: "Night".into(),
        new_shift: "Morning".into(),
        on_duty_employees: vec![ANA],
    };
    table(vec![
        ("create note", new_note(50, Audience::AllStaff), [OK; 5]),
        (
            "edit another's note",
            Command::EditNote { note_id: id(20), patch: patch.clone() },
            [NO, NO, NO, OK, OK],
        ),
        ("edit the managers' note", Command::EditNote { note_id: id(21), patch }, [HID, HID, HID, HID, OK]),
        ("delete another's note", Command::DeleteNote { note_id: id(20) }, [NO, NO, NO, OK, OK]),
        ("comment", comment(20), [OK; 5]),
        ("comment on the managers' note", comment(21), [HID, HID, HID, HID, OK]),
        ("announce", announce, [NO, NO, NO, OK, OK]),
        ("change the shift", shift, [NO, NO, NO, OK, OK]),
    ]);
}

#[test]
fn who_may_do_what_with_people_and_alerts() {
    let create = Command::CreateEmployee {
        employee_id: id(50),
        name: "Nina".into(),
        role: Role::Housekeeper,
        department: Department::Housekeeping,
    };
    let patch = EmployeePatch { name: Some("Benny".into()), ..EmployeePatch::default() };
    let alert_id = derived_id(id(9), "alert");
    let busy = |employee_id| Command::SetEmployeeStatus { employee_id, status: EmployeeStatus::Busy };
    table(vec![
        ("create", create, [NO, NO, NO, NO, OK]),
        ("edit", Command::EditEmployee { employee_id: BEN, patch }, [NO, NO, NO, NO, OK]),
        ("remove", Command::DeleteEmployee { employee_id: BEN }, [NO, NO, NO, NO, OK]),
        ("another's duty", set_duty(BEN, false), [NO, NO, NO, OK, OK]),
        ("ana's duty", set_duty(ANA, false), [OK, NO, NO, OK, OK]),
        ("another's status", busy(BEN), [NO, NO, NO, OK, OK]),
        ("miguel's status", busy(MIGUEL), [NO, OK, NO, OK, OK]),
        ("acknowledge", Command::AcknowledgeAlert { alert_id }, [OK; 5]),
        ("resolve what miguel raised", Command::ResolveAlert { alert_id }, [NO, OK, NO, OK, OK]),
    ]);
}

#[test]
fn a_role_of_a_newer_release_may_do_what_anybody_may() {
    let mut world = motel();
    let newer = Role::Other("CONCIERGE".into());
    world.put(employee(id(8), "Kim", newer, Department::FrontDesk, true));
    world.does(id(8), new_task(60, TaskType::General));
    world.does(id(8), new_note(61, Audience::AllStaff));
    world.refuses_as(id(8), new_task(62, TaskType::Cleaning), Reason::Forbidden);
    world.refuses_as(id(8), set_suite(S101, SuiteStatus::Occupied), Reason::Forbidden);
}
