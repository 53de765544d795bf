//! The log.

use std::sync::Arc;

use innsync_client::{Stream, Timestamp};

use crate::errors::{InnSyncError, caught, caught_async};
use crate::mirror::{ToCore, ToShell, choice, record};

choice!(
    /// How much a line of the log matters.
    LogLevel = innsync_client::LogLevel {
        /// A bug, with the id that the shell saw.
        Error,
        /// Something failed that goes on by itself.
        Warn,
        /// The life of handle and connection.
        Info,
        /// Each request, by path and status.
        Debug,
    }
);

impl ToCore for LogLevel {
    type Core = innsync_client::LogLevel;
    fn to_core(self) -> Self::Core {
        match self {
            Self::Error => Self::Core::Error,
            Self::Warn => Self::Core::Warn,
            Self::Info => Self::Core::Info,
            Self::Debug => Self::Core::Debug,
        }
    }
}

record!(
    /// A line of the log. Holds no token, no password, no frame, and nothing that people wrote.
    LogLine = innsync_client::LogLine {
        /// When it was written, by the phone's clock.
        at: Timestamp,
        /// How much it matters.
        level: LogLevel,
        /// Where in the core it was written: `innsync_client::actor::carry`.
        target: String,
        /// What is told, with its details as `name=value`.
        message: String,
    }
);

/// Lines of the log.
#[derive(uniffi::Object)]
pub struct LogStream {
    stream: Stream<innsync_client::LogLine>,
}

/// Some lines, in order.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct LogBatch {
    /// To be given to the next call once the lines were taken over.
    pub number: u64,
    /// The lines; never none. Where the reader has missed some, since it lagged, the first one says how many.
    pub items: Vec<LogLine>,
}

impl LogStream {
    pub(crate) fn new(stream: Stream<innsync_client::LogLine>) -> Arc<Self> {
        Arc::new(Self { stream })
    }
}

fn lines(missed: u64, mut lines: Vec<LogLine>) -> Vec<LogLine> {
    if let (1.., Some(first)) = (missed, lines.first()) {
        let message = format!("{missed} lines are missing before the next: the reader lagged");
        let target = env!("CARGO_CRATE_NAME").to_owned();
        lines.insert(0, LogLine { at: first.at, level: LogLevel::Warn, target, message });
    }
    lines
}

#[uniffi::export]
impl LogStream {
    /// The lines after that batch, as soon as there are any; none at the end.
    pub async fn batch(&self, acknowledged: u64) -> Result<Option<LogBatch>, InnSyncError> {
        caught_async(async {
            let batch = self.stream.batch(acknowledged).await;
            Ok(batch.map(|it| LogBatch { number: it.number, items: lines(it.dropped, it.items.to_shell()) }))
        })
        .await
    }

    /// Ends the stream. Does not wait, may be called twice.
    pub fn stop(&self) {
        self.stream.stop();
    }
}

/// What the core writes to its log from now on, for all accounts of this process, up to that level. The oldest lines are
/// dropped when the reader lags by 1,000, and a line says how many.
#[uniffi::export]
pub fn log_lines(level: LogLevel) -> Result<Arc<LogStream>, InnSyncError> {
    caught(|| innsync_client::log_lines(level.to_core()).map(LogStream::new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use innsync_client::Error;

    #[tokio::test]
    async fn a_reader_that_lags_is_told_how_many_lines_it_missed() {
        let log = log_lines(LogLevel::Error).unwrap();
        for _ in 0..1_200 {
            let _ = Error::bug("the minibar is empty", &"on purpose");
        }
        let lines = log.batch(0).await.unwrap().unwrap().items;
        let (missed, rest) = lines[0].message.split_once(' ').unwrap();
        assert_eq!(rest, "lines are missing before the next: the reader lagged");
        // Other tests have bugs, too.
        assert!(missed.parse::<u64>().unwrap() >= 200, "{missed}");
        assert!(lines[1].message.contains("bug="), "{}", lines[1].message);
    }
}
