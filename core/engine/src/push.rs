//! The outbox on its way to the server: one push at a time, of everything that may go.

use std::collections::BTreeMap;

use innsync_domain::Uuid;
use innsync_domain::mutant::{self, Mutant};
use innsync_protocol::limits::{BODY_BYTES, OPS_PER_PUSH};
use innsync_protocol::{Cursor, OpResult, PushAnswer, PushRequest};
use serde_json::value::RawValue;

use crate::draft::Draft;
use crate::http::{Answer, Purpose};
use crate::lanes::{Wait, walk};
use crate::limits::TAKEN_WAITS_MS;
use crate::outbox::{OpState, QueuedOp};
use crate::state::{State, sooner};
use crate::store::StoreError;

#[derive(Debug, Clone)]
pub(crate) struct Push {
    /// The operations of the push under way.
    pub(crate) under_way: Vec<Uuid>,
    /// How often RESUME had been said when it was sent.
    resumes: u64,
    /// Where the phone stood when it was sent.
    sent_at: Cursor,
    failures: u32,
    retry_at: u64,
    /// At most so many together; halved when the server finds it too much.
    most: usize,
    /// Operations that wait by themselves.
    pub(crate) held: BTreeMap<Uuid, u64>,
    /// When the first operation may go that only waits for its time.
    wake: Option<u64>,
    /// Until when somebody waits for what is sent to be confirmed.
    pub(crate) watched_until: u64,
    pub(crate) round: Round,
}

/// What happened since the outbox was last drained.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Round {
    pub(crate) confirmed: u32,
    pub(crate) parked: u32,
    pub(crate) told_trouble: bool,
    /// Something had to wait for the server. What goes through at once is no news to anybody.
    pub(crate) waited: bool,
}

impl Default for Push {
    fn default() -> Self {
        Self {
            under_way: Vec::new(),
            resumes: 0,
            sent_at: Cursor::default(),
            failures: 0,
            retry_at: 0,
            most: OPS_PER_PUSH,
            held: BTreeMap::new(),
            wake: None,
            watched_until: 0,
            round: Round::default(),
        }
    }
}

impl Push {
    pub(crate) fn retry_now(&mut self) {
        self.retry_at = 0;
        self.failures = 0;
    }

    /// When the push under backoff may go.
    pub(crate) fn retry_at(&self) -> u64 {
        self.retry_at
    }

    pub(crate) fn hold(&mut self, id: Uuid, until: u64) {
        self.held.insert(id, until);
    }

    pub(crate) fn forget(&mut self, id: Uuid) {
        self.held.remove(&id);
    }
}

impl State {
    /// Whether a push could leave now, were there anything to send.
    fn may_push(&self) -> bool {
        self.may_request() && self.server_answers() && self.requests.find(Purpose::Push).is_none()
    }

    /// When an operation may go that only waits for its time.
    pub(crate) fn push_deadline(&self) -> Option<u64> {
        if self.may_push() { self.push.wake } else { None }
    }
}

impl Draft<'_> {
    /// Sends what may be sent. What may go only later sets the time to look again.
    pub(crate) fn push_when_due(&mut self) {
        self.state.push.wake = None;
        if !self.state.may_push() {
            return;
        }
        let now = self.boot();
        let (mut ready, mut first) = (Vec::new(), None);
        walk(&self.state.outbox, now, &self.state.push.held, &[], |op, wait| match wait {
            Wait::Ready => ready.push(op.order),
            Wait::Until(at) => first = sooner(first, Some(at)),
            _ => {}
        });
        if ready.is_empty() || self.state.push.retry_at > now {
            let whole = (!ready.is_empty()).then_some(self.state.push.retry_at);
            self.state.push.wake = sooner(first.map(|at: u64| at.max(self.state.push.retry_at)), whole);
            return;
        }
        self.send(ready);
    }

    fn send(&mut self, ready: Vec<u64>) {
        let (mut ops, mut bytes) = (Vec::new(), 0);
        let mut under_way = Vec::new();
        for order in ready {
            let Some(op) = self.state.outbox.at(order).cloned() else { continue };
            let op = self.ready_to_go(&op);
            let Some(text) = to_raw(&op) else { continue };
            bytes += text.get().len() + 1;
            // The braces and the name around the operations.
            if ops.len() >= self.state.push.most || (!ops.is_empty() && bytes + 16 > BODY_BYTES) {
                break;
            }
            ops.push(text);
            under_way.push(op.op.id);
            if op.op.intent.corrected.is_some()
                && self.state.outbox.at(order).is_some_and(|it| it.op.intent.corrected.is_none())
            {
                // Its prediction carries the time of the intent.
                self.touch(&op);
            }
            let resent = QueuedOp { state: OpState::Queued, ..op };
            self.put_op(resent.clone());
            self.set_op_state(&resent, OpState::Sent);
        }
        let body = serde_json::to_string(&PushRequest { ops }).unwrap_or_default();
        self.state.push.under_way = under_way;
        self.state.push.resumes = self.state.feed.resumes();
        // After RESET nobody knows where that is.
        let meta = &self.state.meta;
        self.state.push.sent_at = if meta.other_history { Cursor::default() } else { meta.cursor };
        self.request(Purpose::Push, "/v1/ops".to_owned(), Some(body));
    }

    /// The operation as it is sent: its time corrected by the server's clock, if both are of this boot, and without those that
    /// it depended on and that were confirmed since: a server that was restored from a backup may never hear of them again.
    fn ready_to_go(&self, op: &QueuedOp) -> QueuedOp {
        let mut op = op.clone();
        op.op.depends_on.retain(|id| self.state.outbox.get(*id).is_some());
        let intent = &mut op.op.intent;
        if intent.corrected.is_none() && intent.boot_id == self.config.boot_id {
            intent.corrected = self.state.clock.at(intent.boot_ms);
        }
        op.attempts = op.attempts.saturating_add(1);
        op
    }

    pub(crate) fn on_push_answer(&mut self, answer: Answer) -> Result<(), StoreError> {
        let sent = std::mem::take(&mut self.state.push.under_way);
        match answer {
            Answer::Body(body) => match serde_json::from_str::<PushAnswer>(&body) {
                Ok(answer) => {
                    self.answered_by_ours();
                    self.state.push.failures = 0;
                    self.state.push.most = (self.state.push.most * 2).min(OPS_PER_PUSH);
                    if self.is_of_another_history() {
                        self.requeue(&sent, false);
                        return Ok(());
                    }
                    let (passed, told): (Vec<_>, Vec<_>) =
                        answer.results.iter().partition(|result| self.is_passed(result));
                    for result in told {
                        self.on_result(result)?;
                    }
                    self.requeue(&passed.iter().map(|result| result.id).collect::<Vec<_>>(), false);
                    self.after_an_answer();
                    self.requeue_unanswered(&sent);
                }
                Err(error) => {
                    self.answered_by_another();
                    self.error(format!("a push's answer could not be read: {error}"));
                    self.push_failed(&sent, None);
                }
            },
            Answer::Unauthorized => self.requeue(&sent, !mutant::is(Mutant::RetryOn401)),
            Answer::TooLarge => self.halve(&sent),
            Answer::Later { after, detail } => {
                if mutant::is(Mutant::OperationDroppedOn500) && detail.contains("500") {
                    sent.iter().for_each(|id| self.remove_op(*id));
                }
                if self.state.link.is_live() {
                    self.error(format!("a push failed: {detail}"));
                    self.notice_trouble();
                }
                self.push_failed(&sent, after);
            }
        }
        Ok(())
    }

    /// Another epoch began since the push was sent: who answers it is gone.
    fn is_of_another_history(&self) -> bool {
        let (then, now) = (self.state.push.sent_at.epoch, self.state.meta.cursor.epoch);
        then != 0 && now != 0 && then != now
    }

    /// The phone has passed the commit that is named since the push was sent, and the operation was not named there: the
    /// commit may be one that a restored backup does not have. It is asked again.
    fn is_passed(&self, result: &OpResult) -> bool {
        let (then, now) = (self.state.push.sent_at.seq, self.state.meta.cursor.seq);
        result.result.settled().seq().is_some_and(|seq| then < seq && seq <= now)
    }

    /// Sees to it that what a push did is fetched.
    fn after_an_answer(&mut self) {
        self.look_whether_reached();
        if !self.state.link.is_live() || self.boot() < self.state.push.watched_until {
            // No socket brings what they did, or may be too late with it.
            self.state.feed.want_pull();
        }
        if self.state.push.resumes != self.state.feed.resumes() {
            // It may be of a server that was: then no socket ever brings what they did.
            let at = self.boot() + TAKEN_WAITS_MS;
            self.state.feed.doubt_taken(at);
        }
    }

    /// An answer names a commit that the mirror should have. It says not of which history: where nobody knows yet that the
    /// connection is dead, it may be of a server that was restored from a backup. The next pull says.
    fn look_whether_reached(&mut self) {
        let reached = self.state.meta.cursor.seq;
        let kept = &self.state.kept;
        let is_reached = |op: &QueuedOp| {
            matches!(op.state, OpState::Applied { seq, .. } if seq <= reached) && !kept.contains(&op.op.id)
        };
        if self.state.server_goes_on_from_cursor() && self.state.outbox.iter().any(|op| is_reached(op)) {
            self.state.feed.want_pull();
        }
    }

    /// The connection that the push went into is gone, and nobody may ever say so: its operations go again, with others. The
    /// server knows them by their ids. Writes nothing: what is marked as sent and not under way is sent again.
    pub(crate) fn push_anew(&mut self) {
        if self.state.requests.take_for(Purpose::Push) {
            self.state.push.under_way.clear();
        }
    }

    fn push_failed(&mut self, sent: &[Uuid], after: Option<u64>) {
        self.requeue(sent, false);
        let push = &mut self.state.push;
        push.round.waited = true;
        push.failures += 1;
        let wait = self.state.random.backoff(push.failures).max(after.unwrap_or(0));
        push.retry_at = self.now.boot_ms.saturating_add(wait);
        if !self.state.link.is_live() {
            // Whether the server answers again is found out by pulling.
            self.state.feed.want_pull();
        }
    }

    fn halve(&mut self, sent: &[Uuid]) {
        if let [only] = sent {
            return self.park_too_large(*only);
        }
        self.requeue(sent, true);
        self.state.push.most = (sent.len() / 2).max(1);
    }

    fn requeue(&mut self, sent: &[Uuid], free: bool) {
        for id in sent {
            let Some(op) = self.state.outbox.get(*id).cloned() else { continue };
            if op.state == OpState::Sent {
                let attempts = if free { op.attempts.saturating_sub(1) } else { op.attempts };
                self.set_op_state(&QueuedOp { attempts, ..QueuedOp::clone(&op) }, OpState::Queued);
            }
        }
    }

    /// The answer left some out.
    fn requeue_unanswered(&mut self, sent: &[Uuid]) {
        let left_out: Vec<Uuid> = sent
            .iter()
            .filter(|id| self.state.outbox.get(**id).is_some_and(|op| op.state == OpState::Sent))
            .copied()
            .collect();
        if !left_out.is_empty() {
            self.error(format!("a push's answer left {} operations out", left_out.len()));
            self.push_failed(&left_out, None);
        }
    }
}

fn to_raw(op: &QueuedOp) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(&op.op).ok()
}
