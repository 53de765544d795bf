//! A shift's work without a network is sent: a thousand operations that wait, until the last is confirmed. InnSync has an
//! outcome for each; the baseline posts the documents of its outbox in arrays as large, which a server saves in one
//! transaction each, and takes them out of the outbox.

use std::time::Instant;

use innsync_client::InnSync;
use innsync_protocol::limits::OPS_PER_PUSH;
use rusqlite::Connection;

use crate::handle::{PATIENCE, at_work, write_note};
use crate::measure::{Pair, millis};
use crate::net::{Http, ours, plain as plain_server};
use crate::report::{Bound, Row};
use crate::{Result, Scale, machine, plain};

pub(crate) const NAME: &str = "drain";

pub(crate) fn rows(scale: &Scale) -> Result<Vec<Row>> {
    let folder = machine::folder()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let server = ours::Server::start()?;
    let sam = runtime.block_on(at_work(server.options("sam", folder.path())))?;
    let child = plain_server::start_saving(&folder.path().join("log.sqlite"))?;
    let connection = plain::create(&folder.path().join("plain.sqlite"))?;
    let pair = Pair::interleave(
        scale.rounds,
        |_| runtime.block_on(ours(&sam, scale.drained)),
        |_| baseline(&connection, &mut Http::connect(child.address)?, scale.drained),
    )?;
    runtime.block_on(sam.close());
    let name = format!("{NAME}: {} operations", scale.drained);
    // 5,000 a second.
    let most = scale.drained as f64 / 5.0;
    Ok(vec![Row::new(name, "ms", pair.ours.median(), pair.baseline.median()).at_most(Bound::Ours(most))])
}

async fn ours(sam: &InnSync, count: usize) -> Result<f64> {
    sam.disconnect();
    for number in 0..count {
        write_note(sam, format!("Note {number}")).await?;
    }
    let begun = Instant::now();
    sam.connect();
    let status = sam.watch_status();
    while status.next().await.ok_or("the status ended")?.pending_changes > 0 {}
    let time = millis(begun.elapsed());
    sam.up_to_date(PATIENCE).await?;
    let parked = sam.status().parked;
    if parked == 0 { Ok(time) } else { Err(format!("{parked} operations were refused").into()) }
}

fn baseline(connection: &Connection, http: &mut Http, count: usize) -> Result<f64> {
    for number in 0..count {
        let doc = format!(
            r#"{{"id":"{}","title":"Note {number}","content":"Something to be told to all staff."}}"#,
            innsync_domain::Uuid::from_u128(number as u128)
        );
        plain::queue(connection, &doc)?;
    }
    let begun = Instant::now();
    loop {
        let (docs, last) = plain::waiting(connection, OPS_PER_PUSH)?;
        if docs.is_empty() {
            return Ok(millis(begun.elapsed()));
        }
        http.post("/save", &format!("[{}]", docs.join(",")))?;
        plain::sent(connection, last)?;
    }
}
