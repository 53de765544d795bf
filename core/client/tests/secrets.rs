//! Tokens, passwords and what people write are never in the log, at any level.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::io::Write;
use std::sync::{Arc, Mutex};

use common::{PASSWORD, Peer, REFRESH, TASK_TOWELS, TOKEN, soon};
use innsync_client::Command;
use serde_json::json;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_holds_no_secret() {
    let log = Log::default();
    let writer = log.clone();
    // Ours at the finest level; of others what an operator would see.
    let filter =
        tracing_subscriber::EnvFilter::new("info,innsync_client=trace,innsync_engine=trace,reqwest=trace");
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || writer.clone()).init();

    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, mut link) = peer.ana_at_work(phone.path()).await;
    link.send(&json!({"type":"UNKNOWN","data":"frame-canary"})).await;
    let patch = serde_json::from_value(json!({"description":"text-canary"})).unwrap();
    let _ = ana.execute(Command::EditTask { task_id: TASK_TOWELS, patch }).await;
    let _ = ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await;
    link.close(1011, "reason").await;
    peer.answer("POST /v1/sessions", 401, "{}");
    let _ = ana.sign_in_again(PASSWORD).await;
    soon(ana.close()).await;

    let debug = format!("{ana:?} {:?}", peer.options(phone.path()).server);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap() + &debug;
    assert!(text.contains("connection"), "the log was captured: {text}");
    for secret in [TOKEN, REFRESH, PASSWORD, "frame-canary", "text-canary", "Bearer"] {
        assert!(!text.contains(secret), "{secret} is in the log:\n{text}");
    }
}
