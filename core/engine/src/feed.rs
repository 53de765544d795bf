//! The feed: deltas applied in order, gaps pulled.
//!
//! ```text
//!   to ≤ mine            nothing new (its results still count)
//!   from ≤ mine < to     the commits after mine
//!   from > mine          a gap: pull; what arrives meanwhile waits and is looked at again afterwards
//!   another epoch/mark   pull; the server answers RESET
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use innsync_domain::mutant::{self, Mutant};
use innsync_domain::{Timestamp, Uuid, ViewChange, derive};
use innsync_protocol::{Cursor, Delta, Digest, Reset, ResetReason, SyncAnswer};

use crate::draft::Draft;
use crate::effects::News;
use crate::engine::RELEASE;
use crate::http::{Answer, Answers, Purpose, sync_path};
use crate::limits::{DIGEST_EVERY_MS, FRAMES_BUFFERED, POLL_MS};
use crate::outbox::OpState;
use crate::output::{ClientEvent, Output};
use crate::state::{State, sooner};
use crate::store::StoreError;

#[derive(Debug, Clone, Default)]
pub(crate) struct Feed {
    /// Something is missing, or may be.
    wanted: bool,
    /// The pull under way was asked for too early: another is to follow it.
    again: bool,
    /// The server was told where the phone stands and has not said yet what came since.
    unanswered: bool,
    /// The server has answered RESUME on this connection, and goes on from the cursor.
    goes_on: bool,
    failures: u32,
    retry_at: u64,
    /// How many pulls were begun.
    begun: u64,
    /// Which of them was the last to bring everything that the server had.
    whole: u64,
    /// The operations that were taken for done when the last of them was begun.
    done_before: Arc<Vec<Uuid>>,
    /// Frames that came while a pull was under way.
    buffer: Arc<VecDeque<Arc<Delta>>>,
    /// When to pull where there is no socket.
    poll_at: u64,
    /// When to ask for a digest.
    digest_at: u64,
    /// What the mirror should be, at that place in the feed.
    expected: Option<(u64, Digest)>,
}

impl Feed {
    /// A feed that asks for its first digest at that moment.
    pub(crate) fn new(digest_at: u64) -> Self {
        Self { digest_at, ..Self::default() }
    }

    /// How many pulls were begun.
    pub(crate) fn pulls_begun(&self) -> u64 {
        self.begun
    }

    /// Which of them, counted from 1, was the last after which nothing was missing; 0: none yet.
    pub(crate) fn pulls_whole(&self) -> u64 {
        self.whole
    }

    /// Whether a digest waits to be compared.
    pub(crate) fn has_digest(&self) -> bool {
        self.expected.is_some()
    }

    pub(crate) fn want_pull(&mut self) {
        self.wanted = true;
    }

    /// What is new is to be asked for after this moment; `under_way`: a pull was asked for before it.
    pub(crate) fn pull_anew(&mut self, under_way: bool) {
        self.wanted = true;
        self.again = under_way;
    }

    /// Whether a pull is wanted.
    pub(crate) fn wants_pull(&self) -> bool {
        self.wanted
    }

    /// RESUME was sent. What came before may be of another history: the server may have been restored from a backup since.
    pub(crate) fn resumed(&mut self) {
        self.unanswered = true;
        self.goes_on = false;
        self.forget_frames();
    }

    /// Whether the phone knows, or must assume, that it lacks something.
    pub(crate) fn is_behind(&self) -> bool {
        self.wanted || self.unanswered
    }

    pub(crate) fn retry_now(&mut self) {
        self.retry_at = 0;
        self.failures = 0;
    }

    /// What was to be compared with a digest may not have been committed.
    pub(crate) fn forget_digest(&mut self) {
        self.expected = None;
    }

    pub(crate) fn forget_frames(&mut self) {
        self.buffer = Arc::default();
    }
}

/// How a delta lies to the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Old,
    Next,
    Gap,
    Foreign,
}

fn fit(mine: &Cursor, delta: &Delta) -> Fit {
    let is_other = delta.mark != mine.mark && !mutant::is(Mutant::MarkIgnored);
    if delta.epoch != mine.epoch || (delta.to == mine.seq && is_other) {
        Fit::Foreign
    } else if delta.to <= mine.seq {
        Fit::Old
    } else if delta.from <= mine.seq {
        Fit::Next
    } else {
        Fit::Gap
    }
}

impl Draft<'_> {
    /// A delta from the socket.
    pub(crate) fn on_delta(&mut self, delta: Delta) -> Result<(), StoreError> {
        for result in &delta.results {
            self.on_result(result)?;
        }
        // A snapshot that is due or under way brings it; what comes after it is asked for then.
        if !self.state.meta.has_data || self.state.snapshots.is_due() {
            return Ok(());
        }
        let goes_on = fit(&self.state.meta.cursor, &delta) != Fit::Foreign;
        if goes_on && !std::mem::replace(&mut self.state.feed.goes_on, goes_on) && !delta.more {
            self.offer_unheard(&delta, |seq| seq > delta.to);
        }
        if self.state.requests.find(Purpose::Pull).is_none() {
            return self.fit_in(&delta);
        }
        let buffer = Arc::make_mut(&mut self.state.feed.buffer);
        if buffer.len() < FRAMES_BUFFERED {
            buffer.push_back(Arc::new(delta));
        } else {
            buffer.clear();
            self.state.feed.want_pull();
        }
        Ok(())
    }

    fn fit_in(&mut self, delta: &Delta) -> Result<(), StoreError> {
        let fit = fit(&self.state.meta.cursor, delta);
        if matches!(fit, Fit::Old | Fit::Next) {
            self.state.feed.unanswered &= delta.more;
        }
        match fit {
            Fit::Old => {
                self.confirm_reached();
                Ok(())
            }
            Fit::Next => self.apply_delta(delta),
            Fit::Gap | Fit::Foreign => {
                self.state.feed.want_pull();
                Ok(())
            }
        }
    }

    /// Takes the commits after the cursor over into the mirror.
    fn apply_delta(&mut self, delta: &Delta) -> Result<(), StoreError> {
        let mine = self.state.meta.cursor.seq;
        let me = self.config.employee;
        let mut news = Vec::new();
        let mut last = None;
        for commit in delta.commits.iter().filter(|commit| commit.seq > mine) {
            last = Some(commit.at);
            let mut told = News::of(delta.epoch, commit);
            for change in &commit.changes {
                match change {
                    ViewChange::Upsert { entity, .. } => {
                        self.mirror.insert(entity.reference(), Some(entity.clone()));
                    }
                    ViewChange::Remove { entity, .. } => {
                        self.mirror.insert(entity.clone(), None);
                    }
                    ViewChange::Unsupported { .. } => {
                        self.state.meta.passed_over = Some(RELEASE.to_owned());
                    }
                }
                told.events.extend(derive(change, commit.by, commit.at, me));
            }
            news.push(told);
        }
        self.state.meta.cursor = Cursor { epoch: delta.epoch, seq: delta.to, mark: delta.mark };
        self.offer_unheard(delta, |seq| mine < seq && seq <= delta.to);
        self.confirm_reached();
        self.silence_what_is_over()?;
        for told in news {
            self.tell_news(&told)?;
            for event in told.events {
                self.tell(Output::Event(ClientEvent::Domain(event)));
            }
        }
        if delta.more {
            self.state.feed.want_pull();
        } else if let Some(at) = self.state.clock.at(self.boot()).or(last) {
            self.up_to_date(at);
        }
        Ok(())
    }

    /// The server names the operations of this person that it took, wherever it tells of a commit. Those that are taken
    /// for done at such a place, and that it does not name there as done, were done in a history that it has lost since,
    /// without this phone having seen their commits: they are sent again, and it knows them by their ids if it has them
    /// after all.
    fn offer_unheard(&mut self, delta: &Delta, concerned: impl Fn(u64) -> bool) {
        let is_named = |id| delta.results.iter().any(|it| it.id == id && it.result.seq().is_some());
        self.offer_again(|id, seq| concerned(seq) && !is_named(id));
    }

    /// The feed ends at `head`, and these were taken for done before that was asked: those whose commits are to come after it
    /// were done in a history that the server has lost since. They are sent again.
    fn offer_lost(&mut self, head: u64, done_before: &[Uuid]) {
        self.offer_again(|id, seq| seq > head && done_before.contains(&id));
    }

    /// The mirror was whole at that time of the server's.
    pub(crate) fn up_to_date(&mut self, at: Timestamp) {
        let known = &mut self.state.meta.up_to_date_as_of;
        if known.is_none_or(|known| known < at) {
            *known = Some(at);
        }
    }

    pub(crate) fn on_reset(&mut self, reset: &Reset) {
        self.state.feed.forget_frames();
        self.state.feed.wanted = false;
        self.state.feed.again = false;
        self.state.snapshots.want();
        self.state.meta.other_history |= reset.reason == ResetReason::History;
    }

    pub(crate) fn on_pull_answer(&mut self, answer: Answer) -> Result<(), StoreError> {
        let body = match answer {
            Answer::Body(body) => body,
            // The refresh is under way; the pull goes on after it.
            Answer::Unauthorized => {
                self.state.feed.wanted = true;
                return Ok(());
            }
            Answer::TooLarge => {
                self.pull_failed(None);
                return Ok(());
            }
            Answer::Later { after, .. } => {
                self.pull_failed(after);
                return Ok(());
            }
        };
        match SyncAnswer::parse(&body) {
            Ok(SyncAnswer::Delta(delta)) => {
                self.answered_by_ours();
                self.on_pulled(&delta)
            }
            Ok(SyncAnswer::Reset(reset)) => {
                self.answered_by_ours();
                self.state.feed.failures = 0;
                self.on_reset(&reset);
                Ok(())
            }
            Err(error) => {
                self.answered_by_another();
                self.error(format!("a pull's answer could not be read: {error}"));
                self.pull_failed(None);
                Ok(())
            }
        }
    }

    fn on_pulled(&mut self, delta: &Delta) -> Result<(), StoreError> {
        let before = self.state.meta.cursor;
        for result in &delta.results {
            self.on_result(result)?;
        }
        self.state.feed.wanted = false;
        if self.state.meta.has_data && !self.state.snapshots.is_due() {
            self.fit_in(delta)?;
            // It counts once the rows that it is about are on the disk.
            let reached = fit(&self.state.meta.cursor, delta) == Fit::Old;
            if reached && !delta.more {
                self.state.feed.whole = self.state.feed.begun;
                let done_before = std::mem::take(&mut self.state.feed.done_before);
                self.offer_lost(delta.to, &done_before);
            }
            self.state.feed.expected = delta.digest.filter(|_| reached).map(|digest| (delta.to, digest));
            let waiting = std::mem::take(&mut self.state.feed.buffer);
            for frame in waiting.iter() {
                self.fit_in(frame)?;
            }
        }
        let moved = self.state.meta.cursor != before;
        if self.state.feed.wanted && !moved {
            // The answer was no help; asking again at once would not be either.
            self.pull_failed(None);
        } else {
            self.state.feed.failures = 0;
            self.state.feed.retry_at = 0;
        }
        self.state.feed.wanted |= std::mem::take(&mut self.state.feed.again);
        Ok(())
    }

    fn pull_failed(&mut self, after: Option<u64>) {
        let feed = &mut self.state.feed;
        feed.wanted = true;
        feed.failures += 1;
        let wait = self.state.random.backoff(feed.failures).max(after.unwrap_or(0));
        feed.retry_at = match std::mem::take(&mut feed.again) {
            // It was asked for before it was known that now is a good time.
            true if after.is_none() => 0,
            _ => self.now.boot_ms.saturating_add(wait),
        };
        // Frames that wait are covered by the next pull.
        feed.forget_frames();
    }

    /// Pulls, if something is missing, or if it is time to look where there is no socket.
    pub(crate) fn pull_when_due(&mut self) {
        let now = self.boot();
        if self.state.pull_deadline().is_some_and(|at| at <= now) {
            self.state.feed.wanted = true;
            self.state.feed.poll_at = now + POLL_MS;
            let mut path = sync_path(&self.state.meta.cursor);
            if self.state.feed.digest_at <= now {
                path.push_str("&digest=true");
                self.state.feed.digest_at =
                    now + DIGEST_EVERY_MS / 2 + self.state.random.within(DIGEST_EVERY_MS);
            }
            self.state.feed.begun += 1;
            let done = self.state.outbox.iter().filter(|op| matches!(op.state, OpState::Applied { .. }));
            self.state.feed.done_before = Arc::new(done.map(|op| op.op.id).collect());
            self.request(Purpose::Pull, path, None);
        }
    }

    /// Compares the mirror with the digest that the server gave of it, and fetches everything anew where they differ: a
    /// mistake of ours, or rows that were damaged.
    pub(crate) fn compare_digest(&mut self) {
        let Some((seq, expected)) = self.state.feed.expected.take() else { return };
        let meta = &self.state.meta;
        let comparable = meta.has_data && meta.cursor.seq == seq && meta.passed_over.is_none();
        if !comparable || self.state.snapshots.is_due() {
            return;
        }
        let found = match self.digest_before() {
            Ok(found) => found,
            Err(error) => {
                self.error(format!("what is here could not be compared with the server: {error}"));
                return;
            }
        };
        if found != expected {
            self.state.meta.healed += 1;
            self.error(format!(
                "what is here is not what the server has at {seq} ({} rows, {} there); it is fetched anew",
                found.rows, expected.rows
            ));
            self.refetch();
        }
    }
}

impl State {
    /// When a pull is due, because something is missing or because it is time to look: where no WebSocket can be had, the
    /// phone polls.
    pub(crate) fn pull_deadline(&self) -> Option<u64> {
        if !self.meta.has_data
            || self.snapshots.is_due()
            || !self.may_request()
            || self.requests.find(Purpose::Pull).is_some()
        {
            return None;
        }
        let polls = !self.link.is_live() && self.link.attempts > 0;
        let is_wanted = self.feed.wanted || self.barriers.want_pull(&self.feed);
        let missing = is_wanted.then_some(self.feed.retry_at);
        let look = if polls {
            Some(self.feed.poll_at)
        } else {
            self.server_answers().then_some(self.feed.digest_at)
        };
        sooner(missing, look.map(|at| at.max(self.feed.retry_at)))
    }

    /// Whether RESUME was answered on this connection: until then what is missing is on its way.
    pub(crate) fn server_goes_on_from_cursor(&self) -> bool {
        self.link.is_live() && self.feed.goes_on && !self.snapshots.is_due()
    }

    /// Whether requests other than the probing ones are worth making.
    pub(crate) fn server_answers(&self) -> bool {
        self.link.is_live() || self.requests.answers != Answers::None
    }
}
