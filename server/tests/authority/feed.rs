//! Cursors: what can be continued from, and what cannot.

use innsync_domain::{TaskType, Uuid};
use innsync_protocol::{
    Cursor, Digest, Mark, Op, OpOutcome, Reset, ResetReason, SnapshotLine, SnapshotRequest, SyncAnswer,
    limits,
};
use innsync_server::reader::PageSize;

use crate::motel::{Motel, create_task, id};

fn pull(motel: &Motel, who: &str, cursor: Cursor, pending: &[Uuid]) -> SyncAnswer {
    motel.reader().catch_up("seaside", id(who), cursor, pending).unwrap()
}

#[test]
fn what_is_of_another_history_is_fetched_anew() {
    // G17
    let mut motel = Motel::open();
    let head = motel.reader().head("seaside").unwrap();
    let history = SyncAnswer::Reset(Reset { reason: ResetReason::History });
    for cursor in [
        Cursor::default(),
        Cursor { epoch: 2, ..head },
        Cursor { mark: Mark(1), ..head },
        Cursor { seq: head.seq + 1, ..head },
        Cursor { seq: u64::MAX, ..head },
        Cursor { seq: head.seq - 1, ..head },
        Cursor { seq: 0, ..head },
    ] {
        assert_eq!(pull(&motel, "ana", cursor, &[]), history, "{cursor:?}");
    }
    assert!(
        matches!(pull(&motel, "ana", head, &[]), SyncAnswer::Delta(delta) if delta.to == head.seq && !delta.more)
    );
    motel.authority.declare_restored("seaside").unwrap();
    assert_eq!(pull(&motel, "ana", head, &[]), history);
}

#[test]
fn a_phone_may_ask_for_a_digest_of_what_it_should_hold() {
    // G9, G25: each of what they may see, and no more.
    let mut motel = Motel::open();
    motel.create_task("maria", "Mend the heater", TaskType::Maintenance, Some("miguel"));
    for who in ["ana", "miguel", "maria"] {
        let phone = motel.snapshot(who);
        let mut expected = Digest::default();
        phone.entities.iter().for_each(|(it, row)| expected.add(&it.kind, it.id, row.version()));
        let answer = motel.reader().catch_up_with_digest("seaside", id(who), phone.cursor, &[]).unwrap();
        assert!(matches!(answer, SyncAnswer::Delta(delta) if delta.digest == Some(expected)), "{who}");
        let plain = pull(&motel, who, phone.cursor, &[]);
        assert!(matches!(plain, SyncAnswer::Delta(delta) if delta.digest.is_none()));
    }
}

#[test]
fn behind_the_log_there_is_only_the_snapshot() {
    let mut motel = Motel::open();
    let old = motel.reader().head("seaside").unwrap();
    motel.create_task("maria", "One", TaskType::General, None);
    let horizon = motel.reader().head("seaside").unwrap();
    let mut sam = motel.snapshot("sam");
    motel.create_task("maria", "Two", TaskType::General, None);
    motel.authority.compact("seaside", horizon.seq).unwrap();
    assert_eq!(pull(&motel, "ana", old, &[]), SyncAnswer::Reset(Reset { reason: ResetReason::Horizon }));
    sam.catch_up(&motel);
    assert_eq!(sam.resets, [], "who stands at the horizon goes on");
    sam.assert_is_fresh(&motel);
    motel.authority.compact("seaside", u64::MAX).unwrap();
    sam.catch_up(&motel);
    assert_eq!(sam.resets, []);
    motel.create_task("maria", "Three", TaskType::General, None);
    sam.catch_up(&motel);
    sam.assert_is_fresh(&motel);
}

#[test]
fn results_come_with_the_range_and_for_what_is_pending() {
    let mut motel = Motel::open();
    let start = motel.reader().head("seaside").unwrap();
    let good = motel.op("sam", create_task("Good", TaskType::General, None));
    let bad = motel.op("sam", create_task("", TaskType::General, None));
    motel.push("sam", &[good.clone(), bad.clone()]);
    motel.create_task("maria", "Hers", TaskType::General, None);
    let unknown = id("never sent");
    let SyncAnswer::Delta(delta) = pull(&motel, "sam", start, &[bad.id, good.id, unknown]) else { panic!() };
    let ids: Vec<Uuid> = delta.results.iter().map(|result| result.id).collect();
    assert_eq!(ids, [good.id, bad.id], "each once, none of others");
    assert!(matches!(delta.results[1].result, OpOutcome::Rejected { .. }));

    let head = motel.reader().head("seaside").unwrap();
    let SyncAnswer::Delta(delta) = pull(&motel, "sam", head, &[good.id]) else { panic!() };
    assert_eq!(delta.results.len(), 1, "also what was answered before the cursor");
    let SyncAnswer::Delta(delta) = pull(&motel, "maria", head, &[good.id]) else { panic!() };
    assert_eq!(delta.results, [], "not of somebody else's operations");

    let request = SnapshotRequest { pending: vec![good.id, bad.id, unknown], resume: None };
    let mut last = None;
    let mut keep = |line: String| {
        last = Some(SnapshotLine::parse(&line).unwrap());
        true
    };
    motel.reader().snapshot("seaside", id("sam"), &request, None, &mut keep).unwrap();
    let Some(SnapshotLine::End { results }) = last else { panic!("{last:?}") };
    assert_eq!(results.len(), 2);
}

#[test]
fn pages_fit_a_frame_and_cover_what_is_hidden() {
    let mut motel = Motel::open();
    let mut ana = motel.snapshot("ana");
    let start = ana.cursor.seq;
    for number in 0..60 {
        let mut command = create_task(&format!("Long {number}"), TaskType::General, None);
        if let innsync_domain::Command::CreateTask { description, .. } = &mut command {
            *description = "\u{1}".repeat(4_000);
        }
        motel.does("maria", command);
    }
    for number in 0..450 {
        // Nobody but maria and miguel see these.
        motel.create_task("maria", &format!("Hidden {number}"), TaskType::Maintenance, Some("miguel"));
    }
    let mut pages = 0;
    loop {
        let SyncAnswer::Delta(delta) = pull(&motel, "ana", ana.cursor, &[]) else { panic!() };
        assert!(SyncAnswer::Delta(delta.clone()).to_json().len() <= limits::FRAME_BYTES);
        assert!(delta.to > delta.from && delta.to - delta.from <= limits::COMMITS_PER_DELTA as u64);
        pages += 1;
        if !ana.pull(&motel) {
            break;
        }
    }
    assert!(pages > 5, "{pages}");
    assert_eq!(ana.cursor.seq, start + 510);
    ana.assert_is_fresh(&motel);
}

#[test]
fn a_page_names_every_operation_of_ones_own_in_it() {
    // G7: what a page brings and does not name would lie over its own effect on sam's phone, until it was sent again.
    let mut motel = Motel::open();
    let size = PageSize { result_bytes: 2_000, ..PageSize::default() };
    motel.authority.ledger_mut().set_page_size(size);
    let mut sam = motel.snapshot("sam");
    let start = sam.cursor.seq;
    let before = motel.op("sam", create_task("Call room 100", TaskType::General, None));
    let commands = (1..=100).map(|room| create_task(&format!("Call {room}"), TaskType::General, None));
    let calls: Vec<Op> = commands.map(|command| motel.op("sam", command)).collect();
    motel.push("sam", &[std::slice::from_ref(&before), &calls].concat());
    let pending: Vec<Uuid> = calls.iter().rev().map(|op| op.id).collect();
    let mut named = Vec::new();
    loop {
        let SyncAnswer::Delta(delta) = pull(&motel, "sam", sam.cursor, &pending) else { panic!() };
        let bytes: usize = delta.results.iter().map(|it| serde_json::to_string(it).unwrap().len()).sum();
        assert!(bytes <= 2_000, "{bytes}");
        let own = delta.results.iter().filter_map(|it| it.result.seq());
        named.extend(own.filter(|seq| (delta.from + 1..=delta.to).contains(seq)));
        let whole: Vec<u64> = (start + 1..=delta.to).collect();
        assert_eq!(named, whole, "each commit of the page is sam's own");
        if !sam.pull(&motel) {
            break;
        }
    }
    assert_eq!(sam.cursor.seq, start + 101);
    sam.assert_is_fresh(&motel);
}

#[test]
fn a_stranger_sees_nothing() {
    let motel = Motel::open();
    let head = motel.reader().head("seaside").unwrap();
    let stranger = id("nobody");
    let answer = motel.reader().catch_up("seaside", stranger, head, &[]).unwrap();
    assert_eq!(answer, SyncAnswer::Reset(Reset { reason: ResetReason::Scope }));
    let request = SnapshotRequest::default();
    assert!(motel.reader().snapshot("seaside", stranger, &request, None, &mut |_| panic!("a line")).is_err());
    assert!(motel.reader().catch_up("nowhere", id("ana"), head, &[]).is_err());
}

#[test]
fn a_snapshot_can_be_given_up() {
    let motel = Motel::open();
    let mut lines = 0;
    let mut three = |_| {
        lines += 1;
        lines < 3
    };
    motel.reader().snapshot("seaside", id("ana"), &SnapshotRequest::default(), None, &mut three).unwrap();
    assert_eq!(lines, 3);
}
