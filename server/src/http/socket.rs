//! One socket, from CONNECTED to its close: what comes goes to the hub, what waits in the outbox goes out.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use innsync_protocol::{CloseCode, limits};

use super::outbox::{Next, Outbox};
use super::state::Shared;
use super::upgrade::close_message;
use crate::hub::{ConnId, HubInput};

/// How long a client may take to answer a close.
const GOODBYE: Duration = Duration::from_secs(2);

pub(super) async fn run(shared: &Shared, conn: ConnId, outbox: &Outbox, mut ws: WebSocket) {
    shared.sockets.fetch_add(1, Ordering::Relaxed);
    let mut reading = true;
    let goodbye = loop {
        tokio::select! {
            next = outbox.next() => match next {
                Next::Frame(text) => {
                    let sent = tokio::select! {
                        sent = ws.send(Message::Text(text)) => sent.is_ok(),
                        () = outbox.cut() => true,
                    };
                    if !sent {
                        break None;
                    }
                }
                Next::Close(code, reason) => break Some((code, reason)),
            },
            received = ws.recv(), if reading => match received {
                Some(Ok(Message::Close(_))) | None => break None,
                Some(Ok(message)) => shared.hub.input(input(conn, message)).await,
                Some(Err(error)) if is_oversize(&error) => {
                    reading = false;
                    shared.hub.input(HubInput::Oversize { conn }).await;
                }
                Some(Err(_)) => break None,
            },
        }
    };
    shared.hub.input(HubInput::Closed { conn }).await;
    match goodbye {
        Some((code, reason)) => say_goodbye(ws, code, reason).await,
        // Answers the client's close, where it said one.
        None => {
            drop(tokio::time::timeout(GOODBYE, async { while let Some(Ok(_)) = ws.recv().await {} }).await)
        }
    }
    shared.sockets.fetch_sub(1, Ordering::Relaxed);
}

fn input(conn: ConnId, message: Message) -> HubInput {
    match message {
        Message::Text(text) if text.len() > limits::FRAME_BYTES => HubInput::Oversize { conn },
        Message::Text(text) => HubInput::Text { conn, text },
        Message::Binary(bytes) if bytes.len() > limits::FRAME_BYTES => HubInput::Oversize { conn },
        Message::Binary(_) => HubInput::Binary { conn },
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => HubInput::Alive { conn },
    }
}

/// Larger than is even read. The library has no name for it that reaches here, only words.
fn is_oversize(error: &axum::Error) -> bool {
    error.to_string().contains("too long")
}

/// Closes a socket, and waits a little for the client to have heard why.
pub(super) async fn say_goodbye(mut ws: WebSocket, code: CloseCode, reason: &'static str) {
    let goodbye = async {
        if ws.send(close_message(code, reason)).await.is_ok() {
            while let Some(Ok(_)) = ws.recv().await {}
        }
    };
    let _ = tokio::time::timeout(GOODBYE, goodbye).await;
}
