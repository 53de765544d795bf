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
use super::readers::Readers;
use super::reply::Refused;
use super::rest::read_body;
use super::spool::{Cut, Spool};
use super::state::App;
use crate::api;
use crate::hub::TokenFacts;
use crate::ledger::LedgerError;
use crate::reader::Reader;

/// Bytes that are put into the spool at once, about.
const CHUNK_BYTES: usize = 16 * 1024;
/// When a phone that there is no room for is to come back.
const RETRY_SECONDS: u64 = 5;
/// How long a phone may take for its snapshot, before it is cut and what waits for it is thrown away.
const SLOWEST: Duration = Duration::from_secs(15 * 60);

pub(super) async fn snapshot(State(shared): App, request: Request) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let facts = authenticate(&shared, &parts.headers)?;
    let body = read_body(&parts.headers, body, limits::BODY_BYTES).await?;
    let wanted = api::snapshot_request(&body)?;
    let spool = shared.spools.open(facts.session);
    tokio::spawn(fill(shared.snapshots.clone(), facts, wanted, spool.clone()));
    answer(spool).await
}

/// What fails at once is answered as a problem; what fails later cuts the stream, and a cut snapshot is not used.
async fn answer(spool: Arc<Spool>) -> Result<Response, Refused> {
    match spool.next().await {
        Some(Ok(first)) => {
            let first = stream::once(async { Ok(first) });
            let rest =
                stream::unfold(spool, |spool| async move { spool.next().await.map(|chunk| (chunk, spool)) });
            let lines: stream::BoxStream<'_, Result<Bytes, Cut>> = first.chain(rest).fuse().boxed();
            Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
        }
        Some(Err(Cut::Ledger(error))) => Err(api::problem_of(&error).into()),
        Some(Err(Cut::NoRoom | Cut::GivenUp)) => Err(Refused::overloaded().after(RETRY_SECONDS)),
        Some(Err(Cut::File(_) | Cut::Lost(_))) | None => Err(Refused::internal()),
    }
}

/// Reads the snapshot into the spool, for as long as somebody has the other end of it.
async fn fill(readers: Readers, facts: TokenFacts, wanted: SnapshotRequest, spool: Arc<Spool>) {
    let (gone, filling) = (spool.gone(), Arc::downgrade(&spool));
    let waiting = filling.clone();
    drop(spool);
    let read = readers.run(move |reader| read_into(reader, &facts, &wanted, &filling)).await;
    let done = read.unwrap_or_else(|_| Err(LedgerError::Io("no reader".to_owned()).into()));
    if let Some(spool) = waiting.upgrade() {
        if let Err(cut) = &done {
            tracing::warn!(%cut, "a snapshot is cut");
        }
        spool.end(done);
    }
    if tokio::time::timeout(SLOWEST, gone).await.is_err()
        && let Some(spool) = waiting.upgrade()
    {
        spool.give_up();
    }
}

fn read_into(
    reader: &Reader,
    facts: &TokenFacts,
    wanted: &SnapshotRequest,
    spool: &Weak<Spool>,
) -> Result<(), Cut> {
    spool.upgrade().ok_or(Cut::GivenUp)?.admit()?;
    let mut buffer = String::with_capacity(CHUNK_BYTES + 1024);
    let mut put = Ok(());
    reader.snapshot(&facts.property, facts.employee, wanted, &mut |line| {
        buffer.push_str(&line);
        buffer.push('\n');
        if buffer.len() >= CHUNK_BYTES {
            put = flush(&mut buffer, spool);
        }
        put.is_ok()
    })?;
    put?;
    flush(&mut buffer, spool)
}

fn flush(buffer: &mut String, spool: &Weak<Spool>) -> Result<(), Cut> {
    spool.upgrade().ok_or(Cut::GivenUp)?.put(buffer.as_bytes())?;
    buffer.clear();
    Ok(())
}

#[cfg(test)]
mod tests {
    use innsync_domain::{Timestamp, Uuid};

    use super::*;
    use crate::api::{ApiRequest, Caller};
    use crate::authority::Authority;
    use crate::demo;
    use crate::http::spool::Spools;
    use crate::ledger::Ledger;

    /// What ana fetches, and the task that fills it.
    fn ask(spools: &Spools) -> (Arc<Spool>, tokio::task::JoinHandle<()>) {
        let mut authority = Authority::new(Ledger::in_memory().unwrap(), 1);
        let now = Timestamp::from_millis(1_795_348_800_000);
        demo::fill(&mut authority, now).unwrap();
        let maria = Caller { property: "seaside".into(), employee: demo::person_id("maria") };
        let note = format!(r#"{{"title":"House rules","content":"{}"}}"#, "Bring towels. ".repeat(1_400));
        let (method, path, body) = ("POST", "/v1/notes", note.as_bytes());
        let request = ApiRequest { method, path, query: &[], body, idempotency_key: None, login: None };
        for _ in 0..4 {
            assert_eq!(api::handle(&mut authority, &maria, now, &request).status, 201);
        }
        let readers = Readers::open(authority.ledger(), 1).unwrap();
        let facts = TokenFacts {
            property: "seaside".into(),
            employee: demo::person_id("ana"),
            session: Uuid::nil(),
            expires_at: now,
        };
        let spool = spools.open(facts.session);
        let filling = tokio::spawn(fill(readers, facts, SnapshotRequest::default(), spool.clone()));
        (spool, filling)
    }

    async fn whole(spool: Arc<Spool>) -> Result<Bytes, axum::Error> {
        let body = answer(spool).await.ok().unwrap().into_body();
        axum::body::to_bytes(body, usize::MAX).await
    }

    #[tokio::test]
    async fn a_snapshot_that_cannot_be_kept_whole_is_cut_and_does_not_end_as_if_it_were() {
        let (spool, _) = ask(&Spools::new(1024 * 1024));
        let bytes = whole(spool).await.unwrap().len();
        let (spool, _) = ask(&Spools::new(bytes / 2));
        assert!(whole(spool).await.is_err());
    }

    #[tokio::test]
    async fn a_phone_for_whose_snapshot_there_is_no_room_is_told_when_to_come_back() {
        let spools = Spools::new(1024 * 1024);
        let slow = spools.open(Uuid::from_u128(2));
        slow.put(&[b'x'; 600 * 1024]).unwrap();
        let (spool, _) = ask(&spools);
        let response = answer(spool).await.err().unwrap().into_response();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["retry-after"]),
            (503, &"5".parse().unwrap())
        );
        drop(slow);
        assert!(whole(ask(&spools).0).await.is_ok());
    }

    #[tokio::test]
    async fn nothing_waits_for_a_phone_that_is_gone() {
        let (spool, filling) = ask(&Spools::new(1024 * 1024));
        whole(spool).await.unwrap();
        filling.await.unwrap();
    }
}
