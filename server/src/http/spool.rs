//! What is read at the ledger's speed and sent at the phone's. It lies in memory while it is small and in a temporary file
//! (the system's, `TMPDIR`) from then on. All spools share one room, and a session has one of them at a time.

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use axum::body::Bytes;
use innsync_domain::Uuid;
use tempfile::SpooledTempFile;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use crate::ledger::LedgerError;

/// Bytes that all spools of the server may take.
pub(super) const ROOM_BYTES: usize = 1024 * 1024 * 1024;
/// Bytes of a spool that lie in memory.
const MEMORY_BYTES: usize = 256 * 1024;
/// Bytes that are taken out at once.
const CHUNK_BYTES: usize = 32 * 1024;

/// All there are.
pub(super) struct Spools {
    /// A permit for each byte that is free.
    room: Arc<Semaphore>,
    /// Bytes that must be free for one to be begun, so that those that were begun can be finished.
    spare: usize,
    latest: Mutex<HashMap<Uuid, Weak<Spool>>>,
}

/// See the module. One side puts in, one takes out.
pub(super) struct Spool {
    state: Mutex<State>,
    grown: Notify,
    room: Arc<Semaphore>,
    spare: usize,
    wanted: watch::Sender<()>,
}

struct State {
    file: SpooledTempFile,
    room: Option<OwnedSemaphorePermit>,
    written: u64,
    taken: u64,
    end: Option<Result<(), Cut>>,
}

/// Why a spool ends before all is in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cut {
    #[error("too much waits for other phones")]
    NoRoom,
    #[error("it is not waited for any more")]
    GivenUp,
    #[error("a temporary file: {0}")]
    File(#[from] io::Error),
    #[error("a temporary file cannot be read back: {0}")]
    Lost(io::Error),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Spools {
    /// With room for so many bytes.
    pub(super) fn new(room: usize) -> Self {
        Self { room: Arc::new(Semaphore::new(room)), spare: room / 2, latest: Mutex::default() }
    }

    /// A spool for that session; the one it had before is given up.
    pub(super) fn open(&self, session: Uuid) -> Arc<Spool> {
        let file = SpooledTempFile::new(MEMORY_BYTES);
        let spool = Arc::new(Spool {
            state: Mutex::new(State { file, room: None, written: 0, taken: 0, end: None }),
            grown: Notify::new(),
            room: self.room.clone(),
            spare: self.spare,
            wanted: watch::Sender::new(()),
        });
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.retain(|_, spool| spool.strong_count() > 0);
        let before = latest.insert(session, Arc::downgrade(&spool));
        drop(latest);
        if let Some(before) = before.and_then(|before| before.upgrade()) {
            before.give_up();
        }
        spool
    }
}

impl Spool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is room to begin.
    pub(super) fn admit(&self) -> Result<(), Cut> {
        if self.room.available_permits() < self.spare { Err(Cut::NoRoom) } else { Ok(()) }
    }

    /// Puts some in, behind the rest.
    pub(super) fn put(&self, bytes: &[u8]) -> Result<(), Cut> {
        let mut state = self.state();
        if state.end.is_some() {
            return Err(Cut::GivenUp);
        }
        let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let room = self.room.clone().try_acquire_many_owned(count).map_err(|_| Cut::NoRoom)?;
        match &mut state.room {
            Some(held) => held.merge(room),
            none => *none = Some(room),
        }
        let end = SeekFrom::Start(state.written);
        state.file.seek(end)?;
        state.file.write_all(bytes)?;
        state.written += bytes.len() as u64;
        drop(state);
        self.grown.notify_one();
        Ok(())
    }

    /// Nothing more comes: all was put in, or it failed. Only the first word counts.
    pub(super) fn end(&self, how: Result<(), Cut>) {
        self.state().end.get_or_insert(how);
        self.grown.notify_one();
    }

    /// Throws away what nobody has taken out; whoever comes for it hears that it is cut.
    pub(super) fn give_up(&self) {
        let mut state = self.state();
        state.file = SpooledTempFile::new(MEMORY_BYTES);
        state.room = None;
        state.taken = state.written;
        state.end = Some(Err(Cut::GivenUp));
        drop(state);
        self.grown.notify_one();
        self.wanted.send_replace(());
    }

    /// Ready when it is given up, or dropped.
    pub(super) fn gone(&self) -> impl Future<Output = ()> + use<> {
        let mut wanted = self.wanted.subscribe();
        async move {
            let _ = wanted.changed().await;
        }
    }

    /// Takes out what comes next; `None` at the end. Waits for it.
    pub(super) async fn next(self: &Arc<Self>) -> Option<Result<Bytes, Cut>> {
        loop {
            let spool = self.clone();
            // A file may have to be waited for.
            let taken = tokio::task::spawn_blocking(move || spool.state().take()).await;
            match taken.unwrap_or_else(|failed| Err(Cut::Lost(failed.into()))) {
                Ok(Taken::Some(bytes)) => return Some(Ok(bytes)),
                Ok(Taken::End) => return None,
                Ok(Taken::Later) => self.grown.notified().await,
                Err(error) => {
                    // Of what went wrong before, the one who put in knows.
                    if matches!(error, Cut::Lost(_)) {
                        tracing::error!(%error, "a snapshot is cut");
                    }
                    return Some(Err(error));
                }
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
    fn take(&mut self) -> Result<Taken, Cut> {
        let waiting = self.written - self.taken;
        if waiting == 0 {
            // An error is told once; after it is the end.
            return match &mut self.end {
                None => Ok(Taken::Later),
                Some(end) => std::mem::replace(end, Ok(())).map(|()| Taken::End),
            };
        }
        let mut bytes = vec![0; CHUNK_BYTES.min(usize::try_from(waiting).unwrap_or(CHUNK_BYTES))];
        let from = SeekFrom::Start(self.taken);
        self.file.seek(from).and_then(|_| self.file.read_exact(&mut bytes)).map_err(Cut::Lost)?;
        self.taken += bytes.len() as u64;
        Ok(Taken::Some(bytes.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_put_in_comes_out_in_order_however_much_it_is() {
        let spool = Spools::new(ROOM_BYTES).open(Uuid::nil());
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
        let spool = Spools::new(ROOM_BYTES).open(Uuid::nil());
        spool.put(b"SUITES").unwrap();
        spool.end(Err(LedgerError::Busy.into()));
        spool.end(Ok(()));
        assert_eq!(spool.next().await.unwrap().unwrap().as_ref(), b"SUITES");
        assert!(matches!(spool.next().await, Some(Err(Cut::Ledger(LedgerError::Busy)))));
        assert!(spool.next().await.is_none());
    }

    #[tokio::test]
    async fn what_cannot_be_read_back_is_cut_and_the_log_says_why() {
        let log = Log::default();
        let _logging = log.listen();
        let spool = Spools::new(ROOM_BYTES).open(Uuid::nil());
        spool.put(&vec![7; MEMORY_BYTES + CHUNK_BYTES]).unwrap();
        spool.state().file.set_len(0).unwrap();
        assert!(matches!(spool.next().await, Some(Err(Cut::Lost(_)))));
        assert!(log.text().contains("cannot be read back"), "{}", log.text());
    }

    /// What is logged by this thread.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Log {
        fn listen(&self) -> tracing::subscriber::DefaultGuard {
            let log = self.clone();
            let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.clone());
            tracing::subscriber::set_default(lines.finish())
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_is_given_up_is_cut_and_not_taken_for_whole() {
        let spool = Spools::new(ROOM_BYTES).open(Uuid::nil());
        spool.put(b"SUITES").unwrap();
        spool.end(Ok(()));
        spool.give_up();
        assert!(spool.next().await.unwrap().is_err());
    }
    #[tokio::test]
    async fn a_session_has_one_spool_and_the_older_gives_its_room_back() {
        let spools = Spools::new(100);
        let (ana, ben) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (first, other) = (spools.open(ana), spools.open(ben));
        first.put(&[1; 60]).unwrap();
        other.put(&[2; 10]).unwrap();
        assert!(matches!((first.admit(), first.put(&[1; 31])), (Err(Cut::NoRoom), Err(Cut::NoRoom))));
        let gone = first.gone();
        let second = spools.open(ana);
        gone.await;
        assert!(matches!(first.put(&[1; 1]), Err(Cut::GivenUp)));
        assert!(matches!(first.next().await, Some(Err(Cut::GivenUp))));
        assert!(second.admit().is_ok() && second.put(&[3; 90]).is_ok());
        assert_eq!(other.next().await.unwrap().unwrap().as_ref(), [2; 10]);

        let gone = second.gone();
        drop(second);
        gone.await;
        assert!(other.put(&[2; 90]).is_ok());
    }
}
