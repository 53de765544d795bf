//! The snapshot: all that the person may see, streamed. The first goes straight to the screen, so that suites and my tasks
//! are usable before the rest is here; a later one is staged and swapped in whole. One that was cut goes on where it was, as
//! long as the server keeps the rest.

use std::sync::Arc;

use innsync_domain::mutant::{self, Mutant};
use innsync_domain::{Entity, EntityKind, EntityRef, Uuid};
use innsync_protocol::limits::PENDING_PER_RESUME;
use innsync_protocol::{Cursor, OpResult, SnapshotLine, SnapshotResume, SnapshotStart};

use crate::draft::Draft;
use crate::effects::unseen_loss;
use crate::engine::RELEASE;
use crate::http::{Answer, Purpose, snapshot_body};
use crate::limits::HTTP_TIMEOUT_MS;
use crate::outbox::{OpState, QueuedOp};
use crate::state::State;
use crate::status::Progress;
use crate::store::StoreError;

#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshots {
    wanted: bool,
    failures: u32,
    retry_at: u64,
    run: Option<Run>,
    /// One that was cut, to be gone on with.
    cut: Option<Run>,
}

/// A snapshot under way.
#[derive(Debug, Clone)]
struct Run {
    id: u64,
    start: Option<SnapshotStart>,
    /// Whether it is asked to go on, and has not answered yet whether it does.
    resumes: bool,
    /// Lines that came after the first.
    lines: u64,
    /// Of these, those that had come when it was last asked for.
    lines_before: u64,
    rows: u64,
    /// Sections that are whole.
    sections: u8,
    /// Whether rows are shown as they come.
    direct: bool,
    /// The alerts that came.
    alerts: Arc<Vec<EntityRef>>,
    /// The records of values of this person's that lost, that were not here before.
    lost: Arc<Vec<EntityRef>>,
    /// Something came that this release does not know.
    passed_over: bool,
    /// What its end speaks of.
    asked: Arc<Asked>,
    /// The same, if the server begins anew instead of going on.
    asked_last: Arc<Asked>,
}

/// The operations that are not confirmed, when a snapshot is asked for.
#[derive(Debug, Clone, Default)]
struct Asked {
    /// Those that it is asked about.
    about: Vec<Uuid>,
    /// Those that are taken for done.
    done_before: Vec<Uuid>,
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

    /// How far the one under way is, or the one that was cut.
    pub(crate) fn progress(&self) -> Option<Progress> {
        let run = self.run.as_ref().or(self.cut.as_ref())?;
        let start = run.start.as_ref()?;
        Some(Progress { rows: run.rows.min(start.rows), of: start.rows, sections: run.sections })
    }

    pub(crate) fn retry_now(&mut self) {
        self.retry_at = 0;
        self.failures = 0;
    }

    /// The network of the one under way is gone: it shall go on over the next, from where it is.
    pub(crate) fn interrupt(&mut self) {
        self.cut = self.run.take().filter(|run| run.start.is_some());
    }

    /// Drops the one under way; it is asked for again, from its beginning.
    pub(crate) fn abandon(&mut self) {
        self.run = None;
        self.cut = None;
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
            let cut = self.state.snapshots.cut.take();
            let resume = cut
                .as_ref()
                .and_then(|run| Some(SnapshotResume { id: run.start.as_ref()?.id?, lines: run.lines }));
            let about = self.state.outbox.unanswered(PENDING_PER_RESUME);
            let body = snapshot_body(about.clone(), resume);
            let id = self.request(Purpose::Snapshot, "/v1/snapshot".to_owned(), Some(body));
            let asked = Arc::new(Asked { about, done_before: self.state.outbox.taken() });
            let asked_last = Arc::clone(&asked);
            self.state.snapshots.run = Some(match cut.filter(|_| resume.is_some()) {
                Some(run) => Run { id, resumes: true, lines_before: run.lines, asked_last, ..run },
                None => Run { asked, asked_last, ..self.new_run(id) },
            });
        }
    }

    fn new_run(&self, id: u64) -> Run {
        // Where a kind was cleared, the rest stays on the screen meanwhile.
        let direct = !self.state.meta.has_data && self.state.meta.cursor == Cursor::default();
        Run {
            id,
            start: None,
            resumes: false,
            lines: 0,
            lines_before: 0,
            rows: 0,
            sections: 0,
            direct,
            alerts: Arc::default(),
            lost: Arc::default(),
            passed_over: false,
            asked: Arc::default(),
            asked_last: Arc::default(),
        }
    }

    pub(crate) fn on_snapshot_lines(&mut self, id: u64, lines: &[String]) -> Result<(), StoreError> {
        if self.state.snapshots.run.as_ref().is_none_or(|run| run.id != id) {
            return Ok(());
        }
        self.heard_something();
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
        let begun = run.start.is_some() && !run.resumes;
        run.lines += u64::from(begun);
        match (line, begun) {
            (SnapshotLine::Start(start), false) => {
                let same = run.start.as_ref().is_some_and(|before| before.id == start.id);
                if run.resumes && same && start.from == run.lines {
                    run.resumes = false;
                } else if start.from > 0 {
                    return Ok(Err("it goes on from somewhere else".to_owned()));
                } else {
                    let id = run.id;
                    let asked = Arc::clone(&run.asked_last);
                    let asked_last = Arc::clone(&asked);
                    let run = Run { start: Some(start), asked, asked_last, ..self.new_run(id) };
                    if run.direct {
                        self.clear_mirror()
                    } else {
                        self.clear_stage()
                    }
                    self.state.snapshots.run = Some(run);
                }
                self.answered_by_ours();
            }
            (SnapshotLine::Row(row), true) => {
                run.rows += 1;
                if matches!(row, Entity::Alert(_)) {
                    Arc::make_mut(&mut run.alerts).push(row.reference());
                }
                let direct = run.direct;
                // Of the first nothing is news.
                let record = row.reference();
                let is_loss = !direct && unseen_loss(&row, self.config.employee).is_some();
                if is_loss && self.base_before(&record)?.is_none() {
                    self.remember_loss(record);
                }
                self.take_row(row, direct);
            }
            (SnapshotLine::End { results }, true) => return self.end_snapshot(&results),
            (SnapshotLine::Unknown, true) => run.passed_over = true,
            (SnapshotLine::Section { .. }, true) => run.sections = run.sections.saturating_add(1),
            (SnapshotLine::Start(_), true) => return Ok(Err("it began twice".to_owned())),
            (_, false) => return Ok(Err("it has no beginning".to_owned())),
        }
        Ok(Ok(()))
    }

    fn remember_loss(&mut self, record: EntityRef) {
        if let Some(run) = &mut self.state.snapshots.run {
            Arc::make_mut(&mut run.lost).push(record);
        }
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
        let cleared_at = std::mem::take(&mut self.state.meta.cleared_at);
        let mine = self.state.meta.cursor;
        let mine = if mine.epoch == 0 { cleared_at } else { mine };
        let other_history = std::mem::take(&mut self.state.meta.other_history)
            || (mine.epoch != 0 && !may_follow(&mine, &start.cursor));
        self.rebuild_all = true;
        self.state.meta.cursor = start.cursor;
        self.state.meta.has_data = true;
        self.state.meta.property = Some(start.property);
        self.state.meta.passed_over = run.passed_over.then(|| RELEASE.to_owned());
        self.state.snapshots.wanted = false;
        self.state.snapshots.failures = 0;
        let results = if mutant::is(Mutant::SnapshotWithoutOutcomes) { &[] } else { results };
        for result in results {
            self.on_result(result)?;
        }
        // What is done here can be refused in another history, by a request that came late.
        let done = results.iter().filter(|result| result.result.seq().is_some());
        let answered: Vec<Uuid> = done.map(|result| result.id).collect();
        // It knows of no operation that was taken since.
        let head = start.cursor.seq;
        let Asked { about, done_before } = &*run.asked;
        let was_asked = |id, seq| about.contains(&id) && (seq <= head || done_before.contains(&id));
        self.offer_again(|id, seq| !answered.contains(&id) && (other_history || was_asked(id, seq)));
        // Without a cursor nobody knows whether it is the same one.
        if other_history || mine.epoch == 0 {
            self.forget_dependencies();
        }
        self.confirm_reached();
        self.silence_what_is_over()?;
        for alert in run.alerts.iter() {
            self.ring(alert)?;
        }
        for record in run.lost.iter() {
            if let Some(Entity::Conflict(conflict)) = self.mirror_row(record)? {
                self.tell_lost(&conflict)?;
            }
        }
        if let Some(at) = self.state.clock.at(self.boot()) {
            self.up_to_date(at);
        }
        self.drop_pull();
        self.state.feed.forget_waiting();
        // The server continues from here on the socket; whatever came between is pulled in any case.
        self.resume();
        // Frames that are on their way may pass for its answer; the pull says what was lost.
        self.state.feed.forget_done_before_resume();
        self.state.feed.want_pull();
        Ok(Ok(()))
    }

    /// After a restored backup, what had been confirmed but has not reached this phone's mirror may be unknown to the
    /// server: it is sent again, and the server knows it by its id if it still has it.
    /// `is_lost` is asked with its id and the commit that was named.
    pub(crate) fn offer_again(&mut self, is_lost: impl Fn(Uuid, u64) -> bool) {
        let applied =
            |op: &QueuedOp| matches!(op.state, OpState::Applied { seq, .. } if is_lost(op.op.id, seq));
        let lost: Vec<_> = self.state.outbox.iter().filter(|op| applied(op)).cloned().collect();
        for op in lost {
            self.set_op_state(&op, OpState::Queued);
        }
    }

    /// What has left the outbox did succeed, but the server may not know it any more: whatever depends on it would wait for
    /// ever.
    fn forget_dependencies(&mut self) {
        let gone = |op: &QueuedOp| op.op.depends_on.iter().any(|id| self.state.outbox.get(*id).is_none());
        let dependents: Vec<_> = self.state.outbox.iter().filter(|op| gone(op)).cloned().collect();
        for op in dependents {
            let mut op = QueuedOp::clone(&op);
            op.op.depends_on.retain(|id| self.state.outbox.get(*id).is_some());
            self.put_op(op);
        }
    }

    pub(crate) fn on_snapshot_answer(&mut self, id: u64, answer: Answer) {
        if self.state.snapshots.run.as_ref().is_none_or(|run| run.id != id) {
            return;
        }
        match answer {
            Answer::Body(_) => {
                self.error("a snapshot was cut before its end");
                self.snapshot_cut(None);
            }
            // The refresh is under way; the snapshot is asked for after it.
            Answer::Unauthorized => self.state.snapshots.interrupt(),
            Answer::TooLarge => self.snapshot_failed(None),
            Answer::Later { after, .. } => self.snapshot_cut(after),
        }
    }

    /// It broke off; what has come of it is kept, and it shall go on from there.
    fn snapshot_cut(&mut self, after: Option<u64>) {
        let run = self.state.snapshots.run.clone().filter(|run| run.start.is_some());
        // What makes headway need not wait as long as what never begins.
        if run.as_ref().is_some_and(|run| run.lines > run.lines_before) {
            self.state.snapshots.failures = 0;
        }
        self.snapshot_failed(after);
        self.state.snapshots.cut = run;
    }

    fn snapshot_failed(&mut self, after: Option<u64>) {
        if let Some(run) = self.state.snapshots.run.take() {
            self.state.requests.take(run.id);
        }
        let snapshots = &mut self.state.snapshots;
        snapshots.cut = None;
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
        let cursor = std::mem::take(&mut self.state.meta.cursor);
        if cursor.epoch != 0 {
            self.state.meta.cleared_at = cursor;
        }
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
        self.state.snapshots.cut = None;
        self.state.meta.has_data = false;
        self.state.meta.up_to_date_as_of = None;
        self.refetch();
    }
}

/// Whether a snapshot of `next`, that was asked for at `mine`, can be of the same history. A server that was restored from a
/// backup, and nobody said so, shows by having less, or something else at that place; where it has come further since, it
/// answers RESUME and pulls with RESET, unless for another reason.
fn may_follow(mine: &Cursor, next: &Cursor) -> bool {
    let is_same_place = mine.seq == next.seq;
    mine.epoch == next.epoch && mine.seq <= next.seq && (!is_same_place || mine.mark == next.mark)
}
