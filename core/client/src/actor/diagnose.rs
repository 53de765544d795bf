//! All that explains where a handle stands, in one document.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use innsync_domain::{Timestamp, Uuid};
use innsync_engine::{ConnectionState, Diagnosis, Engine};
use innsync_store::{FORMAT, Store};
use serde::Serialize;

use super::recorder::Entry;
use super::{Actor, Kept};
use crate::error::Error;
use crate::log::{LogLine, kept_lines};
use crate::shared::{Mishap, Shared};

/// What [`crate::InnSync::diagnostics`] writes. `docs/operations.md` tells how to read it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    at: Timestamp,
    boot_ms: u64,
    platform: Platform,
    account: Whose<'a>,
    /// Whether the database is closed, since the app was sent to the background.
    quiet: bool,
    connection: Connection,
    engine: Option<Diagnosis>,
    errors: Vec<Mishap>,
    storage: Storage,
    recorder: Vec<Entry>,
    log: Vec<LogLine>,
}

#[derive(Serialize)]
struct Platform {
    os: &'static str,
    architecture: &'static str,
}

/// Whose, without names that people chose.
#[derive(Serialize)]
struct Whose<'a> {
    server: &'a str,
    property: &'a str,
    employee: Uuid,
}

#[derive(Serialize)]
struct Connection {
    state: ConnectionState,
    since: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Storage {
    /// The format that this release writes.
    format: u32,
    /// Left out: the file cannot be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    database_bytes: Option<u64>,
    /// Left out: there is none, as while the handle is quiet.
    #[serde(skip_serializing_if = "Option::is_none")]
    log_bytes: Option<u64>,
    #[serde(flatten)]
    inside: Inside,
}

/// What only the open database tells; of one that is closed, what it told last.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Inside {
    /// Whether a newer release has written it, and nothing of it may change.
    read_only: bool,
    /// How many rows could not be read and were moved aside, by their table.
    quarantined: BTreeMap<String, u64>,
}

impl Inside {
    /// Looks. What cannot be counted, since the database fails, is left out: the log says so.
    pub(super) fn of(store: &Store) -> Self {
        let quarantined = store.quarantine_counts().unwrap_or_else(|error| {
            tracing::warn!(%error, "what was moved aside could not be counted");
            BTreeMap::new()
        });
        Self { read_only: store.is_read_only(), quarantined }
    }
}

impl Actor {
    /// Everything about a handle that works.
    pub(super) fn diagnose(&self) -> Result<String, Error> {
        document(&self.shared, &self.kept, Some(&self.engine), Inside::of(&self.store), false)
    }
}

impl Kept {
    /// Everything about a handle that is quiet; nothing is opened for it.
    pub(super) fn diagnose(&self, shared: &Shared) -> Result<String, Error> {
        document(shared, self, self.at_rest.as_ref(), self.inside.clone(), true)
    }
}

fn document(
    shared: &Shared,
    kept: &Kept,
    engine: Option<&Engine>,
    inside: Inside,
    quiet: bool,
) -> Result<String, Error> {
    let now = shared.now();
    let (state, since) = shared.connection_since();
    let document = Document {
        at: now.wall,
        boot_ms: now.boot_ms,
        platform: Platform { os: std::env::consts::OS, architecture: std::env::consts::ARCH },
        account: Whose {
            server: &shared.account.server,
            property: &shared.account.property,
            employee: shared.account.employee,
        },
        quiet,
        connection: Connection { state, since },
        engine: engine.map(|engine| engine.diagnosis(now)),
        errors: shared.mishaps(),
        storage: Storage {
            format: FORMAT,
            database_bytes: size(&kept.database),
            log_bytes: size(&log_of(&kept.database)),
            inside,
        },
        recorder: kept.recorder.entries(),
        log: kept_lines(),
    };
    serde_json::to_string_pretty(&document).map_err(|error| Error::bug("diagnostics are no JSON", &error))
}

fn size(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|metadata| metadata.len())
}

/// The write-ahead log beside the database.
fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}
