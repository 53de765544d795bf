//! Starting, running, stopping.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{any, delete, get, post};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use super::readers::Readers;
use super::reply::Refused;
use super::spool::{self, Spools};
use super::state::{Clock, Gate, Shared};
use super::writer::Writer;
use super::{driver, health, rest, sessions, snapshot, unread, upgrade, upkeep};
use crate::auth::{AuthError, Passwords, Throttle, TokenKey, Tokens};
use crate::authority::Authority;
use crate::hub::{Hub, HubInput};
use crate::ledger::{Ledger, LedgerError};

/// Connections that read, and those of them that snapshots take.
const READERS: usize = 4;
const SNAPSHOTS: usize = 4;
/// Passwords that are checked at once.
const HASHING: usize = 2;
/// How long requests and sockets may take to end when the server stops, and after them what is being written.
const STOPPING: Duration = Duration::from_secs(10);

/// How the server is to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// How long an access token is good: at most as long as a refresh token, [`REFRESH_TTL_MS`](crate::auth::REFRESH_TTL_MS).
    pub token_ttl: Duration,
    /// How long changes are kept for phones that were away.
    pub keep_changes: Duration,
    /// Whether sockets may bring their token in the query, as the seed's client does.
    pub query_token: bool,
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {why}; {advice}")]
    Listen {
        /// Which one.
        address: SocketAddr,
        /// What the system says.
        why: std::io::Error,
        /// What to do.
        advice: &'static str,
    },
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Nobody could sign in.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The system refuses something else.
    #[error("the system refuses: {0}")]
    Io(#[from] std::io::Error),
}

fn cannot_listen(address: SocketAddr, why: std::io::Error) -> ServeError {
    let advice = match why.kind() {
        std::io::ErrorKind::AddrInUse => {
            "another program uses the port; stop it, or choose another with --listen"
        }
        std::io::ErrorKind::PermissionDenied => "choose a port above 1023 with --listen",
        _ => "choose an address of this machine with --listen",
    };
    ServeError::Listen { address, why, advice }
}

/// Listens on that address; port 0: any that is free.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|why| cannot_listen(address, why))
}

/// Serves until `stop` is ready, then lets everybody go politely. `ready` hears the address once connections are taken.
pub async fn serve(
    listener: TcpListener,
    config: Config,
    ledger: Ledger,
    key: TokenKey,
    ready: impl FnOnce(SocketAddr) -> std::io::Result<()>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let address = listener.local_addr()?;
    let gate = Arc::new(Gate::new(Tokens::new(&key, config.token_ttl)));
    for (session, ended_at) in ledger.read().ended_sessions()? {
        gate.revoke(session, ended_at);
    }
    let (hub, queue) = driver::channel();
    let readers = Readers::open(&ledger, READERS)?;
    let snapshots = Readers::open(&ledger, SNAPSHOTS)?;
    let seeds: [u8; 16] = crate::auth::random_seed()?;
    let (left, right) = seeds.split_at(8);
    let seed = |bytes: &[u8]| bytes.iter().fold(0u64, |seed, byte| (seed << 8) | u64::from(*byte));
    let driving =
        tokio::spawn(driver::drive(Hub::new(seed(left)), hub.clone(), queue, readers.clone(), gate.clone()));
    let (writer, written) = Writer::start(Authority::new(ledger, seed(right)), hub.clone())?;
    let shared = Arc::new(Shared {
        clock: Clock::start(),
        gate,
        passwords: Passwords::new()?,
        throttle: Mutex::new(Throttle::default()),
        hashing: Semaphore::new(HASHING),
        readers,
        snapshots,
        spools: Spools::new(spool::ROOM_BYTES),
        writer,
        hub: hub.clone(),
        query_token: config.query_token,
        sockets: AtomicUsize::new(0),
        conns: AtomicU64::new(1),
    });
    let forgetting = tokio::spawn(upkeep::forget(shared.clone(), config.keep_changes));
    let following = tokio::spawn(upkeep::follow(shared.clone()));
    let (drain, drained) = tokio::sync::oneshot::channel::<()>();
    let stopping = hub.clone();
    let app = router(shared.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    ready(address)?;
    tracing::info!(%address, "listening");
    let serving = axum::serve(listener, app).with_graceful_shutdown(async move {
        stop.await;
        tracing::info!("stopping");
        stopping.input(HubInput::Drain).await;
        let _ = drain.send(());
    });
    tokio::select! {
        ended = async { serving.await } => ended?,
        () = overdue(drained) => tracing::warn!("some requests did not end in time; they are cut"),
    }
    let deadline = Instant::now() + STOPPING;
    while shared.sockets.load(Ordering::Relaxed) > 0 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    driving.abort();
    forgetting.abort();
    following.abort();
    // Requests that were cut may still have a handle of the writer's, so it is told.
    let end = async {
        shared.writer.stop().await;
        let _ = written.await;
    };
    match tokio::time::timeout(STOPPING, end).await {
        Ok(()) => tracing::info!("stopped"),
        Err(_) => tracing::warn!("stopped; what was still being written is undone at the next start"),
    }
    Ok(())
}

/// When the time for ending is over.
async fn overdue(stopping: tokio::sync::oneshot::Receiver<()>) {
    let _ = stopping.await;
    tokio::time::sleep(STOPPING).await;
}

fn router(shared: Arc<Shared>) -> Router {
    let calls = Router::new()
        .route("/v1/health", get(health::health).fallback(|| only("GET")))
        .route("/v1/sessions", post(sessions::sign_in).fallback(|| only("POST")))
        .route("/v1/sessions/refresh", post(sessions::renew).fallback(|| only("POST")))
        .route("/v1/sessions/current", delete(sessions::end).fallback(|| only("DELETE")))
        .route("/v1/snapshot", get(snapshot::snapshot).post(snapshot::snapshot).fallback(rest::rest))
        .fallback(rest::rest)
        .layer(middleware::from_fn(unread::drain))
        .layer(CompressionLayer::new().gzip(true).quality(CompressionLevel::Fastest));
    Router::new()
        .route("/v1/ws", any(upgrade::upgrade))
        .merge(calls)
        .layer(middleware::from_fn(log))
        .with_state(shared)
}

async fn only(method: &str) -> Refused {
    Refused::new(405, "METHOD_NOT_ALLOWED", format!("This path answers to {method} only."))
}

/// The path alone: the query may hold a token.
async fn log(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let began = Instant::now();
    let response = next.run(request).await;
    let (status, millis) = (response.status().as_u16(), began.elapsed().as_millis());
    tracing::debug!(%method, path, status, millis, "request");
    response
}
