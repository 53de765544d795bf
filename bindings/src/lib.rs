//! The face of InnSync's core for Kotlin and Swift: types and conversions, no logic.
//!
//! Everything here mirrors `innsync-client`, and is documented there at length. What differs is due to the border:
//! streams are pulled by batches that are delivered until acknowledged, each call can fail (also by a panic, as
//! `Bug`), durations are milliseconds, and values of closed sets that this release does not know are `Other`.

#![cfg_attr(test, allow(clippy::unwrap_used))]
// Face and core return nothing from the same calls; saying so twice would only be longer.
#![allow(clippy::unit_arg)]

mod background;
mod commands;
mod conflicts;
mod digest;
mod entities;
mod errors;
mod handle;
mod log;
mod mirror;
mod news;
mod outbox;
mod queries;
mod screens;
mod status;
mod streams;
mod tokens;
mod vocabulary;
mod wire;

use innsync_client::domain::Fields;
use innsync_client::{Timestamp, Uuid};

use errors::InnSyncError;

uniffi::setup_scaffolding!();

// UUIDs travel as text, times as milliseconds since 1970; `uniffi.toml` says what they are in Kotlin and Swift.
uniffi::custom_type!(Uuid, String, {
    remote,
    try_lift: |text| Ok(Uuid::parse_str(&text)?),
    lower: |id| id.to_string(),
});
uniffi::custom_type!(Timestamp, i64, {
    remote,
    try_lift: |millis| Ok(Timestamp::from_millis(millis)),
    lower: |at| at.as_millis(),
});

/// A JSON object of a newer release, as it came. It travels as text; a text that is none is `InvalidInput`.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonObject(pub(crate) Fields);

uniffi::custom_type!(JsonObject, String, {
    try_lift: |text| match serde_json::from_str(&text) {
        Ok(fields) => Ok(JsonObject(fields)),
        Err(error) => Err(InnSyncError::InvalidInput { detail: format!("not a JSON object: {error}") }.into()),
    },
    lower: |object| serde_json::Value::Object(object.0).to_string(),
});

/// A JSON value. It travels as text; a text that is none is `InvalidInput`.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonValue(pub(crate) serde_json::Value);

uniffi::custom_type!(JsonValue, String, {
    try_lift: |text| match serde_json::from_str(&text) {
        Ok(value) => Ok(JsonValue(value)),
        Err(error) => Err(InnSyncError::InvalidInput { detail: format!("not JSON: {error}") }.into()),
    },
    lower: |value| value.0.to_string(),
});

impl mirror::ToCore for JsonValue {
    type Core = serde_json::Value;
    fn to_core(self) -> Self::Core {
        self.0
    }
}
