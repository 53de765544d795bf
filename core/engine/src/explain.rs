//! Why an operation is not confirmed yet, in one sentence.

use std::collections::BTreeMap;

use innsync_domain::Uuid;

use crate::lanes::{Wait, walk};
use crate::outbox::{OpState, ParkReason, QueuedOp};
use crate::session::Standing;
use crate::state::State;

/// What keeps all pushes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeptBack {
    Disconnected,
    SignedOut,
    SessionStale,
    /// Until then.
    StorageFailed(u64),
    Unreachable,
    /// Until then.
    PushFailed(u64),
    PushUnderWay,
}

impl State {
    /// `None`: there is no such operation; it is confirmed, discarded, or was never here.
    pub(crate) fn why_waiting(&self, now: u64, id: Uuid) -> Option<String> {
        let op = self.outbox.get(id)?;
        let mut found = None;
        walk(&self.outbox, now, &self.push.held, &self.push.under_way, |it, wait| {
            if it.op.id == id {
                found = Some(wait);
            }
        });
        Some(self.sentence(now, op, found?))
    }

    /// Of all operations.
    pub(crate) fn explain_all(&self, now: u64) -> BTreeMap<Uuid, String> {
        let mut sentences = BTreeMap::new();
        walk(&self.outbox, now, &self.push.held, &self.push.under_way, |op, wait| {
            sentences.insert(op.op.id, self.sentence(now, op, wait));
        });
        sentences
    }

    fn sentence(&self, now: u64, op: &QueuedOp, wait: Wait) -> String {
        let seconds = |at: u64| at.saturating_sub(now).div_ceil(1000);
        match wait {
            Wait::NeedsPerson => match &op.state {
                OpState::Parked { reason: ParkReason::Rejected { rejection } } => {
                    format!("The server refused it: {}", rejection.message)
                }
                _ => "Somebody else changed the same fields; choose whose values stay.".to_owned(),
            },
            Wait::Taken => "The server has taken it; its effect is being fetched.".to_owned(),
            Wait::UnderWay => "It was sent and waits for the server's answer.".to_owned(),
            Wait::Parked(parked) => {
                format!("Operation {parked}, which it follows, needs you first: retry or discard that one.")
            }
            Wait::Earlier(earlier) => format!("It waits for operation {earlier} on the same thing."),
            Wait::Dependency(dependency) => {
                format!("It waits for operation {dependency}, which it depends on.")
            }
            Wait::Until(at) => format!("The server asked to try it again; that is in {} s.", seconds(at)),
            Wait::Ready => self.why_nothing_is_sent(now),
        }
    }

    /// Whether nothing holds that operation, and nothing keeps a push from leaving.
    pub(crate) fn is_about_to_be_sent(&self, now: u64, id: Uuid) -> bool {
        if self.kept_back(now).is_some() {
            return false;
        }
        let mut is_ready = false;
        walk(&self.outbox, now, &self.push.held, &self.push.under_way, |op, wait| {
            is_ready |= op.op.id == id && wait == Wait::Ready;
        });
        is_ready
    }

    fn why_nothing_is_sent(&self, now: u64) -> String {
        let seconds = |at: u64| at.saturating_sub(now).div_ceil(1000);
        match self.kept_back(now) {
            None => "It is about to be sent.".to_owned(),
            Some(KeptBack::Disconnected) => {
                "The app is disconnected; it is sent once it connects.".to_owned()
            }
            Some(KeptBack::SignedOut) => "Nothing is sent before you sign in.".to_owned(),
            Some(KeptBack::SessionStale) => "The session is being renewed; it is sent after that.".to_owned(),
            Some(KeptBack::StorageFailed(at)) => {
                format!("The phone could not write to its storage; it tries again in {} s.", seconds(at))
            }
            Some(KeptBack::Unreachable) => {
                "The server cannot be reached; it is sent as soon as it answers.".to_owned()
            }
            Some(KeptBack::PushFailed(at)) => {
                format!("The last attempt failed; the next one is in {} s.", seconds(at))
            }
            Some(KeptBack::PushUnderWay) => {
                "It goes with the next push, when the one under way is answered.".to_owned()
            }
        }
    }

    fn kept_back(&self, now: u64) -> Option<KeptBack> {
        if !self.link.wanted {
            return Some(KeptBack::Disconnected);
        }
        match self.session.standing() {
            Standing::Missing => return Some(KeptBack::SignedOut),
            Standing::Stale => return Some(KeptBack::SessionStale),
            Standing::Good => {}
        }
        if let Some(at) = self.hold_until.filter(|at| *at > now) {
            return Some(KeptBack::StorageFailed(at));
        }
        if !self.server_answers() {
            return Some(KeptBack::Unreachable);
        }
        if self.push.retry_at() > now {
            return Some(KeptBack::PushFailed(self.push.retry_at()));
        }
        (!self.push.under_way.is_empty()).then_some(KeptBack::PushUnderWay)
    }
}
