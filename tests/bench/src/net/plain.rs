//! The baseline on the server's side: every text posted to `/broadcast` goes to every socket of `/ws`, by axum and a
//! broadcast channel of tokio. What is posted to `/save`, a JSON array, is saved in one transaction before. No sign-in, no
//! rules, no outcomes, nobody who may not see it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{any, post};
use axum::{Json, Router};
use rusqlite::Connection;
use serde_json::value::RawValue;
use tokio::sync::broadcast::{self, Sender, error::RecvError};

use super::{Child, Dial};
use crate::{Result, plain};

/// The hidden command.
pub(crate) const COMMAND: &str = "plain-server";

/// Frames that wait for a slow socket.
const QUEUED_FRAMES: usize = 512;

type Texts = Sender<Utf8Bytes>;

/// The process; nothing is to be saved.
pub(crate) fn start() -> Result<Child> {
    Child::start(&[COMMAND])
}

/// The process, which saves into that file.
pub(crate) fn start_saving(file: &Path) -> Result<Child> {
    Child::start(&[COMMAND, "--data", file.to_str().ok_or("an odd folder")?])
}

/// How its sockets are dialled.
pub(crate) fn dials(child: &Child, sockets: usize) -> Vec<Dial> {
    let dial = Dial { url: format!("ws://{}/ws", child.address), token: None, protocol: None, hello: None };
    vec![dial; sockets]
}

/// What the process does, until it is killed.
pub(crate) fn serve(data: Option<&PathBuf>) -> Result<()> {
    let ledger = data.map(|file| plain::create_log(file)).transpose()?.map(|log| Arc::new(Mutex::new(log)));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let texts = broadcast::channel(QUEUED_FRAMES).0;
        let router = Router::new()
            .route("/ws", any(upgrade))
            .route(
                "/broadcast",
                post(|State(texts): State<Texts>, body: String| async move {
                    let _ = texts.send(body.into());
                }),
            )
            .with_state(texts.clone());
        let router = match ledger {
            Some(ledger) => router.route(
                "/save",
                post(async move |body: Json<Vec<Box<RawValue>>>| save(&ledger, &texts, body)),
            ),
            None => router,
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        anstream::println!("{}", listener.local_addr()?);
        Ok(axum::serve(listener, router).await?)
    })
}

/// Saves all of it or nothing, then tells each.
fn save(ledger: &Arc<Mutex<Connection>>, texts: &Texts, Json(docs): Json<Vec<Box<RawValue>>>) -> StatusCode {
    let docs: Vec<&str> = docs.iter().map(|doc| doc.get()).collect();
    let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    if plain::log(&mut ledger, &docs).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    for doc in docs {
        let _ = texts.send(doc.into());
    }
    StatusCode::OK
}

async fn upgrade(State(texts): State<Texts>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.read_buffer_size(4 * 1024).write_buffer_size(0).on_upgrade(move |socket| talk(socket, texts))
}

async fn talk(mut socket: WebSocket, texts: Texts) {
    let mut texts = texts.subscribe();
    loop {
        tokio::select! {
            text = texts.recv() => match text {
                Ok(text) => if socket.send(Message::Text(text)).await.is_err() { return },
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            message = socket.recv() => if !matches!(message, Some(Ok(_))) { return },
        }
    }
}
