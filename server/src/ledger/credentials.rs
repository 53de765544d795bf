//! How people sign in, and the refresh tokens of their sessions. Hashing and signing are the edge's.

use std::fmt;

use innsync_domain::{Timestamp, Uuid};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Ledger, LedgerError};

/// How one person signs in.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name they sign in with, `ana`.
    pub login: String,
    /// Who it is.
    pub employee: Uuid,
    /// The hash of their password, as the edge made it.
    pub password_hash: String,
}

/// A refresh token, by its hash. Those of one sign-in, each superseding the one before, share its session.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The token's SHA-256.
    pub token_hash: [u8; 32],
    /// The sign-in.
    pub session: Uuid,
    /// Where.
    pub property: String,
    /// Who.
    pub employee: Uuid,
    /// On which phone.
    pub device: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When another took its place.
    pub superseded_at: Option<Timestamp>,
}

// What holds a secret prints without it.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials {{ employee: {}, .. }}", self.employee)
    }
}
impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RefreshToken {{ session: {}, employee: {}, .. }}", self.session, self.employee)
    }
}

impl Ledger {
    /// Sets how somebody signs in; takes the place of what they had.
    pub fn set_credentials(&mut self, property: &str, credentials: &Credentials) -> Result<(), LedgerError> {
        let transaction = self.begin()?;
        set(&transaction, property, credentials)?;
        Ok(transaction.commit()?)
    }

    /// Stores a refresh token, the first of its session.
    pub fn store_refresh_token(&mut self, token: &RefreshToken) -> Result<(), LedgerError> {
        insert_token(self.connection(), token)
    }

    /// Stores the token that takes the place of `old`, in one transaction.
    pub fn rotate_refresh_token(&mut self, old: &[u8; 32], new: &RefreshToken) -> Result<(), LedgerError> {
        let transaction = self.begin()?;
        transaction.execute(
            "UPDATE refresh_tokens SET superseded_at = ?2 WHERE token_hash = ?1 AND superseded_at = 0",
            params![old, new.issued_at.as_millis()],
        )?;
        insert_token(&transaction, new)?;
        Ok(transaction.commit()?)
    }

    /// Ends a session: none of its tokens is good any more.
    pub fn end_session(&mut self, now: Timestamp, session: Uuid) -> Result<(), LedgerError> {
        let transaction = self.begin()?;
        transaction.execute(
            "INSERT INTO ended_sessions (session, ended_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            params![session.as_bytes(), now.as_millis()],
        )?;
        transaction.execute("DELETE FROM refresh_tokens WHERE session = ?1", [session.as_bytes()])?;
        Ok(transaction.commit()?)
    }

    /// Ends all of a person's sessions, as after a change of password.
    pub fn end_sessions_of(
        &mut self,
        now: Timestamp,
        property: &str,
        employee: Uuid,
    ) -> Result<(), LedgerError> {
        let transaction = self.begin()?;
        end_sessions(&transaction, now, property, employee)?;
        Ok(transaction.commit()?)
    }
}

impl Ledger {
    /// The sessions that have ended, if another connection has written since the ledger was `seen`; and what it is to be
    /// called that it was seen now.
    pub(crate) fn ended_beside(
        &self,
        seen: Option<i64>,
    ) -> Result<(i64, Vec<(Uuid, Timestamp)>), LedgerError> {
        // It stays as it is when this connection writes.
        let version = self.connection().query_row("PRAGMA data_version", [], |row| row.get(0))?;
        let ended = if seen == Some(version) { Vec::new() } else { ended_sessions(self.connection())? };
        Ok((version, ended))
    }
}

pub(crate) fn set(connection: &Connection, property: &str, new: &Credentials) -> Result<(), LedgerError> {
    match get(connection, property, &new.login)? {
        Some(found) if found.employee != new.employee => {
            return Err(LedgerError::LoginTaken(new.login.clone()));
        }
        _ => forget(connection, property, new.employee)?,
    }
    connection.execute(
        "INSERT INTO people (property, login, employee, password_hash) VALUES (?1, ?2, ?3, ?4)",
        params![property, new.login, new.employee.as_bytes(), new.password_hash],
    )?;
    Ok(())
}

/// Somebody who left the staff signs in no more, and is signed out everywhere.
pub(crate) fn leave(
    connection: &Connection,
    now: Timestamp,
    property: &str,
    employee: Uuid,
) -> Result<(), LedgerError> {
    forget(connection, property, employee)?;
    end_sessions(connection, now, property, employee)
}

/// The sessions that were ended before their time, each with when.
pub(crate) fn ended_sessions(connection: &Connection) -> Result<Vec<(Uuid, Timestamp)>, LedgerError> {
    let mut statement = connection.prepare_cached("SELECT session, ended_at FROM ended_sessions")?;
    let rows = statement
        .query_map([], |row| Ok((Uuid::from_bytes(row.get(0)?), Timestamp::from_millis(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Forgets at most `limit` tokens that have expired by now, and as many that were superseded before then; how many of the
/// one or the other kind, whichever are more.
pub(crate) fn forget_tokens(
    connection: &Connection,
    now: Timestamp,
    superseded_before: Timestamp,
    limit: usize,
) -> Result<usize, LedgerError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let expired = connection.execute(
        "DELETE FROM refresh_tokens WHERE token_hash IN
            (SELECT token_hash FROM refresh_tokens WHERE expires_at <= ?1 LIMIT ?2)",
        params![now.as_millis(), limit],
    )?;
    let superseded = connection.execute(
        "DELETE FROM refresh_tokens WHERE token_hash IN
            (SELECT token_hash FROM refresh_tokens WHERE superseded_at > 0 AND superseded_at < ?1 LIMIT ?2)",
        params![superseded_before.as_millis(), limit],
    )?;
    Ok(expired.max(superseded))
}

pub(crate) fn forget_ended_sessions(connection: &Connection, before: Timestamp) -> Result<(), LedgerError> {
    connection.execute("DELETE FROM ended_sessions WHERE ended_at < ?1", [before.as_millis()])?;
    Ok(())
}

fn end_sessions(
    connection: &Connection,
    now: Timestamp,
    property: &str,
    employee: Uuid,
) -> Result<(), LedgerError> {
    connection.execute(
        "INSERT INTO ended_sessions (session, ended_at)
         SELECT DISTINCT session, ?3 FROM refresh_tokens WHERE property = ?1 AND employee = ?2
         ON CONFLICT DO NOTHING",
        params![property, employee.as_bytes(), now.as_millis()],
    )?;
    let sql = "DELETE FROM refresh_tokens WHERE property = ?1 AND employee = ?2";
    connection.execute(sql, params![property, employee.as_bytes()])?;
    Ok(())
}

fn forget(connection: &Connection, property: &str, employee: Uuid) -> Result<(), LedgerError> {
    let sql = "DELETE FROM people WHERE property = ?1 AND employee = ?2";
    connection.execute(sql, params![property, employee.as_bytes()])?;
    Ok(())
}

pub(crate) fn get(
    connection: &Connection,
    property: &str,
    login: &str,
) -> Result<Option<Credentials>, LedgerError> {
    let mut statement = connection.prepare_cached(
        "SELECT login, employee, password_hash FROM people WHERE property = ?1 AND login = ?2",
    )?;
    Ok(statement.query_row([property, login], credentials).optional()?)
}

fn credentials(row: &Row<'_>) -> rusqlite::Result<Credentials> {
    Ok(Credentials {
        login: row.get(0)?,
        employee: Uuid::from_bytes(row.get(1)?),
        password_hash: row.get(2)?,
    })
}

pub(crate) fn token(
    connection: &Connection,
    token_hash: &[u8; 32],
) -> Result<Option<RefreshToken>, LedgerError> {
    let mut statement = connection.prepare_cached(
        "SELECT token_hash, session, property, employee, device, issued_at, expires_at, superseded_at
         FROM refresh_tokens WHERE token_hash = ?1",
    )?;
    let token = statement.query_row([token_hash], |row| {
        let superseded_at: i64 = row.get(7)?;
        Ok(RefreshToken {
            token_hash: row.get(0)?,
            session: Uuid::from_bytes(row.get(1)?),
            property: row.get(2)?,
            employee: Uuid::from_bytes(row.get(3)?),
            device: row.get(4)?,
            issued_at: Timestamp::from_millis(row.get(5)?),
            expires_at: Timestamp::from_millis(row.get(6)?),
            superseded_at: (superseded_at != 0).then(|| Timestamp::from_millis(superseded_at)),
        })
    });
    Ok(token.optional()?)
}

fn insert_token(connection: &Connection, token: &RefreshToken) -> Result<(), LedgerError> {
    connection.execute(
        "INSERT INTO refresh_tokens
            (token_hash, session, property, employee, device, issued_at, expires_at, superseded_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            token.token_hash,
            token.session.as_bytes(),
            token.property,
            token.employee.as_bytes(),
            token.device,
            token.issued_at.as_millis(),
            token.expires_at.as_millis(),
            token.superseded_at.map_or(0, Timestamp::as_millis),
        ],
    )?;
    Ok(())
}
