//! The shim: SQLite's file system, with every call on a disk's file passing through [`State::enter`] before it goes on to
//! the platform's own. Files on no disk get the platform's own methods, as if the shim were not there.
//!
//! SQLite's contract (sqlite3.h, `sqlite3_vfs` and `sqlite3_io_methods`), as far as the `unsafe` here rests on it: SQLite
//! gives `xOpen` zeroed memory of `szOsFile` bytes, aligned for any type, keeps it in place until `xClose` and uses it
//! from one thread at a time; names are NUL-terminated and live as long as the file; buffers have the length given.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use innsync_random::Random;
use rusqlite::ffi;

use crate::disk::{Drive, Fault, Kind, State, drive_of};
use crate::media::FileId;

/// A file on a disk. The platform's own file lies behind it in the same memory.
#[repr(C)]
struct Shim {
    base: ffi::sqlite3_file,
    open: *mut OpenFile,
}

/// Where the platform's own file begins: aligned for any type.
const REAL_AT: usize = size_of::<Shim>().next_multiple_of(16);

struct OpenFile {
    drive: Arc<Drive>,
    name: String,
    id: FileId,
    /// A new journal or log: its first sync syncs the folder, too, as SQLite's own file system for Unix does.
    syncs_folder: bool,
}

/// The platform's own file system. Written once, before SQLite knows of the shim.
struct Real(*mut ffi::sqlite3_vfs);
// SAFETY: SQLite's own file systems live as long as the process and may be called from any thread.
unsafe impl Send for Real {}

static INSTALL: Once = Once::new();
static REAL: Mutex<Real> = Mutex::new(Real(null_mut()));
/// What SQLite gets as randomness.
static NUMBERS: Mutex<Random> = Mutex::new(Random::new(0));
/// Microseconds that SQLite has slept.
static SLEPT: AtomicI64 = AtomicI64::new(0);

/// When SQLite's time begins, in milliseconds of the Julian day: 2026-11-22T08:00:00Z.
const BEGAN: i64 = 210_866_760_000_000 + 1_795_334_400_000;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes the shim this process's default file system, once. Connections opened before keep theirs.
pub fn install() {
    INSTALL.call_once(|| {
        // SAFETY: finding and registering a file system are allowed at any time, from any thread. The platform's own is
        // never removed; the shim's table is leaked, so it lives as long as the process.
        unsafe {
            ffi::sqlite3_initialize();
            let real = ffi::sqlite3_vfs_find(null());
            assert!(!real.is_null(), "SQLite has no file system of its own here");
            lock(&REAL).0 = real;
            let shim = ffi::sqlite3_vfs {
                // No replaceable system calls: those are the real one's.
                iVersion: 2,
                szOsFile: REAL_AT as c_int + (*real).szOsFile,
                pNext: null_mut(),
                zName: c"innsync-faulty-disk".as_ptr(),
                xOpen: Some(open),
                xDelete: Some(delete),
                xAccess: Some(access),
                xFullPathname: Some(full_pathname),
                xRandomness: Some(randomness),
                xSleep: Some(sleep),
                xCurrentTime: Some(current_time),
                xCurrentTimeInt64: Some(current_time_int64),
                // What is left (the longest path; libraries; the last error) takes no notice of whose it is.
                ..*real
            };
            let result = ffi::sqlite3_vfs_register(Box::leak(Box::new(shim)), 1);
            assert_eq!(result, ffi::SQLITE_OK, "SQLite does not take the shim");
        }
    });
}

/// Starts SQLite's own generator of random numbers anew, from `seed`. It is one for all connections of the process.
pub fn seed_sqlite(seed: u64) {
    install();
    *lock(&NUMBERS) = Random::new(seed);
    // SAFETY: no bytes are asked for, so none are written: this only makes SQLite ask for a seed at the next call.
    unsafe { ffi::sqlite3_randomness(0, null_mut()) };
}

fn real() -> *mut ffi::sqlite3_vfs {
    lock(&REAL).0
}

/// The result code of a failure.
fn code(fault: Fault, kind: Kind) -> c_int {
    match (fault, kind) {
        (Fault::Busy, _) => ffi::SQLITE_BUSY,
        (Fault::Full, Kind::Write) => ffi::SQLITE_FULL,
        (Fault::Full, Kind::ShmMap) => ffi::SQLITE_IOERR_SHMSIZE,
        (_, Kind::Open | Kind::Create) => ffi::SQLITE_CANTOPEN,
        (_, Kind::Access) => ffi::SQLITE_IOERR_ACCESS,
        (_, Kind::Size) => ffi::SQLITE_IOERR_FSTAT,
        (_, Kind::Read) => ffi::SQLITE_IOERR_READ,
        (_, Kind::Write) => ffi::SQLITE_IOERR_WRITE,
        (_, Kind::Truncate) => ffi::SQLITE_IOERR_TRUNCATE,
        (_, Kind::Sync) => ffi::SQLITE_IOERR_FSYNC,
        (_, Kind::Delete) => ffi::SQLITE_IOERR_DELETE,
        (_, Kind::Lock) => ffi::SQLITE_IOERR_LOCK,
        (_, Kind::ShmMap) => ffi::SQLITE_IOERR_SHMMAP,
        (_, Kind::ShmLock) => ffi::SQLITE_IOERR_SHMLOCK,
    }
}

/// Counts an operation; the result code if it fails.
fn enter(state: &mut State, kind: Kind, name: &str, at: i64, len: i64) -> Result<(), c_int> {
    let numbers = (at.unsigned_abs(), len.unsigned_abs());
    state.enter(kind, name, numbers.0, numbers.1).map_err(|fault| code(fault, kind))
}

/// The path of a name that SQLite gives; `None`: a temporary file, or no text.
///
/// # Safety
/// `name` is null or NUL-terminated, and lives for `'a`.
unsafe fn path_of<'a>(name: *const c_char) -> Option<&'a Path> {
    // SAFETY: as the caller says.
    (!name.is_null())
        .then(|| unsafe { CStr::from_ptr(name) })
        .and_then(|name| name.to_str().ok())
        .map(Path::new)
}

// The file system's methods.

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let vfs = real();
    // SAFETY: SQLite's contract. `file` has room for the shim's file and the real one behind it; a file on no disk is
    // given to the real file system whole, which needs less. Where opening fails, `pMethods` is left null, so that SQLite
    // does not close what is not open.
    unsafe {
        let Some(real_open) = (*vfs).xOpen else { return ffi::SQLITE_CANTOPEN };
        let on_disk = path_of(name).and_then(|path| Some((path, drive_of(path)?)));
        let Some((path, (drive, name_there))) = on_disk else {
            return real_open(vfs, name, file, flags, out_flags);
        };
        (*file).pMethods = null();
        let is_new = !path.exists();
        let kind = if is_new { Kind::Create } else { Kind::Open };
        if let Err(code) = enter(&mut drive.state(), kind, &name_there, 0, i64::from(flags)) {
            return code;
        }
        let held = || std::fs::read(path).unwrap_or_default();
        let known = if is_new { Vec::new() } else { held() };
        let behind = behind(file);
        let result = real_open(vfs, name, behind, flags, out_flags);
        if result != ffi::SQLITE_OK {
            if let Some(close) = (*behind).pMethods.as_ref().and_then(|methods| methods.xClose) {
                close(behind);
            }
            return result;
        }
        let journals = ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;
        let syncs_folder = flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & journals != 0;
        let id = drive.state().opened(&name_there, is_new, || known);
        let open = Box::new(OpenFile { drive, name: name_there, id, syncs_folder });
        (*file.cast::<Shim>()).open = Box::into_raw(open);
        (*file).pMethods = &METHODS;
        result
    }
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    let vfs = real();
    // SAFETY: SQLite's contract.
    unsafe {
        let Some(real_delete) = (*vfs).xDelete else { return ffi::SQLITE_IOERR_DELETE };
        let Some((drive, name_there)) = path_of(name).and_then(drive_of) else {
            return real_delete(vfs, name, sync_folder);
        };
        if let Err(code) = enter(&mut drive.state(), Kind::Delete, &name_there, 0, i64::from(sync_folder)) {
            return code;
        }
        let result = real_delete(vfs, name, 0);
        if result == ffi::SQLITE_OK {
            let mut state = drive.state();
            state.media.delete(&name_there);
            if sync_folder & 1 != 0 {
                state.media.sync_folder();
            }
        }
        result
    }
}

unsafe extern "C" fn access(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let vfs = real();
    // SAFETY: SQLite's contract.
    unsafe {
        let Some(real_access) = (*vfs).xAccess else { return ffi::SQLITE_IOERR_ACCESS };
        if let Some((drive, name_there)) = path_of(name).and_then(drive_of)
            && let Err(code) = enter(&mut drive.state(), Kind::Access, &name_there, 0, i64::from(flags))
        {
            return code;
        }
        real_access(vfs, name, flags, out)
    }
}

unsafe extern "C" fn full_pathname(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    len: c_int,
    out: *mut c_char,
) -> c_int {
    let vfs = real();
    // SAFETY: SQLite's contract.
    unsafe { (*vfs).xFullPathname.map_or(ffi::SQLITE_CANTOPEN, |full| full(vfs, name, len, out)) }
}

unsafe extern "C" fn randomness(_: *mut ffi::sqlite3_vfs, len: c_int, out: *mut c_char) -> c_int {
    let mut numbers = lock(&NUMBERS);
    for at in 0..usize::try_from(len).unwrap_or(0) {
        // SAFETY: SQLite's contract: `out` has room for `len` bytes.
        unsafe { *out.add(at) = numbers.next() as c_char };
    }
    len
}

unsafe extern "C" fn sleep(_: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    SLEPT.fetch_add(i64::from(microseconds), Ordering::Relaxed);
    microseconds
}

unsafe extern "C" fn current_time_int64(_: *mut ffi::sqlite3_vfs, out: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: SQLite's contract: `out` is its variable.
    unsafe { *out = BEGAN + SLEPT.load(Ordering::Relaxed) / 1000 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn current_time(vfs: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    let mut millis = 0;
    // SAFETY: SQLite's contract: `out` is its variable.
    unsafe {
        current_time_int64(vfs, &mut millis);
        *out = millis as f64 / 86_400_000.0;
    }
    ffi::SQLITE_OK
}

// A file's methods.

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    // With shared memory; without memory-mapped files, whose writes no shim would see.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock_file),
    xUnlock: Some(unlock_file),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The platform's own file, behind the shim's.
///
/// # Safety
/// `file` is memory that SQLite gave to [`open`].
unsafe fn behind(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: `szOsFile` asked for that much more.
    unsafe { file.cast::<u8>().add(REAL_AT).cast() }
}

/// The shim's own knowledge of a file.
///
/// # Safety
/// `file` was opened by [`open`] and not closed, and is used by one thread.
unsafe fn shim<'a>(file: *mut ffi::sqlite3_file) -> &'a mut OpenFile {
    // SAFETY: `open` put it there, `close` takes it away.
    unsafe { &mut *(*file.cast::<Shim>()).open }
}

/// Calls a method of the platform's own file.
macro_rules! real {
    ($file:expr, $method:ident ( $($argument:expr),* ), else $otherwise:expr) => {{
        let behind = behind($file);
        match (*(*behind).pMethods).$method {
            Some(method) => method(behind $(, $argument)*),
            None => $otherwise,
        }
    }};
}

/// Counts the operation, and returns its error if it fails.
macro_rules! enter {
    ($file:expr, $kind:ident, $at:expr, $len:expr) => {
        let open = shim($file);
        if let Err(code) = enter(&mut open.drive.state(), Kind::$kind, &open.name, $at, $len) {
            return code;
        }
    };
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite's contract; the box is the one that `open` made, and SQLite closes a file once.
    unsafe {
        let open = Box::from_raw((*file.cast::<Shim>()).open);
        open.drive.state().open -= 1;
        real!(file, xClose(), else ffi::SQLITE_OK)
    }
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, out: *mut c_void, len: c_int, at: i64) -> c_int {
    // SAFETY: SQLite's contract.
    unsafe {
        enter!(file, Read, at, i64::from(len));
        real!(file, xRead(out, len, at), else ffi::SQLITE_IOERR_READ)
    }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, len: c_int, at: i64) -> c_int {
    // SAFETY: SQLite's contract: `from` has `len` bytes.
    unsafe {
        let open = shim(file);
        let (entered, len) = {
            let mut state = open.drive.state();
            let was_dead = state.is_crashed();
            let entered = enter(&mut state, Kind::Write, &open.name, at, i64::from(len));
            let part = match entered {
                Ok(()) => len,
                Err(_) if was_dead => 0,
                Err(_) => state.part(usize::try_from(len).unwrap_or(0)) as c_int,
            };
            (entered, part)
        };
        if len > 0 {
            let result = real!(file, xWrite(from, len, at), else ffi::SQLITE_IOERR_WRITE);
            if result != ffi::SQLITE_OK {
                return result;
            }
            let bytes = std::slice::from_raw_parts(from.cast::<u8>(), len as usize);
            open.drive.state().media.write(open.id, at as usize, bytes);
        }
        entered.err().unwrap_or(ffi::SQLITE_OK)
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, len: i64) -> c_int {
    // SAFETY: SQLite's contract.
    unsafe {
        enter!(file, Truncate, 0, len);
        let result = real!(file, xTruncate(len), else ffi::SQLITE_IOERR_TRUNCATE);
        if result == ffi::SQLITE_OK {
            let open = shim(file);
            open.drive.state().media.truncate(open.id, len as usize);
        }
        result
    }
}

/// Makes durable, in mind alone.
unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: SQLite's contract.
    unsafe {
        enter!(file, Sync, 0, i64::from(flags));
        let open = shim(file);
        let mut state = open.drive.state();
        if state.lies {
            return ffi::SQLITE_OK;
        }
        state.media.sync(open.id);
        if std::mem::take(&mut open.syncs_folder) {
            state.media.sync_folder();
        }
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, out: *mut i64) -> c_int {
    // SAFETY: SQLite's contract.
    unsafe {
        enter!(file, Size, 0, 0);
        real!(file, xFileSize(out), else ffi::SQLITE_IOERR_FSTAT)
    }
}

unsafe extern "C" fn lock_file(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite's contract.
    unsafe {
        enter!(file, Lock, 0, i64::from(level));
        real!(file, xLock(level), else ffi::SQLITE_IOERR_LOCK)
    }
}

/// A dead process's locks are given back, too.
unsafe extern "C" fn unlock_file(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite's contract.
    unsafe { real!(file, xUnlock(level), else ffi::SQLITE_IOERR_UNLOCK) }
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: SQLite's contract.
    unsafe {
        enter!(file, Lock, 0, 0);
        real!(file, xCheckReservedLock(out), else ffi::SQLITE_IOERR_CHECKRESERVEDLOCK)
    }
}

unsafe extern "C" fn file_control(file: *mut ffi::sqlite3_file, op: c_int, argument: *mut c_void) -> c_int {
    // SAFETY: SQLite's contract.
    unsafe { real!(file, xFileControl(op, argument), else ffi::SQLITE_NOTFOUND) }
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite's contract.
    unsafe { real!(file, xSectorSize(), else 0) }
}

/// Promises what the power loss keeps, and no more, whatever the platform's own says.
unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    let kept = ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE | ffi::SQLITE_IOCAP_SUBPAGE_READ;
    // SAFETY: SQLite's contract.
    unsafe { real!(file, xDeviceCharacteristics(), else 0) & kept }
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    page: c_int,
    len: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite's contract.
    unsafe {
        let open = shim(file);
        let entered =
            enter(&mut open.drive.state(), Kind::ShmMap, &open.name, i64::from(page), i64::from(extend));
        if let Err(code) = entered {
            *out = null_mut();
            return code;
        }
        real!(file, xShmMap(page, len, extend, out), else ffi::SQLITE_IOERR_SHMMAP)
    }
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, offset: c_int, n: c_int, flags: c_int) -> c_int {
    // SAFETY: SQLite's contract.
    unsafe {
        if flags & ffi::SQLITE_SHM_UNLOCK == 0 {
            enter!(file, ShmLock, i64::from(offset), i64::from(flags));
        }
        real!(file, xShmLock(offset, n, flags), else ffi::SQLITE_IOERR_SHMLOCK)
    }
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    // SAFETY: SQLite's contract.
    unsafe { real!(file, xShmBarrier(), else ()) }
}

/// A dead process leaves its shared memory's file behind.
unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    // SAFETY: SQLite's contract.
    unsafe {
        let delete = if shim(file).drive.state().is_crashed() { 0 } else { delete };
        real!(file, xShmUnmap(delete), else ffi::SQLITE_OK)
    }
}
