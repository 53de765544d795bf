//! A peer that plays the server, as well or badly as a test wants, and the people of the stories.

#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use innsync_client::{ConnectionState, InnSync, Options, Stream, Uuid};
use innsync_protocol::limits::HEARTBEAT_MS;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

pub const ANA: Uuid = Uuid::from_u128(0xa1);
pub const MARIA: Uuid = Uuid::from_u128(0xa2);
pub const SUITE_101: Uuid = Uuid::from_u128(0x101);
pub const TASK_TOWELS: Uuid = Uuid::from_u128(0x201);
pub const TOKEN: &str = "ana-access-canary";
pub const REFRESH: &str = "ana-refresh-canary";
pub const PASSWORD: &str = "ana-password-canary";

/// What the peer was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub line: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

/// How the peer answers a path: status, headers, body.
pub type Answer = (u16, Vec<(&'static str, String)>, Vec<u8>);

#[derive(Default)]
struct Script {
    answers: HashMap<String, Answer>,
    asked: Vec<Asked>,
    given_up: Vec<String>,
    changed: Arc<Notify>,
}

/// The peer.
pub struct Peer {
    pub url: String,
    script: Arc<Mutex<Script>>,
    sockets: tokio::sync::Mutex<mpsc::UnboundedReceiver<Link>>,
    listening: tokio::task::JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// One phone's socket, at the peer's end.
pub struct Link {
    pub asked: Asked,
    ws: WebSocketStream<TcpStream>,
}

impl Peer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script::default()));
        let (opened, sockets) = mpsc::unbounded_channel();
        let listening = tokio::spawn({
            let script = Arc::clone(&script);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, Arc::clone(&script), opened.clone()));
                }
            }
        });
        let peer = Self { url, script, sockets: tokio::sync::Mutex::new(sockets), listening };
        peer.answer("POST /v1/sessions", 200, &session());
        peer.snapshot(&snapshot());
        peer.answer(
            "GET /v1/sync",
            200,
            &json!({"type":"DELTA","epoch":1,"from":1,"to":1,"mark":mark(1)}).to_string(),
        );
        peer
    }

    pub fn answer(&self, what: &str, status: u16, body: &str) {
        self.answer_with(what, (status, Vec::new(), body.as_bytes().to_vec()));
    }

    pub fn answer_with(&self, what: &str, answer: Answer) {
        let mut script = self.script.lock().unwrap();
        script.answers.insert(what.to_owned(), answer);
        script.changed.notify_waiters();
    }

    /// From now on nobody answers that, until there is an answer again.
    pub fn silence(&self, what: &str) {
        self.script.lock().unwrap().answers.remove(what);
    }

    pub fn snapshot(&self, lines: &[String]) {
        for what in ["POST /v1/snapshot", "GET /v1/snapshot"] {
            self.answer(what, 200, &(lines.join("\n") + "\n"));
        }
    }

    pub fn asked(&self, what: &str) -> Vec<Asked> {
        let script = self.script.lock().unwrap();
        script.asked.iter().filter(|asked| asked.line.starts_with(what)).cloned().collect()
    }

    /// Waits until a phone has asked that.
    pub async fn is_asked(&self, what: &str) {
        self.is_asked_more_than(what, 0).await;
    }

    /// Waits until phones have asked that more often.
    pub async fn is_asked_more_than(&self, what: &str, times: usize) {
        let count =
            |script: &Script| script.asked.iter().filter(|asked| asked.line.starts_with(what)).count();
        self.becomes(|script| count(script) > times).await;
    }

    /// Waits until a phone has asked that, and broken off before the answer.
    pub async fn is_given_up(&self, what: &str) {
        self.becomes(|script| script.given_up.iter().any(|it| it == what)).await;
    }

    async fn becomes(&self, wanted: impl Fn(&Script) -> bool) {
        let changed = Arc::clone(&self.script.lock().unwrap().changed);
        soon(async {
            loop {
                let change = changed.notified();
                if wanted(&self.script.lock().unwrap()) {
                    return;
                }
                change.await;
            }
        })
        .await;
    }

    /// The next socket that a phone opens.
    pub async fn socket(&self) -> Link {
        soon(async { self.sockets.lock().await.recv().await }).await.unwrap()
    }

    /// The next socket, welcomed.
    pub async fn welcome(&self) -> Link {
        let mut link = self.socket().await;
        link.send(&json!({
            "type": "CONNECTED", "userId": ANA, "timestamp": 1_795_335_000_000_i64,
            "heartbeatInterval": HEARTBEAT_MS, "property": property(),
        }))
        .await;
        link
    }

    pub fn options(&self, directory: &Path) -> Options {
        Options::new(&self.url, "seaside", "ana", directory).device("handset-3")
    }

    pub async fn sign_in(&self, directory: &Path) -> InnSync {
        innsync_client::sign_in(self.options(directory), PASSWORD).await.unwrap()
    }

    /// Ana, signed in, connected and with her data on the phone.
    pub async fn ana_at_work(&self, directory: &Path) -> (InnSync, Link) {
        self.at_work(self.options(directory)).await
    }

    /// As [`Peer::ana_at_work`], on a phone that is set up as the test says.
    pub async fn at_work(&self, options: Options) -> (InnSync, Link) {
        let ana = innsync_client::sign_in(options, PASSWORD).await.unwrap();
        ana.connect();
        let link = self.welcome().await;
        until(&ana.watch_status(), |status| status.has_data).await;
        // The data comes over HTTP, and may be there before the socket's first frame was taken.
        reaches(&ana.watch_connection(), ConnectionState::Connected).await;
        (ana, link)
    }
}

impl Link {
    pub async fn send(&mut self, frame: &Value) {
        self.send_text(&frame.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.ws.send(Message::text(text)).await.unwrap();
    }

    pub async fn close(mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        let _ = self.ws.send(Message::Close(Some(frame))).await;
        while let Some(Ok(_)) = self.ws.next().await {}
    }

    /// The next frame of that type; those before it are passed over.
    pub async fn hear(&mut self, frame_type: &str) -> Value {
        soon(async {
            loop {
                if let Message::Text(text) = self.ws.next().await.unwrap().unwrap() {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["type"] == frame_type {
                        return frame;
                    }
                }
            }
        })
        .await
    }

    /// How the phone closes; `None`: the link just broke.
    pub async fn closed(&mut self) -> Option<(u16, String)> {
        soon(async {
            loop {
                match self.ws.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => {
                        return Some((frame.code.into(), frame.reason.as_str().to_owned()));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        })
        .await
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Mutex<Script>>, opened: mpsc::UnboundedSender<Link>) {
    let Some((asked, head_bytes)) = peek_head(&stream).await else { return };
    if asked.headers.get("upgrade").is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket")) {
        #[allow(clippy::result_large_err)]
        let echo = |request: &Request, mut response: Response| {
            if let Some(offered) = request.headers().get(SEC_WEBSOCKET_PROTOCOL) {
                response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, offered.clone());
            }
            Ok(response)
        };
        if let Ok(ws) = tokio_tungstenite::accept_hdr_async(stream, echo).await {
            let _ = opened.send(Link { asked, ws });
        }
        return;
    }
    let mut head = vec![0; head_bytes];
    stream.read_exact(&mut head).await.unwrap();
    let length = asked.headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let asked = Asked { body: String::from_utf8(body).unwrap(), ..asked };
    let key = asked.line.split(['?', ' ']).take(2).collect::<Vec<_>>().join(" ");
    let changed = {
        let mut script = script.lock().unwrap();
        script.asked.push(asked);
        script.changed.notify_waiters();
        Arc::clone(&script.changed)
    };
    // Until the script has an answer, the peer stays silent.
    let (status, headers, body) = loop {
        let change = changed.notified();
        let answer = script.lock().unwrap().answers.get(&key).cloned();
        match answer {
            Some(answer) => break answer,
            None => tokio::select! {
                () = change => {}
                // Nothing more is to come of a whole request but its end.
                _ = stream.read_u8() => {
                    let mut script = script.lock().unwrap();
                    script.given_up.push(key);
                    script.changed.notify_waiters();
                    return;
                }
            },
        }
    };
    let mut text = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "content-length") {
        text += &format!("content-length: {}\r\n", body.len());
    }
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    let _ = stream.write_all(format!("{text}\r\n").as_bytes()).await;
    let _ = stream.write_all(&body).await;
    let _ = stream.shutdown().await;
}

async fn peek_head(stream: &TcpStream) -> Option<(Asked, usize)> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = stream.peek(&mut buffer).await.ok()?;
        if count == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
        let Some(end) = text.find("\r\n\r\n") else {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        let mut lines = text[..end].split("\r\n");
        let line = lines.next()?.to_owned();
        let pairs = lines.filter_map(|line| line.split_once(": "));
        let headers = pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        return Some((Asked { line, headers, body: String::new() }, end + 4));
    }
}

fn property() -> Value {
    json!({ "id": "seaside", "name": "Seaside Motel", "timeZone": "America/Los_Angeles" })
}

pub fn mark(number: u64) -> String {
    format!("{number:016x}")
}

fn stamped(mut row: Value) -> Value {
    row["version"] = json!(1);
    row["updatedAt"] = json!("2026-11-22T08:00:00.000Z");
    row["updatedBy"] = json!(MARIA);
    row
}

pub fn employee(id: Uuid, name: &str, role: &str, department: &str) -> Value {
    stamped(json!({
        "id": id, "name": name, "role": role, "department": department, "status": "AVAILABLE", "isOnDuty": true,
    }))
}

pub fn task(id: Uuid, title: &str) -> Value {
    stamped(json!({
        "id": id, "title": title, "description": "", "type": "CLEANING", "priority": "NORMAL", "status": "PENDING",
        "suiteId": SUITE_101, "assignedTo": ANA, "department": "HOUSEKEEPING", "createdBy": MARIA,
        "createdAt": "2026-11-22T07:00:00.000Z",
    }))
}

pub fn session() -> String {
    session_until("2099-01-01T00:00:00.000Z", REFRESH)
}

/// A session with a refresh token of its own, whose access token expires then.
pub fn session_until(expires_at: &str, refresh: &str) -> String {
    json!({
        "accessToken": TOKEN, "refreshToken": refresh, "expiresAt": expires_at,
        "employee": employee(ANA, "Ana", "HOUSEKEEPER", "HOUSEKEEPING"), "property": property(),
    })
    .to_string()
}

pub fn snapshot() -> Vec<String> {
    let row = |kind: &str, row: Value| json!({"type":"ROW","entityType":kind,"entity":row}).to_string();
    let suite = json!({"id": SUITE_101, "suiteNumber": "101", "floor": 1, "status": "VACANT_DIRTY"});
    vec![
        json!({"type":"SNAPSHOT","epoch":1,"seq":1,"mark":mark(1),"rows":4,"property":property()})
            .to_string(),
        row("SUITE", stamped(suite)),
        row("EMPLOYEE", employee(ANA, "Ana", "HOUSEKEEPER", "HOUSEKEEPING")),
        row("EMPLOYEE", employee(MARIA, "Maria", "MANAGER", "MANAGEMENT")),
        row("TASK", task(TASK_TOWELS, "Towels")),
        json!({"type":"END","results":[]}).to_string(),
    ]
}

/// What takes longer than this is stuck.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it did not happen in time")
}

/// The first item that is as wanted.
pub async fn until<T: Clone>(stream: &Stream<T>, wanted: impl Fn(&T) -> bool) -> T {
    soon(async {
        loop {
            let item = stream.next().await.expect("the stream ended");
            if wanted(&item) {
                return item;
            }
        }
    })
    .await
}

pub async fn reaches(states: &Stream<ConnectionState>, state: ConnectionState) {
    until(states, |it| *it == state).await;
}
