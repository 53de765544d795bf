//! Many links that come back when the server has gone: phones without what lies behind the link. They keep the engine's rule
//! (its limits, its full jitter, the server's wish in RECONNECT), or, as a baseline, that of an app which thinks of itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use innsync_engine::backoff_bound;
use innsync_engine::limits::{CONNECT_TIMEOUT_MS, DRAIN_CAP_MS};
use innsync_protocol::ServerFrame;
use innsync_random::Random;
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::protocol::Message;

use super::Dial;
use super::sockets::{Socket, dial_counted};
use crate::Result;

/// How long all may take.
const TIMEOUT: Duration = Duration::from_secs(180);
/// Links that are opened at a time before anything is measured.
const AT_A_TIME: usize = 32;
/// How long the baseline waits when nobody answers.
const IMPATIENT: Duration = Duration::from_secs(1);

/// When a link tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// As InnSync's engine.
    Engine,
    /// At once, then each second.
    AtOnce,
}

/// Links, on a runtime of their own.
pub(crate) struct Links {
    book: Arc<Book>,
    runtime: Runtime,
    count: usize,
}

#[derive(Default)]
struct Book {
    /// How many are connected.
    live: AtomicUsize,
    /// When each connection reached the server.
    reached: Mutex<Vec<Instant>>,
    /// When each link was opened last.
    opened: Mutex<Vec<Option<Instant>>>,
}

/// How it was when they came back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Returned {
    /// Connections in the busiest second.
    pub(crate) peak: f64,
    /// Seconds from the moment that the server listened again until the last was back.
    pub(crate) seconds: f64,
}

impl Links {
    /// Opens them all.
    pub(crate) fn open(dials: &[Dial], rule: Rule) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let links = Self { book: Arc::default(), runtime, count: dials.len() };
        lock(&links.book.opened).resize(dials.len(), None);
        for (number, dial) in dials.iter().enumerate() {
            let link = Link {
                dial: dial.clone(),
                rule,
                number,
                random: Random::new(number as u64),
                book: Arc::clone(&links.book),
            };
            links.runtime.spawn(link.live());
            if number % AT_A_TIME == AT_A_TIME - 1 {
                links.wait_for(number)?;
            }
        }
        links.wait_for(links.count)?;
        Ok(links)
    }

    /// Connections are counted from now on; call it before the server goes.
    pub(crate) fn count_anew(&self) {
        lock(&self.book.reached).clear();
    }

    /// Waits until all are back after the server had `ended`; it `listens` again since then.
    pub(crate) fn returned(&self, ended: Instant, listens: Instant) -> Result<Returned> {
        let until = Instant::now() + TIMEOUT;
        let last = loop {
            let opened = lock(&self.book.opened).clone();
            let back: Vec<Instant> = opened.into_iter().flatten().filter(|at| *at > ended).collect();
            if back.len() == self.count && self.book.live.load(Ordering::Relaxed) == self.count {
                break back.into_iter().max().unwrap_or(listens);
            }
            if Instant::now() > until {
                return Err(format!("{} of {} links came back", back.len(), self.count).into());
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut reached = lock(&self.book.reached).clone();
        reached.sort();
        let peak = busiest(&reached, Duration::from_secs(1));
        Ok(Returned { peak: peak as f64, seconds: last.saturating_duration_since(listens).as_secs_f64() })
    }

    fn wait_for(&self, live: usize) -> Result<()> {
        let until = Instant::now() + TIMEOUT;
        while self.book.live.load(Ordering::Relaxed) < live {
            if Instant::now() > until {
                let live = self.book.live.load(Ordering::Relaxed);
                return Err(format!("{live} of {} links could be opened", self.count).into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

/// How many of these moments, in order, lie within that time at most.
fn busiest(moments: &[Instant], time: Duration) -> usize {
    let mut from = 0;
    let mut most = 0;
    for (index, moment) in moments.iter().enumerate() {
        while moment.saturating_duration_since(moments[from]) >= time {
            from += 1;
        }
        most = most.max(index + 1 - from);
    }
    most
}

struct Link {
    dial: Dial,
    rule: Rule,
    number: usize,
    random: Random,
    book: Arc<Book>,
}

impl Link {
    async fn live(mut self) {
        let mut failures = 0;
        loop {
            let timeout = Duration::from_millis(CONNECT_TIMEOUT_MS);
            let reached = || lock(&self.book.reached).push(Instant::now());
            let opened = tokio::time::timeout(timeout, dial_counted(&self.dial, reached)).await;
            let mut asked = None;
            if let Ok(Ok(mut socket)) = opened {
                self.book.live.fetch_add(1, Ordering::Relaxed);
                lock(&self.book.opened)[self.number] = Some(Instant::now());
                asked = listen(&mut socket).await;
                self.book.live.fetch_sub(1, Ordering::Relaxed);
                if self.rule == Rule::AtOnce {
                    continue;
                }
            }
            let wait = match (self.rule, asked) {
                (Rule::AtOnce, _) => IMPATIENT,
                (Rule::Engine, Some(after)) => Duration::from_millis(after.min(DRAIN_CAP_MS)),
                (Rule::Engine, None) => {
                    failures += 1;
                    Duration::from_millis(1 + self.random.below(backoff_bound(failures)))
                }
            };
            tokio::time::sleep(wait).await;
        }
    }
}

/// Until it is over: after how many milliseconds the server wants to see the phone again, where it said so.
async fn listen(socket: &mut Socket) -> Option<u64> {
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message
            && let Ok(ServerFrame::Reconnect { after }) = ServerFrame::parse(&text)
        {
            return Some(after);
        }
    }
    None
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_second_is_found() {
        let begin = Instant::now();
        let at = |ms: &u64| begin + Duration::from_millis(*ms);
        let moments: Vec<Instant> = [0, 100, 900, 1_050, 1_099, 5_000].iter().map(at).collect();
        assert_eq!(busiest(&moments, Duration::from_secs(1)), 4);
        assert_eq!(busiest(&[], Duration::from_secs(1)), 0);
    }
}
