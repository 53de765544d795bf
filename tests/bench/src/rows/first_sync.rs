//! A new phone fetches ten thousand tasks from the real server: until its own hundred are on the screen, and until it has all.
//! The baseline posts the same request with a plain client, and puts the body into its table in one transaction.

use std::time::Instant;

use innsync_client::Query;
use innsync_server::demo;
use innsync_store::Order;
use tokio::runtime::Runtime;

use crate::handle::PATIENCE;
use crate::measure::{Pair, millis, timed};
use crate::net::ours;
use crate::report::{Bound, Row};
use crate::{Result, Scale, machine, plain};

pub(crate) const NAME: &str = "first sync";

const WHO: &str = "sam";

pub(crate) fn rows(scale: &Scale) -> Result<Vec<Row>> {
    let folder = machine::folder()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let server = ours::Server::start()?;
    server.writer()?.create_tasks(scale.tasks, WHO)?;
    let mut mine = Pair::default();
    let all = Pair::interleave(
        scale.rounds,
        |round| {
            let (first, all) = ours(&runtime, &server, &folder.path().join(format!("ours-{round}")))?;
            if round > 0 {
                mine.ours.push(first);
            }
            Ok(all)
        },
        |round| {
            let mut http = server.http(WHO)?;
            let mut connection = plain::create(&folder.path().join(format!("plain-{round}.sqlite")))?;
            let fetch = || plain::ingest(&mut connection, http.post("/v1/snapshot", "{}")?.as_bytes());
            let time = millis(timed(fetch)?.1);
            if round > 0 {
                mine.baseline.push(time);
            }
            Ok(time)
        },
    )?;
    let row = |name: String, pair: &Pair| {
        Row::new(format!("{NAME}: {name}"), "ms", pair.ours.median(), pair.baseline.median())
    };
    Ok(vec![
        row("my tasks on the screen".to_owned(), &mine),
        row(format!("all {} tasks", scale.tasks), &all).at_most(Bound::Ours(300.0)),
    ])
}

/// Milliseconds until the phone's own tasks are shown, and until everything is here.
fn ours(runtime: &Runtime, server: &ours::Server, folder: &std::path::Path) -> Result<(f64, f64)> {
    runtime.block_on(async {
        let innsync = innsync_client::sign_in(server.options(WHO, folder), demo::PASSWORD).await?;
        let mine = Query::tasks().assigned_to(demo::person_id(WHO)).order(Order::Oldest).limit(100);
        let list = innsync.live(mine);
        let status = innsync.watch_status();
        let begun = Instant::now();
        innsync.connect();
        let mut rows = Vec::new();
        while rows.len() < 100 {
            list.next().await.ok_or("the list ended")?.apply(&mut rows);
        }
        let first = millis(begun.elapsed());
        while !status.next().await.ok_or("the status ended")?.has_data {}
        let all = millis(begun.elapsed());
        innsync.up_to_date(PATIENCE).await?;
        innsync.close().await;
        Ok((first, all))
    })
}
