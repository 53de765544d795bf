//! From a cursor to the present, in pages.

use innsync_domain::mutant::{self, Mutant};
use innsync_domain::{Change, Entity, Person, Uuid};
use innsync_protocol::{Commit, Cursor, Delta, Mark, OpResult, Reset, ResetReason, SyncAnswer, limits};
use rusqlite::Connection;

use super::{outcomes_of, person};
use crate::ledger::{Head, LedgerError, StoredCommit};
use crate::ledger::{feed, outcomes, properties};
use crate::view;

/// How much a page of the feed holds at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize {
    /// Commits that are looked at; at least 1.
    pub commits: usize,
    /// Bytes of the commits that are told.
    pub commit_bytes: usize,
    /// Bytes of results.
    pub result_bytes: usize,
}

impl Default for PageSize {
    /// A frame, together with the envelopes.
    fn default() -> Self {
        Self {
            commits: limits::COMMITS_PER_DELTA,
            commit_bytes: limits::FRAME_BYTES * 3 / 4,
            result_bytes: limits::FRAME_BYTES / 8,
        }
    }
}

/// Bytes that a commit and each of its changes take beside the entities' text, at most.
const ENVELOPE_BYTES: usize = 200;

pub(super) fn catch_up(
    connection: &Connection,
    size: PageSize,
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
    let most = u64::try_from(size.commits).unwrap_or(u64::MAX);
    let to = head.cursor.seq.min(cursor.seq.saturating_add(most));
    let mut results = Results::new(size.result_bytes);
    let to = results.of_range(outcomes::range(connection, property, viewer, cursor.seq, to)?, to);
    let stored = feed::range(connection, property, cursor.seq, to)?;
    let page = page(stored, size.commit_bytes, person, cursor);
    results.end_at(page.to);
    results.asked_for(outcomes_of(connection, property, viewer, pending)?);
    Ok(SyncAnswer::Delta(Delta {
        epoch: head.cursor.epoch,
        from: cursor.seq,
        to: page.to,
        mark: page.mark,
        commits: page.commits,
        results: results.kept,
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
fn page(stored: Vec<StoredCommit>, most: usize, mut person: Person, cursor: Cursor) -> Page {
    let mut page = Page { to: cursor.seq, mark: cursor.mark, commits: Vec::new() };
    let mut bytes = 0;
    for StoredCommit { row, changes, bytes: text } in stored {
        let (seen, after, _) =
            view::view(&changes, &person, |changes| Commit { seq: row.seq, at: row.at, by: row.by, changes });
        if seen.is_some() {
            bytes += text + ENVELOPE_BYTES * (1 + changes.len());
            if bytes > most && !page.commits.is_empty() {
                break;
            }
        }
        page.commits.extend(seen);
        person = after;
        (page.to, page.mark) = (row.seq, row.mark);
    }
    page
}

/// The results of a page, as far as they fit.
struct Results {
    kept: Vec<OpResult>,
    bytes: usize,
    most: usize,
}

impl Results {
    fn new(most: usize) -> Self {
        Self { kept: Vec::new(), bytes: 0, most }
    }

    /// Takes the viewer's operations in a range that ends at `to`, in order, and says where the page is to end: before the
    /// first that does not fit, since a phone that has a commit of its own must know that it is. One fits always.
    fn of_range(&mut self, results: Vec<OpResult>, to: u64) -> u64 {
        for result in results {
            let seq = result.result.seq().unwrap_or(to);
            if !self.take(result) {
                return seq.saturating_sub(1);
            }
        }
        to
    }

    /// The page ends there.
    fn end_at(&mut self, to: u64) {
        self.kept.retain(|result| result.result.seq().is_none_or(|seq| seq <= to));
        self.bytes = self.kept.iter().map(size).sum();
    }

    /// Takes what else is known of what the phone asked about. What does not fit is left out: the phone sends it again and
    /// hears the same.
    fn asked_for(&mut self, answers: Vec<OpResult>) {
        for answer in answers {
            if !self.kept.iter().any(|known| known.id == answer.id) && !self.take(answer) {
                break;
            }
        }
    }

    /// `false`: there is no room for it.
    fn take(&mut self, result: OpResult) -> bool {
        let bytes = self.bytes + size(&result);
        let fits = bytes <= self.most || self.kept.is_empty();
        if fits {
            self.bytes = bytes;
            self.kept.push(result);
        }
        fits
    }
}

/// Bytes of a result as it is sent.
fn size(result: &OpResult) -> usize {
    serde_json::to_string(result).map_or(0, |text| text.len())
}
