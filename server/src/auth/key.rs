//! The key that access tokens are signed with. It is kept beside the ledger's tables, so that a restart signs nobody out.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::secret::{Secret, random_bytes};

/// Signing people in is not possible.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The key could not be read or written.
    #[error("reading or writing the server's key failed: {0}")]
    Ledger(#[from] rusqlite::Error),
    /// The system has no random numbers.
    #[error("the system's random source failed: {0}")]
    Random(getrandom::Error),
    /// A password could not be hashed.
    #[error("hashing a password failed: {0}")]
    Hash(String),
    /// A token could not be signed.
    #[error("signing a token failed: {0}")]
    Sign(String),
}

impl From<getrandom::Error> for AuthError {
    fn from(error: getrandom::Error) -> Self {
        Self::Random(error)
    }
}

/// 32 random bytes.
#[derive(Debug, Clone)]
pub struct TokenKey(Secret<[u8; 32]>);

impl TokenKey {
    /// A key that lives as long as the process.
    pub fn ephemeral() -> Result<Self, AuthError> {
        Ok(Self(Secret::new(random_bytes()?)))
    }

    /// The key of the ledger in that file, which must be one; made on the first call.
    pub fn load(path: &Path) -> Result<Self, AuthError> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.execute_batch(include_str!("schema.sql"))?;
        let fresh: [u8; 32] = random_bytes()?;
        let sql = "INSERT INTO auth_keys (name, value) VALUES ('access-token', ?1) ON CONFLICT DO NOTHING";
        connection.execute(sql, params![fresh])?;
        let sql = "SELECT value FROM auth_keys WHERE name = 'access-token'";
        let kept = connection.query_row(sql, [], |row| row.get(0)).optional()?;
        Ok(Self(Secret::new(kept.unwrap_or(fresh))))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_keeps_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.sqlite");
        let first = TokenKey::load(&path).unwrap();
        let again = TokenKey::load(&path).unwrap();
        assert_eq!(first.bytes(), again.bytes());
        assert_ne!(first.bytes(), TokenKey::ephemeral().unwrap().bytes());
    }
}
