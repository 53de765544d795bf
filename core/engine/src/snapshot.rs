//! The snapshot: all that the person may see, streamed. The first goes straight to the screen, so that suites and my tasks
//! are usable before the rest is here; a later one is staged and swapped in whole.

use std::sync::Arc;

use innsync_domain::{Entity, EntityKind, EntityRef, Uuid};
use innsync_protocol::limits::PENDING_PER_RESUME;
use innsync_protocol::{Cursor, OpResult, SnapshotLine, SnapshotStart};

use crate::draft::Draft;
use crate::engine::RELEASE;
use crate::http::{Answer, Purpose, snapshot_body};
use crate::limits::HTTP_TIMEOUT_MS;
use crate::outbox::OpState;
use crate::state::State;
use crate::store::StoreError;

#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshots {
    wanted: bool,
    failures: u32,
    retry_at: u64,
    run: Option<Run>,
}

/// A snapshot under way.
#[derive(Debug, Clone)]
struct Run {
    id: u64,
    start: Option<SnapshotStart>,
    rows: u64,
    /// Whether rows are shown as they come.
    direct: bool,
    /// The alerts that came.
    alerts: Arc<Vec<EntityRef>>,
    /// Something came that this release does not know.
    passed_over: bool,
}

impl Snapshots {
    pub(crate) fn want(&mut self) {
        self.wanted = true;
    }

    /// Whether one is wanted or under way.
    pub(crate) fn is_due(&self) -> bool {
        self.wanted
    }

    /// Whether one is under way whose rows are shown as they come.
    pub(crate) fn shows_rows(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.direct)
    }

    pub(crate) fn retry_now(&mut self) {
        self.retry_at = 0;
        self.failures = 0;
    }

    /// Drops the one under way; it is asked for again.
    pub(crate) fn abandon(&mut self) {
        self.run = None;
    }
}

impl State {
    /// When a wanted snapshot may be asked for.
    pub(crate) fn snapshot_deadline(&self) -> Option<u64> {
        let free = self.requests.find(Purpose::Snapshot).is_none();
        (self.snapshots.wanted && self.may_request() && free).then_some(self.snapshots.retry_at)
    }

    pub(crate) fn snapshot_under_way(&self) -> bool {
        self.snapshots.run.is_some()
    }
}

impl Draft<'_> {
    /// Asks for a snapshot, if one is wanted.
    pub(crate) fn snapshot_when_due(&mut self) {
        if self.state.snapshot_deadline().is_some_and(|at| at <= self.boot()) {
            let body = snapshot_body(self.state.outbox.unanswered(PENDING_PER_RESUME));
            let id = self.request(Purpose::Snapshot, "/v1/snapshot".to_owned(), Some(body));
            // Where a kind was cleared, the rest stays on the screen meanwhile.
            let direct = !self.state.meta.has_data && self.state.meta.cursor == Cursor::default();
            self.state.snapshots.run =
                Some(Run { id, start: None, rows: 0, direct, alerts: Arc::default(), passed_over: false });
        }
    }

    pub(crate) fn on_snapshot_lines(&mut self, id: u64, lines: &[String]) -> Result<(), StoreError> {
        if self.state.snapshots.run.as_ref().is_none_or(|run| run.id != id) {
            return Ok(());
        }
        let until = self.boot() + HTTP_TIMEOUT_MS;
        self.state.requests.prolong(id, until);
        for line in lines {
            let read = match SnapshotLine::parse(line) {
                Ok(line) => self.on_snapshot_line(line)?,
                Err(error) => Err(error.to_string()),
            };
            if let Err(detail) = read {
                self.answered_by_another();
                self.error(format!("a snapshot could not be used: {detail}"));
                self.snapshot_failed(None);
                return Ok(());
            }
        }
        Ok(())
    }

    /// The inner error says why the snapshot cannot be used.
    fn on_snapshot_line(&mut self, line: SnapshotLine) -> Result<Result<(), String>, StoreError> {
        let Some(run) = &mut self.state.snapshots.run else { return Ok(Ok(())) };
        match (line, run.start.is_some()) {
            (SnapshotLine::Start(start), false) => {
                run.start = Some(start);
                let direct = run.direct;
                self.answered_by_ours();
                if direct { self.clear_mirror() } else { self.clear_stage() }
            }
            (SnapshotLine::Row(row), true) => {
                run.rows += 1;
                if matches!(row, Entity::Alert(_)) {
                    Arc::make_mut(&mut run.alerts).push(row.reference());
                }
                let direct = run.direct;
                self.take_row(row, direct);
            }
            (SnapshotLine::End { results }, true) => return self.end_snapshot(&results),
            (SnapshotLine::Unknown, true) => run.passed_over = true,
            (SnapshotLine::Section { .. }, true) => {}
            (SnapshotLine::Start(_), true) => return Ok(Err("it began twice".to_owned())),
            (_, false) => return Ok(Err("it has no beginning".to_owned())),
        }
        Ok(Ok(()))
    }

    fn take_row(&mut self, row: Entity, direct: bool) {
        if direct {
            self.mirror.insert(row.reference(), Some(row));
        } else {
            self.stage(row);
        }
    }

    fn end_snapshot(&mut self, results: &[OpResult]) -> Result<Result<(), String>, StoreError> {
        let Some(run) = self.state.snapshots.run.take() else { return Ok(Ok(())) };
        let Some(start) = run.start else { return Ok(Err("it has no beginning".to_owned())) };
        // Rows of kinds that this release does not know are counted by the server alone.
        if run.rows > start.rows {
            return Ok(Err(format!("{} rows came instead of {}", run.rows, start.rows)));
        }
        if !run.direct {
            self.swap_stage();
        }
        let mine = self.state.meta.cursor;
        let other_history = std::mem::take(&mut self.state.meta.other_history)
            || (mine.epoch != 0 && mine.epoch != start.cursor.epoch);
        self.rebuild_all = true;
        self.state.meta.cursor = start.cursor;
        self.state.meta.has_data = true;
        self.state.meta.property = Some(start.property);
        self.state.meta.passed_over = run.passed_over.then(|| RELEASE.to_owned());
        self.state.snapshots.wanted = false;
        self.state.snapshots.failures = 0;
        for result in results {
            self.on_result(result)?;
        }
        if other_history {
            let answered: Vec<Uuid> = results.iter().map(|result| result.id).collect();
            self.offer_again(&answered);
        }
        self.confirm_reached();
        self.silence_what_is_over()?;
        for alert in run.alerts.iter() {
            self.ring(alert)?;
        }
        if let Some(at) = self.state.clock.at(self.boot()) {
            self.up_to_date(at);
        }
        self.state.feed.forget_frames();
        // The server continues from here on the socket; whatever came between is pulled in any case.
        self.resume();
        self.state.feed.want_pull();
        Ok(Ok(()))
    }

    /// After a restored backup, what had been confirmed but has not reached this phone's mirror may be unknown to the
    /// server: it is sent again, and the server knows it by its id if it still has it.
    fn offer_again(&mut self, answered: &[Uuid]) {
        let lost: Vec<_> = self
            .state
            .outbox
            .iter()
            .filter(|op| matches!(op.state, OpState::Applied { .. }) && !answered.contains(&op.op.id))
            .cloned()
            .collect();
        for op in lost {
            self.set_op_state(&op, OpState::Queued);
        }
    }

    pub(crate) fn on_snapshot_answer(&mut self, id: u64, answer: Answer) {
        if self.state.snapshots.run.as_ref().is_none_or(|run| run.id != id) {
            return;
        }
        match answer {
            Answer::Body(_) => {
                self.error("a snapshot was cut before its end");
                self.snapshot_failed(None);
            }
            // The refresh is under way; the snapshot is asked for after it.
            Answer::Unauthorized => self.state.snapshots.run = None,
            Answer::TooLarge => self.snapshot_failed(None),
            Answer::Later { after, .. } => self.snapshot_failed(after),
        }
    }

    fn snapshot_failed(&mut self, after: Option<u64>) {
        if let Some(run) = self.state.snapshots.run.take() {
            self.state.requests.take(run.id);
        }
        let snapshots = &mut self.state.snapshots;
        snapshots.wanted = true;
        snapshots.failures += 1;
        let wait = self.state.random.backoff(snapshots.failures).max(after.unwrap_or(0));
        snapshots.retry_at = self.now.boot_ms.saturating_add(wait);
    }

    /// Everything but the outbox shall be fetched anew.
    pub(crate) fn refetch(&mut self) {
        self.state.snapshots.want();
        self.state.snapshots.retry_now();
    }

    /// Everything but the outbox shall be forgotten, and fetched when possible.
    pub(crate) fn clear_cache(&mut self) {
        self.clear_mirror();
        self.state.meta.cursor = Cursor::default();
        self.fetch_all();
    }

    /// Everything of one kind shall be forgotten, and fetched when possible: with all the rest, since there is one feed and
    /// one place in it.
    pub(crate) fn clear_kind(&mut self, kind: EntityKind) {
        self.clear_rows_of(kind);
        self.fetch_all();
    }

    fn fetch_all(&mut self) {
        if let Some(run) = self.state.snapshots.run.take() {
            self.state.requests.take(run.id);
        }
        self.state.meta.has_data = false;
        self.state.meta.up_to_date_as_of = None;
        self.refetch();
    }
}
