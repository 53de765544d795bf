//! Bodies of the REST calls around sessions. Entities are sent as they are (bare objects and arrays).

use std::fmt;

use innsync_domain::{Employee, Timestamp};
use serde::{Deserialize, Serialize};

/// `POST /v1/sessions`.
#[derive(Clone, Serialize, Deserialize)]
pub struct SessionRequest {
    /// The property's id, `seaside`.
    pub property: String,
    /// The name that the person signs in with, `ana`.
    pub person: String,
    /// Their password.
    pub password: String,
    /// The phone's name, stable over restarts.
    pub device: String,
}

/// `POST /v1/sessions/refresh`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefreshRequest {
    /// The refresh token of the last answer.
    pub refresh_token: String,
}

/// The answer to both.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionAnswer {
    /// For `Authorization: Bearer`.
    pub access_token: String,
    /// For the next refresh; the one before it stays good for a short while.
    pub refresh_token: String,
    /// When the access token expires.
    pub expires_at: Timestamp,
    /// Who signed in.
    pub employee: Employee,
    /// Where.
    pub property: PropertyInfo,
}

/// A property, as its staff see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PropertyInfo {
    /// Its id, `seaside`.
    pub id: String,
    /// Its name, "Seaside Motel".
    pub name: String,
    /// Its time zone (IANA), `America/Los_Angeles`.
    pub time_zone: String,
}

// What holds a secret prints without it.
impl fmt::Debug for SessionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionRequest {{ property: {:?}, device: {:?}, .. }}", self.property, self.device)
    }
}
impl fmt::Debug for RefreshRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshRequest { .. }")
    }
}
impl fmt::Debug for SessionAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionAnswer {{ employee: {}, expires_at: {}, .. }}", self.employee.id, self.expires_at)
    }
}
