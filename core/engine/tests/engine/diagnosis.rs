//! What a support person is given: enough to know why, and nothing that people wrote (G24).

use innsync_domain::{Command, Reason, Rejection, SuiteStatus};
use innsync_engine::{HttpAnswer, HttpFailure, Input, SocketEvent, redacted, redacted_detail};
use innsync_protocol::{OpOutcome, OpResult, PushAnswer};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::*;

/// Every command in which a person writes something, with that text in all its places.
fn written(text: &str) -> Vec<Command> {
    let (one, other) = (id(900), id(901));
    let commands = [
        json!({"type": "CREATE_SUITE", "suiteId": one, "suiteNumber": text, "floor": 1}),
        json!({"type": "EDIT_SUITE", "suiteId": suite_id(101), "patch": {"suiteNumber": text}}),
        json!({"type": "CREATE_TASK", "taskId": one, "title": text, "description": text}),
        json!({"type": "EDIT_TASK", "taskId": id(71), "patch": {"title": text, "description": text}}),
        json!({"type": "CREATE_NOTE", "noteId": one, "title": text, "content": text}),
        json!({"type": "EDIT_NOTE", "noteId": one, "patch": {"title": text, "content": text}}),
        json!({"type": "ADD_COMMENT", "noteId": one, "commentId": other, "text": text}),
        json!({"type": "CREATE_EMPLOYEE", "employeeId": other, "name": text, "role": "HOUSEKEEPER",
            "department": "HOUSEKEEPING"}),
        json!({"type": "EDIT_EMPLOYEE", "employeeId": ana(), "patch": {"name": text}}),
        json!({"type": "RAISE_EMERGENCY", "taskId": other, "title": text, "description": text}),
        json!({"type": "ANNOUNCE", "announcementId": one, "title": text, "message": text}),
        json!({"type": "CHANGE_SHIFT", "shiftId": one, "oldShift": text, "newShift": text, "onDutyEmployees": []}),
    ];
    commands.into_iter().map(|command| serde_json::from_value(command).unwrap()).collect()
}

/// What people write: with quotes of all sorts, and as somebody else's syntax.
fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 \"'`é\\\\{}:,]{0,24}".prop_map(|text| format!("canary{text}canary"))
}

/// A line of the recorder for all that can hold the text.
fn lines(text: &str) -> Vec<String> {
    let delta =
        json!({"type": "DELTA", "epoch": 1, "from": 1, "to": 2, "commits": [{"title": text}]}).to_string();
    let odd = json!({"type": text, "epoch": 1}).to_string();
    let quoted = serde_json::from_value::<u64>(json!(text)).unwrap_err().to_string();
    let unknown = serde_json::from_value::<Command>(json!({"type": text})).unwrap_err().to_string();
    let frame = |text: &str| Input::Socket { generation: 1, event: SocketEvent::Frame(text.to_owned()) };
    let answer = |body: &str| HttpAnswer { status: 200, retry_after_ms: Some(1), body: body.to_owned() };
    let mut inputs = vec![
        Input::Send { text: text.to_owned() },
        frame(&delta),
        frame(&odd),
        frame(text),
        Input::Socket { generation: 1, event: SocketEvent::Frames(vec![text.to_owned(), quoted.clone()]) },
        Input::Socket { generation: 1, event: SocketEvent::Closed { code: 1008, reason: text.to_owned() } },
        Input::Socket { generation: 1, event: SocketEvent::Failed(quoted.clone()) },
        Input::Http { id: 1, answer: Ok(answer(text)) },
        Input::Http { id: 1, answer: Err(HttpFailure { detail: unknown.clone() }) },
        Input::SnapshotLines { id: 1, lines: vec![text.to_owned()] },
        Input::SignedIn(crate::support::phone::session(text, 1)),
    ];
    for command in written(text) {
        inputs.push(Input::Execute { request: 1, id: id(7), command: command.clone(), depends_on: vec![] });
        inputs.push(Input::Edit { request: 1, parked: id(6), id: id(7), command });
    }
    let mut lines: Vec<String> = inputs.iter().map(redacted).collect();
    lines.extend([redacted_detail(&quoted), redacted_detail(&unknown)]);
    lines
}

/// Maria's phone, on which she wrote that everywhere, with some of it refused or changed by others in those words.
fn phone_full_of(text: &str) -> Phone {
    let mut motel =
        Motel::new([suite(101, SuiteStatus::VacantDirty), task(id(71), "Towels", Some(ana())).into()]);
    let mut phone = Phone::online(maria(), &mut motel);
    let taps: Vec<_> =
        written(text).into_iter().filter_map(|it| phone.try_to(it).ok()).map(|it| it.id).collect();
    assert!(taps.len() >= 10, "she may write nearly all of it: {}", taps.len());
    phone.settle();
    let push = phone.next_request("/v1/ops");
    let refused =
        OpOutcome::rejected(Rejection::permanent(Reason::AlreadyTaken, format!("{text} has taken it.")));
    let fields = vec![
        serde_json::from_value(json!({
            "field": "title", "base": text, "mine": text, "theirs": text,
        }))
        .unwrap(),
    ];
    let conflict = OpOutcome::Conflict { current: None, fields, rejection: None, deleted: None };
    let results = vec![OpResult { id: taps[0], result: refused }, OpResult { id: taps[2], result: conflict }];
    phone.answer(&push, 200, serde_json::to_string(&PushAnswer { results }).unwrap());
    phone
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_that_people_wrote_is_given_away(text in text()) {
        for line in lines(&text) {
            prop_assert!(!line.contains("canary"), "{line}");
        }
        let phone = phone_full_of(&text);
        let diagnosis = serde_json::to_string(&phone.engine.diagnosis(phone.now)).unwrap();
        prop_assert!(!diagnosis.contains("canary"), "{diagnosis}");
    }
}

#[test]
fn a_support_person_sees_why_each_operation_waits() {
    let mut phone = phone_full_of("Minibar");
    phone.pass(3_000);
    phone.break_link();
    let diagnosis = serde_json::to_value(phone.engine.diagnosis(phone.now)).unwrap();
    let outbox = diagnosis["outbox"].as_array().unwrap();
    let parked: Vec<&Value> = outbox.iter().filter(|it| it["state"] == "PARKED").collect();
    assert_eq!(parked.len(), 2, "{outbox:#?}");
    assert_eq!(parked[0]["command"], "CREATE_SUITE");
    assert_eq!(parked[0]["parked"], json!({"reason": "ALREADY_TAKEN", "class": "PERMANENT"}));
    assert_eq!(parked[0]["why"], "It needs a person: ALREADY_TAKEN.");
    assert_eq!(parked[1]["parked"], json!({"reason": "CONFLICT", "class": "CONFLICT", "fields": ["title"]}));
    for op in outbox {
        assert!(op["why"].as_str().is_some_and(|why| why.ends_with('.')), "{op}");
        assert_eq!(op["ageMs"], 3_000, "{op}");
    }
    assert_eq!(diagnosis["session"], "GOOD");
    assert_eq!(diagnosis["clockBehindMs"], 0);
    assert_eq!(diagnosis["cursor"]["epoch"], 1);
    assert_eq!(diagnosis["status"]["connection"], "RECONNECTING");
    assert_eq!(diagnosis["status"]["parked"], 2);
    assert!(diagnosis["next"]["what"].is_string(), "{diagnosis}");
}

#[test]
fn a_clock_that_is_wrong_is_seen() {
    // G19
    let mut motel = Motel::new([]);
    let mut phone = Phone::new(ana());
    let without = serde_json::to_value(phone.engine.diagnosis(phone.now)).unwrap();
    assert!(without.get("clockBehindMs").is_none(), "it has not met the server");
    phone.go_online(&mut motel);
    phone.now.wall = phone.now.wall.plus_millis(-90_000);
    assert_eq!(phone.engine.diagnosis(phone.now).clock_behind_ms, Some(90_000));
}

#[test]
fn a_long_outbox_is_told_in_part() {
    let mut motel = Motel::new([suite(101, SuiteStatus::VacantDirty)]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.offline();
    for number in 0..510 {
        phone.tap(report(id(2_000 + number), "Lamp"));
    }
    let diagnosis = phone.engine.diagnosis(phone.now);
    assert_eq!((diagnosis.outbox.len(), diagnosis.outbox_left_out), (500, 10));
}
