//! What waits to be sent on one socket. Empty, it takes next to no memory: a server has thousands that are silent.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use innsync_protocol::{CloseCode, limits};
use tokio::sync::Notify;

use crate::hub::Text;

/// Frames for which memory is kept when the queue is empty.
const KEPT_FRAMES: usize = 16;

/// The next thing to be done on a socket.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    Frame(Text),
    Close(CloseCode, &'static str),
}

/// More waits than may.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

#[derive(Default)]
struct State {
    frames: VecDeque<Text>,
    bytes: usize,
    close: Option<(CloseCode, &'static str)>,
    cut: bool,
}

/// See the module. One task pushes, one takes.
#[derive(Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    wake: Notify,
}

impl Outbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, text: Text) -> Result<(), Full> {
        let mut state = self.state();
        if state.frames.len() >= limits::QUEUED_FRAMES
            || state.bytes + text.as_str().len() > limits::QUEUED_BYTES
        {
            return Err(Full);
        }
        state.bytes += text.as_str().len();
        state.frames.push_back(text);
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// Nothing more comes after what waits. `cut`: nor is it waited for, even in the middle of a frame.
    pub(super) fn close(&self, code: CloseCode, reason: &'static str, cut: bool) {
        let mut state = self.state();
        state.close = Some((code, reason));
        state.cut |= cut;
        if cut {
            state.frames = VecDeque::new();
        }
        drop(state);
        self.wake.notify_one();
    }

    fn take(&self) -> Option<Next> {
        let mut state = self.state();
        let Some(text) = state.frames.pop_front() else {
            return state.close.map(|(code, reason)| Next::Close(code, reason));
        };
        state.bytes -= text.as_str().len();
        if state.frames.is_empty() && state.frames.capacity() > KEPT_FRAMES {
            state.frames = VecDeque::new();
        }
        Some(Next::Frame(text))
    }

    /// Waits for something to do.
    pub(super) async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.wake.notified().await;
        }
    }

    /// Waits until the socket is to be closed without delay.
    pub(super) async fn cut(&self) {
        while !self.state().cut {
            self.wake.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_before_leaves_before_the_close() {
        let outbox = Outbox::default();
        outbox.push("a".into()).unwrap();
        outbox.close(CloseCode::GOING_AWAY, "bye", false);
        assert_eq!(outbox.take(), Some(Next::Frame("a".into())));
        assert_eq!(outbox.take(), Some(Next::Close(CloseCode::GOING_AWAY, "bye")));
    }

    #[test]
    fn a_slow_reader_is_bounded_by_frames_and_by_bytes() {
        let outbox = Outbox::default();
        for _ in 0..limits::QUEUED_FRAMES {
            outbox.push("a".into()).unwrap();
        }
        assert_eq!(outbox.push("a".into()), Err(Full));

        let outbox = Outbox::default();
        outbox.push("a".repeat(limits::QUEUED_BYTES).into()).unwrap();
        assert_eq!(outbox.push("b".into()), Err(Full));
        outbox.close(CloseCode::SLOW, "Too slow", true);
        assert_eq!(outbox.take(), Some(Next::Close(CloseCode::SLOW, "Too slow")));
    }
}
