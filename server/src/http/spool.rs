//! What is read at the ledger's speed and sent at the phone's. It lies in memory while it is small and in a temporary file
//! (the system's, `TMPDIR`) from then on.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use tempfile::SpooledTempFile;
use tokio::sync::Notify;

use crate::ledger::LedgerError;

/// Bytes of a spool that lie in memory.
const MEMORY_BYTES: usize = 256 * 1024;
/// Bytes that are taken out at once.
const CHUNK_BYTES: usize = 32 * 1024;

/// See the module. One side puts in, one takes out.
pub(super) struct Spool {
    state: Mutex<State>,
    grown: Notify,
}

struct State {
    file: SpooledTempFile,
    written: u64,
    taken: u64,
    end: Option<Result<(), LedgerError>>,
}

impl Spool {
    pub(super) fn new() -> Arc<Self> {
        let file = SpooledTempFile::new(MEMORY_BYTES);
        let state = State { file, written: 0, taken: 0, end: None };
        Arc::new(Self { state: Mutex::new(state), grown: Notify::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts some in, behind the rest.
    pub(super) fn put(&self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let end = SeekFrom::Start(state.written);
        state.file.seek(end)?;
        state.file.write_all(bytes)?;
        state.written += bytes.len() as u64;
        drop(state);
        self.grown.notify_one();
        Ok(())
    }

    /// Nothing more comes: all was put in, or it failed. Only the first word counts.
    pub(super) fn end(&self, how: Result<(), LedgerError>) {
        self.state().end.get_or_insert(how);
        self.grown.notify_one();
    }

    /// Throws away what nobody has taken out; whoever comes for it hears that it is cut.
    pub(super) fn give_up(&self) {
        let mut state = self.state();
        state.file = SpooledTempFile::new(MEMORY_BYTES);
        state.taken = state.written;
        state.end = Some(Err(LedgerError::Io("given up".to_owned())));
        drop(state);
        self.grown.notify_one();
    }

    /// Takes out what comes next; `None` at the end. Waits for it.
    pub(super) async fn next(self: &Arc<Self>) -> Option<Result<Bytes, LedgerError>> {
        loop {
            let spool = self.clone();
            // A file may have to be waited for.
            let taken = tokio::task::spawn_blocking(move || spool.state().take()).await;
            match taken.unwrap_or_else(|_| Err(LedgerError::Io("the spool failed".to_owned()))) {
                Ok(Taken::Some(bytes)) => return Some(Ok(bytes)),
                Ok(Taken::End) => return None,
                Ok(Taken::Later) => self.grown.notified().await,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

enum Taken {
    Some(Bytes),
    Later,
    End,
}

impl State {
    fn take(&mut self) -> Result<Taken, LedgerError> {
        let waiting = self.written - self.taken;
        if waiting == 0 {
            // An error is told once; after it is the end.
            return match &mut self.end {
                None => Ok(Taken::Later),
                Some(end) => std::mem::replace(end, Ok(())).map(|()| Taken::End),
            };
        }
        let mut bytes = vec![0; CHUNK_BYTES.min(usize::try_from(waiting).unwrap_or(CHUNK_BYTES))];
        let read = self.file.seek(SeekFrom::Start(self.taken)).and_then(|_| self.file.read_exact(&mut bytes));
        read.map_err(|error| failed(&error))?;
        self.taken += bytes.len() as u64;
        Ok(Taken::Some(bytes.into()))
    }
}

/// What a spool that cannot be written is for whoever waits for what is in it.
pub(super) fn failed(error: &io::Error) -> LedgerError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => LedgerError::Full,
        _ => LedgerError::Io(format!("a temporary file: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_put_in_comes_out_in_order_however_much_it_is() {
        let spool = Spool::new();
        let (filling, mut expected) = (spool.clone(), Vec::new());
        for number in 0..50_000u32 {
            expected.extend(number.to_be_bytes().repeat(5));
        }
        let all = expected.clone();
        let filled = tokio::task::spawn_blocking(move || {
            for piece in all.chunks(9_999) {
                filling.put(piece).unwrap();
            }
            filling.end(Ok(()));
        });
        let mut out = Vec::new();
        while let Some(bytes) = spool.next().await {
            out.extend(bytes.unwrap());
        }
        filled.await.unwrap();
        assert!(out == expected && out.len() > MEMORY_BYTES);
    }

    #[tokio::test]
    async fn a_failure_comes_after_what_was_put_in_before() {
        let spool = Spool::new();
        spool.put(b"SUITES").unwrap();
        spool.end(Err(LedgerError::Busy));
        spool.end(Ok(()));
        assert_eq!(spool.next().await.unwrap().unwrap().as_ref(), b"SUITES");
        assert!(matches!(spool.next().await, Some(Err(LedgerError::Busy))));
        assert!(spool.next().await.is_none());
    }

    #[tokio::test]
    async fn what_is_given_up_is_cut_and_not_taken_for_whole() {
        let spool = Spool::new();
        spool.put(b"SUITES").unwrap();
        spool.end(Ok(()));
        spool.give_up();
        assert!(spool.next().await.unwrap().is_err());
    }
}
