//! What is forgotten with time, a slice after the other, so that nobody's write waits for long.

use innsync_domain::{Change, Intent, Timestamp, Uuid};

use super::writer::{Origin, Writer};
use super::{Authority, Committed};
use crate::ledger::LedgerError;
use crate::ledger::entities::{self, Which};
use crate::ledger::{credentials, feed, outcomes, properties};

/// Milliseconds that the details of an operation's outcome are kept: a season. After it a repeated operation is still
/// known, and never done again.
const OUTCOMES_MS: i64 = 90 * 24 * 60 * 60 * 1000;
/// Milliseconds that a refresh token is kept after another took its place. A copy that is used in that time ends the
/// session; later it is merely unknown.
const SUPERSEDED_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// Milliseconds that the record of a value that lost is kept.
const CONFLICTS_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// Such records that one commit takes away.
const CONFLICTS_AT_ONCE: usize = 100;
/// Commits, of all properties together, and rows of each other kind in one slice.
const SLICE: usize = 1_000;

/// How long things are kept that the operator decides about, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Changes: a phone that was away for longer fetches a snapshot.
    pub changes_ms: i64,
    /// Sessions that were ended: longer than any access token is good.
    pub ended_sessions_ms: i64,
}

impl Authority {
    /// Forgets a slice of what is too old by now; whether there is more.
    pub fn forget_old(&mut self, now: Timestamp, keep: &Retention) -> Result<bool, LedgerError> {
        let before = |kept_ms: i64| now.plus_millis(kept_ms.saturating_neg());
        let transaction = self.ledger.begin()?;
        let mut left = SLICE;
        for property in properties::all(&transaction)? {
            let horizon = properties::head(&transaction, &property.id)?.horizon;
            let old = feed::older(&transaction, &property.id, horizon, before(keep.changes_ms), left)?;
            if let Some(last) = old.last() {
                feed::forget(&transaction, &property.id, *last)?;
                properties::set_horizon(&transaction, &property.id, *last)?;
            }
            left -= old.len();
            if left == 0 {
                break;
            }
        }
        let mut more = left == 0;
        more |= outcomes::forget_bodies(&transaction, before(OUTCOMES_MS), SLICE)? == SLICE;
        more |= credentials::forget_tokens(&transaction, now, before(SUPERSEDED_MS), SLICE)? == SLICE;
        credentials::forget_ended_sessions(&transaction, before(keep.ended_sessions_ms))?;
        transaction.commit()?;
        Ok(more)
    }
    /// Takes away the records of values that lost too long ago: of each property some, in one commit that is nobody's.
    /// Whether there is more, and the commits.
    pub fn forget_conflicts(&mut self, now: Timestamp) -> Result<(bool, Vec<Committed>), LedgerError> {
        let Self { ledger, random } = self;
        let operation = random.uuid_v7(now);
        let transaction = ledger.begin()?;
        let (mut more, mut committed) = (false, Vec::new());
        for property in properties::all(&transaction)? {
            let which = Which::ConflictsBefore(now.plus_millis(-CONFLICTS_MS));
            let mut old = Vec::new();
            entities::each(&transaction, &property.id, which, &mut |entity| {
                old.push(Change { before: Some(entity), after: None });
                Ok(old.len() < CONFLICTS_AT_ONCE)
            })?;
            if old.is_empty() {
                continue;
            }
            more |= old.len() == CONFLICTS_AT_ONCE;
            let mut writer = Writer::open(&transaction, random, &property.id, now)?;
            let intent = Intent { at: now, certain: true };
            writer.commit(Origin { by: Uuid::nil(), forced: false, operation, intent }, old)?;
            committed.extend(writer.finish()?);
        }
        transaction.commit()?;
        Ok((more, committed))
    }
}
