//! What waits for the core's thread: what people ask for, and what the network brings.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use innsync_engine::{Input, SocketEvent};
use innsync_protocol::PushHint;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::actor::{Actor, Reply};
use crate::handle::{Backgrounded, PushOutcome};

/// Frames of one socket, or chunks of one snapshot, that wait for the core; more stay in the network's buffers.
const WAITING: usize = 64;
/// Bytes of frames that are taken together.
const BYTES_TOGETHER: usize = 512 * 1024;
/// Things that people ask for that are done in a row while the network's wait.
const IN_A_ROW: u32 = 8;

/// Something that only the core's thread can do.
pub(crate) type Job = Box<dyn FnOnce(&mut Actor) + Send>;

/// Something for the core's thread.
pub(crate) enum Letter {
    /// An input of the engine, from a person.
    Input(Input),
    /// An input of the engine, from the network.
    Network(News),
    /// Something else that only that thread can do.
    Job(Job),
    /// The app came to the foreground.
    Foreground,
    /// The app goes to the background: what can be sent and fetched in time is, then as [`Letter::Quiesce`].
    Background(Departure),
    /// A push woke the app, maybe from a pause.
    Push(Alarm),
    /// Where everything stands, in a pause, too.
    Diagnose(Reply<String>),
    /// The database is closed, and what waits with it; the thread goes on at [`Letter::Resume`].
    Quiesce(tokio::sync::oneshot::Sender<()>),
    /// Goes on; the answer says whether the database could be opened.
    Resume(Reply<()>),
    /// The thread ends.
    Close(Option<tokio::sync::oneshot::Sender<()>>),
}

impl Letter {
    /// Something to be done with the core, on its thread.
    pub(crate) fn job(job: impl FnOnce(&mut Actor) + Send + 'static) -> Self {
        Self::Job(Box::new(job))
    }

    fn concerns_a_pause(&self) -> bool {
        match self {
            Self::Background(_)
            | Self::Push(_)
            | Self::Diagnose(_)
            | Self::Quiesce(_)
            | Self::Resume(_)
            | Self::Close(_) => true,
            Self::Input(_) | Self::Network(_) | Self::Job(_) | Self::Foreground => false,
        }
    }
}

/// The app goes to the background.
pub(crate) struct Departure {
    /// By when the database is to be closed, in milliseconds of the boot's clock.
    pub(crate) until: u64,
    /// Whom to tell what came of it.
    pub(crate) reply: tokio::sync::oneshot::Sender<Backgrounded>,
}

/// A push woke the app.
pub(crate) struct Alarm {
    /// How far the feed is, where it said so.
    pub(crate) hint: Option<PushHint>,
    /// By when an answer is wanted, in milliseconds of the boot's clock.
    pub(crate) until: u64,
    /// Whom to tell what came of it.
    pub(crate) reply: tokio::sync::oneshot::Sender<PushOutcome>,
}

/// What the network brings.
pub(crate) struct News {
    /// What.
    pub(crate) input: Input,
    /// For which engine: after a reopening, what the one before had asked for is of no interest.
    pub(crate) incarnation: u64,
    /// Its sender may send as many more when these are dropped.
    pub(crate) permits: Vec<OwnedSemaphorePermit>,
}

/// What is heard in a pause.
pub(crate) enum Heard {
    /// Go on, and say whether that was possible.
    Resume(Reply<()>),
    /// Go quiet: it is so already.
    Background(Departure),
    /// Go on for a while.
    Push(Alarm),
    /// Say where everything stands.
    Diagnose(Reply<String>),
    /// The thread ends.
    Closed,
}

/// The core's mailbox. People go before the network, so that a tap never waits for a catch-up.
#[derive(Default)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    people: VecDeque<Letter>,
    network: VecDeque<Letter>,
    row: u32,
    closed: bool,
    leaving: bool,
}

impl Mailbox {
    /// Hands in what a person (or the shell) asks for. False: the core is closed.
    pub(crate) fn post(&self, letter: Letter) -> bool {
        self.put(letter, |state| &mut state.people)
    }

    fn put(&self, letter: Letter, queue: impl Fn(&mut State) -> &mut VecDeque<Letter>) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        match &letter {
            Letter::Close(_) | Letter::Quiesce(_) => state.leaving = true,
            Letter::Resume(_) => state.leaving = false,
            Letter::Input(_)
            | Letter::Network(_)
            | Letter::Job(_)
            | Letter::Foreground
            | Letter::Background(_)
            | Letter::Push(_)
            | Letter::Diagnose(_) => {}
        }
        queue(&mut state).push_back(letter);
        drop(state);
        self.arrived.notify_one();
        true
    }

    /// The next letter, waiting at most so long.
    pub(crate) fn take(&self, limit: Duration) -> Option<Letter> {
        let until = Instant::now() + limit;
        let mut state = self.lock();
        loop {
            if let Some(letter) = state.next() {
                return Some(letter);
            }
            let left = until.checked_duration_since(Instant::now())?;
            state = self.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A frame together with those of the same socket that wait behind it, up to anything else: they become one transaction.
    pub(crate) fn with_more_frames(&self, mut news: News) -> News {
        let Input::Socket { generation, event: SocketEvent::Frame(text) } = &mut news.input else {
            return news;
        };
        let (generation, mut texts) = (*generation, vec![std::mem::take(text)]);
        let mut bytes = texts.iter().map(String::len).sum::<usize>();
        let mut state = self.lock();
        while let Some(Letter::Network(next)) = state.network.front_mut() {
            match &mut next.input {
                Input::Socket { generation: from, event: SocketEvent::Frame(text) }
                    if (*from, next.incarnation) == (generation, news.incarnation)
                        && bytes + text.len() <= BYTES_TOGETHER =>
                {
                    bytes += text.len();
                    texts.push(std::mem::take(text));
                    news.permits.append(&mut next.permits);
                }
                _ => break,
            }
            state.network.pop_front();
        }
        drop(state);
        let event = match texts.pop() {
            Some(only) if texts.is_empty() => SocketEvent::Frame(only),
            last => {
                texts.extend(last);
                SocketEvent::Frames(texts)
            }
        };
        news.input = Input::Socket { generation, event };
        news
    }

    /// Waits until someone says something that concerns a pause, leaving everything else where it is.
    pub(crate) fn pause(&self) -> Heard {
        let mut state = self.lock();
        loop {
            state.network.clear();
            state.keep_last_network_change();
            while let Some(at) = state.people.iter().position(Letter::concerns_a_pause) {
                // Left for the loop, which answers whoever closes.
                if matches!(state.people.get(at), Some(Letter::Close(_))) {
                    return Heard::Closed;
                }
                match state.people.remove(at) {
                    Some(Letter::Resume(reply)) => return Heard::Resume(reply),
                    Some(Letter::Background(departure)) => return Heard::Background(departure),
                    Some(Letter::Push(alarm)) => {
                        // The app was not in the foreground after all: what could not resume is no reason to stay awake.
                        state.people.retain(|letter| !matches!(letter, Letter::Foreground));
                        return Heard::Push(alarm);
                    }
                    Some(Letter::Diagnose(reply)) => return Heard::Diagnose(reply),
                    // Asked again: it is so already.
                    Some(Letter::Quiesce(done)) => _ = done.send(()),
                    _ => {}
                }
            }
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whoever asked for the end; they are to be told once it has come.
    pub(crate) fn closers(&self) -> Vec<tokio::sync::oneshot::Sender<()>> {
        let mut state = self.lock();
        state.closed = true;
        let people = std::mem::take(&mut state.people);
        drop(state);
        people
            .into_iter()
            .filter_map(|letter| match letter {
                Letter::Close(done) => done,
                Letter::Quiesce(done) => Some(done),
                Letter::Input(_)
                | Letter::Network(_)
                | Letter::Job(_)
                | Letter::Foreground
                | Letter::Background(_)
                | Letter::Push(_)
                | Letter::Diagnose(_)
                | Letter::Resume(_) => None,
            })
            .collect()
    }

    /// Whether nothing is taken in any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Whether the database is about to be closed.
    pub(crate) fn is_leaving(&self) -> bool {
        let state = self.lock();
        state.leaving || state.closed
    }

    /// Says whether the database is about to be closed, where no letter that waits says so.
    pub(crate) fn leave(&self, leaving: bool) {
        let mut state = self.lock();
        let is_asked_to = |letter: &Letter| matches!(letter, Letter::Close(_) | Letter::Quiesce(_));
        state.leaving = leaving || state.people.iter().any(is_asked_to);
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.people.is_empty() && state.network.is_empty()
    }

    /// Takes nothing in any more; what waits is dropped, and with it the answers that callers wait for.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let waiting = (std::mem::take(&mut state.people), std::mem::take(&mut state.network));
        drop(state);
        drop(waiting);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Of all that the platform says of the network in a pause, only the last is of interest.
    fn keep_last_network_change(&mut self) {
        let is_one = |letter: &Letter| matches!(letter, Letter::Input(Input::NetworkChanged { .. }));
        let mut left = self.people.iter().filter(|letter| is_one(letter)).count();
        self.people.retain(|letter| {
            let one = is_one(letter);
            left -= usize::from(one);
            !one || left == 0
        });
    }

    fn next(&mut self) -> Option<Letter> {
        let network_waits = !self.network.is_empty();
        if (self.row < IN_A_ROW || !network_waits)
            && let Some(letter) = self.people.pop_front()
        {
            self.row = if network_waits { self.row + 1 } else { 0 };
            return Some(letter);
        }
        self.row = 0;
        self.network.pop_front()
    }
}

/// Brings what the network says to the core, no faster than the core takes it.
#[derive(Clone)]
pub(crate) struct Courier {
    mailbox: Arc<Mailbox>,
    permits: Arc<Semaphore>,
    incarnation: u64,
    generation: u64,
}

impl Courier {
    /// For the socket of that generation, or for requests.
    pub(crate) fn new(mailbox: &Arc<Mailbox>, incarnation: u64, generation: u64) -> Self {
        let permits = Arc::new(Semaphore::new(WAITING));
        Self { mailbox: Arc::clone(mailbox), permits, incarnation, generation }
    }

    /// Reports what the socket did.
    pub(crate) async fn socket(&self, event: SocketEvent) {
        self.bring(Input::Socket { generation: self.generation, event }).await;
    }

    /// Hands over lines of a snapshot; returns when the database has them. False: nobody wants them any more.
    pub(crate) async fn lines(&self, id: u64, lines: Vec<String>) -> bool {
        let taken = self.bring(Input::SnapshotLines { id, lines }).await;
        // All permits back: what was handed over is committed.
        let _ = self.permits.acquire_many(u32::try_from(WAITING).unwrap_or(1)).await;
        taken
    }

    /// Brings an input. False: the core is closed.
    pub(crate) async fn bring(&self, input: Input) -> bool {
        let permits = Arc::clone(&self.permits).acquire_owned().await.ok().into_iter().collect();
        let news = News { input, incarnation: self.incarnation, permits };
        self.mailbox.put(Letter::Network(news), |state| &mut state.network)
    }

    /// Brings an input without waiting for room: for the core's own thread.
    pub(crate) fn bring_now(&self, input: Input) -> bool {
        let news = News { input, incarnation: self.incarnation, permits: Vec::new() };
        self.mailbox.put(Letter::Network(news), |state| &mut state.network)
    }

    /// A courier that waits for itself alone.
    pub(crate) fn apart(&self) -> Self {
        Self::new(&self.mailbox, self.incarnation, self.generation)
    }
}
