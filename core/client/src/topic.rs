//! One source, many streams.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::stream::{Queue, Stream};

/// What is told to all streams that were handed out. Streams that were stopped are forgotten.
pub(crate) struct Topic<T> {
    limit: usize,
    state: Mutex<State<T>>,
}

struct State<T> {
    streams: Vec<Arc<Queue<T>>>,
    last: Option<T>,
    ended: bool,
}

impl<T: Clone> Topic<T> {
    /// A topic whose streams hold at most `limit` items; of one that lags, the oldest go.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, state: Mutex::new(State { streams: Vec::new(), last: None, ended: false }) }
    }

    /// A topic that remembers what was told last, for those who come later to begin with.
    pub(crate) fn remembering(limit: usize, now: T) -> Self {
        Self { limit, state: Mutex::new(State { streams: Vec::new(), last: Some(now), ended: false }) }
    }

    /// A new stream; of a remembering topic, the first item is the present one.
    pub(crate) fn stream(&self) -> Stream<T> {
        let queue = Queue::new(self.limit);
        let mut state = self.lock();
        let last = state.last.clone();
        state.join(&queue, last);
        drop(state);
        Stream::new(queue)
    }

    /// Lets a queue join, after those items.
    pub(crate) fn join(&self, queue: &Arc<Queue<T>>, first: impl IntoIterator<Item = T>) {
        self.lock().join(queue, first);
    }

    /// Tells everybody.
    pub(crate) fn tell(&self, item: &T) {
        let mut state = self.lock();
        state.streams.retain(|stream| !stream.is_stopped());
        if state.last.is_some() {
            state.last = Some(item.clone());
        }
        for stream in &state.streams {
            if stream.push_dropping_oldest(item.clone()) && self.limit > 1 {
                tracing::warn!(limit = self.limit, "a consumer lags; the oldest item was dropped");
            }
        }
    }

    /// What was told last, of a remembering topic.
    pub(crate) fn last(&self) -> Option<T> {
        self.lock().last.clone()
    }

    /// Takes an item out of the streams where it still waits.
    pub(crate) fn discard(&self, unwanted: impl Fn(&T) -> bool) {
        let streams = self.lock().streams.clone();
        streams.iter().for_each(|stream| stream.discard(&unwanted));
    }

    /// The end of all streams, after what they hold.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        state.streams.drain(..).for_each(|stream| stream.end());
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn join(&mut self, queue: &Arc<Queue<T>>, first: impl IntoIterator<Item = T>) {
        self.streams.retain(|stream| !stream.is_stopped());
        for item in first {
            queue.push_dropping_oldest(item);
        }
        if self.ended {
            queue.end();
        } else {
            self.streams.push(Arc::clone(queue));
        }
    }
}
