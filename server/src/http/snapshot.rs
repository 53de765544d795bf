//! `GET` and `POST /v1/snapshot`. The ledger is read at the disk's speed into a [`Spool`], so that its connection is free again
//! soon, and the phone reads that at its own; its first rows leave while the last are still being read.

use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use innsync_protocol::{SnapshotRequest, limits};

use super::bearer::authenticate;
use super::reply::Refused;
use super::rest::read_body;
use super::spool::{self, Spool};
use super::state::{App, Shared};
use crate::api;
use crate::hub::TokenFacts;
use crate::ledger::LedgerError;
use crate::reader::Reader;

/// Bytes that are put into the spool at once, about.
const CHUNK_BYTES: usize = 16 * 1024;
/// How long a phone may take for its snapshot, before it is cut and what waits for it is thrown away.
const SLOWEST: Duration = Duration::from_secs(15 * 60);

pub(super) async fn snapshot(State(shared): App, request: Request) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let facts = authenticate(&shared, &parts.headers)?;
    let body = read_body(&parts.headers, body, limits::BODY_BYTES).await?;
    let wanted = api::snapshot_request(&body)?;
    let spool = Spool::new();
    tokio::spawn(fill(shared.clone(), facts, wanted, Arc::downgrade(&spool)));
    // What fails at once is answered as a problem; what fails later cuts the stream, and a cut snapshot is not used.
    match spool.next().await {
        Some(Ok(first)) => {
            let first = stream::once(async { Ok(first) });
            let rest =
                stream::unfold(spool, |spool| async move { spool.next().await.map(|chunk| (chunk, spool)) });
            let lines: stream::BoxStream<'_, Result<Bytes, LedgerError>> = first.chain(rest).fuse().boxed();
            Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
        }
        Some(Err(error)) => Err(api::problem_of(&error).into()),
        None => Err(Refused::internal()),
    }
}

/// Reads the snapshot into the spool, for as long as somebody has the other end of it.
async fn fill(shared: Arc<Shared>, facts: TokenFacts, wanted: SnapshotRequest, spool: Weak<Spool>) {
    let filling = spool.clone();
    let read = shared.snapshots.run(move |reader| {
        let done = read_into(reader, &facts, &wanted, &filling);
        if let Some(spool) = filling.upgrade() {
            spool.end(done);
        }
    });
    if read.await.is_err()
        && let Some(spool) = spool.upgrade()
    {
        spool.end(Err(LedgerError::Io("no reader".to_owned())));
    }
    tokio::time::sleep(SLOWEST).await;
    if let Some(spool) = spool.upgrade() {
        spool.give_up();
    }
}

fn read_into(
    reader: &Reader,
    facts: &TokenFacts,
    wanted: &SnapshotRequest,
    spool: &Weak<Spool>,
) -> Result<(), LedgerError> {
    let mut buffer = String::with_capacity(CHUNK_BYTES + 1024);
    let mut put = Ok(());
    let mut flush = |buffer: &mut String| {
        let Some(spool) = spool.upgrade() else { return false };
        put = spool.put(buffer.as_bytes());
        buffer.clear();
        put.is_ok()
    };
    reader.snapshot(&facts.property, facts.employee, wanted, &mut |line| {
        buffer.push_str(&line);
        buffer.push('\n');
        buffer.len() < CHUNK_BYTES || flush(&mut buffer)
    })?;
    flush(&mut buffer);
    put.map_err(|error| spool::failed(&error))
}
