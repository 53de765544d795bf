//! What is read at the ledger's speed and sent at the phone's. It lies in memory while it is small and in a temporary file
//! (the system's, `TMPDIR`) from then on. All spools share one room, and a session has one of them at a time. What was cut on
//! its way to the phone is kept for a while, so that the phone can go on where it was.

use std::collections::{HashMap, VecDeque};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use innsync_domain::Uuid;
use tempfile::SpooledTempFile;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use crate::ledger::LedgerError;

/// Bytes that all spools of the server may take.
pub(super) const ROOM_BYTES: usize = 1024 * 1024 * 1024;
/// Bytes of a spool that lie in memory.
const MEMORY_BYTES: usize = 256 * 1024;
/// How long one is kept after its way to the phone has first ended.
pub(super) const KEPT: Duration = Duration::from_secs(60);
/// How many are kept: each may hold a file open.
const KEPT_SPOOLS: usize = 256;
/// Bytes that are taken out at once.
const CHUNK_BYTES: usize = 32 * 1024;

/// All there are.
pub(super) struct Spools {
    /// A permit for each byte that is free.
    room: Arc<Semaphore>,
    /// Bytes that must be free for one to be begun, so that those that were begun can be finished.
    spare: usize,
    latest: Mutex<HashMap<Uuid, Weak<Spool>>>,
    kept: Kept,
}

/// Those whose phone may come back for the rest, the oldest first.
type Kept = Arc<Mutex<VecDeque<(Instant, Arc<Spool>)>>>;

/// See the module. One side puts in, the other takes out.
pub(super) struct Spool {
    /// Names it.
    id: Uuid,
    state: Mutex<State>,
    grown: Notify,
    room: Arc<Semaphore>,
    spare: usize,
    wanted: watch::Sender<()>,
    kept: Kept,
    /// Since when it has been kept.
    kept_since: OnceLock<Instant>,
    /// The version of the person for whom it was made, as of before it was: what they may see follows from it.
    person: OnceLock<u64>,
}

struct State {
    file: SpooledTempFile,
    room: Option<OwnedSemaphorePermit>,
    written: u64,
    end: Option<Result<(), Arc<Cut>>>,
}

/// Takes out, from some place on.
pub(super) struct Outlet {
    spool: Arc<Spool>,
    at: u64,
    /// What comes before that.
    first: Option<Bytes>,
    ended: bool,
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
        Self {
            room: Arc::new(Semaphore::new(room)),
            spare: room / 2,
            latest: Mutex::default(),
            kept: Kept::default(),
        }
    }

    /// The spool of that name, if it is the session's and is kept still.
    pub(super) fn find(&self, session: Uuid, id: Uuid) -> Option<Arc<Spool>> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.get(&session)?.upgrade().filter(|spool| spool.id == id)
    }

    /// Keeps a spool whose way to the phone has ended, [`KEPT`] at most and while there is room: the phone may not have got
    /// all of it.
    pub(super) fn keep(&self, spool: Arc<Spool>) {
        self.tidy();
        if spool.is_cut() {
            return;
        }
        let since = *spool.kept_since.get_or_init(Instant::now);
        let mut kept = self.kept();
        kept.retain(|(_, it)| !Arc::ptr_eq(it, &spool));
        let at = kept.partition_point(|(it, _)| *it <= since);
        kept.insert(at, (since, spool));
        if kept.len() > KEPT_SPOOLS {
            kept.pop_front();
        }
    }

    /// Lets those go that were kept long enough, and, where room is short, others, too.
    pub(super) fn tidy(&self) {
        let mut kept = self.kept();
        while let Some((since, _)) = kept.front()
            && (since.elapsed() >= KEPT || self.room.available_permits() < self.spare)
        {
            kept.pop_front();
        }
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<(Instant, Arc<Spool>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A spool for that session; the one it had before is given up.
    pub(super) fn open(&self, session: Uuid, id: Uuid) -> Arc<Spool> {
        self.tidy();
        let file = SpooledTempFile::new(MEMORY_BYTES);
        let spool = Arc::new(Spool {
            id,
            state: Mutex::new(State { file, room: None, written: 0, end: None }),
            grown: Notify::new(),
            room: self.room.clone(),
            spare: self.spare,
            wanted: watch::Sender::new(()),
            kept: self.kept.clone(),
            kept_since: OnceLock::new(),
            person: OnceLock::new(),
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
    /// Its name.
    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// It is made for a person of that version.
    pub(super) fn made_for(&self, version: u64) {
        let _ = self.person.set(version);
    }

    /// The version of the person that it was made for, once that is known.
    pub(super) fn person(&self) -> Option<u64> {
        self.person.get().copied()
    }

    /// Whether it ended before all was in it.
    fn is_cut(&self) -> bool {
        matches!(self.state().end, Some(Err(_)))
    }

    /// An outlet from the beginning.
    pub(super) fn outlet(self: &Arc<Self>) -> Outlet {
        Outlet { spool: self.clone(), at: 0, first: None, ended: false }
    }

    /// An outlet after so many lines; the first line, which every one begins with, is made by `begin` of what it was. `None`:
    /// there are not as many lines, or what is in it can't be read. May wait for the disk.
    pub(super) fn outlet_after(
        self: &Arc<Self>,
        lines: u64,
        begin: impl FnOnce(&str) -> Option<String>,
    ) -> Option<Outlet> {
        let mut state = self.state();
        if matches!(state.end, Some(Err(_))) {
            return None;
        }
        let written = state.written;
        state.file.seek(SeekFrom::Start(0)).ok()?;
        let mut reader = BufReader::new((&mut state.file).take(written));
        let mut line = String::new();
        let mut at = reader.read_line(&mut line).ok()? as u64;
        let first = begin(line.trim_end())?;
        for _ in 0..lines {
            line.clear();
            let bytes = reader.read_line(&mut line).ok()?;
            if !line.ends_with('\n') {
                return None;
            }
            at += bytes as u64;
        }
        let first = Some(Bytes::from(first + "\n"));
        Some(Outlet { spool: self.clone(), at, first, ended: false })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is room to begin, and somebody waits for it still.
    pub(super) fn admit(&self) -> Result<(), Cut> {
        if self.is_cut() {
            return Err(Cut::GivenUp);
        }
        if self.room.available_permits() < self.spare { Err(Cut::NoRoom) } else { Ok(()) }
    }

    /// Puts some in, behind the rest.
    pub(super) fn put(&self, bytes: &[u8]) -> Result<(), Cut> {
        let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let room = self.take_room(count)?;
        let mut state = self.state();
        if state.end.is_some() {
            return Err(Cut::GivenUp);
        }
        match &mut state.room {
            Some(held) => held.merge(room),
            none => *none = Some(room),
        }
        let end = SeekFrom::Start(state.written);
        state.file.seek(end)?;
        state.file.write_all(bytes)?;
        state.written += bytes.len() as u64;
        drop(state);
        self.grown.notify_waiters();
        Ok(())
    }

    /// What is merely kept makes room for what is under way.
    fn take_room(&self, bytes: u32) -> Result<OwnedSemaphorePermit, Cut> {
        let take = || self.room.clone().try_acquire_many_owned(bytes);
        take().or_else(|_| {
            let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
            drop(kept);
            take().map_err(|_| Cut::NoRoom)
        })
    }

    /// Nothing more comes: all was put in, or it failed. Only the first word counts.
    pub(super) fn end(&self, how: Result<(), Cut>) {
        self.state().end.get_or_insert(how.map_err(Arc::new));
        self.grown.notify_waiters();
    }

    /// Throws away what nobody has taken out; whoever comes for it hears that it is cut.
    pub(super) fn give_up(&self) {
        let mut state = self.state();
        state.file = SpooledTempFile::new(MEMORY_BYTES);
        state.room = None;
        state.end = Some(Err(Arc::new(Cut::GivenUp)));
        drop(state);
        self.grown.notify_waiters();
        self.wanted.send_replace(());
    }

    /// Ready when it is given up, or dropped.
    pub(super) fn gone(&self) -> impl Future<Output = ()> + use<> {
        let mut wanted = self.wanted.subscribe();
        async move {
            let _ = wanted.changed().await;
        }
    }
}

impl Outlet {
    /// Takes out what comes next; `None` at the end. Waits for it.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes, Arc<Cut>>> {
        if let Some(first) = self.first.take() {
            return Some(Ok(first));
        }
        while !self.ended {
            let (spool, at) = (self.spool.clone(), self.at);
            // Before looking, so that what comes meanwhile is not missed.
            let grown = self.spool.grown.notified();
            tokio::pin!(grown);
            grown.as_mut().enable();
            // A file may have to be waited for.
            let taken = tokio::task::spawn_blocking(move || spool.state().take(at)).await;
            match taken.unwrap_or_else(|failed| Err(Arc::new(Cut::Lost(failed.into())))) {
                Ok(Taken::Some(bytes)) => {
                    self.at += bytes.len() as u64;
                    return Some(Ok(bytes));
                }
                Ok(Taken::Later) => grown.await,
                Ok(Taken::End) => self.ended = true,
                Err(cut) => {
                    // Of what went wrong before, the one who put in knows.
                    if matches!(*cut, Cut::Lost(_)) {
                        tracing::error!(%cut, "a snapshot is cut");
                    }
                    self.ended = true;
                    return Some(Err(cut));
                }
            }
        }
        None
    }

    /// What it takes out of.
    pub(super) fn spool(&self) -> &Arc<Spool> {
        &self.spool
    }
}

enum Taken {
    Some(Bytes),
    Later,
    End,
}

impl State {
    fn take(&mut self, at: u64) -> Result<Taken, Arc<Cut>> {
        if let Some(Err(cut)) = &self.end
            && (at >= self.written || matches!(**cut, Cut::GivenUp))
        {
            return Err(cut.clone());
        }
        let waiting = self.written.saturating_sub(at);
        if waiting == 0 {
            return Ok(if self.end.is_some() { Taken::End } else { Taken::Later });
        }
        let mut bytes = vec![0; CHUNK_BYTES.min(usize::try_from(waiting).unwrap_or(CHUNK_BYTES))];
        let read = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.read_exact(&mut bytes));
        read.map_err(|error| Arc::new(Cut::Lost(error)))?;
        Ok(Taken::Some(bytes.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_put_in_comes_out_in_order_however_much_it_is() {
        let spool = Spools::new(ROOM_BYTES).open(Uuid::nil(), Uuid::nil());
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
        let (mut out, mut outlet) = (Vec::new(), spool.outlet());
        while let Some(bytes) = outlet.next().await {
            out.extend(bytes.unwrap());
        }
        filled.await.unwrap();
        assert!(out == expected && out.len() > MEMORY_BYTES);
    }

    #[tokio::test]
    async fn a_failure_comes_after_what_was_put_in_before() {
        let spool = Spools::new(ROOM_BYTES).open(Uuid::nil(), Uuid::nil());
        spool.put(b"SUITES").unwrap();
        spool.end(Err(LedgerError::Busy.into()));
        spool.end(Ok(()));
        let (mut outlet, mut other) = (spool.outlet(), spool.outlet());
        assert_eq!(outlet.next().await.unwrap().unwrap().as_ref(), b"SUITES");
        assert!(matches!(*outlet.next().await.unwrap().unwrap_err(), Cut::Ledger(LedgerError::Busy)));
        assert!(outlet.next().await.is_none());
        // Whoever else takes out hears it, too, and does not take it for whole.
        other.next().await.unwrap().unwrap();
        assert!(other.next().await.unwrap().is_err());
    }

    #[tokio::test]
    async fn what_cannot_be_read_back_is_cut_and_the_log_says_why() {
        let log = Log::default();
        let _logging = log.listen();
        let spool = Spools::new(ROOM_BYTES).open(Uuid::nil(), Uuid::nil());
        spool.put(&vec![7; MEMORY_BYTES + CHUNK_BYTES]).unwrap();
        spool.state().file.set_len(0).unwrap();
        assert!(matches!(*spool.outlet().next().await.unwrap().unwrap_err(), Cut::Lost(_)));
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
        let spool = Spools::new(ROOM_BYTES).open(Uuid::nil(), Uuid::nil());
        spool.put(b"SUITES").unwrap();
        spool.end(Ok(()));
        spool.give_up();
        assert!(spool.outlet().next().await.unwrap().is_err());
    }

    #[tokio::test]
    async fn a_session_has_one_spool_and_the_older_gives_its_room_back() {
        let spools = Spools::new(100);
        let (ana, ben) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (first, other) = (spools.open(ana, Uuid::nil()), spools.open(ben, Uuid::nil()));
        first.put(&[1; 60]).unwrap();
        other.put(&[2; 10]).unwrap();
        assert!(matches!((first.admit(), first.put(&[1; 31])), (Err(Cut::NoRoom), Err(Cut::NoRoom))));
        let gone = first.gone();
        let second = spools.open(ana, Uuid::nil());
        gone.await;
        assert!(matches!(first.put(&[1; 1]), Err(Cut::GivenUp)));
        assert!(matches!(*first.outlet().next().await.unwrap().unwrap_err(), Cut::GivenUp));
        assert!(second.admit().is_ok() && second.put(&[3; 90]).is_ok());
        assert_eq!(other.outlet().next().await.unwrap().unwrap().as_ref(), [2; 10]);

        let gone = second.gone();
        drop(second);
        gone.await;
        assert!(other.put(&[2; 90]).is_ok());
    }

    #[tokio::test]
    async fn a_phone_goes_on_after_the_lines_that_it_has() {
        // G16
        let spools = Spools::new(1024);
        let (ana, ben) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let spool = spools.open(ana, Uuid::from_u128(7));
        spool.put(b"begin\none\ntwo\nthr").unwrap();
        let begin = |line: &str| Some(format!("{line} again"));
        assert!(spool.outlet_after(3, begin).is_none(), "the third line is not whole yet");
        let mut rest = spool.outlet_after(1, begin).unwrap();
        spool.put(b"ee\n").unwrap();
        spool.end(Ok(()));
        let mut text = Vec::new();
        while let Some(bytes) = rest.next().await {
            text.extend(bytes.unwrap());
        }
        assert_eq!(String::from_utf8(text).unwrap(), "begin again\ntwo\nthree\n");
        drop(rest);

        // It is kept for whom it was made, until they have another, or room is short.
        spools.keep(spool);
        assert!(spools.find(ben, Uuid::from_u128(7)).is_none());
        assert!(spools.find(ana, Uuid::from_u128(8)).is_none());
        assert!(spools.find(ana, Uuid::from_u128(7)).is_some());
        let large = spools.open(ben, Uuid::nil());
        large.put(&[b'x'; 900]).unwrap();
        spools.tidy();
        assert!(spools.find(ana, Uuid::from_u128(7)).is_none());
    }
}
