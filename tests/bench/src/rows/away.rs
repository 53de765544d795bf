//! G15: a phone comes back after weeks, with two hundred operations of its own, and fifty thousand changes were made
//! meanwhile. The baseline pulls the same pages with a plain client, a transaction each, and posts two hundred documents.

use std::time::Instant;

use innsync_protocol::{Cursor, SnapshotLine};

use crate::handle::{PATIENCE, at_work, write_note};
use crate::measure::timed;
use crate::net::{Http, ours, plain as plain_server};
use crate::report::{Bound, Row};
use crate::{Result, Scale, machine, plain};

pub(crate) const NAME: &str = "away";

const WHO: &str = "sam";

pub(crate) fn rows(scale: &Scale) -> Result<Vec<Row>> {
    let folder = machine::folder()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let server = ours::Server::start()?;
    let mut writer = server.writer()?;
    let tasks = writer.create_tasks(scale.tasks, WHO)?;
    let sam = runtime.block_on(at_work(server.options(WHO, folder.path())))?;
    let mut connection = plain::create(&folder.path().join("plain.sqlite"))?;
    let mut http = server.http(WHO)?;
    let body = http.post("/v1/snapshot", "{}")?;
    plain::ingest(&mut connection, body.as_bytes())?;
    let mut cursor = place(&body)?;

    sam.disconnect();
    for number in 0..scale.written_away {
        runtime.block_on(write_note(&sam, format!("Written away {number}")))?;
        plain::queue(&connection, &format!(r#"{{"title":"Written away {number}"}}"#))?;
    }
    writer.rename_tasks(&tasks, scale.missed)?;

    let begun = Instant::now();
    sam.connect();
    runtime.block_on(sam.up_to_date(PATIENCE))?;
    let ours = begun.elapsed().as_secs_f64();
    let (pending, parked) = (sam.status().pending_changes, sam.status().parked);
    if pending + parked > 0 {
        return Err(format!("{pending} operations wait, {parked} are parked").into());
    }
    runtime.block_on(sam.close());

    let child = plain_server::start_saving(&folder.path().join("log.sqlite"))?;
    let mut to = Http::connect(child.address)?;
    let ((), time) = timed(|| {
        while pull(&mut cursor, &mut http, &mut connection)? {}
        let (docs, last) = plain::waiting(&connection, scale.written_away)?;
        to.post("/save", &format!("[{}]", docs.join(",")))?;
        plain::sent(&connection, last)
    })?;
    let name = format!("{NAME}: {} changes, {} own", scale.missed, scale.written_away);
    Ok(vec![Row::new(name, "s", ours, time.as_secs_f64()).at_most(Bound::Ours(5.0))])
}

/// Where a snapshot was taken.
fn place(snapshot: &str) -> Result<Cursor> {
    match SnapshotLine::parse(snapshot.lines().next().unwrap_or_default())? {
        SnapshotLine::Start(start) => Ok(start.cursor),
        other => Err(format!("a snapshot begins with {other:?}").into()),
    }
}

/// The baseline takes the next page in; whether there is more.
fn pull(cursor: &mut Cursor, http: &mut Http, connection: &mut rusqlite::Connection) -> Result<bool> {
    let Cursor { epoch, seq, mark } = cursor;
    let page = http.get(&format!("/v1/sync?epoch={epoch}&seq={seq}&mark={mark}"))?;
    let page = plain::apply(connection, &page)?;
    (*seq, *mark) = (page.to, page.mark);
    Ok(page.more)
}
