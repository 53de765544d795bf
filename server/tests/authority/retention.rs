//! What is forgotten with time, and what is not.

use innsync_domain::{Command, SuiteStatus, TaskType};
use innsync_protocol::{OpOutcome, Reset, ResetReason, SyncAnswer};
use innsync_server::authority::Retention;
use innsync_server::ledger::RefreshToken;

use crate::motel::{Motel, create_task, id};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Forgets a slice; whether there is more.
fn forget_slice(motel: &mut Motel) -> bool {
    let keep = Retention { changes_ms: 30 * DAY_MS, ended_sessions_ms: 90 * DAY_MS };
    motel.authority.forget_old(motel.now, &keep).unwrap()
}

fn forget(motel: &mut Motel) {
    while forget_slice(motel) {}
}

fn days(motel: &mut Motel, days: i64) {
    motel.later(days * DAY_MS / 1000);
}

#[test]
fn changes_are_kept_for_a_month_and_what_is_there_for_ever() {
    let mut motel = Motel::open();
    let old = motel.reader().head("seaside").unwrap();
    // More than one slice.
    for number in 0..1_500 {
        motel.create_task("maria", &format!("Task {number}"), TaskType::General, None);
    }
    let mut sam = motel.snapshot("sam");
    days(&mut motel, 20);
    motel.create_task("maria", "Twenty days later", TaskType::General, None);
    forget(&mut motel);
    let pulled = |motel: &Motel| motel.reader().catch_up("seaside", id("ana"), old, &[]).unwrap();
    assert!(matches!(pulled(&motel), SyncAnswer::Delta(_)));

    days(&mut motel, 20);
    forget(&mut motel);
    assert_eq!(pulled(&motel), SyncAnswer::Reset(Reset { reason: ResetReason::Horizon }));
    sam.catch_up(&motel);
    assert_eq!(sam.resets, [], "what he has not seen is still there");
    sam.assert_is_fresh(&motel);
}

#[test]
fn properties_share_a_slice() {
    let mut motel = Motel::open();
    motel.found("hilltop");
    motel.found("lakeside");
    let properties = ["seaside", "hilltop", "lakeside"];
    let old = properties.map(|property| motel.reader().head(property).unwrap());
    for property in properties {
        motel.property = property;
        for number in 0..400 {
            motel.create_task("maria", &format!("Task {number} in {property}"), TaskType::General, None);
        }
    }
    days(&mut motel, 40);
    assert!(forget_slice(&mut motel), "1,000 of 1,200 and some");
    assert!(!forget_slice(&mut motel));
    for (property, old) in properties.into_iter().zip(old) {
        let pulled = motel.reader().catch_up(property, id("ana"), old, &[]).unwrap();
        assert_eq!(pulled, SyncAnswer::Reset(Reset { reason: ResetReason::Horizon }), "{property}");
    }
}

#[test]
fn an_operation_is_known_for_ever_and_its_details_for_a_season() {
    // G2
    let mut motel = Motel::open();
    let done = motel.op("maria", create_task("Towels", TaskType::General, None));
    let refused = motel.op("ana", Command::DeleteSuite { suite_id: id("101") });
    let outcomes =
        [motel.push("maria", std::slice::from_ref(&done)), motel.push("ana", std::slice::from_ref(&refused))]
            .concat();
    let [OpOutcome::Applied { seq, .. }, OpOutcome::Rejected { .. }] = &outcomes[..] else {
        panic!("{outcomes:?}")
    };
    let head = motel.reader().head("seaside").unwrap();
    let operations = motel.reader().operations("seaside").unwrap();
    days(&mut motel, 89);
    forget(&mut motel);
    let again = |of: &OpOutcome| vec![OpOutcome::Duplicate { of: Box::new(of.clone()) }];
    assert_eq!(motel.push("ana", std::slice::from_ref(&refused)), again(&outcomes[1]));

    days(&mut motel, 2);
    forget(&mut motel);
    let applied = OpOutcome::Applied { seq: *seq, version: 0, skipped: Vec::new() };
    assert_eq!(motel.push("maria", &[done]), again(&applied));
    let undecided = OpOutcome::bare_conflict();
    assert_eq!(motel.push("ana", &[refused]), again(&undecided));
    assert_eq!(motel.reader().head("seaside").unwrap(), head, "nothing is done again");
    assert_eq!(motel.reader().operations("seaside").unwrap(), operations);
    motel.does("maria", Command::SetSuiteStatus { suite_id: id("101"), status: SuiteStatus::VacantDirty });
}

#[test]
fn refresh_tokens_go_when_they_have_expired_or_were_superseded_long_ago() {
    let mut motel = Motel::open();
    let token = |motel: &Motel, number: u8, days: i64| RefreshToken {
        token_hash: [number; 32],
        session: id("session"),
        property: "seaside".into(),
        employee: id("ana"),
        device: "handset-3".into(),
        issued_at: motel.now,
        expires_at: motel.now.plus_millis(days * DAY_MS),
        superseded_at: None,
    };
    let known = |motel: &Motel| {
        let is_known = |number: &u8| motel.reader().refresh_token(&[*number; 32]).unwrap().is_some();
        (1..=3).filter(is_known).collect::<Vec<u8>>()
    };
    let (first, short) = (token(&motel, 1, 90), token(&motel, 3, 1));
    motel.authority.ledger_mut().store_refresh_token(&first).unwrap();
    motel.authority.ledger_mut().store_refresh_token(&short).unwrap();
    let next = token(&motel, 2, 90);
    motel.authority.ledger_mut().rotate_refresh_token(&[1; 32], &next).unwrap();
    forget(&mut motel);
    assert_eq!(known(&motel), [1, 2, 3]);
    days(&mut motel, 2);
    forget(&mut motel);
    assert_eq!(known(&motel), [1, 2], "expired");
    days(&mut motel, 29);
    forget(&mut motel);
    assert_eq!(known(&motel), [2], "superseded");

    let now = motel.now;
    motel.authority.ledger_mut().end_session(now, id("session")).unwrap();
    days(&mut motel, 89);
    forget(&mut motel);
    assert_eq!(motel.reader().ended_sessions().unwrap(), [(id("session"), now)]);
    days(&mut motel, 2);
    forget(&mut motel);
    assert_eq!(motel.reader().ended_sessions().unwrap(), []);
}
