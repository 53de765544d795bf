//! One step: what an input does, what is due besides, and what comes of it.

use innsync_domain::mutant::{self, Mutant};

use crate::draft::Draft;
use crate::engine::Step;
use crate::http::{Answers, Purpose};
use crate::input::{Input, SocketEvent};
use crate::link::Event;
use crate::output::Output;
use crate::state::State;
use crate::status::SyncStatus;
use crate::store::StoreError;

/// Inputs whose step may have a batch. A new access token or a lost link must not be lost with it.
pub(crate) fn may_write(input: &Input) -> bool {
    match input {
        Input::Connect
        | Input::Disconnect
        | Input::SignedIn(_)
        | Input::NetworkChanged { .. }
        | Input::Foreground
        | Input::Barrier { .. }
        | Input::GiveUpBarrier { .. }
        | Input::Sync { .. }
        | Input::CommitFailed
        | Input::Http { .. }
        | Input::Socket { event: SocketEvent::Closed { .. } | SocketEvent::Failed(_), .. } => false,
        Input::Execute { .. }
        | Input::Retry { .. }
        | Input::Edit { .. }
        | Input::Settle { .. }
        | Input::Undo { .. }
        | Input::Discard { .. }
        | Input::DiscardWithDependents { .. }
        | Input::Send { .. }
        | Input::Socket { event: SocketEvent::Frame(_) | SocketEvent::Frames(_), .. }
        | Input::SnapshotLines { .. }
        | Input::Tick
        | Input::Presented { .. }
        | Input::Refetch
        | Input::ClearCache
        | Input::ClearKind { .. } => true,
    }
}

impl Draft<'_> {
    pub(crate) fn handle(&mut self, input: Input) -> Result<(), StoreError> {
        match input {
            Input::Connect => self.connect(),
            Input::Disconnect => self.link_event(Event::Disconnect),
            Input::SignedIn(session) => self.signed_in(session),
            Input::Execute { request, id, command, depends_on } => {
                self.execute(request, id, command, depends_on)?;
            }
            Input::Retry { parked, id } => self.retry(parked, id)?,
            Input::Edit { request, parked, id, command } => self.edit(request, parked, id, command)?,
            Input::Settle { request, parked, id, seen, choice } => {
                self.settle(request, parked, id, seen, choice)?;
            }
            Input::Undo { request, id } => self.undo(request, id)?,
            Input::Discard { id } => self.discard(id),
            Input::DiscardWithDependents { id } => self.discard_with_dependents(id),
            Input::Send { text } => self.send_frame(text),
            Input::Socket { generation, event } => self.on_socket(generation, event)?,
            Input::Http { id, answer } => self.on_http(id, answer)?,
            Input::SnapshotLines { id, lines } => self.on_snapshot_lines(id, &lines)?,
            Input::Tick if self.state.hold_until.is_none_or(|until| until <= self.now.boot_ms) => {
                self.compare_digest()
            }
            Input::Tick => {}
            Input::NetworkChanged { available: true } => {
                self.state.no_network = false;
                self.leave_old_network();
                self.wake_up(Event::Moved);
            }
            Input::Foreground => self.wake_up(Event::Wake),
            Input::Barrier { request } => self.raise_barrier(request),
            Input::GiveUpBarrier { request } => self.give_up_barrier(request),
            Input::Sync { until } => self.sync(until),
            Input::NetworkChanged { available: false } => {
                self.state.no_network = true;
                self.state.requests.answers = Answers::None;
                if self.state.link.is_live() {
                    self.link_event(Event::Wake);
                }
            }
            Input::Presented { effect } => self.presented(effect),
            Input::Refetch => self.refetch(),
            Input::ClearCache => self.clear_cache(),
            Input::ClearKind { kind } => self.clear_kind(kind),
            Input::CommitFailed => self.commit_failed(),
        }
        Ok(())
    }

    /// What was asked over the network that is gone would be waited for in vain, for as long as an answer may take. A snapshot
    /// goes on where it was. A refresh is waited for, since its answer must not be missed.
    fn leave_old_network(&mut self) {
        self.push_anew();
        if self.state.requests.take_for(Purpose::Snapshot) {
            self.state.snapshots.interrupt();
        }
        if self.drop_pull() {
            self.state.feed.want_pull();
        }
    }

    /// Now is a good time: whatever waits is tried.
    pub(crate) fn wake_up(&mut self, event: Event) {
        self.state.requests.answers = Answers::Untried;
        self.drop_old_pull();
        self.state.push.retry_now();
        self.state.feed.retry_now();
        self.state.snapshots.retry_now();
        self.link_event(event);
    }

    /// As [`Draft::wake_up`], and asks what is new.
    fn sync(&mut self, until: u64) {
        self.drop_old_pull();
        let under_way = self.state.requests.find(Purpose::Pull).is_some();
        self.state.feed.pull_anew(under_way);
        self.state.push.watched_until = until;
        self.state.requests.begin_trial();
        self.state.heard_at = self.boot();
        self.wake_up(Event::Wake);
    }

    /// The last step did not happen, and with it may have gone an answer, a delta or a snapshot's lines: whatever was under
    /// way is asked for anew. Operations marked as sent are simply sent again; the server knows them by their ids.
    fn commit_failed(&mut self) {
        self.drop_pull();
        self.state.requests.forget();
        self.state.push.under_way.clear();
        self.state.feed.forget_waiting();
        self.state.feed.forget_digest();
        self.state.feed.want_pull();
        self.state.snapshots.abandon();
        self.state.commit_failures += 1;
        let wait = self.state.random.backoff(self.state.commit_failures);
        self.state.hold_until = Some(self.boot() + wait);
        self.error("the phone's storage could not be written; nothing of the last step happened");
        if self.state.link.is_live() {
            self.link_event(Event::Wake);
        }
    }

    /// What is due by now, on the engine's own account.
    pub(crate) fn work(&mut self) -> Result<(), StoreError> {
        self.state.wake = None;
        if std::mem::take(&mut self.state.unchecked) {
            self.rebuild_all = true;
            self.dirty.extend(self.bases_before()?);
        }
        self.give_up_requests()?;
        self.refresh_when_due();
        self.link_when_due();
        self.snapshot_when_due();
        self.pull_when_due();
        self.push_when_due();
        Ok(())
    }

    /// What is due and writes nothing, while the disk recovers.
    pub(crate) fn keep_alive(&mut self, until: u64) {
        self.state.wake = Some(until);
        self.refresh_when_due();
        self.link_when_due();
    }

    pub(crate) fn finish(mut self, before: &State) -> Result<Step, StoreError> {
        let rows = self.settle_rows()?;
        if before.outbox.pending() > 0 && self.state.outbox.pending() == 0 {
            self.notice_drained();
        }
        if self.state.wake.is_none() {
            self.write_notices()?;
        }
        self.bound_effects()?;
        let batch = self.batch(rows, &before.meta);
        if !batch.writes.is_empty() {
            self.state.commit_failures = 0;
        }
        self.tell_status();
        self.lift_barriers();
        Ok(Step::new(batch, self.outputs, self.state))
    }

    fn tell_status(&mut self) {
        let status = SyncStatus::of(&self.state);
        if status.connection != self.state.status.connection {
            self.tell(Output::Connection(status.connection));
        }
        if status != self.state.status {
            self.tell(Output::Status(status));
        }
        self.state.status = status;
    }
}

impl State {
    pub(crate) fn deadline(&self) -> Option<(u64, &'static str)> {
        // While the disk recovers, what would write waits.
        let held = self.hold_until.unwrap_or(0);
        let named = |at: Option<u64>, why| at.map(|at| (at, why));
        let writing = |at: Option<u64>, why| at.map(|at| (at.max(held), why));
        let refreshing = !self.link.wanted || self.requests.find(Purpose::Refresh).is_some();
        let refresh = if refreshing { None } else { self.session.refresh_due() };
        [
            named(self.wake, "work to do"),
            self.link.deadline(),
            named(refresh, "token refresh"),
            writing(self.requests.deadline(), "request timeout"),
            writing(self.snapshot_deadline(), "snapshot"),
            writing(self.pull_deadline(), "pull"),
            writing(self.feed.has_digest().then_some(0), "digest"),
            writing(self.push_deadline().filter(|_| !mutant::is(Mutant::WakeMissing)), "push"),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
