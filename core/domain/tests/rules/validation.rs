//! What people write is checked at once, and the refusal names the field.

use innsync_domain::{
    Audience, Command, Department, ErrorClass, Priority, Reason, Role, SuitePatch, SuiteStatus, TaskPatch,
    TaskType, limits,
};

use crate::world::*;

fn titled(title: &str) -> Command {
    let mut command = new_task(10, TaskType::General);
    if let Command::CreateTask { title: field, .. } = &mut command {
        *field = title.into();
    }
    command
}

#[test]
fn titles_are_not_blank_and_counted_in_characters() {
    let mut world = World::motel();
    for title in ["", "   ", "\n\t", "\u{3000}"] {
        let rejection = world.refuses_as(SAM, titled(title), Reason::InvalidField);
        assert_eq!(rejection.field.as_deref(), Some("title"), "{title:?}");
        assert_eq!(rejection.class, ErrorClass::Permanent);
    }
    world.refuses_as(SAM, titled(&"é".repeat(limits::TITLE_CHARS + 1)), Reason::InvalidField);
    world.does(SAM, titled(&"é".repeat(limits::TITLE_CHARS)));
}

#[test]
fn every_limit_names_its_field() {
    let mut world = World::motel();
    world.does(SAM, new_task(11, TaskType::General));
    world.does(SAM, new_note(20, Audience::AllStaff));
    let suite = |patch| Command::EditSuite { suite_id: S101, patch };
    let long = |most: usize| "x".repeat(most + 1);
    let description = TaskPatch { description: Some(long(limits::TEXT_CHARS)), ..TaskPatch::default() };
    let nowhere = TaskPatch { suite_id: Some(Some(id(999))), ..TaskPatch::default() };
    for (command, field) in [
        (Command::EditTask { task_id: id(11), patch: description }, "description"),
        (Command::EditTask { task_id: id(11), patch: nowhere }, "suiteId"),
        (
            suite(SuitePatch { suite_number: Some(long(limits::SUITE_NUMBER_CHARS)), floor: None }),
            "suiteNumber",
        ),
        (suite(SuitePatch { suite_number: Some(" ".into()), floor: None }), "suiteNumber"),
        (suite(SuitePatch { suite_number: None, floor: Some(limits::FLOOR_MAX + 1) }), "floor"),
        (suite(SuitePatch { suite_number: None, floor: Some(i32::MIN) }), "floor"),
        (Command::AddComment { note_id: id(20), comment_id: id(30), text: " ".into() }, "text"),
        (Command::AddComment { note_id: id(20), comment_id: id(30), text: long(limits::TEXT_CHARS) }, "text"),
        (new_note(21, Audience::People { people: vec![ANA; limits::PEOPLE + 1] }), "audience"),
        (Command::MarkRead { notification_ids: vec![ANA; limits::READ_MARKS + 1] }, "notificationIds"),
    ] {
        let rejection = world.refuses_as(MARIA, command, Reason::InvalidField);
        assert_eq!(rejection.field.as_deref(), Some(field));
        assert!(rejection.message.chars().count() < 200, "{rejection}");
    }
}

#[test]
fn a_value_of_a_newer_release_asks_for_an_update() {
    let mut world = World::motel();
    world.does(SAM, new_task(11, TaskType::General));
    let newer: Audience = serde_json::from_str(r#"{"kind":"FLOOR","floor":2}"#).unwrap();
    assert_eq!(serde_json::to_string(&newer).unwrap(), r#"{"floor":2,"kind":"FLOOR"}"#, "kept as it came");
    let patch = TaskPatch { priority: Some(Priority::Other("TOMORROW".into())), ..TaskPatch::default() };
    let person = Command::CreateEmployee {
        employee_id: id(8),
        name: "Nina".into(),
        role: Role::Housekeeper,
        department: Department::Other("SPA".into()),
    };
    for (command, field) in [
        (new_task(10, TaskType::Other("LAUNDRY".into())), "taskType"),
        (Command::EditTask { task_id: id(11), patch }, "priority"),
        (set_suite(S101, SuiteStatus::Other("DEEP_CLEAN".into())), "status"),
        (new_note(20, newer), "audience"),
        (person, "department"),
    ] {
        let rejection = world.refuses_as(MARIA, command, Reason::UnknownCommand);
        assert_eq!(rejection.class, ErrorClass::Incompatible);
        assert_eq!(rejection.field.as_deref(), Some(field));
    }
}
