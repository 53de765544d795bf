//! Operations from outboxes.

use innsync_domain::{
    Audience, Command, EntityKind, ErrorClass, NotePatch, Reason, SuiteStatus, TaskPatch, TaskStatus,
    TaskType,
};
use innsync_protocol::{Op, OpOutcome};
use serde_json::json;
use serde_json::value::RawValue;

use crate::motel::{Motel, create_task, id};

fn reason(outcome: &OpOutcome) -> Reason {
    match outcome.settled() {
        OpOutcome::Rejected { class, rejection } => {
            assert_eq!(*class, rejection.class);
            rejection.reason.clone()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_operation_sent_twice_takes_effect_once() {
    // G2
    let mut motel = Motel::open();
    let op =
        motel.op("sam", Command::SetSuiteStatus { suite_id: id("101"), status: SuiteStatus::VacantDirty });
    let before = motel.log.len();
    let outcomes = motel.push("sam", &[op.clone(), op.clone()]);
    assert_eq!(outcomes[1], OpOutcome::Duplicate { of: Box::new(outcomes[0].clone()) });
    let again = motel.push("sam", &[op]);
    assert_eq!(again[0], outcomes[1]);
    assert_eq!(motel.log.len(), before + 1);
    let tasks = motel.reader().list("seaside", id("maria"), &EntityKind::Task).unwrap();
    assert_eq!(tasks.len(), 1, "one cleaning task, not two");
}

#[test]
fn a_refusal_is_an_outcome_like_any_other() {
    let mut motel = Motel::open();
    let op = motel.op("ana", Command::DeleteSuite { suite_id: id("102") });
    let first = motel.push("ana", std::slice::from_ref(&op)).remove(0);
    assert_eq!(reason(&first), Reason::Forbidden);
    motel.does(
        "maria",
        serde_json::from_value(json!({
            "type": "EDIT_EMPLOYEE", "employeeId": id("ana"), "patch": {"role": "MANAGER"},
        }))
        .unwrap(),
    );
    let again = motel.push("ana", &[op]).remove(0);
    assert_eq!(again, OpOutcome::Duplicate { of: Box::new(first) }, "the same operation, the same answer");
}

#[test]
fn an_id_is_for_one_command() {
    let mut motel = Motel::open();
    let op = motel.op("maria", create_task("One", TaskType::General, None));
    let other = Op { command: create_task("Two", TaskType::General, None), ..op.clone() };
    let outcomes = motel.push("maria", &[op.clone(), other]);
    assert_eq!(reason(&outcomes[1]), Reason::IdReused);
    // Another author's operation of that id is another operation.
    let theirs = Op { author: id("sam"), command: create_task("Three", TaskType::General, None), ..op };
    assert!(motel.push("sam", &[theirs])[0].seq().is_some());
}

#[test]
fn a_bad_operation_fails_alone() {
    // G4
    let mut motel = Motel::open();
    let mut raw: Vec<Box<RawValue>> = Vec::new();
    for number in 0..100 {
        let op = motel.op("maria", create_task(&format!("Task {number}"), TaskType::General, None));
        raw.push(serde_json::value::to_raw_value(&op).unwrap());
    }
    let bad = id("bad");
    let bads = [
        json!({"id": bad}),
        json!({"id": bad, "author": id("maria"), "command": {"type": "DANCE"}}),
        json!([]),
        json!(null),
        json!({"id": 7}),
        json!({"id": bad, "filler": "x".repeat(70_000)}),
    ];
    for (at, bad) in bads.iter().enumerate() {
        raw.insert(at * 10, serde_json::value::to_raw_value(bad).unwrap());
    }
    let results = motel.push_raw("maria", &raw);
    assert_eq!(results.iter().filter(|result| result.result.seq().is_some()).count(), 100);
    let class = |at: usize| match &results[at].result {
        OpOutcome::Rejected { class, .. } => class.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!((results[0].id, class(0)), (bad, ErrorClass::Incompatible));
    assert_eq!((results[10].id, class(10)), (bad, ErrorClass::Incompatible));
    assert!(results[20].id.is_nil() && results[30].id.is_nil() && results[40].id.is_nil());
    assert_eq!((results[50].id, class(50)), (bad, ErrorClass::Permanent));
}

#[test]
fn an_envelope_of_a_newer_release_is_incompatible() {
    let mut motel = Motel::open();
    let op = Op { schema: 2, ..motel.op("maria", create_task("New", TaskType::General, None)) };
    assert_eq!(reason(&motel.push("maria", &[op])[0]), Reason::UnknownCommand);
}

#[test]
fn an_operation_is_sent_by_its_author() {
    // G13
    let mut motel = Motel::open();
    let op = motel.op("maria", create_task("Mine", TaskType::General, None));
    assert_eq!(reason(&motel.push("ana", std::slice::from_ref(&op))[0]), Reason::WrongAuthor);
    assert!(motel.push("maria", &[op])[0].seq().is_some(), "it was not used up");
}

#[test]
fn what_depends_on_a_failure_fails_and_what_depends_on_the_unknown_waits() {
    let mut motel = Motel::open();
    let good = motel.op("maria", create_task("Good", TaskType::General, None));
    let bad = motel.op("maria", create_task("", TaskType::General, None));
    let after_good =
        Op { depends_on: vec![good.id], ..motel.op("maria", Command::StartTask { task_id: id("Good") }) };
    let after_bad = Op {
        depends_on: vec![good.id, bad.id],
        ..motel.op("maria", create_task("A", TaskType::General, None))
    };
    let unborn = motel.op("maria", create_task("Unborn", TaskType::General, None));
    let waiting =
        Op { depends_on: vec![unborn.id], ..motel.op("maria", create_task("B", TaskType::General, None)) };
    let itself = motel.op("maria", create_task("C", TaskType::General, None));
    let itself = Op { depends_on: vec![itself.id], ..itself };
    let outcomes = motel.push("maria", &[good, bad, after_good, after_bad, waiting.clone(), itself]);
    assert!(outcomes[0].seq().is_some() && outcomes[2].seq().is_some(), "{outcomes:?}");
    assert_eq!(reason(&outcomes[3]), Reason::DependencyFailed);
    assert_eq!(outcomes[4], OpOutcome::Retry { after: 1000 });
    assert_eq!(reason(&outcomes[5]), Reason::DependencyFailed);
    let outcomes = motel.push("maria", &[unborn, waiting]);
    assert!(outcomes.iter().all(|outcome| outcome.seq().is_some()), "{outcomes:?}");
}

#[test]
fn disjoint_edits_merge_and_the_same_field_is_a_conflict() {
    let mut motel = Motel::open();
    let task_id = motel.create_task("maria", "Towels", TaskType::General, None);
    let edit = |patch| Command::EditTask { task_id, patch };
    let title = TaskPatch { title: Some("More towels".into()), ..Default::default() };
    let text = TaskPatch { description: Some("Ten".into()), ..Default::default() };
    let other = TaskPatch { title: Some("Fewer towels".into()), ..Default::default() };
    let one = motel.op_on("maria", edit(title), &["title"]);
    let two = motel.op_on("maria", edit(text), &["description"]);
    let three = motel.op_on("maria", edit(other), &["title"]);
    let outcomes = motel.push("maria", &[one, two, three.clone()]);
    assert!(matches!(outcomes[0], OpOutcome::Applied { version: 2, .. }), "{outcomes:?}");
    assert!(matches!(outcomes[1], OpOutcome::Merged { version: 3, .. }), "{outcomes:?}");
    let OpOutcome::Conflict { current: Some(current), fields, .. } = &outcomes[2] else {
        panic!("{outcomes:?}")
    };
    assert_eq!(current.0.version(), 3);
    assert_eq!(fields.len(), 1);
    assert_eq!((&fields[0].base, &fields[0].theirs), (&json!("Towels"), &json!("More towels")));
    assert_eq!(fields[0].mine, json!("Fewer towels"));
    let again = motel.push("maria", &[three]).remove(0);
    assert_eq!(again.settled(), &outcomes[2]);
}

#[test]
fn a_conflict_about_what_its_author_may_no_longer_see_says_only_that_it_is_not_there() {
    // G25
    let mut motel = Motel::open();
    let note_id = id("note");
    motel.does(
        "sam",
        serde_json::from_value(json!({
            "type": "CREATE_NOTE", "noteId": note_id, "title": "Lost property",
        }))
        .unwrap(),
    );
    motel.does("ben", Command::SetDuty { employee_id: id("ben"), is_on_duty: true });
    let command =
        Command::EditNote { note_id, patch: NotePatch { title: Some("Found".into()), ..Default::default() } };
    let op = motel.op_on("ben", command, &["title"]);
    motel.does("maria", serde_json::from_value(json!({
        "type": "EDIT_NOTE", "noteId": note_id, "patch": {"title": "Secret", "audience": {"kind": "MANAGERS"}},
    })).unwrap());
    let outcome = motel.push("ben", &[op]).remove(0);
    assert_eq!(reason(&outcome), Reason::NotFound);
    assert!(!serde_json::to_string(&outcome).unwrap().contains("Secret"));
}

#[test]
fn a_conflict_is_not_told_again_about_what_its_author_may_no_longer_see() {
    // G25
    let mut motel = Motel::open();
    let note_id = id("note");
    let edit = |title: &str, audience: Option<Audience>| Command::EditNote {
        note_id,
        patch: NotePatch { title: Some(title.into()), audience, ..Default::default() },
    };
    let note = json!({ "type": "CREATE_NOTE", "noteId": note_id, "title": "Lost property" });
    motel.does("ben", serde_json::from_value(note).unwrap());
    motel.does("maria", edit("Seen", Some(Audience::AllStaff)));
    let op = motel.op_on("ben", edit("Found", None), &["title"]);
    motel.does("maria", edit("Keys", None));
    let first = motel.push("ben", std::slice::from_ref(&op)).remove(0);
    assert!(matches!(&first, OpOutcome::Conflict { current: Some(_), .. }), "{first:?}");
    motel.does("maria", Command::DeleteNote { note_id });
    let again = motel.push("ben", std::slice::from_ref(&op)).remove(0);
    assert_eq!(again.settled(), &OpOutcome::bare_conflict());
    let cursor = motel.reader().head("seaside").unwrap();
    let pulled = motel.reader().catch_up("seaside", id("ben"), cursor, &[op.id]).unwrap().to_json();
    assert!(pulled.contains("CONFLICT") && !pulled.contains("Keys"), "{pulled}");
}

#[test]
fn every_accepted_operation_is_one_commit_without_gaps() {
    // G6
    let mut motel = Motel::open();
    let on_duty = Command::SetDuty { employee_id: id("ana"), is_on_duty: true };
    let seq = motel.does("ana", on_duty.clone());
    assert_eq!(motel.does("ana", on_duty), seq + 1, "also one that changes nothing");
    motel.tries("ana", Command::DeleteSuite { suite_id: id("101") });
    let task_id = motel.create_task("maria", "Next", TaskType::General, None);
    let seqs: Vec<u64> = motel.log.iter().map(|committed| committed.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    let head = motel.reader().head("seaside").unwrap();
    let last = motel.log.last().unwrap();
    assert_eq!((head.seq, head.mark), (last.seq, last.mark));
    assert!(last.changes.iter().any(|change| change.reference().unwrap().id == task_id));
    let marks: std::collections::BTreeSet<u64> = motel.log.iter().map(|committed| committed.mark.0).collect();
    assert_eq!(marks.len(), motel.log.len(), "no two marks are the same");
}

#[test]
fn versions_count_the_changes_of_an_entity() {
    let mut motel = Motel::open();
    let task_id = motel.create_task("maria", "Count", TaskType::General, Some("ana"));
    for (command, version) in [
        (Command::StartTask { task_id }, 2),
        (Command::StartTask { task_id }, 2),
        (Command::CompleteTask { task_id }, 3),
    ] {
        let outcome = motel.tries("ana", command);
        assert!(matches!(outcome, OpOutcome::Applied { version: now, .. } if now == version), "{outcome:?}");
    }
    assert_eq!(motel.field(EntityKind::Task, task_id, "status"), TaskStatus::Completed.as_str());
    let outcome = motel.tries("maria", Command::DeleteTask { task_id });
    assert!(matches!(outcome, OpOutcome::Applied { version: 0, .. }), "{outcome:?}");
}
