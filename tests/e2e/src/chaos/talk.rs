//! What is said between the round and a phone's process: a line each, on its standard input and output.

use std::collections::BTreeMap;

use innsync_client::{Command, Uuid};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the round asks of a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Asked {
    /// Its person begins to work.
    Work,
    /// Its person rests.
    Rest,
    /// The platform says that there is no network.
    Offline,
    /// The platform says that there is a network.
    Online,
    /// The app comes to the foreground.
    Foreground,
    /// Its person looks through what is parked, until nothing is left in the outbox.
    Tidy,
    /// Everything that it shows.
    Show,
}

/// What a phone says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "kebab-case")]
pub(super) enum Said {
    /// It is open, and connects.
    Open,
    /// `execute` has returned: its person saw it saved.
    Saved { id: Uuid, command: Command },
    /// It was parked, for that reason, and its person discarded it.
    GivenUp { id: Uuid, reason: String },
    /// It was parked, for that reason, and its person tried it again as another.
    Again { id: Uuid, reason: String, under: Uuid },
    /// What is in the outbox while its person tidies up, and why.
    Waiting { operations: Vec<String> },
    /// The outbox is empty.
    Tidy,
    /// The answer to [`Asked::Show`].
    Shows(Box<Shown>),
    /// It did not do what it must.
    Failed { what: String },
}

/// What a phone shows when it has come to rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Shown {
    /// How its barrier ended, where it did not hold.
    pub(super) barrier: Option<String>,
    /// What its status still says that is not so, after some time to settle.
    pub(super) status: Option<String>,
    /// Every entity, by kind and id.
    pub(super) rows: Rows,
}

/// Entities as JSON, by kind and id.
pub(super) type Rows = BTreeMap<String, Value>;
