//! Pull streams: bounded, stopped synchronously, and safe to use through a foreign-function interface.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Items of a batch at most, so that no call hands over too much at once.
const BATCH_ITEMS: usize = 256;

/// A stream that the consumer pulls.
///
/// In Rust, [`Stream::next`] is all that is needed; dropping its future loses nothing. Through a foreign-function
/// interface, where a cancelled call drops what it had already taken, [`Stream::batch`] delivers a batch again until a
/// later call acknowledges it. [`Stream::stop`] ends both, from any thread, without waiting.
///
/// Clones are the same stream. Nothing is kept for a consumer that lags beyond the bound of the stream; what happens
/// then is told where the stream is handed out.
pub struct Stream<T> {
    queue: Arc<Queue<T>>,
    // The last consumer's end stops the stream, so that an abandoned one costs nothing.
    _last: Arc<StopOnDrop<T>>,
}

/// Some items, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch<T> {
    /// To be given to the next call of [`Stream::batch`] once the items were taken over.
    pub number: u64,
    /// How many items the consumer has missed before these, since it lagged.
    pub dropped: u64,
    /// The items; never none.
    pub items: Vec<T>,
}

impl<T: Clone> Stream<T> {
    pub(crate) fn new(queue: Arc<Queue<T>>) -> Self {
        Self { _last: Arc::new(StopOnDrop(Arc::clone(&queue))), queue }
    }

    /// The next item; `None` after [`Stream::stop`], or when the handle was closed.
    pub async fn next(&self) -> Option<T> {
        self.queue.ready(|state| state.items.pop_front().map(|(_, item)| item)).await
    }

    /// The items after batch number `acknowledged` (0 at first), as soon as there are any; `None` at the end.
    pub async fn batch(&self, acknowledged: u64) -> Option<Batch<T>> {
        self.queue
            .ready(|state| {
                state.items.retain(|(number, _)| *number > acknowledged);
                let taken: Vec<_> = state.items.iter().take(BATCH_ITEMS).cloned().collect();
                let (first, number) = (taken.first()?.0, taken.last()?.0);
                let dropped = first.saturating_sub(acknowledged.saturating_add(1));
                Some(Batch { number, dropped, items: taken.into_iter().map(|(_, item)| item).collect() })
            })
            .await
    }

    /// Ends the stream: a waiting call returns `None`. Does not wait, may be called twice.
    pub fn stop(&self) {
        self.queue.stop();
    }
}

impl<T> Clone for Stream<T> {
    fn clone(&self) -> Self {
        Self { queue: Arc::clone(&self.queue), _last: Arc::clone(&self._last) }
    }
}

impl<T> std::fmt::Debug for Stream<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stream")
    }
}

struct StopOnDrop<T>(Arc<Queue<T>>);

impl<T> Drop for StopOnDrop<T> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// A queue on its way to whoever fills it. Where it does not come to that, its stream ends.
pub(crate) struct Promised<T>(Option<Arc<Queue<T>>>);

impl<T> Promised<T> {
    pub(crate) fn new(queue: &Arc<Queue<T>>) -> Self {
        Self(Some(Arc::clone(queue)))
    }

    /// Hands the queue to who fills it.
    pub(crate) fn keep(mut self, fill: impl FnOnce(&Arc<Queue<T>>)) {
        if let Some(queue) = self.0.take() {
            fill(&queue);
        }
    }
}

impl<T> Drop for Promised<T> {
    fn drop(&mut self) {
        if let Some(queue) = &self.0 {
            queue.end();
        }
    }
}

/// The producer's end.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Notify,
    limit: usize,
}

struct State<T> {
    items: VecDeque<(u64, T)>,
    next: u64,
    stopped: bool,
    ended: bool,
}

impl<T> Queue<T> {
    /// A queue of at most `limit` items.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        let state = State { items: VecDeque::new(), next: 1, stopped: false, ended: false };
        Arc::new(Self { state: Mutex::new(state), changed: Notify::new(), limit })
    }

    /// Adds an item. False: there is no room; nothing was added.
    pub(crate) fn offer(&self, item: T) -> bool {
        let mut state = self.lock();
        if state.items.len() >= self.limit {
            return false;
        }
        Self::push(&mut state, item);
        drop(state);
        self.changed.notify_waiters();
        true
    }

    /// Puts the item in the place of all that wait.
    pub(crate) fn replace(&self, item: T) {
        let mut state = self.lock();
        state.items.clear();
        Self::push(&mut state, item);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Adds an item; where there is no room, the oldest goes. Returns whether one went.
    pub(crate) fn push_dropping_oldest(&self, item: T) -> bool {
        let mut state = self.lock();
        let full = state.items.len() >= self.limit;
        if full {
            state.items.pop_front();
        }
        Self::push(&mut state, item);
        drop(state);
        self.changed.notify_waiters();
        full
    }

    /// Takes out the items that `unwanted` says.
    pub(crate) fn discard(&self, unwanted: impl Fn(&T) -> bool) {
        self.lock().items.retain(|(_, item)| !unwanted(item));
    }

    /// No more items come; those that wait are still delivered.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_waiters();
    }

    fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        state.items.clear();
        drop(state);
        self.changed.notify_waiters();
    }

    /// Whether nobody needs to be told any more.
    pub(crate) fn is_done(&self) -> bool {
        let state = self.lock();
        state.stopped || state.ended
    }

    /// Whether the consumer stopped it.
    pub(crate) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    fn push(state: &mut State<T>, item: T) {
        if !state.stopped {
            state.items.push_back((state.next, item));
            state.next += 1;
        }
    }

    async fn ready<R>(&self, mut take: impl FnMut(&mut State<T>) -> Option<R>) -> Option<R> {
        loop {
            // Registered before looking, so that no wake-up between the two is lost.
            let changed = self.changed.notified();
            {
                let mut state = self.lock();
                if state.stopped {
                    return None;
                }
                if let Some(taken) = take(&mut state) {
                    return Some(taken);
                }
                if state.ended {
                    return None;
                }
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_batch_comes_again_until_it_is_acknowledged() {
        let queue = Queue::new(8);
        let stream = Stream::new(Arc::clone(&queue));
        queue.offer("101 clean");
        queue.offer("102 clean");
        let first = stream.batch(0).await.unwrap();
        assert_eq!(first.items, ["101 clean", "102 clean"]);
        assert_eq!(stream.batch(0).await.unwrap(), first, "the call was cancelled: once more");
        queue.offer("103 clean");
        assert_eq!(stream.batch(first.number).await.unwrap().items, ["103 clean"]);
    }

    #[tokio::test]
    async fn a_batch_says_how_many_were_missed_before_it() {
        let queue = Queue::new(2);
        let stream = Stream::new(Arc::clone(&queue));
        (101..=103).for_each(|room| _ = queue.push_dropping_oldest(room));
        let first = stream.batch(0).await.unwrap();
        assert_eq!((first.dropped, &*first.items), (1, &[102, 103][..]));
        // What was taken over is not missed, even if it went from the queue before it was acknowledged.
        (104..=106).for_each(|room| _ = queue.push_dropping_oldest(room));
        let second = stream.batch(first.number).await.unwrap();
        assert_eq!((second.dropped, &*second.items), (1, &[105, 106][..]));
        queue.push_dropping_oldest(107);
        assert_eq!(stream.batch(second.number).await.unwrap().dropped, 0);
    }

    #[tokio::test]
    async fn stop_ends_a_waiting_call() {
        let queue = Queue::<u8>::new(8);
        let stream = Stream::new(queue);
        let waiting = tokio::spawn({
            let stream = stream.clone();
            async move { stream.next().await }
        });
        tokio::task::yield_now().await;
        stream.stop();
        assert_eq!(waiting.await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_an_abandoned_one_is_stopped() {
        let queue = Queue::new(1);
        let stream = Stream::new(Arc::clone(&queue));
        assert!(queue.offer(1));
        assert!(!queue.offer(2));
        assert!(queue.push_dropping_oldest(3));
        assert_eq!(stream.next().await, Some(3));
        drop(stream);
        assert!(queue.is_stopped());
    }

    #[tokio::test]
    async fn what_waits_is_delivered_before_the_end() {
        let queue = Queue::new(2);
        let stream = Stream::new(Arc::clone(&queue));
        queue.offer("last words");
        queue.end();
        assert_eq!(stream.next().await, Some("last words"));
        assert_eq!(stream.next().await, None);
    }
}
