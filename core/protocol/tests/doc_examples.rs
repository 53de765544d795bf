//! Every example of `docs/protocol.md` is read by these types and written back as the same JSON.

#![allow(clippy::unwrap_used)]

use innsync_protocol::{
    ClientFrame, Op, OpResult, Problem, PushHint, RefreshRequest, ServerFrame, SessionAnswer, SessionRequest,
    SnapshotLine, SnapshotRequest,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The fenced blocks of the page: the word after `json`, and the text.
fn examples(page: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```json ") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.push((kind.to_owned(), text.join("\n")));
        }
    }
    found
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in\n{text}"))
}

fn through<T: Serialize + DeserializeOwned>(text: &str) -> Value {
    let read: T = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
    serde_json::to_value(read).unwrap()
}

/// Lines and frames are written on one line; the page breaks them.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_example_is_read_and_written_back() {
    let page = include_str!("../../../docs/protocol.md");
    let examples = examples(page);
    assert!(examples.len() >= 20, "only {} examples found", examples.len());
    for (kind, text) in examples {
        let written = match kind.as_str() {
            "session-request" => through::<SessionRequest>(&text),
            "session-answer" => through::<SessionAnswer>(&text),
            "refresh-request" => through::<RefreshRequest>(&text),
            "problem" => through::<Problem>(&text),
            "snapshot-request" => through::<SnapshotRequest>(&text),
            "push-hint" => through::<PushHint>(&text),
            "op" => through::<Op>(&text),
            "op-result" => through::<OpResult>(&text),
            "client-frame" => value(&ClientFrame::parse(&one_line(&text)).unwrap().to_json()),
            "server-frame" => {
                let frame = ServerFrame::parse(&one_line(&text)).unwrap();
                assert!(
                    !matches!(frame, ServerFrame::Unknown { .. }),
                    "an unknown frame in the page:\n{text}"
                );
                value(&frame.to_json())
            }
            "snapshot-line" => {
                let line = SnapshotLine::parse(&one_line(&text)).unwrap();
                assert!(line != SnapshotLine::Unknown, "an unknown line in the page:\n{text}");
                value(&line.to_json())
            }
            other => panic!("an example of the unknown kind {other}:\n{text}"),
        };
        assert_eq!(written, value(&text), "the {kind} example is written back differently");
    }
}
