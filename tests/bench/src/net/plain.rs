//! The baseline on the server's side: every text posted to `/broadcast` goes to every socket of `/ws`, by axum and a
//! broadcast channel of tokio. No sign-in, no ledger, nobody who may not see it.

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::{any, post};
use tokio::sync::broadcast::{self, Sender, error::RecvError};

use super::{Child, Dial};
use crate::Result;

/// The hidden command.
pub(crate) const COMMAND: &str = "plain-server";

/// Frames that wait for a slow socket.
const QUEUED_FRAMES: usize = 512;

type Texts = Sender<Utf8Bytes>;

/// The process.
pub(crate) fn start() -> Result<Child> {
    Child::start(&[COMMAND])
}

/// How its sockets are dialled.
pub(crate) fn dials(child: &Child, sockets: usize) -> Vec<Dial> {
    let dial = Dial { url: format!("ws://{}/ws", child.address), token: None, protocol: None, hello: None };
    vec![dial; sockets]
}

/// What the process does, until it is killed.
pub(crate) fn serve() -> Result<()> {
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
            .with_state(texts);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        anstream::println!("{}", listener.local_addr()?);
        Ok(axum::serve(listener, router).await?)
    })
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
