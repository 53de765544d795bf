//! A pull that outlives its connection.
//!
//! A pull goes on when the socket breaks and comes back: over a slow link nothing else would ever arrive. But the server may
//! have been restored from a backup in between. So what such a pull brings is kept beside, RESUME and the next pull ask for
//! what comes after it, and it is taken once the server has gone on from there.

use std::sync::Arc;

use innsync_protocol::{Cursor, Delta, SyncAnswer};

use crate::draft::Draft;
use crate::feed::{Fit, fit};
use crate::limits::PAGES_KEPT;
use crate::store::StoreError;

/// What such pulls have brought, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct LatePages {
    pages: Arc<Vec<Arc<Delta>>>,
    /// RESUME was said at their end, and is not answered yet.
    resumed_at_end: bool,
}

impl LatePages {
    pub(crate) fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// RESUME was said.
    pub(crate) fn resumed(&mut self) {
        self.resumed_at_end = !self.pages.is_empty();
    }

    /// Whether the frame is the server's answer to a RESUME at their end.
    pub(crate) fn is_followed_by(&self, frame: &Delta) -> bool {
        let end = self.end().filter(|_| self.resumed_at_end);
        end.is_some_and(|end| (end.epoch, end.seq) == (frame.epoch, frame.from))
    }

    fn end(&self) -> Option<Cursor> {
        let last = self.pages.last()?;
        Some(Cursor { epoch: last.epoch, seq: last.to, mark: last.mark })
    }

    fn keep(&mut self, page: Delta) {
        if self.pages.len() < PAGES_KEPT {
            Arc::make_mut(&mut self.pages).push(Arc::new(page));
        }
    }
}

impl Draft<'_> {
    /// The answer of a pull that was asked before the last RESUME: what it holds, and what it says of operations, may have
    /// been lost by a server that was restored since.
    pub(crate) fn on_late_pull(&mut self, answer: SyncAnswer) -> Result<(), StoreError> {
        self.ask_for_digest_again();
        self.state.feed.pull_on();
        let SyncAnswer::Delta(page) = answer else { return Ok(()) };
        if !self.state.meta.has_data || self.state.snapshots.is_due() {
            return Ok(());
        }
        let reach = self.reach();
        if (page.epoch, page.from) == (reach.epoch, reach.seq) && page.to > reach.seq {
            self.state.feed.late.keep(page);
        }
        self.take_frames()
    }

    /// The server goes on from the end of the late pages: they are of its history.
    pub(crate) fn take_late_pages(&mut self) -> Result<(), StoreError> {
        let late = std::mem::take(&mut self.state.feed.late);
        let wants_pull = self.state.feed.wants_pull();
        for page in late.pages.iter() {
            if fit(&self.state.meta.cursor, page) == Fit::Next {
                for result in &page.results {
                    self.on_result(result)?;
                }
                self.apply_delta(page)?;
            }
        }
        if !wants_pull {
            // What comes after them is just being told.
            self.state.feed.want_no_pull();
        }
        Ok(())
    }

    /// Somebody waits for what is new: a pull that outlived its connection, and may lead nowhere, is not waited for.
    pub(crate) fn drop_late_pull(&mut self) {
        if self.state.feed.pull_is_late() {
            self.drop_pull();
        }
    }

    /// Where the phone stands, together with the late pages.
    pub(crate) fn reach(&mut self) -> Cursor {
        let mine = self.state.meta.cursor;
        match self.state.feed.late.end() {
            Some(end) if end.epoch == mine.epoch && end.seq > mine.seq => end,
            _ => {
                self.state.feed.late = LatePages::default();
                mine
            }
        }
    }
}
