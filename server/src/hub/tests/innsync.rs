//! InnSync's own clients: ranges, catching up, resets.

use innsync_domain::{Department, EmployeePatch, Role};

use super::*;

#[test]
fn each_range_begins_where_the_one_before_ended() {
    // commits:   n+1 all    n+2 sam and maria    n+3 all    n+4 sam and maria    heartbeat
    // miguel:    n..n+1     -                    n+1..n+3   -                    n+3..n+4
    let mut motel = Motel::open();
    let miguel = motel.phone("miguel");
    let n = motel.head();
    motel.act("maria", set_suite("102", SuiteStatus::OutOfService));
    motel.act("maria", task(1, "Clean Suite 103", Some("ana")));
    motel.act("maria", set_suite("103", SuiteStatus::OutOfService));
    motel.act("maria", task(2, "Clean Suite 104", Some("ana")));
    motel.say(miguel, json!({ "type": "HEARTBEAT", "timestamp": 1 }));
    assert_eq!(motel.ranges(miguel), [(n, n + 1), (n + 1, n + 3), (n + 3, n + 4)]);
}

#[test]
fn a_commit_that_comes_by_while_the_ledger_is_asked_is_sent_once_and_in_order() {
    let mut motel = Motel::open();
    let n = motel.head();
    let ana = motel.connect("ana", ClientKind::InnSync);
    motel.resume(ana, n);
    motel.act("maria", set_suite("102", SuiteStatus::OutOfService));
    assert_eq!(motel.hear(ana), ["CONNECTED"], "held back");
    motel.answer();
    assert_eq!(motel.ranges(ana), [(n, n)], "the ledger was read before");
    motel.answer();
    motel.act("maria", set_suite("103", SuiteStatus::OutOfService));
    assert_eq!(motel.ranges(ana), [(n, n + 1), (n + 1, n + 2)]);
}

#[test]
fn a_commit_that_the_ledger_told_before_the_hub_heard_of_it_is_not_told_again() {
    let mut motel = Motel::open();
    let n = motel.head();
    let ana = motel.connect("ana", ClientKind::InnSync);
    let commit = motel.commit("maria", &[set_suite("102", SuiteStatus::OutOfService)]);
    motel.resume(ana, n + 1);
    motel.answer_all();
    motel.feed(HubInput::Committed(commit));
    assert_eq!(motel.ranges(ana), [(n + 1, n + 1)]);
    motel.act("maria", set_suite("103", SuiteStatus::OutOfService));
    assert_eq!(motel.ranges(ana), [(n + 1, n + 2)]);
}

#[test]
fn a_socket_that_opens_between_a_commit_and_the_hub_is_not_taken_for_who_it_was() {
    let mut motel = Motel::open();
    let patch = EmployeePatch { role: Some(Role::Supervisor), ..EmployeePatch::default() };
    // Read from the ledger as a housekeeper; the commit passes the hub before the socket is open.
    let (viewer, head) = {
        let read = motel.authority.read();
        (read.person(PROPERTY, person_id("ana")).unwrap().unwrap(), read.head(PROPERTY).unwrap())
    };
    motel.phone("maria");
    motel.act("maria", Command::EditEmployee { employee_id: person_id("ana"), patch });
    let property = motel.authority.read().property(PROPERTY).unwrap().unwrap().into();
    let token = motel.token("ana");
    let opened = Opened { conn: ConnId(99), kind: ClientKind::Seed, property, viewer, head, token };
    motel.feed(HubInput::Opened(Box::new(opened)));
    motel.hear(99);
    motel.act("maria", task(1, "Clean Suite 101", Some("ben")));
    assert_eq!(motel.hear(99), ["ENTITY_CREATED", "TASK_ASSIGNED"], "a supervisor sees everybody's");
}

#[test]
fn before_resume_a_heartbeat_moves_no_cursor() {
    let mut motel = Motel::open();
    let ana = motel.connect("ana", ClientKind::InnSync);
    motel.say(ana, json!({ "type": "HEARTBEAT", "timestamp": 1 }));
    motel.act("maria", set_suite("102", SuiteStatus::OutOfService));
    let frames = motel.frames(ana);
    assert_eq!(frames.len(), 2);
    assert_eq!(
        (&frames[1]["from"], &frames[1]["to"], &frames[1]["epoch"]),
        (&json!(0), &json!(0), &json!(1))
    );
}

#[test]
fn a_heartbeat_during_a_catch_up_is_answered_after_it_or_bare_when_it_takes_long() {
    let mut motel = Motel::open();
    let n = motel.head();
    let ana = motel.connect("ana", ClientKind::InnSync);
    motel.resume(ana, n);
    motel.hear(ana);
    motel.say(ana, json!({ "type": "HEARTBEAT", "timestamp": 1 }));
    assert!(motel.hear(ana).is_empty());
    motel.answer();
    assert_eq!(motel.hear(ana), ["DELTA", "HEARTBEAT_ACK"]);

    motel.resume(ana, n);
    motel.say(ana, json!({ "type": "HEARTBEAT", "timestamp": 2 }));
    motel.later(3_000);
    assert_eq!(motel.ranges(ana), [(0, 0)]);
    motel.answer();
    assert_eq!(motel.hear(ana), ["DELTA"]);
}

#[test]
fn only_the_last_resume_is_answered() {
    let mut motel = Motel::open();
    let n = motel.head();
    let ana = motel.connect("ana", ClientKind::InnSync);
    motel.resume(ana, n);
    motel.resume(ana, n);
    motel.hear(ana);
    motel.answer_all();
    assert_eq!(motel.hear(ana), ["DELTA"]);
}

#[test]
fn another_role_is_a_reset_and_silence_until_the_next_resume() {
    let mut motel = Motel::open();
    let ben = motel.phone("ben");
    let patch = EmployeePatch {
        role: Some(Role::Maintenance),
        department: Some(Department::Maintenance),
        ..EmployeePatch::default()
    };
    motel.act("maria", Command::EditEmployee { employee_id: person_id("ben"), patch });
    let frames = motel.frames(ben);
    assert_eq!((&frames[0]["type"], &frames[0]["reason"]), (&json!("RESET"), &json!("SCOPE")));
    motel.act("maria", set_suite("102", SuiteStatus::OutOfService));
    assert!(motel.hear(ben).is_empty());
    motel.resume(ben, motel.head());
    motel.answer_all();
    motel.act("maria", set_suite("103", SuiteStatus::OutOfService));
    assert_eq!(motel.hear(ben), ["DELTA", "DELTA"]);
    motel.act("maria", task(1, "Clean Suite 104", None));
    assert!(motel.hear(ben).is_empty(), "the new role counts");
}

#[test]
fn a_cursor_of_another_history_is_reset() {
    let mut motel = Motel::open();
    let ana = motel.connect("ana", ClientKind::InnSync);
    motel.say(
        ana,
        json!({ "type": "RESUME", "epoch": 1, "seq": 2, "mark": "00000000000000aa", "device": "x" }),
    );
    motel.answer_all();
    assert_eq!(motel.hear(ana), ["CONNECTED", "RESET"]);
}

#[test]
fn an_author_is_told_the_outcome_and_nobody_else() {
    let mut motel = Motel::open();
    let (ana, ben) = (motel.phone("ana"), motel.phone("ben"));
    let (id, author) = (Uuid::from_u128(77), person_id("ana"));
    let op = json!({
        "id": id, "author": author, "device": "handset-3", "schema": 1,
        "intent": { "bootId": "b", "bootMs": 1, "wall": motel.now.wall },
        "command": { "type": "SET_SUITE_STATUS", "suiteId": suite_id("101"), "status": "CLEANING" },
    });
    let op = serde_json::value::RawValue::from_string(op.to_string()).unwrap();
    let (_, committed) = motel.authority.push(motel.now.wall, PROPERTY, author, &[op]).unwrap();
    for commit in committed {
        motel.feed(HubInput::Committed(commit));
    }
    let (hers, his) = (motel.frames(ana), motel.frames(ben));
    assert_eq!(hers[0]["results"][0]["id"], id.to_string());
    assert_eq!(hers[0]["results"][0]["result"]["status"], "APPLIED");
    assert_eq!(hers[0]["commits"], his[0]["commits"]);
    assert!(his[0].get("results").is_none(), "{his:?}");
}

#[test]
fn what_was_written_past_the_authority_brings_everybody_back() {
    let mut motel = Motel::open();
    let (ana, ben) = (motel.phone("ana"), motel.seed("ben"));
    motel.commit("maria", &[set_suite("102", SuiteStatus::OutOfService)]);
    motel.act("maria", set_suite("103", SuiteStatus::OutOfService));
    assert!(motel.hear(ana).is_empty(), "a delta would have skipped a commit");
    assert_eq!((motel.closed[&ana], motel.closed[&ben]), (1001, 1001));
}

#[test]
fn what_is_too_large_for_a_frame_is_left_to_be_pulled() {
    let mut motel = Motel::open();
    let ana = motel.phone("ana");
    let n = motel.head();
    let note = |number: u128| Command::CreateNote {
        note_id: Uuid::from_u128(number),
        title: "House rules".to_owned(),
        content: "\u{1}".repeat(innsync_domain::limits::NOTE_CHARS),
        suite_id: None,
        task_id: None,
        audience: Default::default(),
    };
    let commit = motel.commit("maria", &[note(1), note(2), note(3)]);
    motel.feed(HubInput::Committed(commit));
    let frames = motel.frames(ana);
    assert_eq!((&frames[0]["from"], &frames[0]["to"]), (&json!(n + 1), &json!(n + 1)), "a range is missing");
    assert!(frames[0].get("commits").is_none());
    motel.act("maria", set_suite("103", SuiteStatus::OutOfService));
    assert_eq!(motel.ranges(ana), [(n + 1, n + 2)]);
}

#[test]
fn a_phone_that_missed_much_is_sent_one_page_and_pulls_the_rest_while_it_hears_what_happens() {
    let mut motel = Motel::open();
    let n = motel.head();
    let at = motel.authority.read().head(PROPERTY).unwrap();
    for number in 0..1_000 {
        motel.act("maria", task(1_000 + number, "Clean Suite 101", Some("ana")));
    }
    let head = motel.head();
    let ana = motel.connect("ana", ClientKind::InnSync);
    motel.say(
        ana,
        json!({ "type": "RESUME", "epoch": 1, "seq": n, "mark": at.mark.to_string(), "device": "handset-3" }),
    );
    motel.answer_all();
    motel.act("maria", set_suite("103", SuiteStatus::OutOfService));
    motel.say(ana, json!({ "type": "HEARTBEAT", "timestamp": 1 }));
    let ranges = motel.ranges(ana);
    let [(from, page), gap, live, heartbeat] = ranges[..] else { panic!("{ranges:?}") };
    assert!(from == n && page < head, "one page");
    assert_eq!(gap, (head, head), "the rest is missing");
    assert_eq!((live, heartbeat), ((head, head + 1), (head + 1, head + 1)));
    assert!(motel.closed.is_empty() && motel.questions.is_empty());
}

#[test]
fn a_page_that_reaches_further_than_the_hub_has_heard_leaves_no_gap() {
    let mut motel = Motel::open();
    let n = motel.head();
    let at = motel.authority.read().head(PROPERTY).unwrap();
    let ana = motel.connect("ana", ClientKind::InnSync);
    let commits: Vec<Committed> =
        (0..300).map(|number| motel.commit("maria", &[task(1_000 + number, "Clean", Some("ana"))])).collect();
    motel.say(
        ana,
        json!({ "type": "RESUME", "epoch": 1, "seq": n, "mark": at.mark.to_string(), "device": "handset-3" }),
    );
    motel.answer_all();
    for commit in commits {
        motel.feed(HubInput::Committed(commit));
    }
    let ranges = motel.ranges(ana);
    let mut reached = n;
    for (from, to) in &ranges {
        assert_eq!(*from, reached, "{ranges:?}");
        reached = *to;
    }
    assert_eq!(reached, n + 300);
}
