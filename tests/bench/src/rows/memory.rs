//! What a process holds that has a large property open, with much work waiting, and shows a list of it. The baseline opens as
//! many rows by rusqlite and shows the same list.

use std::net::SocketAddr;
use std::path::Path;
use std::process;

use innsync_client::{Command, InnSync};
use innsync_domain::TaskPatch;

use crate::phone::question;
use crate::report::Row;
use crate::{Result, Scale, data, handle, machine, plain};

pub(crate) const NAME: &str = "memory";
/// The hidden command that opens, and says how much that takes.
pub(crate) const COMMAND: &str = "hold";

pub(crate) fn rows(scale: &Scale) -> Result<Vec<Row>> {
    let body = data::snapshot(&data::entities(scale.held));
    let folder = machine::folder()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    plain::ingest(&mut plain::create(&folder.path().join(PLAIN))?, &body)?;
    let (innsync, server) = handle::filled(&runtime, folder.path(), body)?;
    runtime.block_on(innsync.close());
    let few = Row::new(
        format!("{NAME}: {} rows", thousands(scale.held)),
        "MB",
        held(folder.path(), Some(server))?,
        held(folder.path(), None)?,
    );
    let innsync = innsync_client::open(handle::options(server, folder.path()))?;
    runtime.block_on(work(&innsync, scale.waiting))?;
    let name = format!("{NAME}: and {} operations", thousands(scale.waiting));
    let many = Row::new(name, "MB", held(folder.path(), Some(server))?, held(folder.path(), None)?);
    Ok(vec![few, many])
}

/// Saves so many operations, which wait: there is no server any more.
async fn work(innsync: &InnSync, operations: usize) -> Result<()> {
    let tasks = innsync.query(question(data::assignee())).await?;
    for number in 0..operations {
        let task = tasks.get(number % tasks.len().max(1)).ok_or("no tasks")?;
        let patch = TaskPatch { title: Some(format!("Attempt {number}")), ..TaskPatch::default() };
        innsync.execute(Command::EditTask { task_id: task.id(), patch }).await?;
    }
    innsync.close().await;
    Ok(())
}

const PLAIN: &str = "plain.sqlite";

fn thousands(count: usize) -> String {
    format!("{},{:03}", count / 1_000, count % 1_000)
}

/// MB of a process of its own.
fn held(folder: &Path, server: Option<SocketAddr>) -> Result<f64> {
    let mut command = process::Command::new(std::env::current_exe()?);
    command.arg(COMMAND).arg(folder).args(server.map(|server| format!("--server={server}")));
    let done = command.env("RUST_LOG", "warn").output()?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into());
    }
    Ok(String::from_utf8(done.stdout)?.trim().parse()?)
}

/// What that process does: with the handle of a phone of that server, which it does not ask; or plainly.
pub(crate) fn hold(folder: &Path, server: Option<SocketAddr>) -> Result<()> {
    let Some(server) = server else {
        let connection = plain::open(&folder.join(PLAIN))?;
        return told(plain::query(&connection, data::assignee(), "PENDING")?.len());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let innsync = innsync_client::open(handle::options(server, folder))?;
    let live = innsync.live(question(data::assignee()));
    let mut rows = Vec::new();
    runtime.block_on(live.next()).ok_or("the list ended")?.apply(&mut rows);
    told(rows.len())?;
    runtime.block_on(innsync.close());
    Ok(())
}

fn told(shown: usize) -> Result<()> {
    if shown == 0 {
        return Err("nothing is shown".into());
    }
    anstream::println!("{}", machine::status_kb(std::process::id(), "VmRSS")? / 1_000.0);
    Ok(())
}
