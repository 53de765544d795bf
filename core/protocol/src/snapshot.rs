//! The snapshot: all that a person may see, as lines of JSON (`application/x-ndjson`).
//!
//! ```text
//! {"type":"SNAPSHOT","epoch":1,"seq":42,"mark":"…","rows":57,"property":{…}}
//! {"type":"ROW","entityType":"SUITE","entity":{…}}
//! …
//! {"type":"SECTION","name":"SUITES","rows":20}
//! …
//! {"type":"END","results":[…]}
//! ```
//!
//! A snapshot without its END line was cut. For a minute the server keeps it: a request that says how
//! many lines have come (`resume`) is answered from there, with a first line that has `from`; or with a new snapshot.

use innsync_domain::{Entity, EntityKind, Uuid};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::cursor::Cursor;
use crate::op::OpResult;
use crate::rest::PropertyInfo;

/// `POST /v1/snapshot` (`GET` is the same with nothing pending).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SnapshotRequest {
    /// Operations sent but not answered; the END line says what became of those that the server knows.
    #[serde(default)]
    pub pending: Vec<Uuid>,
    /// A snapshot that was cut shall go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<SnapshotResume>,
}

/// Where a snapshot that was cut shall go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotResume {
    /// Which one, as its first line named it.
    pub id: Uuid,
    /// How many lines have come after the first.
    pub lines: u64,
}

/// The first line: where in the feed the picture was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotStart {
    /// The place in the feed.
    #[serde(flatten)]
    pub cursor: Cursor,
    /// How many rows follow in all; where it goes on, those before `from` are counted, too.
    pub rows: u64,
    /// Names it, where it can be gone on with after a cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// How many lines after the first have come before, and are left out: it goes on after a cut.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub from: u64,
    /// The property.
    pub property: PropertyInfo,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One line of a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub enum SnapshotLine {
    /// The first line.
    Start(SnapshotStart),
    /// One entity.
    Row(Entity),
    /// The rows before this line and after the last such line are a section, whole.
    Section {
        /// `SUITES`, `STAFF`, `MINE`, `ALERTS`, `REST`.
        name: String,
        /// How many rows it had.
        rows: u64,
    },
    /// The last line.
    End {
        /// What became of the operations named in the request.
        results: Vec<OpResult>,
    },
    /// A line or entity of a newer release; ignored.
    Unknown,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawLine<'a> {
    #[serde(rename = "type", borrow)]
    line_type: std::borrow::Cow<'a, str>,
    entity_type: Option<EntityKind>,
    #[serde(borrow)]
    entity: Option<&'a RawValue>,
    name: Option<String>,
    rows: Option<u64>,
    results: Option<Vec<OpResult>>,
}

impl SnapshotLine {
    /// The JSON text of the line, without its end.
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Row<'a> {
            r#type: &'static str,
            entity_type: EntityKind,
            entity: &'a Entity,
        }
        let text = match self {
            Self::Start(start) => {
                #[derive(Serialize)]
                struct Start<'a> {
                    r#type: &'static str,
                    #[serde(flatten)]
                    start: &'a SnapshotStart,
                }
                serde_json::to_string(&Start { r#type: "SNAPSHOT", start })
            }
            Self::Row(entity) => {
                serde_json::to_string(&Row { r#type: "ROW", entity_type: entity.kind(), entity })
            }
            Self::Section { name, rows } => {
                return serde_json::json!({ "type": "SECTION", "name": name, "rows": rows }).to_string();
            }
            Self::End { results } => {
                return serde_json::json!({ "type": "END", "results": results }).to_string();
            }
            Self::Unknown => return serde_json::json!({ "type": "UNKNOWN" }).to_string(),
        };
        text.unwrap_or_default()
    }

    /// Reads a line.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let raw: RawLine<'_> = serde_json::from_str(text)?;
        Ok(match raw.line_type.as_ref() {
            "SNAPSHOT" => Self::Start(serde_json::from_str(text)?),
            "ROW" => match (raw.entity_type, raw.entity) {
                (Some(EntityKind::Other(_)), _) => Self::Unknown,
                (Some(kind), Some(entity)) => Self::Row(Entity::from_json(&kind, entity.get())?),
                _ => return Err(serde::de::Error::missing_field("entity")),
            },
            "SECTION" => {
                Self::Section { name: raw.name.unwrap_or_default(), rows: raw.rows.unwrap_or_default() }
            }
            "END" => Self::End { results: raw.results.unwrap_or_default() },
            _ => Self::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor::Mark;

    #[test]
    fn lines_survive_the_wire() {
        let property = PropertyInfo {
            id: "seaside".into(),
            name: "Seaside Motel".into(),
            time_zone: "America/Los_Angeles".into(),
        };
        let cursor = Cursor { epoch: 1, seq: 42, mark: Mark(7) };
        for line in [
            SnapshotLine::Start(SnapshotStart { cursor, rows: 1, id: Some(Uuid::max()), from: 7, property }),
            SnapshotLine::Section { name: "SUITES".into(), rows: 20 },
            SnapshotLine::End { results: vec![] },
        ] {
            assert_eq!(SnapshotLine::parse(&line.to_json()).unwrap(), line);
        }
        assert!(SnapshotLine::parse("<html>").is_err());
    }

    #[test]
    fn an_entity_of_a_newer_release_is_passed_over() {
        let line = r#"{"type":"ROW","entityType":"MINIBAR","entity":{"id":"x"}}"#;
        assert_eq!(SnapshotLine::parse(line).unwrap(), SnapshotLine::Unknown);
    }
}
