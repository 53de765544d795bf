//! Where a handle stands, for a support person (G24).

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{PASSWORD, Peer, REFRESH, TASK_TOWELS, TOKEN, soon};
use innsync_client::{Command, Error, InnSync, keep_log_lines};
use serde_json::{Value, json};

async fn diagnostics(ana: &InnSync) -> Value {
    serde_json::from_str(&soon(ana.diagnostics()).await.unwrap()).unwrap()
}

// One test, since there is one log.
#[tokio::test]
async fn ana_hands_in_why_nothing_is_sent() {
    keep_log_lines();
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, mut link) = peer.ana_at_work(phone.path()).await;
    link.send(&json!({"type": "UNKNOWN", "data": "canary"})).await;
    link.send_text("canary").await;
    let note = Command::CreateNote {
        note_id: ana.new_id(),
        title: "canary".to_owned(),
        content: "canary".to_owned(),
        suite_id: None,
        task_id: None,
        audience: innsync_client::domain::Audience::AllStaff,
    };
    let written = ana.execute(note).await.unwrap().id;
    ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await.unwrap();
    peer.is_asked("POST /v1/ops").await;
    let online = diagnostics(&ana).await;
    assert_eq!((&online["quiet"], &online["connection"]["state"]), (&json!(false), &json!("CONNECTED")));
    assert_eq!(online["engine"]["underWay"][0], "PUSH");
    assert!(online["storage"]["logBytes"].is_u64(), "{}", online["storage"]);

    // The server goes away, and she looks for help.
    drop((peer, link));
    let disconnected = async {
        loop {
            let offline = diagnostics(&ana).await;
            if offline["connection"]["state"] == "RECONNECTING" {
                return offline;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let offline = soon(disconnected).await;
    let outbox = offline["engine"]["outbox"].as_array().unwrap();
    assert_eq!(outbox.len(), 2);
    assert_eq!((&outbox[0]["id"], &outbox[0]["command"]), (&json!(written), &json!("CREATE_NOTE")));
    assert!(outbox[0]["why"].as_str().unwrap().ends_with('.'), "{}", outbox[0]);
    assert!(outbox[0]["ageMs"].as_u64().is_some_and(|age| age < 60_000), "{}", outbox[0]);
    assert!(!offline["errors"].as_array().unwrap().is_empty(), "what failed is told");
    assert!(offline["storage"]["databaseBytes"].as_u64().is_some_and(|bytes| bytes >= 4_096));
    let inputs: Vec<&str> =
        offline["recorder"].as_array().unwrap().iter().map(|it| it["input"].as_str().unwrap()).collect();
    for begun in ["CONNECT", "SOCKET 1 FRAME CONNECTED", "EXECUTE CREATE_NOTE NOTE/"] {
        assert!(inputs.iter().any(|input| input.starts_with(begun)), "no {begun} in {inputs:#?}");
    }
    // By itself, or together with the one that came after it.
    let foreign = |input: &&str| input.starts_with("SOCKET 1 FRAME") && input.contains("OTHER");
    assert!(inputs.iter().any(foreign), "{inputs:#?}");
    let log = offline["log"].as_array().unwrap();
    assert!(log.iter().any(|line| line["message"] == "connection state=CONNECTED"), "{log:#?}");

    // Also in the background, where nothing may be opened for it.
    soon(ana.quiesce()).await.unwrap();
    let quiet = diagnostics(&ana).await;
    assert_eq!((&quiet["quiet"], &quiet["connection"]["state"]), (&json!(true), &json!("DISCONNECTED")));
    assert_eq!(quiet["engine"]["outbox"].as_array().unwrap().len(), 2);
    assert_eq!(quiet["engine"]["cursor"], offline["engine"]["cursor"]);
    assert!(quiet["storage"].get("logBytes").is_none(), "the log was written back: {}", quiet["storage"]);
    let since = |it: &Value| it["connection"]["since"].as_str().unwrap().to_owned();
    assert!(since(&quiet) >= since(&offline) && since(&offline) >= since(&online));

    // What was there before is still told after it.
    soon(ana.resume()).await.unwrap();
    let again = diagnostics(&ana).await;
    assert!(again["recorder"].to_string().contains("EXECUTE CREATE_NOTE"));

    for document in [online, offline, quiet, again] {
        let text = document.to_string();
        for secret in [TOKEN, REFRESH, PASSWORD, "canary", "handset-3", "Ana", "\"ana\""] {
            assert!(!text.contains(secret), "{secret} is in it:\n{text}");
        }
    }
    ana.close().await;
    assert_eq!(ana.diagnostics().await, Err(Error::Closed));
}
