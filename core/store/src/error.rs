//! What can go wrong with the file, said so that a person or the shell knows what to do.

use std::path::{Path, PathBuf};

use innsync_engine::StoreError;
use rusqlite::{Connection, ErrorCode, ffi};

/// The database could not be opened. Nothing was deleted or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A newer release of the app has written it: update the app.
    #[error(
        "{} was written by a newer release (format {found}, this one knows up to {supported}); update the app, the data \
         is untouched",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this release knows.
        supported: u32,
    },
    /// It is damaged: keep the file for support, move it aside, and fetch anew.
    #[error("{} is damaged ({detail}); it is kept as it is: move it aside to start anew", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        detail: String,
    },
    /// It is not a database of this app: choose another path.
    #[error("{} is not a database of this app; choose another place, it was left as it is", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// The storage is full: free some space and try again.
    #[error("the phone's storage is full; free some space and try again, nothing was lost")]
    Full,
    /// Another process holds it: try again in a moment.
    #[error("{} is in use by another process; try again in a moment", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The file system said no: see to the path and its permissions.
    #[error("{} cannot be opened: {detail}; check the path and its permissions", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
}

impl OpenError {
    pub(crate) fn io(path: &Path, detail: impl ToString) -> Self {
        Self::Io { path: path.to_owned(), detail: detail.to_string() }
    }

    pub(crate) fn corrupt(path: &Path, detail: impl ToString) -> Self {
        Self::Corrupt { path: path.to_owned(), detail: detail.to_string() }
    }

    pub(crate) fn of(path: &Path, connection: Option<&Connection>, error: &rusqlite::Error) -> Self {
        match smell(error) {
            Smell::Full => Self::Full,
            Smell::Damage => Self::corrupt(path, diagnosis(connection, error)),
            Smell::Busy => Self::Busy { path: path.to_owned() },
            Smell::Other => Self::io(path, error),
        }
    }
}

/// The engine's error for one of SQLite's.
pub(crate) fn store_error(connection: &Connection, error: &rusqlite::Error) -> StoreError {
    match smell(error) {
        Smell::Full => StoreError::Full,
        Smell::Damage => StoreError::Corrupt(diagnosis(Some(connection), error)),
        Smell::Busy | Smell::Other => StoreError::Other(error.to_string()),
    }
}

enum Smell {
    Full,
    Damage,
    Busy,
    Other,
}

fn smell(error: &rusqlite::Error) -> Smell {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return Smell::Other;
    };
    match failure.code {
        ErrorCode::DiskFull => Smell::Full,
        // The memory that connections share could not grow: only a full disk does that.
        ErrorCode::SystemIoFailure if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE => Smell::Full,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Smell::Damage,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Smell::Busy,
        _ => Smell::Other,
    }
}

/// What SQLite's own check says. It reads the whole file, so it is made only where damage is certain.
fn diagnosis(connection: Option<&Connection>, error: &rusqlite::Error) -> String {
    let found = connection.and_then(|connection| {
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)).ok()
    });
    match found {
        Some(found) if found != "ok" => format!("{error}: {}", found.trim()),
        _ => error.to_string(),
    }
}
