//! App and server of two releases: what the older one cannot know is taken from what is said, or put into it.

use innsync_engine::HttpAnswer;
use serde_json::{Value, json};

use crate::plan::Releases;
use crate::queue::Request;

/// A frame of a type that no app knows.
pub(crate) const UNKNOWN_FRAME: &str = r#"{"type":"WEATHER","forecast":{"sun":true}}"#;

/// What an older server does not read of a request.
pub(crate) fn request(releases: Releases, request: &mut Request) {
    if releases != Releases::OlderServer {
        return;
    }
    request.path = request.path.replace("&digest=true", "");
    if request.path == "/v1/snapshot" {
        request.body = changed(&request.body, |body| take(body, "resume"));
    }
}

/// What another server's answer says.
pub(crate) fn answer(releases: Releases, answer: &mut HttpAnswer) {
    match releases {
        Releases::Same | Releases::OlderServer => {}
        Releases::NewerServer => answer.body = changed(&answer.body, more),
    }
}

/// What another server's snapshot says.
pub(crate) fn snapshot(releases: Releases, lines: &mut Vec<String>) {
    let line = r#"{"type":"WEATHER","forecast":"fine"}"#;
    let row = r#"{"type":"ROW","entityType":"MINIBAR","entity":{"id":"3d0c5b5e-0000-7000-8000-000000000999","version":1}}"#;
    if releases == Releases::NewerServer && !lines.is_empty() {
        let before_end = lines.len() - 1;
        lines.splice(before_end..before_end, [line.to_owned(), row.to_owned()]);
    }
}

/// A frame as another server reads it.
pub(crate) fn frame_up(releases: Releases, text: String) -> String {
    // An older server answers that it does not know AUTH, and closes the socket when its token is over.
    match releases {
        Releases::OlderServer if text.starts_with(r#"{"type":"AUTH""#) => {
            r#"{"type":"UNHEARD_OF"}"#.to_owned()
        }
        _ => text,
    }
}

/// A frame as another server writes it.
pub(crate) fn frame_down(releases: Releases, text: String) -> String {
    if releases == Releases::NewerServer { changed(&text, more) } else { text }
}

/// Fields and a kind of entity that no app knows.
fn more(body: &mut Value) {
    let Some(object) = body.as_object_mut() else { return };
    object.insert("forecast".to_owned(), json!({ "sun": [1, 2] }));
    let commits = object.get_mut("commits").and_then(Value::as_array_mut);
    for commit in commits.into_iter().flatten() {
        commit["forecast"] = json!(null);
        if let Some(changes) = commit.get_mut("changes").and_then(Value::as_array_mut) {
            let entity = json!({ "id": "3d0c5b5e-0000-7000-8000-000000000999", "version": 1 });
            let created =
                json!({ "op": "UPSERT", "entityType": "MINIBAR", "entity": entity, "created": true });
            changes.push(created);
        }
    }
}

fn take(body: &mut Value, field: &str) {
    if let Some(object) = body.as_object_mut() {
        object.remove(field);
    }
}

fn changed(text: &str, change: impl FnOnce(&mut Value)) -> String {
    let Ok(mut value) = serde_json::from_str(text) else { return text.to_owned() };
    change(&mut value);
    value.to_string()
}
