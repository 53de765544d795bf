//! Who somebody is: passwords, access tokens, and the refresh tokens of their sessions.
//!
//! An access token (JWT, HS256) is good for a quarter of an hour and checked without asking the ledger. A refresh token
//! is good once: each use gives the next, and a copy that is used later ends the session for whoever has it.

mod key;
mod password;
mod secret;
mod sessions;
mod throttle;
mod token;

pub use key::{AuthError, TokenKey};
pub use password::Passwords;
pub(crate) use password::{check_login, check_password};
pub use secret::Secret;
pub(crate) use secret::{random_bytes, random_seed};
pub use sessions::{
    REFRESH_GRACE_MS, REFRESH_TTL_MS, Refreshed, SessionError, Started, hash_of, refresh, sign_out, start,
};
pub use throttle::Throttle;
pub use token::{AccessClaims, TokenError, Tokens};
