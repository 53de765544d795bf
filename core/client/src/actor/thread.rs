//! The life of the thread: open, work, pause, close.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use innsync_engine::{Input, Unfinished};
use innsync_protocol::CloseCode;
use tokio::sync::oneshot;

use super::diagnose::Inside;
use super::visits::Caller;
use super::{Actor, Kept};
use crate::drivers::Http;
use crate::error::Error;
use crate::files::Files;
use crate::handle::{Backgrounded, PushOutcome};
use crate::mailbox::{Alarm, Heard, Letter, News};
use crate::shared::Shared;

/// The longest sleep: what depends on the time of day alone is looked at that often.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// The shortest sleep before a deadline that a tick did not move: a mistake must not eat the battery.
const SHORTEST_SLEEP: Duration = Duration::from_millis(20);
/// How long observers may wait while there is more to do.
const OBSERVERS_WAIT: Duration = Duration::from_millis(25);

/// What the thread is started with.
pub(crate) struct Opened {
    pub(crate) shared: Arc<Shared>,
    pub(crate) files: Files,
    pub(crate) http: Http,
}

/// How working ended.
enum End {
    Closed(Option<oneshot::Sender<()>>),
    Quiesced(Vec<Caller>),
}

/// What ended a pause.
enum Woken {
    Resumed,
    By(Alarm),
}

/// Opens the database, and starts the thread if that succeeds.
pub(crate) fn start(opened: Opened) -> Result<(), Error> {
    let Opened { shared, files, http } = opened;
    let actor = Actor::open(Arc::clone(&shared), &files, http.clone(), &mut Kept::default())?;
    let mailbox = Arc::clone(&shared.mailbox);
    let live = move || {
        if catch_unwind(AssertUnwindSafe(|| life(actor, &shared, &files, &http))).is_err() {
            // Nobody may wait for a thread that is gone.
            tracing::error!("the core's thread panicked; the handle is closed");
            shared.end();
        }
    };
    match thread::Builder::new().name("innsync-core".to_owned()).spawn(live) {
        Ok(_) => Ok(()),
        Err(error) => {
            mailbox.close();
            Err(Error::bug("the system gives no thread", &error))
        }
    }
}

fn life(mut actor: Actor, shared: &Arc<Shared>, files: &Files, http: &Http) {
    let closer = loop {
        let end = actor.work();
        let mut kept = actor.put_away();
        let quiesced = match end {
            End::Closed(closer) => break closer,
            End::Quiesced(quiesced) => quiesced,
        };
        tracing::info!("paused: the database is closed");
        quiesced.into_iter().for_each(Caller::tell);
        let Some((reopened, woken)) = reopen(shared, files, http, &mut kept) else { break None };
        actor = reopened;
        match woken {
            Woken::Resumed => actor.input(Input::Foreground),
            Woken::By(alarm) => actor.wake_for(alarm, true),
        }
    };
    let others = shared.mailbox.closers();
    shared.end();
    tracing::info!("closed");
    answer(closer.into_iter().chain(others));
}

fn answer(callers: impl IntoIterator<Item = oneshot::Sender<()>>) {
    for caller in callers {
        let _ = caller.send(());
    }
}

/// Waits until there is a reason to go on and the database can be opened; `None`: the thread ends. A disk that is full for a
/// moment costs an attempt, not the handle.
fn reopen(shared: &Arc<Shared>, files: &Files, http: &Http, kept: &mut Kept) -> Option<(Actor, Woken)> {
    loop {
        let heard = shared.mailbox.pause();
        match heard {
            Heard::Closed => return None,
            Heard::Background(departure) => {
                let operations = shared.status().pending_changes;
                let _ = departure.reply.send(Backgrounded::Left { operations, why: Unfinished::Quiet });
                continue;
            }
            Heard::Diagnose(reply) => {
                let _ = reply.send(kept.diagnose(shared));
                continue;
            }
            Heard::Push(alarm) if kept.has_reached(alarm.hint) => {
                let _ = alarm.reply.send(PushOutcome::NoData);
                continue;
            }
            Heard::Push(_) | Heard::Resume(_) => {}
        }
        let opened = Actor::open(Arc::clone(shared), files, http.clone(), kept);
        if let Err(error) = &opened {
            tracing::warn!(%error, "the database cannot be opened again; the handle stays quiet");
        }
        match (heard, opened) {
            (Heard::Resume(reply), Ok(actor)) => {
                // Whoever was asked for quiet and to go on in one breath has said since that they leave.
                shared.mailbox.leave(false);
                let _ = reply.send(Ok(()));
                return Some((actor, Woken::Resumed));
            }
            (Heard::Resume(reply), Err(error)) => drop(reply.send(Err(error))),
            (Heard::Push(alarm), Ok(actor)) => return Some((actor, Woken::By(alarm))),
            (Heard::Push(alarm), Err(_)) => {
                let _ = alarm.reply.send(PushOutcome::Failed { why: Unfinished::StorageFailed });
            }
            (Heard::Background(_) | Heard::Diagnose(_) | Heard::Closed, _) => {}
        }
    }
}

impl Actor {
    fn work(&mut self) -> End {
        let mut ticked = false;
        let mut waiting_since = None;
        let mut looked = Instant::now();
        loop {
            self.look_after_visits();
            if let Some(callers) = self.take_ready() {
                return End::Quiesced(callers);
            }
            let sleep = self.sleep(ticked).min(self.visits.sleep());
            let sleep = if self.kept.observers.wait() { sleep.min(OBSERVERS_WAIT) } else { sleep };
            ticked = false;
            match self.shared.mailbox.take(if waiting_since.is_some() { Duration::ZERO } else { sleep }) {
                Some(Letter::Input(input)) => self.input(input),
                Some(Letter::Network(news)) if news.incarnation == self.kept.incarnation => {
                    let News { input, permits, .. } = self.shared.mailbox.with_more_frames(news);
                    self.input(input);
                    // After the commit.
                    drop(permits);
                }
                Some(Letter::Network(_)) => {}
                // Whoever waited for quiet does not want it any more.
                Some(Letter::Resume(reply)) => {
                    self.stay();
                    let _ = reply.send(Ok(()));
                }
                Some(Letter::Foreground) => self.look_up(),
                Some(Letter::Job(job)) => self.guarded(|actor| job(actor)),
                Some(Letter::Background(departure)) => self.depart(departure),
                Some(Letter::Push(alarm)) => self.wake_for(alarm, false),
                Some(Letter::Diagnose(reply)) => self.guarded(|actor| drop(reply.send(actor.diagnose()))),
                // The rotated token is stored first: without it the session would be over.
                Some(Letter::Quiesce(done)) => self.hush(done),
                Some(Letter::Close(done)) => return End::Closed(done),
                None => {}
            }
            if self.due() {
                self.input(Input::Tick);
                ticked = true;
            }
            if self.connect_at.take_if(|at| *at <= Instant::now()).is_some() && self.kept.connect {
                self.input(Input::Connect);
            }
            if looked.elapsed() >= LONGEST_SLEEP {
                looked = Instant::now();
                // What is overdue or has expired by now.
                self.kept.observers.status_changed();
            }
            waiting_since = self.tell_observers(waiting_since);
        }
    }

    /// Tells observers what was committed, unless more is to come within a moment.
    fn tell_observers(&mut self, waiting_since: Option<Instant>) -> Option<Instant> {
        if !self.kept.observers.wait() {
            return None;
        }
        let since = waiting_since.unwrap_or_else(Instant::now);
        if !self.shared.mailbox.is_empty() && since.elapsed() < OBSERVERS_WAIT {
            return Some(since);
        }
        self.guarded(|actor| actor.kept.observers.flush(&actor.store, &actor.shared));
        None
    }

    fn due(&self) -> bool {
        let now = self.shared.now().boot_ms;
        self.deadline().is_some_and(|at| at <= now)
    }

    /// When the engine wants to be asked next; never where nothing could be kept of it.
    fn deadline(&self) -> Option<u64> {
        self.engine.next_deadline().map(|(at, _)| at).filter(|_| !self.store.is_read_only())
    }

    fn sleep(&self, ticked: bool) -> Duration {
        let now = self.shared.now().boot_ms;
        let deadline = self.deadline().map(|at| Duration::from_millis(at.saturating_sub(now)));
        let connect = self.connect_at.map(|at| at.saturating_duration_since(Instant::now()));
        let sleep = [deadline, connect].into_iter().flatten().fold(LONGEST_SLEEP, Duration::min);
        if ticked { sleep.max(SHORTEST_SLEEP) } else { sleep }
    }

    /// Closes the socket and the database.
    fn put_away(mut self) -> Kept {
        if let Some((_, socket)) = self.socket.take() {
            socket.close(CloseCode::NORMAL.0, "Client disconnect");
        }
        self.shared.disconnected();
        self.kept.frames = self.engine.frames();
        self.kept.inside = Inside::of(&self.store);
        self.kept.at_rest = Some(self.engine);
        self.kept
    }
}
