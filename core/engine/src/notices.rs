//! What a person is told of connection and sync. The keys:
//!
//! | key | arguments | level |
//! | --- | --- | --- |
//! | `connection.lost` | | WARNING, 5 s; once per loss |
//! | `connection.failing` | | WARNING; after five failed attempts |
//! | `connection.restored` | | SUCCESS |
//! | `sync.done` | `n`, `failed` | SUCCESS; the outbox is drained |
//! | `sync.failed` | `n` | ERROR; the server fails, the phone tries again |
//! | `sync.parked` | `m` | ERROR; several changes need a person |
//! | `update.failed` | `operation`, `command`, `entityType`, `entityId`, `reason`, `message` | ERROR; one change needs a person |

use std::collections::BTreeMap;

use innsync_domain::derived_id;
use innsync_domain::mutant::{self, Mutant};

use crate::draft::Draft;
use crate::limits::TOAST_MS;
use crate::outbox::{ParkReason, QueuedOp};
use crate::output::{Effect, EffectBody, Output, ToastLevel};
use crate::store::StoreError;

/// A toast on its way to disk.
#[derive(Debug, Clone)]
pub(crate) struct Notice(Effect);

/// Arguments of a message.
pub(crate) fn args<const N: usize>(pairs: [(&str, String); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl Draft<'_> {
    pub(crate) fn notice_lost(&mut self) {
        self.state.push.round.waited |= self.state.outbox.pending() > 0;
        self.notice(ToastLevel::Warning, "connection.lost", BTreeMap::new(), 5_000);
    }

    pub(crate) fn notice_failing(&mut self) {
        self.notice(ToastLevel::Warning, "connection.failing", BTreeMap::new(), 5_000);
    }

    pub(crate) fn notice_restored(&mut self) {
        self.notice(ToastLevel::Success, "connection.restored", BTreeMap::new(), TOAST_MS);
    }

    /// The server fails: told once, until the outbox is drained.
    pub(crate) fn notice_trouble(&mut self) {
        if !std::mem::replace(&mut self.state.push.round.told_trouble, true) {
            let n = self.state.outbox.pending().to_string();
            self.notice(ToastLevel::Error, "sync.failed", args([("n", n)]), TOAST_MS);
        }
    }

    pub(crate) fn notice_parked(&mut self, op: &QueuedOp, reason: &ParkReason) {
        let (code, message) = match reason {
            ParkReason::Rejected { rejection } => {
                (rejection.reason.as_str().to_owned(), rejection.message.clone())
            }
            ParkReason::Conflict { .. } => ("CONFLICT".to_owned(), String::new()),
        };
        let primary = op.op.command.primary();
        let args = args([
            ("operation", op.op.id.to_string()),
            ("command", op.op.command.name().to_owned()),
            ("entityType", primary.kind.to_string()),
            ("entityId", primary.id.to_string()),
            ("reason", code),
            ("message", message),
        ]);
        let body = EffectBody::Toast {
            level: ToastLevel::Error,
            key: "update.failed".to_owned(),
            args,
            duration_ms: 5_000,
        };
        // Of its attempt, so that a retry that fails again is told again.
        let id = derived_id(op.op.id, &format!("parked:{}", self.now.boot_ms));
        self.state.notices.push(Notice(Effect { id, at: self.now.wall, body }));
    }

    /// Nothing waits any more: says what came of it, where a person may have wondered.
    pub(crate) fn notice_drained(&mut self) {
        let round = std::mem::take(&mut self.state.push.round);
        if round.confirmed == 0 && round.parked == 0 {
            return;
        }
        self.state.meta.last_sync_time = Some(self.now.wall);
        if round.confirmed > 0 && (round.waited || round.parked > 0) {
            let args = args([("n", round.confirmed.to_string()), ("failed", round.parked.to_string())]);
            self.notice(ToastLevel::Success, "sync.done", args, TOAST_MS);
        } else if round.parked > 1 {
            // A single one was told by itself.
            let args = args([("m", round.parked.to_string())]);
            self.notice(ToastLevel::Error, "sync.parked", args, TOAST_MS);
        }
    }

    fn notice(&mut self, level: ToastLevel, key: &str, args: BTreeMap<String, String>, duration_ms: u32) {
        let cause = format!("{}:{}:{key}", self.config.boot_id, self.now.boot_ms);
        let id = derived_id(self.config.employee, &cause);
        let body = EffectBody::Toast { level, key: key.to_owned(), args, duration_ms };
        let effect = Effect { id, at: self.now.wall, body };
        if mutant::is(Mutant::EffectBeforeCommit) {
            self.tell(Output::Effect(effect.clone()));
        }
        self.state.notices.push(Notice(effect));
    }

    /// Puts the notices on disk; only then are they shown.
    pub(crate) fn write_notices(&mut self) -> Result<(), StoreError> {
        for Notice(effect) in std::mem::take(&mut self.state.notices) {
            self.effect(effect)?;
        }
        Ok(())
    }
}
