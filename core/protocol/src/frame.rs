//! WebSocket frames of an InnSync client (and the few that the seed's client shares).

use innsync_domain::{EntityKind, Uuid};
use serde::{Deserialize, Serialize};

use crate::cursor::{Cursor, Mark};
use crate::feed::{Delta, Reset, SyncAnswer};
use crate::rest::PropertyInfo;

/// Why a socket was closed (RFC 6455 §7.4; 4500–4999: do not come back).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// The client said goodbye.
    pub const NORMAL: Self = Self(1000);
    /// The server is going away; come back.
    pub const GOING_AWAY: Self = Self(1001);
    /// The token is no longer good, or never was.
    pub const POLICY: Self = Self(1008);
    /// A frame was larger than [`crate::limits::FRAME_BYTES`].
    pub const TOO_BIG: Self = Self(1009);
    /// The client did not read fast enough; come back and catch up.
    pub const SLOW: Self = Self(4001);
    /// Nothing was heard for too long.
    pub const IDLE: Self = Self(4002);
    /// The client's release is not served any more.
    pub const UNSUPPORTED: Self = Self(4500);

    /// Whether a client comes back by itself after it.
    pub fn reconnects(self) -> bool {
        !(4500..5000).contains(&self.0)
    }
}

/// The first frame on every socket; the connection is CONNECTED at it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connected {
    /// Whose token it is.
    pub user_id: Uuid,
    /// The server's clock, milliseconds since the epoch.
    pub timestamp: i64,
    /// Milliseconds between heartbeats that the server asks for.
    pub heartbeat_interval: u64,
    /// The property.
    pub property: PropertyInfo,
}

/// "I hear you, and you are caught up to `to`": an empty delta in the order of the feed. The seed's client reads
/// `timestamp` alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatAck {
    /// The server's clock, milliseconds since the epoch.
    pub timestamp: i64,
    /// The feed's incarnation.
    pub epoch: u64,
    /// Where the empty range begins, exclusive.
    pub from: u64,
    /// Where it ends, inclusive.
    pub to: u64,
    /// The mark of commit `to`.
    pub mark: Mark,
}

/// What an InnSync client says after CONNECTED: where it stands, and which operations it has no answer for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resume {
    /// Where it stands.
    #[serde(flatten)]
    pub cursor: Cursor,
    /// The phone.
    pub device: String,
    /// Operations sent but not answered, at most [`crate::limits::PENDING_PER_RESUME`]; those that the server knows are
    /// answered in the next DELTA's `results`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<Uuid>,
}

/// From the server to an InnSync client.
#[derive(Debug, Clone, PartialEq)]
pub enum ServerFrame {
    /// See [`Connected`].
    Connected(Connected),
    /// See [`Delta`].
    Delta(Delta),
    /// See [`Reset`].
    Reset(Reset),
    /// See [`HeartbeatAck`].
    HeartbeatAck(HeartbeatAck),
    /// The new token was taken.
    AuthOk {
        /// When it expires, milliseconds since the epoch.
        expires_at: i64,
    },
    /// A frame of the client's could not be used; the connection goes on.
    Error {
        /// Why, for programs.
        code: String,
        /// Why, in English.
        message: String,
    },
    /// The server drains: come back after so many milliseconds.
    Reconnect {
        /// Milliseconds.
        after: u64,
    },
    /// A frame of a newer release; ignored.
    Unknown {
        /// Its type.
        frame_type: String,
    },
}

/// From a client to the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
pub enum ClientFrame {
    /// "Are you there?"
    Heartbeat {
        /// The client's clock, milliseconds since the epoch.
        #[serde(default)]
        timestamp: i64,
    },
    /// See [`Resume`]. InnSync clients alone.
    Resume(Resume),
    /// A fresh access token for this connection. InnSync clients alone.
    Auth {
        /// The token.
        token: String,
    },
    /// Listens to an entity, or to all of a kind.
    Subscribe {
        /// The kind.
        entity_type: EntityKind,
        /// The entity; left out: all of the kind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entity_id: Option<Uuid>,
    },
    /// Takes a subscription back.
    Unsubscribe {
        /// The kind.
        entity_type: EntityKind,
        /// The entity; left out: all of the kind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entity_id: Option<Uuid>,
    },
}

/// A frame that cannot be used, with the `code` and `message` of the ERROR that answers it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It is no JSON object with a `type`.
    #[error("not a JSON object with a \"type\": {0}")]
    Malformed(String),
    /// Its type is not known.
    #[error("unknown frame type {0}")]
    UnknownType(String),
    /// Its type is known, but its fields are wrong.
    #[error("{frame_type} has a wrong or missing field: {detail}")]
    InvalidFields {
        /// Its type.
        frame_type: String,
        /// What is wrong.
        detail: String,
    },
}

impl FrameError {
    /// The `code` of the ERROR frame.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "MALFORMED_FRAME",
            Self::UnknownType(_) => "UNKNOWN_TYPE",
            Self::InvalidFields { .. } => "INVALID_FIELDS",
        }
    }
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", borrow)]
    frame_type: std::borrow::Cow<'a, str>,
}

fn frame_type(text: &str) -> Result<std::borrow::Cow<'_, str>, FrameError> {
    match serde_json::from_str::<Head<'_>>(text) {
        Ok(head) => Ok(head.frame_type),
        Err(error) => Err(FrameError::Malformed(error.to_string())),
    }
}

fn body<'a, T: Deserialize<'a>>(frame_type: &str, text: &'a str) -> Result<T, FrameError> {
    serde_json::from_str(text).map_err(|error| FrameError::InvalidFields {
        frame_type: frame_type.chars().take(40).collect(),
        detail: error.to_string(),
    })
}

impl ClientFrame {
    /// The JSON text of the frame.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a frame.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let kind = frame_type(text)?;
        match kind.as_ref() {
            "HEARTBEAT" | "RESUME" | "AUTH" | "SUBSCRIBE" | "UNSUBSCRIBE" => body(&kind, text),
            other => Err(FrameError::UnknownType(other.chars().take(40).collect())),
        }
    }
}

#[derive(Serialize)]
struct Tagged<'a, T> {
    #[serde(rename = "type")]
    frame_type: &'static str,
    #[serde(flatten)]
    body: &'a T,
}

fn tagged<T: Serialize>(frame_type: &'static str, body: &T) -> String {
    serde_json::to_string(&Tagged { frame_type, body }).unwrap_or_default()
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthOkBody {
    expires_at: i64,
}
#[derive(Serialize, Deserialize)]
struct ErrorBody {
    code: String,
    message: String,
}
#[derive(Serialize, Deserialize)]
struct ReconnectBody {
    after: u64,
}

impl ServerFrame {
    /// The JSON text of the frame.
    pub fn to_json(&self) -> String {
        match self {
            Self::Connected(it) => tagged("CONNECTED", it),
            Self::Delta(it) => tagged("DELTA", it),
            Self::Reset(it) => tagged("RESET", it),
            Self::HeartbeatAck(it) => tagged("HEARTBEAT_ACK", it),
            Self::AuthOk { expires_at } => tagged("AUTH_OK", &AuthOkBody { expires_at: *expires_at }),
            Self::Error { code, message } => {
                tagged("ERROR", &ErrorBody { code: code.clone(), message: message.clone() })
            }
            Self::Reconnect { after } => tagged("RECONNECT", &ReconnectBody { after: *after }),
            Self::Unknown { frame_type } => serde_json::json!({ "type": frame_type }).to_string(),
        }
    }

    /// Reads a frame. A type of a newer release is [`ServerFrame::Unknown`], not an error.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let kind = frame_type(text)?;
        Ok(match kind.as_ref() {
            "CONNECTED" => Self::Connected(body(&kind, text)?),
            "DELTA" => Self::Delta(body(&kind, text)?),
            "RESET" => Self::Reset(body(&kind, text)?),
            "HEARTBEAT_ACK" => Self::HeartbeatAck(body(&kind, text)?),
            "AUTH_OK" => Self::AuthOk { expires_at: body::<AuthOkBody>(&kind, text)?.expires_at },
            "ERROR" => {
                let ErrorBody { code, message } = body(&kind, text)?;
                Self::Error { code, message }
            }
            "RECONNECT" => Self::Reconnect { after: body::<ReconnectBody>(&kind, text)?.after },
            other => Self::Unknown { frame_type: other.to_owned() },
        })
    }
}

impl SyncAnswer {
    /// The JSON text of the answer.
    pub fn to_json(&self) -> String {
        match self {
            Self::Delta(it) => tagged("DELTA", it),
            Self::Reset(it) => tagged("RESET", it),
        }
    }

    /// Reads the answer; anything but a DELTA or RESET (as a captive portal's page) is an error.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        match ServerFrame::parse(text)? {
            ServerFrame::Delta(it) => Ok(Self::Delta(it)),
            ServerFrame::Reset(it) => Ok(Self::Reset(it)),
            other => Err(FrameError::UnknownType(other.to_json().chars().take(40).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::ResetReason;

    #[test]
    fn frames_survive_the_wire() {
        let cursor = Cursor { epoch: 1, seq: 7, mark: Mark(0xabc) };
        let resume =
            ClientFrame::Resume(Resume { cursor, device: "handset-3".into(), pending: vec![Uuid::max()] });
        assert_eq!(ClientFrame::parse(&resume.to_json()), Ok(resume.clone()));
        assert!(resume.to_json().contains(r#""mark":"0000000000000abc""#), "{}", resume.to_json());

        let delta = Delta {
            epoch: 1,
            from: 6,
            to: 7,
            mark: Mark(9),
            commits: vec![],
            results: vec![],
            more: false,
            digest: None,
        };
        for frame in [
            ServerFrame::Delta(delta),
            ServerFrame::Reset(Reset { reason: ResetReason::Scope }),
            ServerFrame::Reconnect { after: 5 },
            ServerFrame::AuthOk { expires_at: 5 },
            ServerFrame::HeartbeatAck(HeartbeatAck { timestamp: 1, epoch: 1, from: 7, to: 7, mark: Mark(9) }),
        ] {
            assert_eq!(ServerFrame::parse(&frame.to_json()), Ok(frame));
        }
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        for (text, code) in [
            ("", "MALFORMED_FRAME"),
            ("[1]", "MALFORMED_FRAME"),
            ("{\"a\":1}", "MALFORMED_FRAME"),
            ("{\"type\":\"DANCE\"}", "UNKNOWN_TYPE"),
            ("{\"type\":\"AUTH\"}", "INVALID_FIELDS"),
            ("{\"type\":\"RESUME\",\"epoch\":\"x\"}", "INVALID_FIELDS"),
        ] {
            assert_eq!(ClientFrame::parse(text).unwrap_err().code(), code, "{text}");
        }
    }

    #[test]
    fn a_captive_portals_page_is_not_an_answer() {
        assert!(SyncAnswer::parse("<html>Welcome to our Wi-Fi</html>").is_err());
    }

    #[test]
    fn only_4500_to_4999_say_do_not_come_back() {
        assert!(CloseCode::NORMAL.reconnects() && CloseCode::SLOW.reconnects());
        assert!(!CloseCode::UNSUPPORTED.reconnects());
    }
}
