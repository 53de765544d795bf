//! Measures InnSync beside plain baselines: over rusqlite on the phone's side, over axum on the server's. Both do the same
//! work with the same durability, on the same disk, by turns in the same run; so ratios can be trusted where times can't.
//!
//! `cargo xtask bench` builds and runs it.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod data;
mod handle;
mod machine;
mod measure;
mod net;
mod phone;
mod plain;
mod report;
mod rows;
mod through;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use report::Row;

/// A benchmark fails as a whole: whatever goes wrong ends it, with its text.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Measures InnSync beside plain baselines in the same run.
#[derive(Parser)]
struct Args {
    /// Writes the rows `{name, unit, ours, baseline, ratio}` as a JSON array to this file, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measures only what has this in its name.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Fails when a row is over its bound.
    #[arg(long)]
    check: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What this program is when it has started itself.
#[derive(Subcommand)]
enum Role {
    #[command(name = net::plain::COMMAND, hide = true)]
    PlainServer {
        #[arg(long)]
        data: Option<PathBuf>,
    },
    /// Opens what is in a folder, and prints how much memory that takes, in MB.
    #[command(name = rows::memory::COMMAND, hide = true)]
    Hold {
        folder: PathBuf,
        /// Of the phone in it; without it the baseline is opened.
        #[arg(long)]
        server: Option<SocketAddr>,
    },
    /// What the shells' benchmarks measure, in Rust.
    #[command(name = "through", hide = true)]
    Through,
}

/// How much is measured.
#[derive(Debug, Clone)]
struct Scale {
    tasks: usize,
    /// Rounds of what takes long.
    rounds: usize,
    /// Queries.
    samples: usize,
    openings: usize,
    taps: usize,
    sockets: usize,
    /// Sockets that come back to a server that was started again.
    returning: usize,
    /// Changes in a round, each to every socket.
    commits: u64,
    /// Operations that are drained at once.
    drained: usize,
    /// Changes that go from phone to phone.
    told: usize,
    /// Changes of others while a phone was away, and its own.
    missed: usize,
    written_away: usize,
    /// Rows and waiting operations of the phone whose memory is measured.
    held: usize,
    waiting: usize,
    /// Milliseconds for a server to come to rest.
    settle_ms: u64,
}

const FULL: Scale = Scale {
    tasks: data::TASKS,
    rounds: 7,
    samples: 1_000,
    openings: 60,
    taps: 1_000,
    sockets: 1_000,
    returning: 5_000,
    commits: 50,
    drained: 1_000,
    told: 400,
    missed: 50_000,
    written_away: 200,
    held: 100_000,
    waiting: 10_000,
    settle_ms: 2_000,
};

type Measure = fn(&Scale) -> Result<Vec<Row>>;

/// All that is measured, by the beginning of its rows' names.
const ALL: [(&str, Measure); 14] = [
    (rows::ingest::NAME, rows::ingest::rows),
    (rows::tap::NAME, rows::tap::rows),
    (rows::query::NAME, rows::query::rows),
    (rows::open::NAME, rows::open::rows),
    (rows::idle::NAME, rows::idle::rows),
    (rows::fanout::NAME, rows::fanout::rows),
    (rows::returning::NAME, rows::returning::rows),
    (rows::apply::NAME, rows::apply::rows),
    (rows::drain::NAME, rows::drain::rows),
    (rows::between::NAME, rows::between::rows),
    (rows::first_sync::NAME, rows::first_sync::rows),
    (rows::away::NAME, rows::away::rows),
    (rows::memory::NAME, rows::memory::rows),
    (rows::idle_hour::NAME, rows::idle_hour::rows),
];

fn main() -> ExitCode {
    // The real server, with its own command line.
    if std::env::args().nth(1).as_deref() == Some(net::ours::COMMAND) {
        return innsync_server::cli::main();
    }
    let args = Args::parse();
    let done = match &args.role {
        None => bench(&args),
        Some(Role::PlainServer { data }) => net::plain::serve(data.as_ref()).map(|()| true),
        Some(Role::Hold { folder, server }) => rows::memory::hold(folder, *server).map(|()| true),
        Some(Role::Through) => through::run().map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            anstream::eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all is well, as far as that was asked.
fn bench(args: &Args) -> Result<bool> {
    anstream::println!("{}", machine::facts()?);
    anstream::println!("{} tasks of 12 fields. Times are noisy, ratios are what counts.\n", FULL.tasks);
    anstream::println!("{}", report::head());
    let wanted = |name: &str| args.only.as_ref().is_none_or(|text| name.contains(text.as_str()));
    let mut rows = Vec::new();
    for (_, measure) in ALL.iter().filter(|(name, _)| wanted(name)) {
        for row in measure(&FULL)? {
            anstream::println!("{}", report::line(&row));
            rows.push(row);
        }
    }
    if let Some(file) = &args.json {
        std::fs::write(file, report::json(&rows))?;
    }
    let over: Vec<&Row> = rows.iter().filter(|row| row.is_over()).collect();
    for row in &over {
        anstream::eprintln!("over its bound: {}", row.name);
    }
    Ok(!args.check || over.is_empty())
}
