//! Opening: which server, property and person, and where things are kept on the phone.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use innsync_domain::Uuid;
use serde::{Deserialize, Serialize};

use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::files;
use crate::handle::InnSync;
use crate::opening::Opening;
use crate::session::{FileSessions, SessionStore};

/// Which database to open, and by whom. One database is kept for each server, property and person.
#[derive(Clone)]
pub struct Options {
    /// The server's base URL, `https://sync.example.com` or `http://127.0.0.1:8080`; without a path.
    pub server: String,
    /// The property's id, `seaside`.
    pub property: String,
    /// The name that the person signs in with, `ana`.
    pub person: String,
    /// The phone's name, stable over restarts; 1 to 100 characters.
    pub device: String,
    /// Where databases are kept; made when needed.
    pub directory: PathBuf,
    /// Where tokens are kept; files in `directory` unless given.
    pub sessions: Arc<dyn SessionStore>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Certificates (DER) trusted besides Mozilla's, for a server with a private one.
    pub extra_roots: Vec<Vec<u8>>,
}

impl Options {
    /// With the system's clock, tokens in files beside the databases, and the device's name kept there, too.
    pub fn new(
        server: impl Into<String>,
        property: impl Into<String>,
        person: impl Into<String>,
        directory: impl Into<PathBuf>,
    ) -> Self {
        let directory = directory.into();
        Self {
            server: server.into(),
            property: property.into(),
            person: person.into(),
            device: String::new(),
            sessions: Arc::new(FileSessions::new(&directory)),
            directory,
            clock: Arc::new(SystemClock::new()),
            extra_roots: Vec::new(),
        }
    }

    /// With that name for the phone, instead of a random one that is kept in the directory.
    #[must_use]
    pub fn device(mut self, name: impl Into<String>) -> Self {
        self.device = name.into();
        self
    }

    /// With that store for tokens.
    #[must_use]
    pub fn sessions(mut self, sessions: Arc<dyn SessionStore>) -> Self {
        self.sessions = sessions;
        self
    }

    /// With that clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

/// A person who has signed in on this phone at some time; their data may still be on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The server's base URL.
    pub server: String,
    /// The property's id.
    pub property: String,
    /// The name that the person signs in with.
    pub person: String,
    /// Their employee id.
    pub employee: Uuid,
    /// Their name as others see it, when they last signed in.
    pub name: String,
    /// The phone's name.
    pub device: String,
}

/// Signs in with a password (`POST /v1/sessions`) and opens the person's database.
///
/// Errors: `SignInRequired` (property, name or password wrong), `Offline`, `ServerNotTrusted`, `UpdateRequired`,
/// `TokenStoreFailed` (the tokens could not be kept: nobody is signed in, what is on the phone stays), and those of [`open`].
pub async fn sign_in(options: Options, password: &str) -> Result<InnSync, Error> {
    let opening = Opening::new(options)?;
    let person = opening.sign_in(password).await?;
    if let Some(known) = opening.files.account()
        && known.employee != person.employee
    {
        return Err(Error::InvalidInput(format!(
            "this phone keeps the work of another employee who signed in as {}; it must be sent or moved aside first",
            person.person
        )));
    }
    opening.files.save_account(&person)?;
    opening.start(person)
}

/// Opens the database of a person who has signed in on this phone before. Needs no network; blocks for a moment. While a
/// handle that has it open is being closed, or another process has it, that is waited for, for at most two seconds.
///
/// A database that a newer release of the app has written is opened for reading alone, and stays as it is: screens show what
/// this release knows of it, [`SyncState::UpdateRequired`](crate::SyncState) says what to do, nothing connects, and
/// whatever would write fails with `UpdateRequired`.
///
/// Errors: `SignInRequired` (never signed in here), `AlreadyOpen`, `UpdateRequired` (the database is of a newer
/// release, and this one cannot read it), `StorageCorrupt`, `StorageFull`, `InvalidInput`.
pub fn open(options: Options) -> Result<InnSync, Error> {
    let opening = Opening::new(options)?;
    let known = opening.files.account().ok_or(Error::SignInRequired)?;
    opening.start(known)
}

/// Everybody who has signed in on this phone, by property and name: for the quick change of person on a shared phone.
pub fn accounts(directory: &Path) -> Vec<Account> {
    files::accounts(directory)
}
