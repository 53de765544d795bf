//! A server of its own for each test, and what talks to it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

use axum::http::HeaderMap;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_innsync-server"));
    command.env_remove("RUST_LOG").env_remove("INNSYNC_DATA");
    command
}

/// Runs the program with something to read, until it ends.
pub(crate) fn run(args: &[&str], stdin: &str) -> Output {
    let mut child = binary()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// The arguments of `person add` and `person set-password`, with the password on stdin.
pub(crate) fn person<'a>(
    action: &'a str,
    data: &'a Path,
    property: &'a str,
    person: &'a str,
    more: &[&'a str],
) -> Vec<&'a str> {
    let data = data.to_str().unwrap();
    let args =
        ["person", action, "--data", data, "--property", property, "--person", person, "--password-stdin"];
    [&args[..], more].concat()
}

/// Runs the program, which must succeed.
pub(crate) fn done(args: &[&str], stdin: &str) {
    let output = run(args, stdin);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

pub(crate) struct House {
    pub(crate) dir: TempDir,
    pub(crate) child: Child,
    pub(crate) address: String,
    stdout: BufReader<ChildStdout>,
    client: reqwest::Client,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

pub(crate) struct Session {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) id: String,
}

impl House {
    pub(crate) fn demo() -> Self {
        Self::with(tempfile::tempdir().unwrap(), &["--demo"], "info")
    }

    pub(crate) fn with(dir: TempDir, args: &[&str], log: &str) -> Self {
        Self::start(binary(), dir, args, log)
    }

    /// With files of at most so many blocks, of which each is half a KiB or a whole one.
    pub(crate) fn within(dir: TempDir, blocks: u32, args: &[&str]) -> Self {
        let limit = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let mut limited = Command::new("sh");
        limited.arg("-c").arg(limit).arg(binary().get_program());
        Self::start(limited, dir, args, "info")
    }

    fn start(mut program: Command, dir: TempDir, args: &[&str], log: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let errors = std::fs::File::create(dir.path().join("stderr")).unwrap();
        let mut child = program
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(dir.path().join("ledger.sqlite"))
            .args(args)
            .env("RUST_LOG", log)
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        let address = first.trim().strip_prefix("innsync-server listening on http://").unwrap().to_owned();
        Self { dir, child, address, stdout, client: reqwest::Client::new() }
    }

    /// The same ledger, served again.
    pub(crate) async fn restarted(self, args: &[&str]) -> Self {
        Self::with(self.stopped().await, args, "info")
    }

    /// Its folder, once it has ended in order.
    pub(crate) async fn stopped(mut self) -> TempDir {
        self.interrupt("-TERM");
        assert_eq!(self.end().await.1, Some(0));
        std::mem::replace(&mut self.dir, tempfile::tempdir().unwrap())
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("ledger.sqlite")
    }

    /// All that it has said so far on stderr.
    pub(crate) fn errors(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("stderr")).unwrap()
    }

    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        self.send(method, path, token, body.map(|body| body.to_string())).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<String>,
    ) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, format!("http://{}{path}", self.address));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    pub(crate) async fn try_sign_in(&self, property: &str, person: &str, password: &str) -> Answer {
        let body =
            json!({ "property": property, "person": person, "password": password, "device": "handset-1" });
        self.call("POST", "/v1/sessions", None, Some(body)).await
    }

    pub(crate) async fn sign_in(&self, person: &str) -> Session {
        let answer = self.try_sign_in("seaside", person, "demo").await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        Session::of(&answer)
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        self.call("POST", "/v1/sessions/refresh", None, Some(json!({ "refreshToken": token }))).await
    }

    /// As the seed's client connects.
    pub(crate) async fn seed(&self, token: &str) -> Socket {
        self.socket(&format!("/v1/ws?token={token}"), None, None).await
    }

    pub(crate) async fn phone(&self, token: &str) -> Socket {
        self.socket("/v1/ws", Some(token), Some("innsync.v1")).await
    }

    pub(crate) async fn socket(&self, path: &str, token: Option<&str>, protocol: Option<&str>) -> Socket {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        if let Some(token) = token {
            request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        if let Some(protocol) = protocol {
            request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
        }
        let (socket, response) = connect_async(request).await.unwrap();
        assert_eq!(response.headers().get("sec-websocket-protocol").map(|it| it.to_str().unwrap()), protocol);
        Socket(socket)
    }

    /// Fetches a snapshot; its first line.
    pub(crate) async fn snapshot_start(&self, token: &str) -> Value {
        let snapshot = self.call("GET", "/v1/snapshot", Some(token), None).await;
        let lines = snapshot.body.as_str().unwrap();
        assert!(lines.lines().last().unwrap().contains("\"END\""), "{lines}");
        serde_json::from_str(lines.lines().next().unwrap()).unwrap()
    }

    /// As a phone does that has just fetched a snapshot; the snapshot's first line.
    pub(crate) async fn resume(&self, phone: &mut Socket, token: &str) -> Value {
        let start = self.snapshot_start(token).await;
        let (epoch, seq, mark) = (&start["epoch"], &start["seq"], &start["mark"]);
        let resume =
            json!({ "type": "RESUME", "epoch": epoch, "seq": seq, "mark": mark, "device": "handset-1" });
        phone.say(resume).await;
        start
    }

    pub(crate) fn interrupt(&self, signal: &str) {
        let killed = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    /// Notes for all staff, `count` of them with `chars` characters each, pushed as a phone pushes what it has queued.
    pub(crate) async fn fill_with_notes(&self, author: &Session, count: usize, chars: usize) {
        let content = "Bring towels. ".repeat(chars.div_ceil(14));
        let per_push = (900_000 / (chars + 600)).clamp(1, 256);
        let op = |number: usize| {
            let id = |kind: &str| Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{kind} {number}").as_bytes());
            json!({
                "id": id("op"), "author": author.id, "device": "handset-1", "schema": 1,
                "intent": { "bootId": "b", "bootMs": 1, "wall": "2026-11-22T08:00:00.000Z" },
                "command": {
                    "type": "CREATE_NOTE", "noteId": id("note"), "title": format!("Note {number}"),
                    "content": content[..chars],
                },
            })
        };
        let numbers: Vec<usize> = (0..count).collect();
        for push in numbers.chunks(per_push) {
            let ops: Vec<Value> = push.iter().map(|number| op(*number)).collect();
            let answer =
                self.call("POST", "/v1/ops", Some(&author.access), Some(json!({ "ops": ops }))).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let results = answer.body["results"].as_array().unwrap();
            assert!(results.iter().all(|it| it["result"]["status"] == "APPLIED"), "{}", answer.body);
        }
    }

    /// Waits for its end; what it still said on stdout, and its exit code.
    pub(crate) async fn end(&mut self) -> (String, Option<i32>) {
        for _ in 0..400 {
            if let Some(status) = self.child.try_wait().unwrap() {
                let mut rest = String::new();
                std::io::Read::read_to_string(&mut self.stdout, &mut rest).unwrap();
                return (rest, status.code());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the server does not end: {}", self.errors());
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Session {
    pub(crate) fn of(answer: &Answer) -> Self {
        let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
        let id = answer.body["employee"]["id"].as_str().unwrap().to_owned();
        Self { access: text("accessToken"), refresh: text("refreshToken"), id }
    }
}

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn say(&mut self, frame: Value) {
        self.say_text(frame.to_string()).await;
    }

    pub(crate) async fn say_text(&mut self, text: String) {
        // Of a socket that the server is closing, the close is what matters.
        let _ = self.0.send(Message::text(text)).await;
    }

    pub(crate) async fn say_binary(&mut self, bytes: Vec<u8>) {
        self.0.send(Message::binary(bytes)).await.unwrap();
    }

    /// The next frame, or the code and reason of the close.
    pub(crate) async fn next(&mut self) -> Result<Value, (u16, String)> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("nothing came");
            match next {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(close)))) => {
                    return Err((close.code.into(), close.reason.to_string()));
                }
                Some(Ok(_)) => {}
                other => return Err((1006, format!("{other:?}"))),
            }
        }
    }

    pub(crate) async fn frame(&mut self) -> Value {
        self.next().await.unwrap()
    }

    /// Reads up to a frame of that type.
    pub(crate) async fn until(&mut self, frame_type: &str) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["type"] == frame_type {
                return frame;
            }
        }
    }

    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Err(close) = self.next().await {
                return close;
            }
        }
    }

    /// Whether nothing comes for a while.
    pub(crate) async fn is_silent(&mut self) -> bool {
        tokio::time::timeout(Duration::from_millis(400), self.0.next()).await.is_err()
    }
}
