//! `GET /v1/ws`: from a request to a socket of the hub's.

use std::sync::Arc;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use innsync_domain::Person;
use innsync_protocol::{CloseCode, Cursor, PropertyInfo, SUBPROTOCOL, limits};
use serde::Deserialize;

use super::bearer::bearer;
use super::outbox::Outbox;
use super::reply::Refused;
use super::socket;
use super::state::{App, Shared};
use crate::auth::{Secret, TokenError};
use crate::hub::{ClientKind, Opened, TokenFacts};
use crate::ledger::LedgerError;

/// Bytes that a socket reads at once; each keeps a buffer of that size.
const READ_BUFFER: usize = 1024;
/// Bytes over which a frame is not even read. Between [`limits::FRAME_BYTES`] and this one it is, so that the client
/// hears why it is sent away.
const UNREAD_BYTES: usize = 4 * limits::FRAME_BYTES;

#[derive(Deserialize)]
struct InQuery {
    token: Option<String>,
}

pub(super) async fn upgrade(
    State(shared): App,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refused> {
    let upgrade = upgrade.map_err(|_| {
        Refused::new(426, "UPGRADE_REQUIRED", "This is a WebSocket; connect with wss:// (or ws://).")
    })?;
    let upgrade = upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(UNREAD_BYTES)
        .max_frame_size(UNREAD_BYTES);
    let kind = match upgrade.selected_protocol() {
        Some(_) => ClientKind::InnSync,
        None => ClientKind::Seed,
    };
    let admitted = admit(&shared, &uri, &headers).await;
    Ok(match admitted {
        Ok(Admitted { token, property, viewer, head }) => {
            let opened = Opened { conn: shared.next_conn(), kind, property, viewer, head, token };
            upgrade.on_upgrade(move |ws| open(shared, opened, ws))
        }
        Err(refusal) => upgrade.on_upgrade(move |ws| refuse(ws, refusal)),
    })
}

struct Admitted {
    token: TokenFacts,
    property: PropertyInfo,
    viewer: Person,
    head: Cursor,
}

/// Why a socket is closed as soon as it is open.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    BadToken,
    Failed,
}

async fn admit(shared: &Shared, uri: &Uri, headers: &HeaderMap) -> Result<Admitted, Refusal> {
    let secret = token(shared, uri, headers).map_err(|_| Refusal::BadToken)?;
    let token = shared.gate.check(shared.now(), secret.expose()).map_err(|_| Refusal::BadToken)?;
    let (property, employee) = (token.property.clone(), token.employee);
    let read = shared.readers.run(move |reader| -> Result<_, LedgerError> {
        let Some(info) = reader.property(&property)? else { return Ok(None) };
        // The head first: a commit in between is then told twice rather than not at all.
        let head = reader.head(&property)?;
        Ok(reader.person(&property, employee)?.map(|viewer| (info.into(), viewer, head)))
    });
    match read.await {
        Ok(Ok(Some((property, viewer, head)))) => Ok(Admitted { token, property, viewer, head }),
        Ok(Ok(None)) => Err(Refusal::BadToken),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a socket could not be opened");
            Err(Refusal::Failed)
        }
        Err(_) => Err(Refusal::Failed),
    }
}

/// From the header or, as the seed's client has it, from the query.
fn token(shared: &Shared, uri: &Uri, headers: &HeaderMap) -> Result<Secret, TokenError> {
    match bearer(headers) {
        Err(TokenError::Missing) if shared.query_token => {
            let query: Query<InQuery> = Query::try_from_uri(uri).map_err(|_| TokenError::Invalid)?;
            query.0.token.map(Secret::new).ok_or(TokenError::Missing)
        }
        found => found,
    }
}

async fn open(shared: Arc<Shared>, opened: Opened, ws: WebSocket) {
    let (conn, outbox) = (opened.conn, Arc::new(Outbox::default()));
    tracing::debug!(conn = conn.0, kind = ?opened.kind, employee = %opened.viewer.id, "socket opened");
    shared.hub.open(opened, outbox.clone()).await;
    socket::run(&shared, conn, &outbox, ws).await;
    tracing::debug!(conn = conn.0, "socket closed");
}

async fn refuse(ws: WebSocket, refusal: Refusal) {
    let (code, reason) = match refusal {
        Refusal::BadToken => (CloseCode::POLICY, "Authentication failed"),
        Refusal::Failed => (CloseCode::GOING_AWAY, "Try again"),
    };
    socket::say_goodbye(ws, code, reason).await;
}

pub(super) fn close_message(code: CloseCode, reason: &'static str) -> Message {
    Message::Close(Some(CloseFrame { code: code.0, reason: reason.into() }))
}
