//! The log as a stream: what a shell gets of it, and what it never does.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{PASSWORD, Peer, REFRESH, TASK_TOWELS, TOKEN, reaches, soon};
use innsync_client::{Batch, Command, ConnectionState, Error, LogLevel, LogLine, log_lines};
use serde_json::json;

// One test, since there is one log.
#[tokio::test]
async fn a_shell_reads_the_log() {
    let all = log_lines(LogLevel::Debug).unwrap();
    let bugs = log_lines(LogLevel::Error).unwrap();
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, mut link) = peer.ana_at_work(phone.path()).await;
    let anas = ana.log_lines(LogLevel::Info).unwrap();

    // Secrets, and what people write, on every way that there is.
    link.send(&json!({"type":"UNKNOWN","data":"frame-canary"})).await;
    let patch = serde_json::from_value(json!({"description":"text-canary"})).unwrap();
    let _ = ana.execute(Command::EditTask { task_id: TASK_TOWELS, patch }).await;
    let _ = ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await;
    let Error::Bug(id) = Error::bug("the minibar is empty", &"on purpose") else { panic!("it is a bug") };
    link.close(1011, "reason").await;
    reaches(&ana.watch_connection(), ConnectionState::Reconnecting).await;
    peer.answer("POST /v1/sessions", 401, "{}");
    let _ = ana.sign_in_again(PASSWORD).await;
    soon(ana.close()).await;

    let Batch { items, dropped, .. } = soon(all.batch(0)).await.unwrap();
    assert_eq!(dropped, 0);
    let has = |level, message: &str| items.iter().any(|it| it.level == level && it.message == message);
    assert!(has(LogLevel::Info, "connection state=CONNECTED"), "{items:#?}");
    assert!(has(LogLevel::Debug, "HTTP method=POST path=/v1/snapshot status=200"), "{items:#?}");
    assert!(items.iter().all(|it| it.target.starts_with("innsync_client::")), "{items:#?}");
    let text = format!("{items:?}");
    for secret in [TOKEN, REFRESH, PASSWORD, "frame-canary", "text-canary", "Bearer"] {
        assert!(!text.contains(secret), "{secret} is in the log:\n{text}");
    }

    let bug = soon(bugs.next()).await.unwrap();
    assert_eq!(bug.level, LogLevel::Error);
    assert_eq!(bug.message, format!("the minibar is empty bug={id} detail=on purpose"));

    // Ana's ends with her handle; it had what matters to her.
    let mut hers: Vec<LogLine> = Vec::new();
    while let Some(line) = soon(anas.next()).await {
        hers.push(line);
    }
    assert!(hers.iter().any(|it| it.message == "connection state=RECONNECTING"), "{hers:#?}");
    assert!(hers.iter().all(|it| it.level <= LogLevel::Info), "{hers:#?}");
    assert_eq!(soon(ana.log_lines(LogLevel::Info).unwrap().next()).await, None, "hers is closed");

    // A reader that lags loses the oldest, and is told how many.
    for _ in 0..1_500 {
        let _ = Error::bug("again", &"on purpose");
    }
    let batch = soon(bugs.batch(0)).await.unwrap();
    assert_eq!(batch.dropped, 501, "500, and the one that was read by itself");
    bugs.stop();
    assert_eq!(bugs.next().await, None);
}
