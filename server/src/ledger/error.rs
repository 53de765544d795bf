//! What can go wrong with the ledger, each with what to do about it.

use std::path::PathBuf;

use innsync_domain::Uuid;
use rusqlite::{ErrorCode, ffi};

/// Why the ledger cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file is something else.
    #[error("{path} is not an InnSync ledger ({detail}); nothing was changed, name another file")]
    NotALedger {
        /// Which file.
        path: PathBuf,
        /// What it seems to be.
        detail: String,
    },
    /// A newer release has written it.
    #[error(
        "the ledger has version {found}, but this release reads up to version {supported}; \
         install the release that wrote it, or a newer one"
    )]
    Newer {
        /// The file's version.
        found: u32,
        /// The newest version that this release reads.
        supported: u32,
    },
    /// The file cannot be opened for writing.
    #[error("cannot open the ledger {path}: {detail}")]
    CannotOpen {
        /// Which file.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// Another process holds the ledger.
    #[error("the ledger is locked by another process; stop it, or try again")]
    Busy,
    /// No space is left.
    #[error(
        "the disk of the ledger is full, or a quota is; free some space, nothing that was confirmed is lost"
    )]
    Full,
    /// What is in the file makes no sense.
    #[error("the ledger is damaged ({0}); restore it from a backup")]
    Corrupt(String),
    /// Reading or writing failed.
    #[error("reading or writing the ledger failed: {0}")]
    Io(String),
    /// There is no such property.
    #[error("there is no property {0:?}; create it first")]
    NoSuchProperty(String),
    /// The property is there already.
    #[error("there is a property {0:?} already; choose another id")]
    PropertyExists(String),
    /// The property's id cannot be used.
    #[error("{0:?} cannot be a property's id; use 1 to 64 characters of a-z, 0-9 and -")]
    BadPropertyId(String),
    /// Nobody of that id is on the property's staff.
    #[error("nobody on the staff has the id {0}")]
    NoSuchPerson(Uuid),
    /// Somebody else signs in with that name.
    #[error("somebody else signs in as {0:?} already; choose another name")]
    LoginTaken(String),
    /// The rules refuse it.
    #[error("{0}")]
    Refused(String),
}

impl LedgerError {
    /// Whether trying again later may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy | Self::Full | Self::Io(_))
    }

    /// What in the ledger cannot be read, and why.
    pub(crate) fn unreadable(what: &str, why: impl std::fmt::Display) -> Self {
        Self::Corrupt(format!("{what}: {why}"))
    }
}

/// SQLite tells a full disk from other failures, but neither a quota nor a limit on the size of files. What the system
/// said last to this thread does, where it was a write that failed: after anything else it may be left from before.
fn is_without_room(error: &rusqlite::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let rusqlite::Error::SqliteFailure(failure, _) = error else { return false };
    let wrote = matches!(
        failure.extended_code,
        ffi::SQLITE_IOERR_WRITE
            | ffi::SQLITE_IOERR_FSYNC
            | ffi::SQLITE_IOERR_DIR_FSYNC
            | ffi::SQLITE_IOERR_TRUNCATE
            | ffi::SQLITE_IOERR_SHMSIZE
    );
    wrote && matches!(std::io::Error::last_os_error().kind(), FileTooLarge | QuotaExceeded | StorageFull)
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::SystemIoFailure) if is_without_room(&error) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(error.to_string()),
            Some(_) => Self::Io(error.to_string()),
            None => Self::Corrupt(error.to_string()),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_failed_before_says_nothing_of_a_read_that_fails_now() {
        let failure = |extended| {
            // A device that is always full leaves its error with this thread.
            let mut full = std::fs::File::options().write(true).open("/dev/full").unwrap();
            full.write_all(b"x").unwrap_err();
            LedgerError::from(rusqlite::Error::SqliteFailure(ffi::Error::new(extended), None))
        };
        for read in [ffi::SQLITE_IOERR_READ, ffi::SQLITE_IOERR_SHORT_READ, ffi::SQLITE_IOERR_FSTAT] {
            assert!(matches!(failure(read), LedgerError::Io(_)), "{:?}", failure(read));
        }
        assert!(matches!(failure(ffi::SQLITE_IOERR_WRITE), LedgerError::Full));
    }
}
