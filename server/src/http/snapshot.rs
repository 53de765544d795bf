//! `GET` and `POST /v1/snapshot`, streamed line by line: however large the property is, it takes no memory to speak of.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use innsync_protocol::limits;
use tokio::sync::mpsc;

use super::bearer::authenticate;
use super::reply::Refused;
use super::rest::read_body;
use super::state::App;
use crate::api;
use crate::ledger::LedgerError;

/// Bytes that are sent at once, about.
const CHUNK_BYTES: usize = 16 * 1024;
/// Chunks that wait for a slow phone before the reading waits.
const QUEUED_CHUNKS: usize = 4;

/// How long a phone may take for a chunk, before it is given up: it holds a connection to the ledger meanwhile.
const STALLED: Duration = Duration::from_secs(30);

type Chunk = Result<Bytes, LedgerError>;

pub(super) async fn snapshot(State(shared): App, request: Request) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let facts = authenticate(&shared, &parts.headers)?;
    let body = read_body(&parts.headers, body, limits::BODY_BYTES).await?;
    let wanted = api::snapshot_request(&body)?;
    let (chunks, mut queue) = mpsc::channel::<Chunk>(QUEUED_CHUNKS);
    let shared = shared.clone();
    tokio::spawn(async move {
        let failed = chunks.clone();
        let read = shared.snapshots.run(move |reader| {
            let runtime = tokio::runtime::Handle::current();
            let send = |chunk| {
                let sent = runtime.block_on(tokio::time::timeout(STALLED, chunks.send(chunk)));
                sent.is_ok_and(|sent| sent.is_ok())
            };
            let mut buffer = String::with_capacity(CHUNK_BYTES + 1024);
            let done = reader.snapshot(&facts.property, facts.employee, &wanted, &mut |line| {
                buffer.push_str(&line);
                buffer.push('\n');
                buffer.len() < CHUNK_BYTES || send(Ok(std::mem::take(&mut buffer).into()))
            });
            let last = done.map(|()| Bytes::from(buffer));
            send(last);
        });
        if read.await.is_err() {
            let _ = failed.send(Err(LedgerError::Io("no reader".to_owned()))).await;
        }
    });
    // What fails at once is answered as a problem; what fails later cuts the stream, and a cut snapshot is not used.
    match queue.recv().await {
        Some(Ok(first)) => {
            let rest = stream::unfold((Some(first), queue), |(first, mut queue)| async move {
                let next = match first {
                    Some(first) => Some(Ok(first)),
                    None => queue.recv().await,
                };
                next.map(|chunk| (chunk, (None, queue)))
            });
            Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(rest.fuse())).into_response())
        }
        Some(Err(error)) => Err(api::problem_of(&error).into()),
        None => Err(Refused::internal()),
    }
}
