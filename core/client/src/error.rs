//! Errors: what the shell must do.

use innsync_domain::Rejection;

/// Why a call failed. Each variant is something that the shell does; details are in the log.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Ask for name and password. What is on the phone stays usable.
    #[error("a person must sign in")]
    SignInRequired,
    /// The call needs the server, and it does not answer: try again when there is a network.
    #[error("the server cannot be reached")]
    Offline,
    /// Ask for an update of the app: the server, or the database on the phone, is of a newer release.
    #[error("this release of the app is too old")]
    UpdateRequired,
    /// Ask to free some space. Nothing was written, nothing saved earlier is lost.
    #[error("the phone's storage is full")]
    StorageFull,
    /// The database on the phone is damaged: offer to export diagnostics and to begin anew.
    #[error("the database on the phone is damaged")]
    StorageCorrupt,
    /// The same person's database is open already, by another handle or process: use or close that one.
    #[error("the database is already open")]
    AlreadyOpen,
    /// The command is refused at once, with nothing changed: tell why.
    #[error("{0}")]
    Rejected(Rejection),
    /// The caller gave something that cannot be used: a mistake in the shell.
    #[error("invalid input: {0}")]
    InvalidInput(String),
    /// It did not happen within the time given; it may still happen.
    #[error("it did not happen in time")]
    Timeout,
    /// The handle was closed.
    #[error("this handle is closed")]
    Closed,
    /// A mistake in InnSync. The text is an id that the log has, too, to be told to support.
    #[error("a bug in InnSync, told to the log as {0}")]
    Bug(String),
}
