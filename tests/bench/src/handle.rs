//! InnSync as an application has it: a real handle, filled by a stand-in for the server that is then gone.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::{any, post};
use innsync_client::{Command, InnSync, Options};
use innsync_domain::{Audience, Timestamp, Uuid};
use innsync_protocol::{Connected, SUBPROTOCOL, ServerFrame, SessionAnswer};
use innsync_server::demo;
use tokio::runtime::Runtime;

use crate::{Result, data};

const TIMEOUT: Duration = Duration::from_secs(60);

/// Where a handle's database is, and how it is opened again.
pub(crate) fn options(server: SocketAddr, folder: &Path) -> Options {
    Options::new(format!("http://{server}"), data::property().id, "maria", folder).device("handset-1")
}

/// How long a phone may take for anything that is measured here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Signs in with the demo's password, and has everything.
pub(crate) async fn at_work(options: Options) -> Result<InnSync> {
    let innsync = innsync_client::sign_in(options, demo::PASSWORD).await?;
    innsync.connect();
    innsync.up_to_date(PATIENCE).await?;
    Ok(innsync)
}

/// Saves a note; it need not be confirmed.
pub(crate) async fn write_note(innsync: &InnSync, title: String) -> Result<Uuid> {
    let note_id = innsync.new_id();
    let command = Command::CreateNote {
        note_id,
        title,
        content: "Something to be told to all staff.".to_owned(),
        suite_id: None,
        task_id: None,
        audience: Audience::AllStaff,
    };
    innsync.execute(command).await?;
    Ok(note_id)
}

/// Signs in, fetches that snapshot, and goes offline. The runtime is the caller's.
pub(crate) fn filled(runtime: &Runtime, folder: &Path, snapshot: Vec<u8>) -> Result<(InnSync, SocketAddr)> {
    let server = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let listener = server.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    let address = listener.local_addr()?;
    server.spawn(async move { axum::serve(listener, router(snapshot)).await });
    let innsync = runtime.block_on(innsync_client::sign_in(options(address, folder), "demo"))?;
    innsync.connect();
    let started = Instant::now();
    while !innsync.status().has_data {
        if started.elapsed() > TIMEOUT {
            return Err(format!("no snapshot after {TIMEOUT:?}: {:?}", innsync.status()).into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    innsync.disconnect();
    server.shutdown_timeout(Duration::from_secs(1));
    Ok((innsync, address))
}

/// As much of a server as a phone needs for its first snapshot.
fn router(snapshot: Vec<u8>) -> Router {
    Router::new()
        .route("/v1/sessions", post(async || serde_json::to_string(&session()).unwrap_or_default()))
        .route("/v1/snapshot", post(async move || snapshot))
        .route(
            "/v1/ws",
            any(async |upgrade: WebSocketUpgrade| upgrade.protocols([SUBPROTOCOL]).on_upgrade(greet)),
        )
}

async fn greet(mut socket: WebSocket) {
    let greeting = ServerFrame::Connected(Connected {
        user_id: data::me(),
        timestamp: wall().as_millis(),
        heartbeat_interval: 30_000,
        property: data::property(),
    });
    let _ = socket.send(Message::text(greeting.to_json())).await;
    while let Some(Ok(_)) = socket.recv().await {}
}

fn session() -> SessionAnswer {
    SessionAnswer {
        access_token: "access".into(),
        refresh_token: "refresh".into(),
        expires_at: wall().plus_millis(3_600_000),
        employee: data::employee(data::me()),
        property: data::property(),
    }
}

fn wall() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
