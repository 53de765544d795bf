//! Where the engine stands, for a support person: everything that explains why something is not sent or fetched, and nothing
//! that people wrote.

use std::collections::BTreeMap;

use innsync_domain::{EntityRef, ErrorClass, Uuid};
use innsync_protocol::{Cursor, SCHEMA};
use serde::Serialize;

use crate::clock::Now;
use crate::engine::{Config, RELEASE};
use crate::http::Purpose;
use crate::outbox::{OpState, ParkReason, QueuedOp};
use crate::session::Standing;
use crate::state::State;
use crate::status::SyncStatus;

/// Operations that are listed; of more, the first ones in order.
const LISTED: usize = 500;

/// Where the engine stands. Its JSON is a part of what `diagnostics()` gives.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// The release of the core.
    pub release: &'static str,
    /// The version of operations and rows that it writes.
    pub schema: u32,
    /// What a person is told of sync.
    pub status: SyncStatus,
    /// Where the mirror stands.
    pub cursor: Cursor,
    /// How often the rows here were found to differ from the server's, and were fetched anew.
    pub healed: u64,
    /// The release that passed over something that it did not know.
    pub passed_over: Option<String>,
    /// Whether the server's history is another one than the cursor's, until the next snapshot.
    pub other_history: bool,
    /// `GOOD`, `STALE` (the access token must be renewed first) or `MISSING` (a person must sign in).
    pub session: &'static str,
    /// Milliseconds that the phone's wall clock is behind the server's (negative: ahead of it); left out while the phone has
    /// not met the server in this boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_behind_ms: Option<i64>,
    /// HTTP requests under way: `PUSH`, `PULL`, `SNAPSHOT`, `REFRESH`.
    pub under_way: Vec<&'static str>,
    /// What is due next, and in how many milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<NextDeadline>,
    /// The operations not yet confirmed, in order.
    pub outbox: Vec<Waiting>,
    /// How many more there are.
    pub outbox_left_out: usize,
}

/// What is due next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NextDeadline {
    /// Milliseconds from now.
    pub in_ms: u64,
    /// What.
    pub what: &'static str,
}

/// An operation that is not confirmed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// Its id.
    pub id: Uuid,
    /// The command's name, `COMPLETE_TASK`.
    pub command: &'static str,
    /// The entity it is about.
    pub entity: EntityRef,
    /// `QUEUED`, `SENT`, `APPLIED` or `PARKED`.
    pub state: &'static str,
    /// Milliseconds since the person did it, by the phone's clocks.
    pub age_ms: i64,
    /// How often it was sent.
    pub attempts: u32,
    /// The version of the entity that the person saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_version: Option<u64>,
    /// Operations that must succeed before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<Uuid>,
    /// Why it was not taken, where it is parked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked: Option<Parked>,
    /// Why it is not confirmed yet, in one sentence.
    pub why: String,
}

/// Why an operation was not taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Parked {
    /// The reason, for programs; `CONFLICT` where somebody else changed the same fields.
    pub reason: String,
    /// What is to be done about it.
    pub class: ErrorClass,
    /// The fields that differ, by their names alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

impl State {
    /// See [`crate::Engine::diagnosis`].
    pub(crate) fn diagnosis(&self, config: &Config, now: Now) -> Diagnosis {
        let mut sentences = self.explain_all(now.boot_ms);
        let server = self.clock.at(now.boot_ms);
        let under_way = [
            (Purpose::Push, "PUSH"),
            (Purpose::Pull, "PULL"),
            (Purpose::Snapshot, "SNAPSHOT"),
            (Purpose::Refresh, "REFRESH"),
        ];
        let listed = self.outbox.iter().take(LISTED);
        Diagnosis {
            release: RELEASE,
            schema: SCHEMA,
            status: self.status,
            cursor: self.meta.cursor,
            healed: self.meta.healed,
            passed_over: self.meta.passed_over.clone(),
            other_history: self.meta.other_history,
            session: match self.session.standing() {
                Standing::Good => "GOOD",
                Standing::Stale => "STALE",
                Standing::Missing => "MISSING",
            },
            clock_behind_ms: server.map(|at| at.as_millis().saturating_sub(now.wall.as_millis())),
            under_way: under_way
                .into_iter()
                .filter(|(purpose, _)| self.requests.find(*purpose).is_some())
                .map(|(_, name)| name)
                .collect(),
            next: self
                .deadline()
                .map(|(at, what)| NextDeadline { in_ms: at.saturating_sub(now.boot_ms), what }),
            outbox: listed.map(|op| waiting(op, config, now, &mut sentences)).collect(),
            outbox_left_out: self.outbox.len().saturating_sub(LISTED),
        }
    }
}

fn waiting(op: &QueuedOp, config: &Config, now: Now, sentences: &mut BTreeMap<Uuid, String>) -> Waiting {
    let (state, parked) = match &op.state {
        OpState::Queued => ("QUEUED", None),
        OpState::Sent => ("SENT", None),
        OpState::Applied { .. } => ("APPLIED", None),
        OpState::Parked { reason } => ("PARKED", Some(parked(reason))),
    };
    let why = match &parked {
        // The rejection's own sentence may name what people wrote.
        Some(parked) => format!("It needs a person: {}.", parked.reason),
        None => sentences.remove(&op.op.id).unwrap_or_default(),
    };
    Waiting {
        id: op.op.id,
        command: op.op.command.name(),
        entity: op.op.command.primary(),
        state,
        age_ms: age(op, config, now),
        attempts: op.attempts,
        base_version: op.op.base_version,
        depends_on: op.op.depends_on.clone(),
        parked,
        why,
    }
}

fn parked(reason: &ParkReason) -> Parked {
    match reason {
        ParkReason::Rejected { rejection } => Parked {
            reason: rejection.reason.as_str().to_owned(),
            class: rejection.class.clone(),
            fields: rejection.field.iter().cloned().collect(),
        },
        ParkReason::Conflict { fields, .. } => Parked {
            reason: "CONFLICT".to_owned(),
            class: ErrorClass::Conflict,
            fields: fields.iter().map(|field| field.field.clone()).collect(),
        },
    }
}

/// By the boot's clock where it is that of the intent, which no person can set.
fn age(op: &QueuedOp, config: &Config, now: Now) -> i64 {
    let intent = &op.op.intent;
    if intent.boot_id == config.boot_id {
        return i64::try_from(now.boot_ms.saturating_sub(intent.boot_ms)).unwrap_or(i64::MAX);
    }
    now.wall.as_millis().saturating_sub(intent.wall.as_millis())
}
