//! Inputs for the flight recorder: what happened, without anything that people wrote and without tokens.

use std::borrow::Cow;
use std::fmt::{self, Display};

use innsync_domain::Command;
use serde::Deserialize;

use crate::input::{HttpAnswer, HttpFailure, Input, Session, SocketEvent};
use crate::settle::Settlement;

/// Bytes of a technical text at most.
const DETAIL_BYTES: usize = 160;
/// Bytes at the beginning of a frame in which its commits may begin.
const HEAD_BYTES: usize = 256;
/// The types of frames that are named; others are somebody else's words.
const FRAME_TYPES: [&str; 8] =
    ["CONNECTED", "DELTA", "RESET", "HEARTBEAT_ACK", "AUTH_OK", "ERROR", "RECONNECT", "HEARTBEAT"];

/// An input on one line: kinds, ids, states, places in the feed and sizes; no tokens, and of what people wrote its size alone.
///
/// ```text
/// EXECUTE CREATE_NOTE NOTE/0197a1b2-0000-7000-8000-000000000007 op=0197a1b2-0000-7000-8000-000000000001 bytes=132
/// SOCKET 3 FRAME DELTA epoch=1 from=41 to=43 bytes=812
/// HTTP 7 status=200 bytes=94
/// ```
pub fn redacted(input: &Input) -> String {
    // Each input by name: a new one is not recorded before somebody has thought of what it says.
    match input {
        Input::Connect => "CONNECT".to_owned(),
        Input::Disconnect => "DISCONNECT".to_owned(),
        Input::SignedIn(Session { access_token: _, refresh_token: _, expires_at }) => {
            format!("SIGNED_IN expires={expires_at}")
        }
        Input::Execute { request: _, id, command, depends_on } => {
            format!("EXECUTE {} op={id} after={}{}", Named(command), depends_on.len(), size(command))
        }
        Input::Retry { parked, id } => format!("RETRY op={parked} as={id}"),
        Input::Edit { request: _, parked, id, command } => {
            format!("EDIT {} op={parked} as={id}{}", Named(command), size(command))
        }
        Input::Settle { request: _, parked, id, seen, choice } => {
            let choice = match choice {
                Settlement::Theirs => "THEIRS".to_owned(),
                Settlement::Mine => "MINE".to_owned(),
                Settlement::Merged(fields) => format!("MERGED fields={}", fields.len()),
            };
            format!("SETTLE op={parked} as={id} version={} {choice}", seen.unwrap_or_default())
        }
        Input::Undo { request: _, id } => format!("UNDO as={id}"),
        Input::Discard { id } => format!("DISCARD op={id}"),
        Input::DiscardWithDependents { id } => format!("DISCARD_WITH_DEPENDENTS op={id}"),
        Input::Send { text } => format!("SEND bytes={}", text.len()),
        Input::Socket { generation, event } => format!("SOCKET {generation} {}", of_socket(event)),
        Input::Http { id, answer } => format!("HTTP {id} {}", of_answer(answer)),
        Input::SnapshotLines { id, lines } => {
            let bytes: usize = lines.iter().map(String::len).sum();
            format!("SNAPSHOT {id} lines={} bytes={bytes}", lines.len())
        }
        Input::Tick => "TICK".to_owned(),
        Input::NetworkChanged { available } => format!("NETWORK available={available}"),
        Input::Foreground => "FOREGROUND".to_owned(),
        Input::Barrier { request } => format!("BARRIER {request}"),
        Input::GiveUpBarrier { request } => format!("GIVE_UP_BARRIER {request}"),
        Input::Sync { until } => format!("SYNC until={until}"),
        Input::Presented { effect } => format!("PRESENTED {effect}"),
        Input::Refetch => "REFETCH".to_owned(),
        Input::ClearCache => "CLEAR_CACHE".to_owned(),
        Input::ClearKind { kind } => format!("CLEAR_KIND {kind}"),
        Input::CommitFailed => "COMMIT_FAILED".to_owned(),
    }
}

/// A technical text without what it quotes, which may be what people wrote, and not longer than a line.
pub fn redacted_detail(detail: &str) -> String {
    let mut text = detail.replace(char::is_control, " ");
    for quote in ['"', '`'] {
        // From the first to the last, whatever is between: what is quoted may itself hold quotes.
        if let (Some(first), Some(last)) = (text.find(quote), text.rfind(quote))
            && first < last
        {
            text.replace_range(first + 1..last, "…");
        }
    }
    if text.len() > DETAIL_BYTES {
        let end = (0..=DETAIL_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A command by its name and what it is about.
struct Named<'a>(&'a Command);

impl Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let primary = self.0.primary();
        write!(f, "{} {}/{}", self.0.name(), primary.kind, primary.id)
    }
}

fn size(command: &Command) -> String {
    serde_json::to_string(command).map_or_else(|_| String::new(), |text| format!(" bytes={}", text.len()))
}

fn of_socket(event: &SocketEvent) -> String {
    match event {
        SocketEvent::Frame(text) => format!("FRAME {} bytes={}", Head::of(text), text.len()),
        SocketEvent::Frames(texts) => {
            let bytes: usize = texts.iter().map(String::len).sum();
            let first = texts.first().map_or_else(|| "NONE".to_owned(), |text| Head::of(text));
            format!("FRAMES {} first={first} bytes={bytes}", texts.len())
        }
        SocketEvent::Closed { code, reason: _ } => format!("CLOSED {code}"),
        SocketEvent::Failed(detail) => format!("FAILED {}", redacted_detail(detail)),
    }
}

fn of_answer(answer: &Result<HttpAnswer, HttpFailure>) -> String {
    match answer {
        Ok(HttpAnswer { status, retry_after_ms: None, body }) => {
            format!("status={status} bytes={}", body.len())
        }
        Ok(HttpAnswer { status, retry_after_ms: Some(after), body }) => {
            format!("status={status} after={after} bytes={}", body.len())
        }
        Err(HttpFailure { detail }) => format!("FAILED {}", redacted_detail(detail)),
    }
}

/// What is told of a frame.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", borrow)]
    frame_type: Cow<'a, str>,
    epoch: Option<u64>,
    from: Option<u64>,
    to: Option<u64>,
}

impl Head<'_> {
    fn of(text: &str) -> String {
        let beginning = beginning(text);
        let head = serde_json::from_str::<Head<'_>>(&beginning).or_else(|_| serde_json::from_str(text));
        let Ok(head) = head else { return "UNREADABLE".to_owned() };
        let known = FRAME_TYPES.into_iter().find(|known| *known == head.frame_type).unwrap_or("OTHER");
        match (head.epoch, head.from, head.to) {
            (Some(epoch), Some(from), Some(to)) => format!("{known} epoch={epoch} from={from} to={to}"),
            _ => known.to_owned(),
        }
    }
}

/// A frame without its commits, where these come last, as the server writes them: they are long, and of no interest here.
fn beginning(text: &str) -> Cow<'_, str> {
    let commits = b",\"commits\"";
    let start = &text.as_bytes()[..text.len().min(HEAD_BYTES)];
    match start.windows(commits.len()).position(|bytes| bytes == commits) {
        Some(at) => Cow::Owned(format!("{}}}", &text[..at])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> String {
        redacted(&Input::Socket { generation: 3, event: SocketEvent::Frame(text.to_owned()) })
    }

    #[test]
    fn a_frame_is_its_type_its_place_and_its_size() {
        let delta = r#"{"type":"DELTA","epoch":1,"from":41,"to":43,"commits":[{"title":"Minibar"}]}"#;
        assert_eq!(frame(delta), format!("SOCKET 3 FRAME DELTA epoch=1 from=41 to=43 bytes={}", delta.len()));
        let odd = r#"{"note":{"a":1,"commits":2},"type":"RESET"}"#;
        assert_eq!(frame(odd), format!("SOCKET 3 FRAME RESET bytes={}", odd.len()));
        assert_eq!(frame(r#"{"type":"Minibar is empty"}"#), "SOCKET 3 FRAME OTHER bytes=27");
        assert_eq!(frame("Minibar"), "SOCKET 3 FRAME UNREADABLE bytes=7");
    }

    #[test]
    fn what_a_detail_quotes_is_left_out() {
        assert_eq!(redacted_detail("unknown variant `A \" B`, expected `C`"), "unknown variant `…`");
        assert_eq!(
            redacted_detail(r#"invalid type: string "say \"hi\"", expected u64"#),
            r#"invalid type: string "…", expected u64"#
        );
        assert_eq!(redacted_detail("Connection refused (os error 111)"), "Connection refused (os error 111)");
        assert_eq!(redacted_detail("one\ntwo"), "one two");
        let long = redacted_detail(&"é".repeat(200));
        assert!(long.len() <= DETAIL_BYTES + '…'.len_utf8() && long.ends_with('…'), "{long}");
    }

    #[test]
    fn a_sign_in_is_recorded_without_its_tokens() {
        let session = Session {
            access_token: "access-canary".into(),
            refresh_token: "refresh-canary".into(),
            expires_at: innsync_domain::Timestamp::from_millis(0),
        };
        assert_eq!(redacted(&Input::SignedIn(session)), "SIGNED_IN expires=1970-01-01T00:00:00.000Z");
        let id = innsync_domain::Uuid::nil();
        assert!(redacted(&Input::Discard { id }).ends_with(&id.to_string()));
    }
}
