//! From a cursor to the present, in pages.

use innsync_domain::mutant::{self, Mutant};
use innsync_domain::{Change, Entity, Person, Uuid};
use innsync_protocol::{Commit, Cursor, Delta, Mark, OpResult, Reset, ResetReason, SyncAnswer, limits};
use rusqlite::Connection;

use super::{outcomes_of, person};
use crate::ledger::{Head, LedgerError, StoredCommit};
use crate::ledger::{feed, outcomes, properties};
use crate::view;

/// Bytes of a page's commits: a frame but for results and envelopes.
const PAGE_BYTES: usize = limits::FRAME_BYTES * 3 / 4;
/// Bytes of a page's results. What does not fit is left out: the phone sends the operation again and hears the same.
const RESULT_BYTES: usize = limits::FRAME_BYTES / 8;
/// Bytes that a commit and each of its changes take beside the entities' text, at most.
const ENVELOPE_BYTES: usize = 200;

pub(super) fn catch_up(
    connection: &Connection,
    property: &str,
    viewer: Uuid,
    cursor: Cursor,
    pending: &[Uuid],
) -> Result<SyncAnswer, LedgerError> {
    let head = properties::head(connection, property)?;
    if let Some(reason) = unusable(connection, property, &head, cursor)? {
        return Ok(SyncAnswer::Reset(Reset { reason }));
    }
    let Some(person) = person_at(connection, property, viewer, cursor)? else {
        return Ok(SyncAnswer::Reset(Reset { reason: ResetReason::Scope }));
    };
    let to = head.cursor.seq.min(cursor.seq.saturating_add(limits::COMMITS_PER_DELTA as u64));
    let page = page(feed::range(connection, property, cursor.seq, to)?, person, cursor);
    let mut results = outcomes::range(connection, property, viewer, cursor.seq, page.to)?;
    for answer in outcomes_of(connection, property, viewer, pending)? {
        if !results.iter().any(|known| known.id == answer.id) {
            results.push(answer);
        }
    }
    Ok(SyncAnswer::Delta(Delta {
        epoch: head.cursor.epoch,
        from: cursor.seq,
        to: page.to,
        mark: page.mark,
        commits: page.commits,
        results: fitting(results),
        more: page.to < head.cursor.seq,
        digest: None,
    }))
}

/// Why the history cannot be continued from there.
fn unusable(
    connection: &Connection,
    property: &str,
    head: &Head,
    cursor: Cursor,
) -> Result<Option<ResetReason>, LedgerError> {
    if cursor.epoch != head.cursor.epoch || cursor.seq > head.cursor.seq {
        return Ok(Some(ResetReason::History));
    }
    if cursor.seq < head.horizon {
        return Ok(Some(ResetReason::Horizon));
    }
    let mark = if cursor.seq == 0 { Some(Mark(0)) } else { feed::mark(connection, property, cursor.seq)? };
    let differs = mark != Some(cursor.mark) && !mutant::is(Mutant::MarkIgnored);
    Ok(differs.then_some(ResetReason::History))
}

/// The viewer as they were at the cursor. `None`: their scope has changed since, or they were not on the staff then or
/// are not now.
fn person_at(
    connection: &Connection,
    property: &str,
    viewer: Uuid,
    cursor: Cursor,
) -> Result<Option<Person>, LedgerError> {
    let Some(now) = person(connection, property, viewer)? else { return Ok(None) };
    let mut earliest = None;
    for Change { before, .. } in feed::employee_changes(connection, property, viewer, cursor.seq)? {
        let Some(Entity::Employee(before)) = before else { return Ok(None) };
        let before = Person::from(&before);
        if view::scope_differs(&before, &now) {
            return Ok(None);
        }
        earliest.get_or_insert(before);
    }
    Ok(Some(earliest.unwrap_or(now)))
}

struct Page {
    to: u64,
    mark: Mark,
    commits: Vec<Commit>,
}

/// As many of the commits as fit, but one at least.
fn page(stored: Vec<StoredCommit>, mut person: Person, cursor: Cursor) -> Page {
    let mut page = Page { to: cursor.seq, mark: cursor.mark, commits: Vec::new() };
    let mut bytes = 0;
    for StoredCommit { row, changes, bytes: text } in stored {
        let (seen, after, _) =
            view::view(&changes, &person, |changes| Commit { seq: row.seq, at: row.at, by: row.by, changes });
        if seen.is_some() {
            bytes += text + ENVELOPE_BYTES * (1 + changes.len());
            if bytes > PAGE_BYTES && !page.commits.is_empty() {
                break;
            }
        }
        page.commits.extend(seen);
        person = after;
        (page.to, page.mark) = (row.seq, row.mark);
    }
    page
}

/// As many of the results as fit.
fn fitting(results: Vec<OpResult>) -> Vec<OpResult> {
    let mut bytes = 0;
    let size = |result: &OpResult| serde_json::to_string(result).map_or(0, |text| text.len());
    results
        .into_iter()
        .take_while(|result| {
            bytes += size(result);
            bytes <= RESULT_BYTES
        })
        .collect()
}
