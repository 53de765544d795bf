//! The feed: deltas applied in order, gaps pulled.
//!
//! ```text
//!   to ≤ mine            nothing new (its results count where it ends there)
//!   from ≤ mine < to     the commits after mine
//!   from > mine          a gap: pull; what arrives meanwhile waits and is looked at again afterwards
//!   another epoch/mark   pull; the server answers RESET
//! ```
//!
//! A pull that outlives its connection: [`crate::late_pull`].

use std::collections::VecDeque;
use std::sync::Arc;

use innsync_domain::mutant::{self, Mutant};
use innsync_domain::{Timestamp, Uuid, ViewChange, derive};
use innsync_protocol::{Cursor, Delta, Digest, Reset, ResetReason, SyncAnswer};

use crate::draft::Draft;
use crate::effects::News;
use crate::engine::RELEASE;
use crate::http::{Answer, Answers, Purpose, sync_path};
use crate::late_pull::LatePages;
use crate::limits::{DIGEST_EVERY_MS, DIGEST_FIRST_MS, FRAMES_BUFFERED, POLL_MS};
use crate::link::{Event, Loss};
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
    /// When to ask what became of operations that were taken, if some still are.
    doubt_at: Option<u64>,
    /// What the mirror should be, at that place in the feed.
    expected: Option<(u64, Digest)>,
    /// How often RESUME was said.
    resumes: u64,
    /// It was said without a cursor on this connection: the server knows no such history, and says so before it answers
    /// another.
    resumed_blank: bool,
    /// The operations that were taken for done when it was said last.
    done_before_resume: Arc<Vec<Uuid>>,
    /// The pull under way.
    asked: Asked,
    /// What pulls that outlived their connection have brought.
    pub(crate) late: LatePages,
}

/// What a pull was asked for.
#[derive(Debug, Clone, Copy, Default)]
struct Asked {
    /// How often RESUME had been said.
    resumes: u64,
    /// From the end of the late pages.
    after_late: bool,
    /// With a digest.
    digest: bool,
}

impl Feed {
    /// A feed that asks for its first digest at that moment.
    pub(crate) fn new(digest_at: u64) -> Self {
        Self { digest_at, ..Self::default() }
    }

    /// Where operations that were taken still are at that moment, it is asked what became of them.
    pub(crate) fn doubt_taken(&mut self, at: u64) {
        self.doubt_at.get_or_insert(at);
    }

    /// No operations are taken and not confirmed.
    pub(crate) fn trust(&mut self) {
        self.doubt_at = None;
    }

    /// How often RESUME was said.
    pub(crate) fn resumes(&self) -> u64 {
        self.resumes
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

    pub(crate) fn want_no_pull(&mut self) {
        self.wanted = false;
    }

    /// The last one was of use, and another is to follow it at once.
    pub(crate) fn pull_on(&mut self) {
        (self.wanted, self.again) = (true, false);
        (self.failures, self.retry_at) = (0, 0);
    }

    /// Whether RESUME was said since the last pull was asked for.
    pub(crate) fn pull_is_late(&self) -> bool {
        self.asked.resumes != self.resumes
    }

    /// Whether a pull is wanted.
    pub(crate) fn wants_pull(&self) -> bool {
        self.wanted
    }

    /// Another connection begins.
    pub(crate) fn connected(&mut self) {
        self.resumed_blank = false;
    }

    /// RESUME was sent. What came before may be of another history: the server may have been restored from a backup since.
    pub(crate) fn resumed(&mut self, at: Cursor, done_before: Vec<Uuid>) {
        self.resumed_blank |= at.epoch == 0;
        self.done_before_resume = Arc::new(done_before);
        self.unanswered = true;
        self.goes_on = false;
        self.resumes += 1;
        self.late.resumed();
        self.forget_frames();
    }

    /// The answer to RESUME cannot be told from other frames.
    pub(crate) fn forget_done_before_resume(&mut self) {
        self.done_before_resume = Arc::default();
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

    fn forget_frames(&mut self) {
        self.buffer = Arc::default();
    }

    /// Everything that waits to be taken.
    pub(crate) fn forget_waiting(&mut self) {
        self.forget_frames();
        self.late = LatePages::default();
    }
}

/// How a delta lies to the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    Old,
    Next,
    Gap,
    Foreign,
}

pub(crate) fn fit(mine: &Cursor, delta: &Delta) -> Fit {
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
        if !self.is_overtaken(&delta) {
            for result in &delta.results {
                self.on_result(result)?;
            }
        }
        // A snapshot that is due or under way brings it; what comes after it is asked for then.
        if !self.state.meta.has_data || self.state.snapshots.is_due() {
            return Ok(());
        }
        if self.state.feed.late.is_followed_by(&delta) {
            self.take_late_pages()?;
        }
        let goes_on = fit(&self.state.meta.cursor, &delta) != Fit::Foreign;
        self.state.feed.resumed_blank &= !goes_on;
        if !goes_on && self.state.link.is_live() {
            return self.leave_foreign();
        }
        if goes_on && !std::mem::replace(&mut self.state.feed.goes_on, goes_on) && !delta.more {
            let done_before = std::mem::take(&mut self.state.feed.done_before_resume);
            self.offer_unheard(&delta, |id, seq| seq > delta.to && done_before.contains(&id));
        }
        let fits = matches!(fit(&self.state.meta.cursor, &delta), Fit::Old | Fit::Next);
        // One that outlived its connection may take long, and what is live does not wait for it.
        let waits =
            self.state.requests.find(Purpose::Pull).is_some() && !(fits && self.state.feed.pull_is_late());
        if !waits {
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

    /// The socket tells of a history that is not the phone's, and was not told to reset: it is one of a server that was restored
    /// since, or the phone is. Nothing more is believed of it; the next one is asked with RESUME.
    fn leave_foreign(&mut self) -> Result<(), StoreError> {
        self.state.feed.forget_frames();
        self.state.feed.want_pull();
        self.link_event(Event::Lost(Loss::Silent("Another history")));
        Ok(())
    }

    /// Whether the phone is past it, or in another history: what it says of operations was said again since, or is of a
    /// history that the server has lost.
    fn is_overtaken(&self, delta: &Delta) -> bool {
        let mine = &self.state.meta.cursor;
        match fit(mine, delta) {
            Fit::Old => delta.to < mine.seq,
            Fit::Foreign => self.state.meta.has_data && delta.epoch <= mine.epoch,
            Fit::Next | Fit::Gap => false,
        }
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
    pub(crate) fn apply_delta(&mut self, delta: &Delta) -> Result<(), StoreError> {
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
        self.offer_unheard(delta, |_, seq| mine < seq && seq <= delta.to);
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
    fn offer_unheard(&mut self, delta: &Delta, concerned: impl Fn(Uuid, u64) -> bool) {
        let is_named = |id| delta.results.iter().any(|it| it.id == id && it.result.seq().is_some());
        self.offer_again(|id, seq| concerned(id, seq) && !is_named(id));
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

    /// The server's answer to RESUME. Where that was said without a cursor it knows no such history, which is no news.
    pub(crate) fn on_reset_frame(&mut self, reset: &Reset) {
        self.on_reset(reset.reason == ResetReason::History && !self.state.feed.resumed_blank);
    }

    fn on_reset(&mut self, other_history: bool) {
        self.state.feed.forget_waiting();
        self.state.feed.wanted = false;
        self.state.feed.again = false;
        self.state.snapshots.want();
        self.state.meta.other_history |= other_history;
        if other_history {
            // Before anything later is sent. What is under way may still be answered by the server that was.
            self.push_anew();
            self.offer_again(|_, _| true);
        }
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
            Ok(answer) if self.state.feed.pull_is_late() => {
                self.answered_by_ours();
                self.on_late_pull(answer)
            }
            Ok(SyncAnswer::Delta(delta)) => {
                self.answered_by_ours();
                self.on_pulled(&delta)
            }
            Ok(SyncAnswer::Reset(reset)) => {
                self.answered_by_ours();
                self.state.feed.failures = 0;
                self.on_reset(reset.reason == ResetReason::History);
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
        if !self.is_overtaken(delta) {
            for result in &delta.results {
                self.on_result(result)?;
            }
        }
        if delta.more {
            self.ask_for_digest_again();
        }
        self.state.feed.wanted = false;
        if self.state.meta.has_data && !self.state.snapshots.is_due() {
            if self.state.feed.asked.after_late {
                self.take_late_pages()?;
            }
            self.fit_in(delta)?;
            // It counts once the rows that it is about are on the disk.
            let reached = fit(&self.state.meta.cursor, delta) == Fit::Old;
            if reached && !delta.more {
                self.state.feed.whole = self.state.feed.begun;
                let done_before = std::mem::take(&mut self.state.feed.done_before);
                self.offer_lost(delta.to, &done_before);
            }
            self.state.feed.expected = delta.digest.filter(|_| reached).map(|digest| (delta.to, digest));
            self.take_frames()?;
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

    /// The frames that came while a pull was under way.
    pub(crate) fn take_frames(&mut self) -> Result<(), StoreError> {
        let waiting = std::mem::take(&mut self.state.feed.buffer);
        waiting.iter().try_for_each(|frame| self.fit_in(frame))
    }

    /// Nobody waits for the pull under way any more, if there is one.
    pub(crate) fn drop_pull(&mut self) -> bool {
        let was_under_way = self.state.requests.take_for(Purpose::Pull);
        if was_under_way {
            self.ask_for_digest_again();
        }
        was_under_way
    }

    /// The pull that asked for a digest has not brought it. It is not the next that does: where a digest is what the server
    /// fails at, the feed goes on without.
    pub(crate) fn ask_for_digest_again(&mut self) {
        if std::mem::take(&mut self.state.feed.asked.digest) {
            self.state.feed.digest_at = self.now.boot_ms + self.state.random.within(DIGEST_FIRST_MS);
        }
    }

    fn pull_failed(&mut self, after: Option<u64>) {
        self.ask_for_digest_again();
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
            let mut path = sync_path(&self.reach());
            let digest = self.state.feed.digest_at <= now;
            if digest {
                path.push_str("&digest=true");
                self.state.feed.digest_at =
                    now + DIGEST_EVERY_MS / 2 + self.state.random.within(DIGEST_EVERY_MS);
            }
            let (resumes, after_late) = (self.state.feed.resumes, !self.state.feed.late.is_empty());
            self.state.feed.asked = Asked { resumes, after_late, digest };
            self.state.feed.begun += 1;
            self.state.feed.trust();
            self.state.feed.done_before = Arc::new(self.state.outbox.taken());
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
        let missing = sooner(missing, self.feed.doubt_at.map(|at| at.max(self.feed.retry_at)));
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
