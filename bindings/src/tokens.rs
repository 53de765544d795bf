//! Where the platform keeps tokens.

use std::sync::Arc;

use innsync_client::{Session, SessionError, SessionStore};

/// Keeps one person's tokens for each account: an encrypted file under Android's key store, the Keychain. Called from
/// threads that may block, never two calls at once for one account.
#[uniffi::export(with_foreign)]
pub trait TokenStore: Send + Sync {
    /// The tokens last saved; none: nobody is signed in.
    fn load(&self, account: String) -> Result<Option<String>, TokenStoreError>;
    /// Replaces the tokens, a short text that must not be logged.
    fn save(&self, account: String, tokens: String) -> Result<(), TokenStoreError>;
    /// Forgets the tokens.
    fn clear(&self, account: String) -> Result<(), TokenStoreError>;
}

/// Tokens could not be read or kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum TokenStoreError {
    /// The platform's store failed.
    #[error("{detail}")]
    Failed {
        /// Why; must not hold a token.
        detail: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for TokenStoreError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { detail: error.reason }
    }
}

impl From<TokenStoreError> for SessionError {
    fn from(TokenStoreError::Failed { detail }: TokenStoreError) -> Self {
        Self(detail)
    }
}

/// The platform's store, as the core calls it.
pub(crate) struct PlatformTokens(pub(crate) Arc<dyn TokenStore>);

impl SessionStore for PlatformTokens {
    fn load(&self, account: &str) -> Result<Option<Session>, SessionError> {
        let tokens = self.0.load(account.to_owned())?;
        // What cannot be read back is as good as none: the person signs in again.
        Ok(tokens.and_then(|text| serde_json::from_str(&text).ok()))
    }

    fn save(&self, account: &str, session: &Session) -> Result<(), SessionError> {
        let text = serde_json::to_string(session).map_err(|_| SessionError("not JSON".to_owned()))?;
        Ok(self.0.save(account.to_owned(), text)?)
    }

    fn clear(&self, account: &str) -> Result<(), SessionError> {
        Ok(self.0.clear(account.to_owned())?)
    }
}
