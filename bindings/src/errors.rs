//! Errors by what the shell must do, and panics as one of them.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;
use innsync_client::Error;

use crate::mirror::ToShell;
use crate::outbox::Rejection;

/// Why a call failed. Each case is something that the shell does; details are in the log.
#[derive(Debug, Clone, PartialEq, thiserror::Error, uniffi::Error)]
pub enum InnSyncError {
    /// Ask for name and password. What is on the phone stays usable.
    #[error("a person must sign in")]
    SignInRequired,
    /// The call needs the server, and it does not answer: try again when there is a network.
    #[error("the server cannot be reached")]
    Offline,
    /// The server's certificate is not trusted: a wrong address, a clock that is off, or a private certificate that
    /// `Settings.extraRoots` lacks.
    #[error(
        "the server's certificate is not trusted ({detail}): check the phone's date and whether the Wi-Fi wants a sign-in; a \
         server with its own certificate needs its root given to the app"
    )]
    ServerNotTrusted {
        /// What was found.
        detail: String,
    },
    /// Ask for an update of the app: the server, or the database on the phone, is of a newer release.
    #[error("this release of the app is too old; update the app, nothing on the phone is lost")]
    UpdateRequired,
    /// Ask to free some space. Nothing was written, nothing saved earlier is lost.
    #[error("the phone's storage is full")]
    StorageFull,
    /// The database on the phone is damaged: offer to export diagnostics and to begin anew.
    #[error("the database on the phone is damaged")]
    StorageCorrupt,
    /// The same person's database is open already: use or close that one.
    #[error("the database is already open")]
    AlreadyOpen,
    /// The command is refused at once, with nothing changed: tell why.
    #[error("{}", rejection.message)]
    Rejected {
        /// Why.
        rejection: Rejection,
    },
    /// The operation has left the phone, so it may be carried out already: wait until it is settled, then do the opposite.
    #[error("the operation has left the phone and can't be taken back")]
    AlreadySent,
    /// The caller gave something that cannot be used: a mistake in the shell.
    #[error("invalid input: {detail}")]
    InvalidInput {
        /// What.
        detail: String,
    },
    /// The `TokenStore` failed: ask the person to unlock the phone and to try again. Whoever was signed in still is, and
    /// nothing on the phone is lost.
    #[error("the phone's key store failed ({detail}): unlock the phone and try again")]
    TokenStoreFailed {
        /// What it said.
        detail: String,
    },
    /// It did not happen within the time given; it may still happen.
    #[error("it did not happen in time")]
    Timeout,
    /// The handle was closed.
    #[error("this handle is closed")]
    Closed,
    /// A mistake in InnSync, also a panic: the next call works.
    #[error("a bug in InnSync, told to the log as {id}")]
    Bug {
        /// What the log has, too; to be told to support.
        id: String,
    },
}

impl From<Error> for InnSyncError {
    fn from(error: Error) -> Self {
        match error {
            Error::SignInRequired => Self::SignInRequired,
            Error::Offline => Self::Offline,
            Error::ServerNotTrusted(detail) => Self::ServerNotTrusted { detail },
            Error::UpdateRequired => Self::UpdateRequired,
            Error::StorageFull => Self::StorageFull,
            Error::StorageCorrupt => Self::StorageCorrupt,
            Error::AlreadyOpen => Self::AlreadyOpen,
            Error::Rejected(rejection) => Self::Rejected { rejection: rejection.to_shell() },
            Error::AlreadySent => Self::AlreadySent,
            Error::InvalidInput(detail) => Self::InvalidInput { detail },
            Error::TokenStoreFailed(detail) => Self::TokenStoreFailed { detail },
            Error::Timeout => Self::Timeout,
            Error::Closed => Self::Closed,
            Error::Bug(id) => Self::Bug { id },
        }
    }
}

/// Does something; a panic in it is told to the log, and becomes `Bug`.
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, InnSyncError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(InnSyncError::from),
        Err(panic) => Err(bug(panic.as_ref())),
    }
}

/// As [`caught`], of something that takes its time.
pub(crate) async fn caught_async<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, InnSyncError> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(done) => done.map_err(InnSyncError::from),
        Err(panic) => Err(bug(panic.as_ref())),
    }
}

fn bug(panic: &(dyn Any + Send)) -> InnSyncError {
    let said =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::bug("a call panicked", &said.unwrap_or("without a text")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_bug_with_an_id_and_the_next_call_works() {
        let Err(InnSyncError::Bug { id }) = caught::<()>(|| panic!("on purpose")) else {
            panic!("it must be a bug");
        };
        assert_eq!(id.len(), 8);
        assert_eq!(caught(|| Ok(101)), Ok(101));
    }

    #[tokio::test]
    async fn so_is_a_panic_after_an_await() {
        let panics = async {
            tokio::task::yield_now().await;
            panic!("on purpose")
        };
        assert!(matches!(caught_async::<()>(panics).await, Err(InnSyncError::Bug { .. })));
        assert_eq!(caught_async(async { Ok(101) }).await, Ok(101));
    }
}
