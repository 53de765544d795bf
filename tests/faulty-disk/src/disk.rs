//! A disk: a folder whose operations are counted, and fail as planned.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use innsync_random::Random;
use tempfile::TempDir;

use crate::media::{FileId, Media};
use crate::vfs;

/// What SQLite does to a file. Giving back a lock, a mapping or a file is not counted: the system does that for a dead
/// process, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Kind {
    Open,
    /// Opens a file that is not there yet.
    Create,
    Access,
    Size,
    Read,
    Write,
    Truncate,
    Sync,
    Delete,
    Lock,
    ShmMap,
    ShmLock,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The process dies: this operation and all after it fail, until [`Disk::restart`]. A write is done in part.
    Crash,
    /// The operation fails with the I/O error of its kind; a write is done in part.
    Io,
    /// What needs space fails: making a file, writing (in part) and making shared memory larger.
    Full,
    /// A lock is not had: another process has it.
    Busy,
}

impl Kind {
    /// Whether something is another on the disk after it than before. A death at any other operation leaves what a death at
    /// the next of these leaves.
    pub fn changes_something(self) -> bool {
        matches!(self, Self::Create | Self::Write | Self::Truncate | Self::Sync | Self::Delete)
    }
}

impl Fault {
    fn hits(self, kind: Kind) -> bool {
        match self {
            Self::Crash | Self::Io => true,
            Self::Full => matches!(kind, Kind::Create | Kind::Write | Kind::ShmMap),
            Self::Busy => matches!(kind, Kind::Lock | Kind::ShmLock),
        }
    }
}

/// A fault that is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// The first operation that it may hit, counted from 1 over the disk's whole life.
    pub operation: u64,
    /// How many operations it hits, of those from there on that it can. A crash needs but one.
    pub times: u64,
    /// What goes wrong.
    pub fault: Fault,
}

/// A fault that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    /// The operation that it hit.
    pub operation: u64,
    /// What that was.
    pub kind: Kind,
    /// What went wrong.
    pub fault: Fault,
}

/// What cannot be done to a disk.
#[derive(Debug)]
pub enum DiskError {
    /// Files on it are still open, so many: a dead process has none.
    FilesOpen(usize),
    /// The real file system failed.
    Io(std::io::Error),
}

impl std::fmt::Display for DiskError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::FilesOpen(count) => write!(f, "{count} files are still open"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DiskError {}

impl From<std::io::Error> for DiskError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// A folder whose files are on a disk that may fail. Dropped, it is a folder like any other.
#[derive(Debug)]
pub struct Disk {
    drive: Arc<Drive>,
    /// Removed with the disk.
    _folder: Option<TempDir>,
}

impl Disk {
    /// Makes a disk of that folder, which must be there, and [`install`](crate::install)s the shim. `seed`: of how much of
    /// a failing write is done.
    pub fn new(folder: &Path, seed: u64) -> Result<Self, DiskError> {
        vfs::install();
        // As SQLite names it.
        let folder = folder.canonicalize()?;
        let state = State { seed: Random::new(seed), ..State::default() };
        let drive = Arc::new(Drive { folder: folder.clone(), state: Mutex::new(state) });
        lock(&DRIVES).insert(folder, Arc::clone(&drive));
        Ok(Self { drive, _folder: None })
    }

    /// A disk of a folder that goes with it: in memory where the system has such folders, since nothing is synced anyway.
    pub fn temporary(seed: u64) -> Result<Self, DiskError> {
        let memory = Path::new("/dev/shm");
        let folder = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir())?;
        let mut disk = Self::new(folder.path(), seed)?;
        disk._folder = Some(folder);
        Ok(disk)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.drive.folder
    }

    /// Operations so far.
    pub fn operations(&self) -> u64 {
        self.drive.state().count
    }

    /// A hash over all operations so far: kinds, files, places and sizes, not contents.
    pub fn digest(&self) -> u64 {
        self.drive.state().digest
    }

    /// Those of them that changed something, in order: see [`Kind::changes_something`].
    pub fn changes(&self) -> Vec<u64> {
        self.drive.state().changes.clone()
    }

    /// Plans a fault. Of several that could hit one operation, the one planned first does.
    pub fn plan(&self, planned: Planned) {
        self.drive.state().planned.push(planned);
    }

    /// From now on it says that it has synced, and has not: as cheap flash does, and `synchronous=OFF`.
    pub fn lie(&self) {
        self.drive.state().lies = true;
    }

    /// No planned fault comes any more.
    pub fn heal(&self) {
        self.drive.state().planned.clear();
    }

    /// The faults that have come since this was last asked, in order.
    pub fn strikes(&self) -> Vec<Strike> {
        std::mem::take(&mut self.drive.state().strikes)
    }

    /// The process that uses it dies now, between two operations.
    pub fn crash(&self) {
        self.drive.state().is_crashed = true;
    }

    /// Whether the process that uses it is dead.
    pub fn is_crashed(&self) -> bool {
        self.drive.state().is_crashed
    }

    /// Operations within `run` are neither counted nor hit: whoever checks a database is not part of the story.
    pub fn aside<T>(&self, run: impl FnOnce() -> T) -> T {
        self.drive.state().is_aside = true;
        let result = run();
        self.drive.state().is_aside = false;
        result
    }

    /// A new process comes. Its predecessor must have dropped all its connections.
    pub fn restart(&self) -> Result<(), DiskError> {
        let mut state = self.drive.state();
        if state.open > 0 {
            return Err(DiskError::FilesOpen(state.open));
        }
        state.is_crashed = false;
        Ok(())
    }

    /// The power fails, and comes again: see [`Disk::restart`]. What was synced is there. Of what was not, `seed` says what
    /// is: all, nothing, all up to some write, any writes whatever their order, or any sectors (512 bytes) of any writes,
    /// some of these half written or full of noise.
    ///
    /// Taken for granted is what SQLite takes for granted of a Unix file system (`SQLITE_IOCAP_POWERSAFE_OVERWRITE`, which
    /// it reports, and nothing more): bytes next to a write are not touched by it; a sync that has returned is kept; the
    /// names of files made, and the absence of those deleted, are kept once their folder was synced, which SQLite does with
    /// the first sync of a new journal or log. A name, once kept, is kept with what was synced under it.
    pub fn power_loss(&self, seed: u64) -> Result<(), DiskError> {
        let mut state = self.drive.state();
        if state.open > 0 {
            return Err(DiskError::FilesOpen(state.open));
        }
        state.is_crashed = false;
        for (name, held) in state.media.power_loss(seed) {
            let path = self.drive.folder.join(&name);
            match held {
                Some(held) => std::fs::write(&path, held)?,
                None => remove(&path)?,
            }
        }
        // Shared memory is rebuilt by whoever comes first, whatever is in its file. SQLite does not name it to the shim.
        for entry in self.drive.folder.read_dir()? {
            let path = entry?.path();
            if path.extension().is_some_and(|it| it.to_string_lossy().ends_with("-shm")) {
                let mut random = Random::new(seed);
                let noise: Vec<u8> = (0..32_768).map(|_| random.next() as u8).collect();
                std::fs::write(&path, noise)?;
            }
        }
        Ok(())
    }

    /// Whether a power loss would take nothing.
    pub fn is_durable(&self) -> bool {
        self.drive.state().media.is_durable()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        lock(&DRIVES).remove(&self.drive.folder);
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// All disks, by folder.
static DRIVES: Mutex<BTreeMap<PathBuf, Arc<Drive>>> = Mutex::new(BTreeMap::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The disk that a file is on, and the file's name there; `None`: on none.
pub(crate) fn drive_of(path: &Path) -> Option<(Arc<Drive>, String)> {
    let drive = Arc::clone(lock(&DRIVES).get(path.parent()?)?);
    Some((drive, path.file_name()?.to_str()?.to_owned()))
}

/// A disk as the shim has it.
#[derive(Debug)]
pub(crate) struct Drive {
    pub(crate) folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    count: u64,
    changes: Vec<u64>,
    digest: u64,
    planned: Vec<Planned>,
    strikes: Vec<Strike>,
    is_crashed: bool,
    is_aside: bool,
    pub(crate) lies: bool,
    seed: Random,
    pub(crate) open: usize,
    pub(crate) media: Media,
}

impl Default for State {
    fn default() -> Self {
        Self {
            count: 0,
            changes: Vec::new(),
            digest: 0xcbf2_9ce4_8422_2325,
            planned: Vec::new(),
            strikes: Vec::new(),
            is_crashed: false,
            is_aside: false,
            lies: false,
            seed: Random::new(0),
            open: 0,
            media: Media::default(),
        }
    }
}

impl Drive {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    /// An operation on that file; `Err`: it fails. `at` and `len` in bytes, where it has any.
    pub(crate) fn enter(&mut self, kind: Kind, name: &str, at: u64, len: u64) -> Result<(), Fault> {
        if self.is_crashed {
            return Err(Fault::Crash);
        }
        if self.is_aside {
            return Ok(());
        }
        self.count += 1;
        if kind.changes_something() {
            self.changes.push(self.count);
        }
        let numbers = [kind as u64, at, len].into_iter().flat_map(u64::to_le_bytes);
        for byte in name.bytes().chain(numbers) {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let count = self.count;
        let due = |it: &&mut Planned| count >= it.operation && it.times > 0 && it.fault.hits(kind);
        let Some(planned) = self.planned.iter_mut().find(due) else { return Ok(()) };
        planned.times -= 1;
        let fault = planned.fault;
        self.is_crashed = fault == Fault::Crash;
        self.strikes.push(Strike { operation: count, kind, fault });
        Err(fault)
    }

    pub(crate) fn is_crashed(&self) -> bool {
        self.is_crashed
    }

    /// How many of a failing write's bytes are written.
    pub(crate) fn part(&mut self, len: usize) -> usize {
        // Often none or all of it.
        match self.seed.below(4) {
            0 => 0,
            1 => len,
            _ => self.seed.up_to(len),
        }
    }

    pub(crate) fn opened(&mut self, name: &str, is_new: bool, held: impl FnOnce() -> Vec<u8>) -> FileId {
        self.open += 1;
        if is_new { self.media.create(name) } else { self.media.known(name, held) }
    }
}
