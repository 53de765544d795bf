//! The barrier (G11): a caller is told when everything that the server had at the call is here, and every earlier operation
//! is confirmed or parked.
//!
//! What the server had at the call is here once a pull that was begun after it has brought everything there is: then the
//! cursor is at a head that is no older than the call. Deltas on the socket alone would not say so, since the server tells
//! of nothing when there is nothing.

use crate::draft::Draft;
use crate::feed::Feed;
use crate::link::Event;
use crate::output::Output;
use crate::queue::is_pending;
use crate::state::State;

/// Those that wait. In memory alone: a caller does not outlive the engine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Barriers(Vec<Barrier>);

#[derive(Debug, Clone, Copy)]
struct Barrier {
    request: u64,
    /// How many pulls had been begun before it.
    pulls: u64,
    /// The first place in the outbox's order that is none of its business.
    before: u64,
}

impl Barriers {
    /// Whether a pull is to be begun for one of them, where none is under way.
    pub(crate) fn want_pull(&self, feed: &Feed) -> bool {
        self.0.iter().any(|barrier| !barrier.is_told(feed))
    }
}

impl Barrier {
    /// Whether a pull since has brought everything.
    fn is_told(&self, feed: &Feed) -> bool {
        self.pulls < feed.pulls_whole()
    }
}

impl Draft<'_> {
    pub(crate) fn raise_barrier(&mut self, request: u64) {
        let (pulls, before) = (self.state.feed.pulls_begun(), self.state.meta.next_order);
        self.state.barriers.0.push(Barrier { request, pulls, before });
        self.wake_up(Event::Wake);
    }

    pub(crate) fn give_up_barrier(&mut self, request: u64) {
        self.state.barriers.0.retain(|barrier| barrier.request != request);
    }

    /// Tells those that have what they waited for.
    pub(crate) fn lift_barriers(&mut self) {
        if self.state.barriers.0.is_empty() {
            return;
        }
        let waiting = std::mem::take(&mut self.state.barriers.0);
        let (lifted, waiting): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|barrier| self.state.is_met(barrier));
        self.state.barriers.0 = waiting;
        for barrier in lifted {
            self.tell(Output::UpToDate { request: barrier.request });
        }
    }
}

impl State {
    fn is_met(&self, barrier: &Barrier) -> bool {
        // A digest that is yet to be compared may show that what is here is not what the server has.
        let is_here = barrier.is_told(&self.feed) && !self.feed.has_digest();
        let earlier = || self.outbox.iter().take_while(|op| op.order < barrier.before);
        is_here && !self.snapshots.is_due() && earlier().all(|op| !is_pending(op))
    }
}
