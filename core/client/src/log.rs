//! The log as a stream, for shells: a program in Rust has `tracing` subscribers of its own.

use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use innsync_domain::Timestamp;
use innsync_engine::redacted_detail;
use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, set_global_default};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::clock::wall;
use crate::error::Error;
use crate::stream::{Queue, Stream};

/// Lines that wait for a reader.
const WAITING: usize = 1_000;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LogLevel {
    /// A bug, with the id that the shell saw.
    Error = 1,
    /// Something failed that goes on by itself.
    Warn,
    /// The life of handle and connection.
    Info,
    /// Each request, by path and status.
    Debug,
}

/// A line of the log. Holds no token, no password, no frame, and nothing that people wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// When it was written, by the phone's clock.
    pub at: Timestamp,
    /// How much it matters.
    pub level: LogLevel,
    /// Where in the core it was written: `innsync_client::actor::carry`.
    pub target: String,
    /// What is told, with its details as `name=value`.
    pub message: String,
}

/// What the core writes to its log from now on, in all handles of this process, up to that level. The oldest lines are
/// dropped when the reader lags by 1,000; [`Batch::dropped`](crate::Batch::dropped) counts them.
///
/// Errors: `InvalidInput` (the program has a `tracing` subscriber of its own, which gets the lines).
pub fn log_lines(level: LogLevel) -> Result<Stream<LogLine>, Error> {
    listen(level).map(Stream::new)
}

/// From now on the newest 200 lines of all handles of this process are kept, without what they quote, for [`InnSync::diagnostics`](crate::InnSync::diagnostics).
/// Of no effect where the program has a `tracing` subscriber of its own, which gets the lines.
pub fn keep_log_lines() {
    if is_ours() {
        KEEPS.store(true, Ordering::Relaxed);
        finest(&listeners());
    }
}

/// The lines that were kept, oldest first.
pub(crate) fn kept_lines() -> Vec<LogLine> {
    kept().iter().cloned().collect()
}

/// Whether the log of this process is ours to tell.
fn is_ours() -> bool {
    static IS_OURS: OnceLock<bool> = OnceLock::new();
    *IS_OURS.get_or_init(|| set_global_default(ToListeners).is_ok())
}

/// As [`log_lines`], for whoever fills or ends the stream.
pub(crate) fn listen(level: LogLevel) -> Result<Arc<Queue<LogLine>>, Error> {
    if !is_ours() {
        return Err(Error::InvalidInput("this program has a tracing subscriber of its own".to_owned()));
    }
    let queue = Queue::new(WAITING);
    let mut listeners = listeners();
    listeners.push(Listener { level, queue: Arc::clone(&queue) });
    finest(&listeners);
    Ok(queue)
}

#[derive(Clone)]
struct Listener {
    level: LogLevel,
    queue: Arc<Queue<LogLine>>,
}

/// Lines that are kept for a diagnosis.
const KEPT_LINES: usize = 200;

static KEEPS: AtomicBool = AtomicBool::new(false);
static KEPT: Mutex<VecDeque<LogLine>> = Mutex::new(VecDeque::new());
static LISTENERS: Mutex<Vec<Listener>> = Mutex::new(Vec::new());
/// The finest level that somebody listens to; 0: nobody does.
static FINEST: AtomicU8 = AtomicU8::new(0);

fn listeners() -> MutexGuard<'static, Vec<Listener>> {
    LISTENERS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kept() -> MutexGuard<'static, VecDeque<LogLine>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep(line: &LogLine) {
    let mut kept = kept();
    if kept.len() == KEPT_LINES {
        kept.pop_front();
    }
    kept.push_back(LogLine { message: redacted_detail(&line.message), ..line.clone() });
}

fn finest(listeners: &[Listener]) {
    let keeps = KEEPS.load(Ordering::Relaxed).then_some(LogLevel::Debug as u8);
    let finest = listeners.iter().map(|listener| listener.level as u8).chain(keeps).max();
    FINEST.store(finest.unwrap_or(0), Ordering::Relaxed);
}

fn tell(line: &LogLine) {
    if KEEPS.load(Ordering::Relaxed) {
        keep(line);
    }
    let all = {
        let mut listeners = listeners();
        listeners.retain(|listener| !listener.queue.is_done());
        finest(&listeners);
        listeners.clone()
    };
    // Without the lock: who is woken may write to the log.
    for listener in all.iter().filter(|listener| line.level <= listener.level) {
        listener.queue.push_dropping_oldest(line.clone());
    }
}

/// The subscriber of processes whose log is read as a stream.
struct ToListeners;

impl Subscriber for ToListeners {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // Of other crates nothing is known: they may log what they send.
        if metadata.is_event() && metadata.target().starts_with("innsync_") && level(metadata).is_some() {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        level(metadata).is_some_and(|level| level as u8 <= FINEST.load(Ordering::Relaxed))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }

    fn event(&self, event: &Event<'_>) {
        let Some(level) = level(event.metadata()) else { return };
        let mut text = Text::default();
        event.record(&mut text);
        let Text { message, details } = text;
        let target = event.metadata().target().to_owned();
        tell(&LogLine { at: wall(), level, target, message: message + &details });
    }

    // There are no spans in the core.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn level(metadata: &Metadata<'_>) -> Option<LogLevel> {
    match *metadata.level() {
        Level::ERROR => Some(LogLevel::Error),
        Level::WARN => Some(LogLevel::Warn),
        Level::INFO => Some(LogLevel::Info),
        Level::DEBUG => Some(LogLevel::Debug),
        Level::TRACE => None,
    }
}

/// An event as one text.
#[derive(Default)]
struct Text {
    message: String,
    details: String,
}

impl Text {
    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value}"),
            name => write!(self.details, " {name}={value}"),
        };
    }
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format_args!("{value:?}"));
    }
}
