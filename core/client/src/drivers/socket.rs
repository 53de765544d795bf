//! One WebSocket, from opening to its end.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Sink, SinkExt, StreamExt};
use innsync_engine::SocketEvent;
use innsync_engine::limits::CONNECT_TIMEOUT_MS;
use innsync_protocol::limits::FRAME_BYTES;
use innsync_protocol::{CloseCode, SUBPROTOCOL};
use rustls::ClientConfig;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::protocol::{
    CloseFrame, WebSocketConfig, frame::coding::CloseCode as WireCode,
};
use tokio_tungstenite::tungstenite::{Error as WsError, Message, handshake::client::Request};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};

use super::runtime::runtime;
use super::tls::distrust;
use crate::error::Error;
use crate::mailbox::Courier;

/// Bytes of the read buffer; the default of 128 KiB is much for a phone's small frames.
const READ_BUFFER_BYTES: usize = 16 * 1024;
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

type Ws = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// A socket's control. Dropping it breaks the link without a word.
#[derive(Debug)]
pub(crate) struct Socket {
    orders: mpsc::UnboundedSender<Order>,
    task: AbortHandle,
    // Said goodbye: the task ends by itself.
    closing: bool,
}

#[derive(Debug)]
enum Order {
    Send(String),
    Close(u16, &'static str),
}

impl Socket {
    /// Opens a socket; what it does goes to `courier`.
    pub(crate) fn open(
        url: &str,
        token: &str,
        tls: Arc<ClientConfig>,
        courier: Courier,
    ) -> Result<Self, Error> {
        let request = request(url, token)?;
        let (orders, received) = mpsc::unbounded_channel();
        let task = runtime()?.spawn(run(request, tls, courier, received)).abort_handle();
        Ok(Self { orders, task, closing: false })
    }

    /// Sends a text frame, after those before it.
    pub(crate) fn send(&self, text: String) {
        // A socket that has ended has reported so.
        let _ = self.orders.send(Order::Send(text));
    }

    /// Closes; nothing more is reported.
    pub(crate) fn close(mut self, code: u16, reason: &'static str) {
        self.closing = self.orders.send(Order::Close(code, reason)).is_ok();
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if !self.closing {
            self.task.abort();
        }
    }
}

fn request(url: &str, token: &str) -> Result<Request, Error> {
    let mut request =
        url.into_client_request().map_err(|_| Error::InvalidInput("the server's address".to_owned()))?;
    // In a header, not in the URL: URLs are logged by everybody on the way.
    let mut bearer = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| Error::InvalidInput("the token cannot be sent".to_owned()))?;
    bearer.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, bearer);
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    Ok(request)
}

async fn run(
    request: Request,
    tls: Arc<ClientConfig>,
    courier: Courier,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(Some(FRAME_BYTES))
        .max_frame_size(Some(FRAME_BYTES));
    let opening = connect_async_tls_with_config(request, Some(config), true, Some(Connector::Rustls(tls)));
    let opening = tokio::time::timeout(Duration::from_millis(CONNECT_TIMEOUT_MS), opening);
    tokio::pin!(opening);
    let mut early = Vec::new();
    let opened = loop {
        tokio::select! {
            opened = &mut opening => break opened,
            order = orders.recv() => match order {
                Some(Order::Send(text)) => early.push(text),
                Some(Order::Close(..)) | None => return,
            },
        }
    };
    let event = match opened {
        Ok(Ok((socket, _))) => match talk(socket, early, &courier, &mut orders).await {
            Some(event) => event,
            None => return,
        },
        Ok(Err(error)) => SocketEvent::Failed(describe(&error)),
        Err(_) => SocketEvent::Failed("the server did not answer in time".to_owned()),
    };
    tracing::debug!(?event, "the socket ended");
    courier.socket(event).await;
}

/// Until the socket ends; `None`: because we closed it.
async fn talk(
    socket: Ws,
    early: Vec<String>,
    courier: &Courier,
    orders: &mut mpsc::UnboundedReceiver<Order>,
) -> Option<SocketEvent> {
    // Reading goes on while a write waits for a slow link, and the other way round.
    let (mut sink, mut stream) = socket.split();
    let mut too_big = false;
    let write = async {
        for text in early {
            sink.send(Message::text(text)).await?;
        }
        while let Some(order) = orders.recv().await {
            match order {
                Order::Send(text) => sink.send(Message::text(text)).await?,
                Order::Close(code, reason) => {
                    goodbye(&mut sink, code, reason).await;
                    return Ok(());
                }
            }
        }
        Ok::<(), WsError>(())
    };
    let read = async {
        loop {
            match stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    courier.socket(SocketEvent::Frame(text.as_str().to_owned())).await;
                }
                Some(Ok(Message::Close(frame))) => break closed(frame),
                // Pings are answered by tungstenite; a binary frame is nothing of this protocol.
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => {
                    too_big = matches!(error, WsError::Capacity(_));
                    break SocketEvent::Failed(describe(&error));
                }
                None => break SocketEvent::closed(CloseCode(1006), ""),
            }
        }
    };
    let ended = {
        tokio::pin!(write);
        tokio::pin!(read);
        tokio::select! {
            event = &mut read => Some(event),
            written = &mut write => match written {
                // Until the server has said goodbye, too: hanging up with frames unread would break the link instead.
                Ok(()) => {
                    let _ = tokio::time::timeout(GOODBYE, &mut read).await;
                    None
                }
                // The server may have said why before it hung up: that is still to be read.
                Err(error) => {
                    let said = tokio::time::timeout(GOODBYE, &mut read).await;
                    Some(said.unwrap_or_else(|_| SocketEvent::Failed(describe(&error))))
                }
            },
        }
    };
    let event = ended?;
    // Answers the server's close, or tells it why we go.
    match &event {
        SocketEvent::Failed(_) if too_big => goodbye(&mut sink, CloseCode::TOO_BIG.0, "frame too big").await,
        SocketEvent::Failed(_) => {}
        SocketEvent::Frame(_) | SocketEvent::Frames(_) | SocketEvent::Closed { .. } => {
            let _ = tokio::time::timeout(GOODBYE, sink.close()).await;
        }
    }
    Some(event)
}

async fn goodbye(sink: &mut (impl Sink<Message, Error = WsError> + Unpin), code: u16, reason: &'static str) {
    let frame = CloseFrame { code: WireCode::from(code), reason: reason.into() };
    let farewell = async {
        let _ = sink.send(Message::Close(Some(frame))).await;
        let _ = sink.close().await;
    };
    let _ = tokio::time::timeout(GOODBYE, farewell).await;
}

fn closed(frame: Option<CloseFrame>) -> SocketEvent {
    match frame {
        Some(frame) => {
            SocketEvent::Closed { code: frame.code.into(), reason: frame.reason.as_str().to_owned() }
        }
        None => SocketEvent::Closed { code: 1005, reason: String::new() },
    }
}

/// What went wrong, without anything that the other side could have put secrets in.
fn describe(error: &WsError) -> String {
    if let Some(why) = distrust(error) {
        return Error::ServerNotTrusted(why).to_string();
    }
    match error {
        WsError::Http(response) => format!("the server answered HTTP {}", response.status().as_u16()),
        WsError::Capacity(_) => format!("a frame of more than {FRAME_BYTES} bytes"),
        WsError::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}
