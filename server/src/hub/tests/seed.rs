//! The seed's clients.

use innsync_domain::{Department, EmployeePatch, Role};

use super::*;

#[test]
fn the_first_frame_says_whose_connection_it_is() {
    let mut motel = Motel::open();
    let ana = motel.connect("ana", ClientKind::Seed);
    let frames = motel.frames(ana);
    assert_eq!(frames[0]["type"], "CONNECTED");
    assert_eq!(frames[0]["userId"], person_id("ana").to_string());
    assert_eq!(frames[0]["timestamp"], NOON);
}

#[test]
fn maria_assigns_a_task_to_ana_and_each_hears_what_concerns_them() {
    let mut motel = Motel::open();
    let [maria, sam, ana, ben, miguel] =
        ["maria", "sam", "ana", "ben", "miguel"].map(|login| motel.seed(login));
    motel.act("maria", task(1, "Clean Suite 101", Some("ana")));
    assert_eq!(motel.hear(ana), ["ENTITY_CREATED", "TASK_ASSIGNED", "NOTIFICATION"]);
    assert_eq!(motel.hear(sam), ["ENTITY_CREATED", "TASK_ASSIGNED"]);
    assert_eq!(motel.hear(maria), ["ENTITY_CREATED", "TASK_ASSIGNED"]);
    assert!(motel.hear(ben).is_empty(), "assigned to somebody else");
    assert!(motel.hear(miguel).is_empty(), "another department's");
}

#[test]
fn every_socket_of_a_person_hears_and_the_rooms_are_left_with_the_last() {
    let mut motel = Motel::open();
    let (phone, tablet) = (motel.seed("ana"), motel.seed("ana"));
    motel.act("maria", set_suite("102", SuiteStatus::OutOfService));
    assert_eq!(motel.hear(phone), ["ENTITY_UPDATED"]);
    assert_eq!(motel.hear(tablet), ["ENTITY_UPDATED"]);
    motel.feed(HubInput::Closed { conn: ConnId(phone) });
    motel.act("maria", set_suite("103", SuiteStatus::OutOfService));
    assert!(motel.hear(phone).is_empty());
    assert_eq!(motel.hear(tablet), ["ENTITY_UPDATED"]);
    motel.feed(HubInput::Closed { conn: ConnId(tablet) });
    motel.act("maria", set_suite("104", SuiteStatus::OutOfService));
    assert!(motel.hear(tablet).is_empty());
    assert_eq!(motel.hub.connections(), 0);
}

#[test]
fn a_subscription_neither_doubles_nor_widens() {
    let mut motel = Motel::open();
    let (ana, miguel) = (motel.seed("ana"), motel.seed("miguel"));
    for conn in [ana, miguel] {
        motel.say(conn, json!({ "type": "SUBSCRIBE", "entityType": "SUITE" }));
        motel.say(conn, json!({ "type": "SUBSCRIBE", "entityType": "SUITE", "entityId": suite_id("102") }));
        motel.say(conn, json!({ "type": "SUBSCRIBE", "entityType": "TASK" }));
    }
    motel.act("maria", set_suite("102", SuiteStatus::OutOfService));
    assert_eq!(motel.hear(ana), ["ENTITY_UPDATED"]);
    motel.act("maria", task(1, "Clean Suite 103", Some("ana")));
    assert_eq!(motel.hear(miguel), ["ENTITY_UPDATED"], "the task is not his to see");
    motel.say(ana, json!({ "type": "UNSUBSCRIBE", "entityType": "SUITE" }));
    motel.hear(ana);
    motel.act("maria", set_suite("104", SuiteStatus::OutOfService));
    assert_eq!(motel.hear(ana), ["ENTITY_UPDATED"], "the default rooms deliver all the same");
}

#[test]
fn taken_from_ana_the_task_goes_out_of_her_sight_and_into_bens() {
    let mut motel = Motel::open();
    motel.act("maria", task(1, "Clean Suite 101", Some("ana")));
    let (ana, ben) = (motel.seed("ana"), motel.seed("ben"));
    motel.act("maria", Command::AssignTask { task_id: Uuid::from_u128(1), assignee: person_id("ben") });
    assert_eq!(motel.hear(ana), ["ENTITY_DELETED"]);
    assert_eq!(motel.hear(ben), ["ENTITY_CREATED", "TASK_ASSIGNED", "NOTIFICATION"]);
}

#[test]
fn what_a_client_says_changed_is_passed_over_and_nonsense_is_answered() {
    let mut motel = Motel::open();
    let (ana, ben) = (motel.seed("ana"), motel.seed("ben"));
    motel.say(
        ana,
        json!({ "type": "ENTITY_UPDATED", "entityType": "SUITE", "data": { "status": "OCCUPIED" } }),
    );
    assert!(motel.hear(ana).is_empty() && motel.hear(ben).is_empty());
    motel.say(ana, json!({ "type": "DANCE" }));
    motel.feed(HubInput::Text { conn: ConnId(ana), text: "{".into() });
    motel.feed(HubInput::Binary { conn: ConnId(ana) });
    motel.say(
        ana,
        json!({ "type": "RESUME", "epoch": 1, "seq": 0, "mark": "0000000000000000", "device": "x" }),
    );
    motel.say(ana, json!({ "type": "SUBSCRIBE", "entityType": "MINIBAR" }));
    let codes: Vec<Value> = motel.frames(ana).iter().map(|frame| frame["code"].clone()).collect();
    let expected =
        ["UNKNOWN_TYPE", "MALFORMED_FRAME", "MALFORMED_FRAME", "UNEXPECTED_FRAME", "INVALID_FIELDS"];
    assert_eq!(codes, expected);
    assert!(motel.closed.is_empty());
}

#[test]
fn a_heartbeat_is_answered_with_the_servers_clock() {
    let mut motel = Motel::open();
    let ana = motel.seed("ana");
    motel.later(1_000);
    motel.say(ana, json!({ "type": "HEARTBEAT", "timestamp": 1 }));
    let frames = motel.frames(ana);
    assert_eq!(
        (&frames[0]["type"], &frames[0]["timestamp"]),
        (&json!("HEARTBEAT_ACK"), &json!(NOON + 1_000))
    );
}

#[test]
fn who_gets_another_role_is_told_and_comes_back_to_read_anew() {
    let mut motel = Motel::open();
    let (ben, ana) = (motel.seed("ben"), motel.seed("ana"));
    let patch = EmployeePatch {
        role: Some(Role::Maintenance),
        department: Some(Department::Maintenance),
        ..EmployeePatch::default()
    };
    motel.act("maria", Command::EditEmployee { employee_id: person_id("ben"), patch });
    assert_eq!(motel.hear(ben), ["ENTITY_UPDATED"]);
    assert_eq!(motel.closed, [(ben, 1001)].into(), "what it has is not what he may see any more");
    assert_eq!(motel.hear(ana), ["ENTITY_UPDATED"]);

    let ben = motel.seed("ben");
    motel.act("maria", task(1, "Clean Suite 101", None));
    assert!(motel.hear(ben).is_empty(), "housekeeping is no business of his any more");
    let repair = |number| Command::CreateTask {
        task_id: Uuid::from_u128(number),
        title: "Mend the tap".to_owned(),
        description: String::new(),
        task_type: TaskType::Maintenance,
        priority: Priority::Normal,
        suite_id: None,
        assigned_to: None,
        due_at: None,
        severity: None,
    };
    motel.act("maria", repair(2));
    assert!(motel.hear(ben).contains(&"ENTITY_CREATED".to_owned()));
}
