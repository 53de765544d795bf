//! `GET` and `POST /v1/snapshot`. The ledger is read at the disk's speed into a [`Spool`], so that its connection is free again
//! soon, and the phone reads that at its own; its first rows leave while the last are still being read.

use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use innsync_domain::{EntityKind, Uuid};
use innsync_protocol::{SnapshotLine, SnapshotRequest, SnapshotResume, SnapshotStart, limits};

use super::bearer::authenticate;
use super::readers::Readers;
use super::reply::Refused;
use super::rest::read_body;
use super::spool::{Cut, KEPT, Outlet, Spool};
use super::state::{App, Shared};
use crate::api;
use crate::auth::random_bytes;
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
    let outlet = match go_on(&shared, &facts, &wanted).await {
        Some(outlet) => outlet,
        None => {
            let spool = shared.spools.open(facts.session, new_id()?);
            tokio::spawn(fill(shared.snapshots.clone(), facts, wanted, spool.clone()));
            spool.outlet()
        }
    };
    answer(Delivery { outlet, server: Some(shared) }).await
}

fn new_id() -> Result<Uuid, Refused> {
    let bytes = random_bytes().map_err(|_| Refused::internal())?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

/// The rest of a snapshot that was cut on its way, where the phone asks for it and it is kept still.
async fn go_on(shared: &Shared, facts: &TokenFacts, wanted: &SnapshotRequest) -> Option<Outlet> {
    let SnapshotResume { id, lines } = wanted.resume?;
    let spool = shared.spools.find(facts.session, id)?;
    // What somebody may see changes with who they are, and so does their version.
    let (property, employee) = (facts.property.clone(), facts.employee);
    let now = shared.readers.run(move |reader| version_of(reader, &property, employee)).await.ok()?.ok()?;
    if now.is_none() || spool.person() != now {
        return None;
    }
    let begin = move |line: &str| match SnapshotLine::parse(line) {
        Ok(SnapshotLine::Start(start)) => {
            Some(SnapshotLine::Start(SnapshotStart { from: lines, ..start }).to_json())
        }
        _ => None,
    };
    tokio::task::spawn_blocking(move || spool.outlet_after(lines, begin)).await.ok()?
}

/// The version of that person as they are now; `None`: not on the staff any more.
fn version_of(reader: &Reader, property: &str, employee: Uuid) -> Result<Option<u64>, LedgerError> {
    match reader.get(property, employee, &EntityKind::Employee, employee) {
        Ok(entity) => Ok(entity.map(|entity| entity.version())),
        Err(LedgerError::NoSuchPerson(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// On its way to the phone; kept for a while when that ends, however it ends.
struct Delivery {
    outlet: Outlet,
    server: Option<Arc<Shared>>,
}

impl Drop for Delivery {
    fn drop(&mut self) {
        let Some(server) = self.server.take() else { return };
        server.spools.keep(self.outlet.spool().clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                tokio::time::sleep(KEPT).await;
                server.spools.tidy();
            });
        }
    }
}

/// What fails at once is answered as a problem; what fails later cuts the stream.
async fn answer(mut delivery: Delivery) -> Result<Response, Refused> {
    match delivery.outlet.next().await {
        Some(Ok(first)) => {
            let first = stream::once(async { Ok(first) });
            let rest = stream::unfold(delivery, |mut delivery| async move {
                delivery.outlet.next().await.map(|chunk| (chunk, delivery))
            });
            let lines: stream::BoxStream<'_, Result<Bytes, Arc<Cut>>> = first.chain(rest).fuse().boxed();
            Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
        }
        Some(Err(cut)) => Err(match &*cut {
            Cut::Ledger(error) => api::problem_of(error).into(),
            Cut::NoRoom | Cut::GivenUp => Refused::overloaded().after(RETRY_SECONDS),
            Cut::File(_) | Cut::Lost(_) => Refused::internal(),
        }),
        None => Err(Refused::internal()),
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
    let id = match spool.upgrade() {
        None => return Err(Cut::GivenUp),
        Some(spool) => {
            if let Some(version) = version_of(reader, &facts.property, facts.employee)? {
                spool.made_for(version);
            }
            Some(spool.id())
        }
    };
    reader.snapshot(&facts.property, facts.employee, wanted, id, &mut |line| {
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
    use innsync_domain::Timestamp;

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
        let spool = spools.open(facts.session, Uuid::from_u128(1));
        let filling = tokio::spawn(fill(readers, facts, SnapshotRequest::default(), spool.clone()));
        (spool, filling)
    }

    fn delivery(spool: Arc<Spool>) -> Delivery {
        Delivery { outlet: spool.outlet(), server: None }
    }

    async fn whole(spool: Arc<Spool>) -> Result<Bytes, axum::Error> {
        let body = answer(delivery(spool)).await.ok().unwrap().into_body();
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
        let slow = spools.open(Uuid::from_u128(2), Uuid::nil());
        slow.put(&[b'x'; 600 * 1024]).unwrap();
        let (spool, _) = ask(&spools);
        let response = answer(delivery(spool)).await.err().unwrap().into_response();
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
