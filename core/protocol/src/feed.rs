//! The feed: what changed, in the order of the property's commits, as one person may see it.

use innsync_domain::{Timestamp, Uuid, ViewChange};
use serde::{Deserialize, Serialize};

use crate::cursor::Mark;
use crate::digest::Digest;
use crate::op::OpResult;

/// Changes after `from` up to `to`. Commits that the person may not see are left out; the range covers them.
///
/// A phone at `mine` ignores it when `to <= mine`, applies the commits with `seq > mine` when `from <= mine < to`, and
/// pulls `GET /v1/sync` when `from > mine`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delta {
    /// The feed's incarnation.
    pub epoch: u64,
    /// Where it begins, exclusive.
    pub from: u64,
    /// Where it ends, inclusive.
    pub to: u64,
    /// The mark of commit `to`.
    pub mark: Mark,
    /// The commits that the person may see, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<Commit>,
    /// What became of the person's own operations in this range, or of those named in RESUME.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<OpResult>,
    /// There is more after `to` already; pull again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// What the person may see at `to`, where the phone asked for it and `to` is the head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// One accepted operation's effects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Commit {
    /// Its number in the property's feed.
    pub seq: u64,
    /// When the server took it.
    pub at: Timestamp,
    /// Who did it.
    pub by: Uuid,
    /// What of it the person may see.
    pub changes: Vec<ViewChange>,
}

/// The phone's picture can't be continued from its cursor: fetch a snapshot. The outbox stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reset {
    /// Why.
    pub reason: ResetReason,
}

/// Why a phone's picture can't be continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ResetReason {
    /// What the person may see has changed: role or department.
    Scope,
    /// The cursor is of another history: another epoch, a mark that does not match, or ahead of the head.
    History,
    /// The cursor is behind the log that the server keeps.
    Horizon,
}

/// The answer of `GET /v1/sync`: `{"type":"DELTA",…}` or `{"type":"RESET",…}`, as on the socket.
#[derive(Debug, Clone, PartialEq)]
pub enum SyncAnswer {
    /// What changed.
    Delta(Delta),
    /// Fetch a snapshot.
    Reset(Reset),
}
