//! Where tokens are kept between starts of the app.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use innsync_engine::Session;

/// Keeps one person's tokens for each account. Shells give one over the platform's key store.
///
/// Called from threads that may block, never two calls at once for one account.
pub trait SessionStore: Send + Sync {
    /// The tokens last saved; `None`: nobody is signed in.
    fn load(&self, account: &str) -> Result<Option<Session>, SessionError>;
    /// Replaces the tokens.
    fn save(&self, account: &str, session: &Session) -> Result<(), SessionError>;
    /// Forgets the tokens.
    fn clear(&self, account: &str) -> Result<(), SessionError>;
}

/// Tokens could not be read or kept. The text must not hold any.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token store failed: {0}")]
pub struct SessionError(pub String);

/// Tokens in files that only their owner may read: `<account>.session.json`.
#[derive(Debug, Clone)]
pub struct FileSessions {
    directory: PathBuf,
}

impl FileSessions {
    /// Files in that directory, which is made when needed.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    fn path(&self, account: &str) -> PathBuf {
        self.directory.join(format!("{account}.session.json"))
    }
}

impl SessionStore for FileSessions {
    fn load(&self, account: &str) -> Result<Option<Session>, SessionError> {
        match fs::read(self.path(account)) {
            // A file that cannot be read back is as good as none: a person signs in again.
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn save(&self, account: &str, session: &Session) -> Result<(), SessionError> {
        let bytes = serde_json::to_vec(session).map_err(|_| SessionError("not JSON".to_owned()))?;
        fs::create_dir_all(&self.directory).map_err(failed)?;
        write_private(&self.path(account), &bytes).map_err(failed)
    }

    fn clear(&self, account: &str) -> Result<(), SessionError> {
        match fs::remove_file(self.path(account)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }
}

fn failed(error: std::io::Error) -> SessionError {
    SessionError(error.to_string())
}

/// Writes the whole file or nothing: to a new one that only the owner may read, then over the old one.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// Tokens in memory alone: for tests, and for shells that sign in at each start.
#[derive(Debug, Default)]
pub struct MemorySessions {
    sessions: Mutex<HashMap<String, Session>>,
}

impl SessionStore for MemorySessions {
    fn load(&self, account: &str) -> Result<Option<Session>, SessionError> {
        Ok(self.lock().get(account).cloned())
    }

    fn save(&self, account: &str, session: &Session) -> Result<(), SessionError> {
        self.lock().insert(account.to_owned(), session.clone());
        Ok(())
    }

    fn clear(&self, account: &str) -> Result<(), SessionError> {
        self.lock().remove(account);
        Ok(())
    }
}

impl MemorySessions {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use innsync_domain::Timestamp;

    fn session() -> Session {
        Session { access_token: "a".into(), refresh_token: "r".into(), expires_at: Timestamp::from_millis(1) }
    }

    #[test]
    fn files_keep_tokens_for_their_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let sessions = FileSessions::new(directory.path().join("tokens"));
        assert_eq!(sessions.load("seaside-ana"), Ok(None));
        sessions.save("seaside-ana", &session()).unwrap();
        assert_eq!(sessions.load("seaside-ana"), Ok(Some(session())));
        assert_eq!(sessions.load("seaside-ben"), Ok(None));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(sessions.path("seaside-ana")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        sessions.clear("seaside-ana").unwrap();
        sessions.clear("seaside-ana").unwrap();
        assert_eq!(sessions.load("seaside-ana"), Ok(None));
    }

    #[test]
    fn a_damaged_token_file_means_sign_in_again() {
        let directory = tempfile::tempdir().unwrap();
        let sessions = FileSessions::new(directory.path());
        fs::write(sessions.path("seaside-ana"), b"{\"access").unwrap();
        assert_eq!(sessions.load("seaside-ana"), Ok(None));
    }
}
