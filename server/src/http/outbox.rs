//! What waits to be sent on one socket. Empty, it takes next to no memory: a server has thousands that are silent.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use innsync_protocol::{CloseCode, limits};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::hub::Text;

/// Frames for which memory is kept when the queue is empty.
const KEPT_FRAMES: usize = 16;
/// How long a client may take, once its socket is to be closed, for what was sent before.
const LAST_FRAMES: Duration = Duration::from_secs(5);

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
    cut_at: Option<Instant>,
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

    /// Nothing more comes after what waits, which has [`LAST_FRAMES`]. `cut`: it has no time at all, even in the middle of
    /// a frame.
    pub(super) fn close(&self, code: CloseCode, reason: &'static str, cut: bool) {
        let mut state = self.state();
        state.close = Some((code, reason));
        state.cut_at = Some(if cut { Instant::now() } else { Instant::now() + LAST_FRAMES });
        drop(state);
        self.wake.notify_one();
    }

    fn take(&self) -> Option<Next> {
        let mut state = self.state();
        if state.cut_at.is_some_and(|at| at <= Instant::now()) {
            state.frames = VecDeque::new();
        }
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
        loop {
            let cut_at = self.state().cut_at;
            match cut_at {
                Some(at) => return tokio::time::sleep_until(at).await,
                None => self.wake.notified().await,
            }
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
    fn what_was_sent_before_does_not_hold_up_the_close_for_ever() {
        let outbox = Outbox::default();
        outbox.push("a".into()).unwrap();
        outbox.close(CloseCode::GOING_AWAY, "bye", false);
        let now = Instant::now();
        let cut_at = outbox.state().cut_at.unwrap();
        assert!(cut_at > now && cut_at <= now + LAST_FRAMES);
        outbox.state().cut_at = Some(now);
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
