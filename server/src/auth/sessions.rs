//! Sessions: one for each sign-in, a line of refresh tokens, each good once.
//!
//! ```text
//!  sign in ──▶ T0 ──refresh──▶ T1 ──refresh──▶ T2 …
//!              │                │
//!              │ again, at once │ the answer was lost: another T2, nothing else
//!              │ again, later   ▼ somebody has a copy: the session ends for both
//! ```

use innsync_domain::{Employee, Entity, EntityKind, Timestamp, Uuid};
use sha2::{Digest, Sha256};

use super::key::AuthError;
use super::secret::{Secret, hex, random_bytes};
use crate::authority::Authority;
use crate::ledger::{LedgerError, RefreshToken};

/// Milliseconds that a session lasts without being used: a season's break.
pub const REFRESH_TTL_MS: i64 = 90 * 24 * 60 * 60 * 1000;
/// Milliseconds in which a refresh token that was just used is taken again, since its answer may have been lost.
pub const REFRESH_GRACE_MS: i64 = 60_000;

/// A session was not begun or continued.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// It has ended, or there never was one.
    #[error("the session has ended; sign in again")]
    Revoked,
    /// It ends with this call: its access tokens and sockets are to end, too.
    #[error("the session is ended; sign in again")]
    Ended(Uuid),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No token could be made.
    #[error(transparent)]
    Auth(#[from] AuthError),
}

/// A session that has just begun.
#[derive(Debug)]
pub struct Started {
    /// Its id.
    pub session: Uuid,
    /// Its first refresh token.
    pub refresh_token: Secret,
    /// Who signed in.
    pub employee: Employee,
}

/// A session that goes on.
#[derive(Debug)]
pub struct Refreshed {
    /// Its id.
    pub session: Uuid,
    /// Where.
    pub property: String,
    /// Its next refresh token.
    pub refresh_token: Secret,
    /// Whose it is.
    pub employee: Employee,
}

/// Begins a session for somebody whose password was right.
pub fn start(
    authority: &mut Authority,
    now: Timestamp,
    property: &str,
    employee: Uuid,
    device: &str,
) -> Result<Started, SessionError> {
    let employee = on_staff(authority, property, employee)?;
    let session = uuid::Builder::from_random_bytes(random()?).into_uuid();
    let (secret, token) = fresh(now, session, property, employee.id, device)?;
    authority.ledger_mut().store_refresh_token(&token)?;
    Ok(Started { session, refresh_token: secret, employee })
}

/// Takes a refresh token for the next one.
pub fn refresh(authority: &mut Authority, now: Timestamp, token: &Secret) -> Result<Refreshed, SessionError> {
    let hash = hash_of(token);
    let Some(old) = authority.read().refresh_token(&hash)? else { return Err(SessionError::Revoked) };
    if old.expires_at <= now {
        return Err(SessionError::Revoked);
    }
    if old.superseded_at.is_some_and(|at| now > at.plus_millis(REFRESH_GRACE_MS)) {
        tracing::warn!(session = %old.session, "a refresh token was used again; its session is ended");
        authority.ledger_mut().end_session(now, old.session)?;
        return Err(SessionError::Ended(old.session));
    }
    let employee = match on_staff(authority, &old.property, old.employee) {
        Err(SessionError::Revoked) => {
            authority.ledger_mut().end_session(now, old.session)?;
            return Err(SessionError::Ended(old.session));
        }
        other => other?,
    };
    let (secret, new) = fresh(now, old.session, &old.property, old.employee, &old.device)?;
    authority.ledger_mut().rotate_refresh_token(&hash, &new)?;
    Ok(Refreshed { session: old.session, property: old.property, refresh_token: secret, employee })
}

/// Ends a session.
pub fn sign_out(authority: &mut Authority, now: Timestamp, session: Uuid) -> Result<(), SessionError> {
    Ok(authority.ledger_mut().end_session(now, session)?)
}

/// What of a refresh token is stored.
pub fn hash_of(token: &Secret) -> [u8; 32] {
    Sha256::digest(token.expose().as_bytes()).into()
}

fn on_staff(authority: &Authority, property: &str, id: Uuid) -> Result<Employee, SessionError> {
    match authority.read().get(property, id, &EntityKind::Employee, id) {
        Ok(Some(Entity::Employee(employee))) => Ok(employee),
        Ok(_) | Err(LedgerError::NoSuchPerson(_)) => Err(SessionError::Revoked),
        Err(error) => Err(error.into()),
    }
}

fn random<const N: usize>() -> Result<[u8; N], AuthError> {
    Ok(random_bytes()?)
}

fn fresh(
    now: Timestamp,
    session: Uuid,
    property: &str,
    employee: Uuid,
    device: &str,
) -> Result<(Secret, RefreshToken), AuthError> {
    let secret = Secret::new(hex(&random::<32>()?));
    let token = RefreshToken {
        token_hash: hash_of(&secret),
        session,
        property: property.to_owned(),
        employee,
        device: device.to_owned(),
        issued_at: now,
        expires_at: now.plus_millis(REFRESH_TTL_MS),
        superseded_at: None,
    };
    Ok((secret, token))
}
