//! The whole server over TCP, where a story needs a ledger that no command line can make.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use innsync_domain::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::{Config, listen, serve};
use crate::auth::TokenKey;
use crate::authority::Authority;
use crate::demo;
use crate::ledger::Ledger;

struct House {
    address: SocketAddr,
    client: reqwest::Client,
}

impl House {
    async fn serve(ledger: Ledger) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = Config {
            token_ttl: Duration::from_secs(900),
            keep_changes: Duration::from_secs(30 * 24 * 3600),
            query_token: true,
        };
        let (ready, address) = oneshot::channel();
        let ready = |address| {
            let _ = ready.send(address);
            Ok(())
        };
        let key = TokenKey::ephemeral().unwrap();
        let listener = listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let serving = serve(listener, config, ledger, key, ready, std::future::pending());
        tokio::spawn(async move { serving.await.unwrap() });
        Self { address: address.await.unwrap(), client: reqwest::Client::new() }
    }

    /// Status, Retry-After and body.
    async fn call(&self, method: &str, path: &str, token: &str, body: Value) -> (u16, Option<String>, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, format!("http://{}{path}", self.address));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = request.bearer_auth(token).body(body).send().await.unwrap();
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get("retry-after").map(|it| it.to_str().unwrap().to_owned());
        let text = answer.text().await.unwrap();
        (status, retry_after, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn sign_in(&self, person: &str) -> String {
        let body =
            json!({ "property": "seaside", "person": person, "password": "demo", "device": "handset-1" });
        let (status, _, answer) = self.call("POST", "/v1/sessions", "", body).await;
        assert_eq!(status, 201, "{answer}");
        answer["accessToken"].as_str().unwrap().to_owned()
    }
}

/// A ledger with the demo in it.
fn demo_in(dir: &TempDir) -> PathBuf {
    let path = dir.path().join("ledger.sqlite");
    let mut authority = Authority::new(Ledger::open(&path).unwrap(), 1);
    demo::fill(&mut authority, Timestamp::from_millis(1_795_348_800_000)).unwrap();
    path
}

#[tokio::test]
async fn on_a_full_disk_writes_are_refused_whole_and_go_on_when_there_is_room() {
    // G1, G2
    let dir = tempfile::tempdir().unwrap();
    let path = demo_in(&dir);
    let ballast = rusqlite::Connection::open(&path).unwrap();
    let put = "CREATE TABLE ballast (bytes BLOB); INSERT INTO ballast VALUES (zeroblob(4000000))";
    ballast.execute_batch(put).unwrap();
    let ledger = Ledger::open(&path).unwrap();
    let pages: i64 = ballast.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let limit = format!("PRAGMA max_page_count = {}", pages + 100);
    ledger.connection().query_row(&limit, [], |_| Ok(())).unwrap();
    let house = House::serve(ledger).await;
    let (maria, ana) = (house.sign_in("maria").await, house.sign_in("ana").await);
    let mut request = format!("ws://{}/v1/ws?token={ana}", house.address).into_client_request().unwrap();
    request.headers_mut().insert("user-agent", "the seed's".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();

    let note = json!({ "title": "House rules", "content": "Bring towels. ".repeat(1_400) });
    let mut written = 0;
    let refused = loop {
        let answer = house.call("POST", "/v1/notes", &maria, note.clone()).await;
        if answer.0 != 201 {
            break answer;
        }
        written += 1;
    };
    let (status, retry_after, problem) = refused;
    assert_eq!((status, &problem["code"], retry_after.as_deref()), (503, &json!("STORAGE_FULL"), Some("5")));

    // A phone keeps its operations, of which none is taken by half.
    let me = demo::person_id("maria");
    let op = |number: u64| {
        json!({
            "id": format!("0197a1b2-0000-7000-8000-{number:012}"), "author": me, "device": "handset-1", "schema": 1,
            "intent": { "bootId": "b", "bootMs": 1, "wall": "2026-11-22T08:00:00.000Z" },
            "command": {
                "type": "CREATE_NOTE", "noteId": format!("0197a1b2-0000-7000-9000-{number:012}"),
                "title": "From the outbox", "content": "Bring soap. ".repeat(1_500),
            },
        })
    };
    let ops = json!({ "ops": [op(1), op(2), op(3)] });
    let (status, _, problem) = house.call("POST", "/v1/ops", &maria, ops.clone()).await;
    assert_eq!((status, &problem["code"]), (503, &json!("STORAGE_FULL")));
    let body = json!({ "property": "seaside", "person": "ben", "password": "demo", "device": "handset-1" });
    let (status, _, _) = house.call("POST", "/v1/sessions", "", body).await;
    assert_eq!(status, 201, "what needs no more room is done");

    // Who reads and who listens does not notice.
    let (status, _, notes) = house.call("GET", "/v1/notes", &ana, Value::Null).await;
    assert_eq!((status, notes.as_array().unwrap().len()), (200, written));
    let (status, _, snapshot) = house.call("GET", "/v1/snapshot", &ana, Value::Null).await;
    assert!(status == 200 && snapshot.as_str().unwrap().contains("\"END\""), "{snapshot}");
    assert_eq!(house.call("GET", "/v1/health", "", Value::Null).await.0, 200);
    socket.send(Message::text(json!({ "type": "HEARTBEAT", "timestamp": 1 }).to_string())).await.unwrap();
    let mut heard = Vec::new();
    while heard.last() != Some(&json!("HEARTBEAT_ACK")) {
        let Some(Ok(Message::Text(text))) = socket.next().await else { panic!("{heard:?}") };
        heard.push(serde_json::from_str::<Value>(&text).unwrap()["type"].clone());
    }
    assert_eq!(heard.iter().filter(|it| **it == json!("ENTITY_CREATED")).count(), written);

    ballast.execute_batch("DROP TABLE ballast").unwrap();
    let (status, _, answer) = house.call("POST", "/v1/ops", &maria, ops.clone()).await;
    let outcome = |answer: &Value, number: usize| answer["results"][number]["result"]["status"].clone();
    assert_eq!((status, outcome(&answer, 0), outcome(&answer, 2)), (200, json!("APPLIED"), json!("APPLIED")));
    let (_, _, answer) = house.call("POST", "/v1/ops", &maria, ops).await;
    assert_eq!((outcome(&answer, 0), outcome(&answer, 2)), (json!("DUPLICATE"), json!("DUPLICATE")));
    assert_eq!(house.call("POST", "/v1/notes", &maria, note).await.0, 201);
    let (_, _, notes) = house.call("GET", "/v1/notes", &ana, Value::Null).await;
    assert_eq!(notes.as_array().unwrap().len(), written + 4);
}

#[tokio::test]
async fn who_hangs_up_while_signing_out_is_signed_out_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let path = demo_in(&dir);
    let house = House::serve(Ledger::open(&path).unwrap()).await;
    let ana = house.sign_in("ana").await;
    let slow_disk = rusqlite::Connection::open(&path).unwrap();
    slow_disk.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut phone = TcpStream::connect(house.address).await.unwrap();
    let request = format!(
        "DELETE /v1/sessions/current HTTP/1.1\r\nhost: seaside\r\nauthorization: Bearer {ana}\r\n\r\n"
    );
    phone.write_all(request.as_bytes()).await.unwrap();
    // By the time that these are answered it has been taken.
    for _ in 0..5 {
        assert_eq!(house.call("GET", "/v1/suites", &ana, Value::Null).await.0, 200);
    }
    phone.shutdown().await.unwrap();
    let mut answer = Vec::new();
    phone.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"", "nobody waits for it any more");

    slow_disk.execute_batch("ROLLBACK").unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while house.call("GET", "/v1/suites", &ana, Value::Null).await.0 == 200 {
        assert!(Instant::now() < deadline, "the token is still good");
    }
}
