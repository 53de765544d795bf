//! Errors: what the shell must do.

use std::fmt::Display;

use innsync_domain::Rejection;
use innsync_engine::{EngineError, StoreError};
use innsync_store::OpenError;

use crate::random;
use crate::session::SessionError;

/// Why a call failed. Each variant is something that the shell does; details are in the log.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Ask for name and password. What is on the phone stays usable.
    #[error("a person must sign in")]
    SignInRequired,
    /// The call needs the server, and it does not answer: try again when there is a network.
    #[error("the server cannot be reached")]
    Offline,
    /// Whoever answers has no certificate that this phone trusts, for the reason given. Ask to look at the phone's date and
    /// to sign in to the Wi-Fi where it wants that; a server with a certificate of its own needs its root in
    /// [`Options::extra_roots`](crate::Options::extra_roots). Nothing was sent.
    #[error(
        "the server's certificate is not trusted ({0}): check the phone's date and whether the Wi-Fi wants a sign-in; a \
         server with its own certificate needs its root given to the app"
    )]
    ServerNotTrusted(String),
    /// Ask for an update of the app: the server, or the database on the phone, is of a newer release. What is on the phone
    /// is untouched, and as far as this release knows it can be read.
    #[error("this release of the app is too old; update the app, nothing on the phone is lost")]
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
    Rejected(Box<Rejection>),
    /// The operation has left the phone, so it may be carried out already: wait until it is settled, then do the opposite.
    #[error("the operation has left the phone and can't be taken back")]
    AlreadySent,
    /// The caller gave something that cannot be used: a mistake in the shell.
    #[error("invalid input: {0}")]
    InvalidInput(String),
    /// The platform's key store did not do what it was asked to, for the reason given: ask the person to unlock the phone and
    /// to try again. Whoever was signed in still is, and nothing on the phone is lost.
    #[error("the phone's key store failed ({0}): unlock the phone and try again")]
    TokenStoreFailed(String),
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

// The one place where inner errors become the shell's: what it need not know is logged here.
impl Error {
    /// A bug: `what` failed because of `detail`, and should not have. Told to the log under the id of the error.
    pub fn bug(what: &str, detail: &dyn Display) -> Self {
        let id = random::hex(4);
        tracing::error!(bug = %id, %detail, "{what}");
        Self::Bug(id)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "the database failed");
        match error {
            StoreError::Full => Self::StorageFull,
            StoreError::Corrupt(_) => Self::StorageCorrupt,
            StoreError::ReadOnly => Self::UpdateRequired,
            StoreError::Other(detail) => Self::bug("the database failed", &detail),
        }
    }
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
        }
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        tracing::warn!(%error, "the database cannot be opened");
        match error {
            OpenError::Newer { .. } => Self::UpdateRequired,
            OpenError::Corrupt { .. } | OpenError::NotOurs { .. } => Self::StorageCorrupt,
            OpenError::Full => Self::StorageFull,
            OpenError::Busy { .. } => Self::AlreadyOpen,
            OpenError::Io { .. } => Self::InvalidInput(error.to_string()),
        }
    }
}

impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        tracing::warn!(%error, "tokens could not be kept or forgotten");
        Self::TokenStoreFailed(error.0)
    }
}
