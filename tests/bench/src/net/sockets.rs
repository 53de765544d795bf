//! Many sockets that read and count.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::{SinkExt, TryStreamExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::Result;

/// Sockets that shake hands at a time.
const AT_A_TIME: usize = 32;
const TIMEOUT: Duration = Duration::from_secs(60);

/// How a socket is opened.
#[derive(Debug, Clone)]
pub(crate) struct Dial {
    pub(crate) url: String,
    pub(crate) token: Option<String>,
    /// The subprotocol offered.
    pub(crate) protocol: Option<&'static str>,
    /// What the client says after the server's first frame.
    pub(crate) hello: Option<String>,
}

/// Sockets, read by a runtime of their own.
pub(crate) struct Sockets {
    heard: Arc<Heard>,
    // Dropping it drops the sockets.
    _runtime: Runtime,
}

#[derive(Default)]
struct Heard {
    /// Frames that carry a change.
    deliveries: AtomicU64,
    /// Sockets that are gone.
    gone: AtomicU64,
    /// The last frame that carried a change.
    last: Mutex<String>,
}

impl Sockets {
    /// Opens them all.
    pub(crate) fn open(dials: &[Dial]) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let heard = Arc::new(Heard::default());
        for some in dials.chunks(AT_A_TIME) {
            let sockets: Vec<_> =
                runtime.block_on(some.iter().map(dial).collect::<FuturesUnordered<_>>().try_collect())?;
            for socket in sockets {
                runtime.spawn(listen(socket, Arc::clone(&heard)));
            }
        }
        Ok(Self { heard, _runtime: runtime })
    }

    /// How many changes have come in, over all sockets.
    pub(crate) fn deliveries(&self) -> u64 {
        self.heard.deliveries.load(Ordering::Relaxed)
    }

    /// Waits until so many have come in.
    pub(crate) fn wait_for(&self, deliveries: u64) -> Result<()> {
        let until = Instant::now() + TIMEOUT;
        while self.deliveries() < deliveries {
            let gone = self.heard.gone.load(Ordering::Relaxed);
            if gone > 0 || Instant::now() > until {
                return Err(format!(
                    "{} of {deliveries} deliveries came, {gone} sockets are gone",
                    self.deliveries()
                )
                .into());
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        Ok(())
    }

    /// The last change, as it came.
    pub(crate) fn last(&self) -> String {
        self.heard.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub(crate) type Socket = WebSocketStream<TcpStream>;

/// Opens a socket.
pub(crate) async fn dial(dial: &Dial) -> Result<Socket> {
    dial_counted(dial, || {}).await
}

/// Opens a socket; `reached` is called when there is a connection, before anything was said.
pub(super) async fn dial_counted(dial: &Dial, reached: impl FnOnce()) -> Result<Socket> {
    let mut request = dial.url.as_str().into_client_request()?;
    let headers = request.headers_mut();
    if let Some(token) = &dial.token {
        headers.insert("authorization", format!("Bearer {token}").parse()?);
    }
    if let Some(protocol) = dial.protocol {
        headers.insert("sec-websocket-protocol", protocol.parse()?);
    }
    let address = request.uri().authority().ok_or("no host")?.as_str().to_owned();
    let stream = TcpStream::connect(address).await?;
    reached();
    stream.set_nodelay(true)?;
    let small = WebSocketConfig::default().read_buffer_size(4 * 1024).write_buffer_size(0);
    let (mut socket, _) = client_async_with_config(request, stream, Some(small)).await?;
    if let Some(hello) = &dial.hello {
        let greeting = socket.next().await.ok_or("closed before a greeting")??;
        if !greeting.is_text() {
            return Err(format!("the server greeted with {greeting:?}").into());
        }
        socket.send(Message::text(hello.as_str())).await?;
    }
    Ok(socket)
}

async fn listen(mut socket: Socket, heard: Arc<Heard>) {
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message
            && text.contains("\"UPSERT\"")
        {
            if heard.deliveries.load(Ordering::Relaxed).is_multiple_of(1_000) {
                heard.last.lock().unwrap_or_else(PoisonError::into_inner).replace_range(.., &text);
            }
            heard.deliveries.fetch_add(1, Ordering::Relaxed);
        }
    }
    heard.gone.fetch_add(1, Ordering::Relaxed);
}
