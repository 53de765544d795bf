//! What the Kotlin and the Swift benchmark measure, in Rust: what the same costs without a border in between. The three do
//! the same in the same order, and print lines `measured|what|unit|figure`, of which `cargo xtask bench` makes a table.

use std::time::Instant;

use innsync_client::{Command, EntityKind, InnSync, LiveQuery, Options, Query, Update};
use innsync_domain::{Entity, NotePatch};

use crate::handle::{PATIENCE, at_work, write_note};
use crate::measure::{Samples, micros, millis};
use crate::net::ours::Server;
use crate::{Result, machine};

/// Notes written while somebody watches.
const COMMANDS: usize = 200;
/// Rows of the list.
const ROWS: usize = 1_000;
/// Events that are taken: of those that wait, the newest 1,000 are kept.
const TAKEN: usize = 900;
const LOADS: usize = 30;
const CHANGES: usize = 50;
const CALLS: usize = 20_000;
const OPENINGS: usize = 10_000;

/// Measures and prints.
pub(crate) fn run() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let server = Server::start()?;
    let folder = machine::folder()?;
    let options = |person: &str| server.options(person, folder.path());
    runtime.block_on(async {
        let sam = at_work(options("sam")).await?;
        let ana = at_work(options("ana")).await?;
        // Nobody is connected: what is measured is the phone alone.
        sam.disconnect();
        ana.disconnect();
        command_to_observer(&sam).await?;
        list(&sam).await?;
        calls(&sam).await?;
        events(&sam, &ana).await?;
        sam.close().await;
        ana.close().await;
        openings(|| options("sam")).await
    })
}

fn measured(what: &str, unit: &str, figure: f64) {
    anstream::println!("measured|{what}|{unit}|{figure}");
}

/// A live query and the list that it has told.
struct Watched {
    live: LiveQuery,
    rows: Vec<Entity>,
}

impl Watched {
    async fn new(innsync: &InnSync) -> Result<Self> {
        let mut watched = Self { live: innsync.live(Query::of(EntityKind::Note)), rows: Vec::new() };
        watched.next().await?;
        Ok(watched)
    }

    async fn next(&mut self) -> Result<()> {
        let update: Update = self.live.next().await.ok_or("the live query ended")?;
        update.apply(&mut self.rows);
        Ok(())
    }

    async fn until(&mut self, holds: impl Fn(&[Entity]) -> bool) -> Result<()> {
        while !holds(&self.rows) {
            self.next().await?;
        }
        Ok(())
    }
}

async fn command_to_observer(innsync: &InnSync) -> Result<()> {
    let mut watched = Watched::new(innsync).await?;
    let mut times = Samples::default();
    for number in 1..=COMMANDS {
        let begun = Instant::now();
        write_note(innsync, format!("Note {number}")).await?;
        watched.until(|rows| rows.len() >= number).await?;
        if number > COMMANDS / 10 {
            times.push(millis(begun.elapsed()));
        }
    }
    measured("command to observer, p50", "ms", times.median());
    measured("command to observer, p95", "ms", times.quantile(0.95));
    Ok(())
}

async fn list(innsync: &InnSync) -> Result<()> {
    for number in COMMANDS..ROWS {
        write_note(innsync, format!("More {number}")).await?;
    }
    let mut loads = Samples::default();
    for round in 0..LOADS {
        let begun = Instant::now();
        let rows = Watched::new(innsync).await?.rows.len();
        if rows != ROWS {
            return Err(format!("{rows} rows instead of {ROWS}").into());
        }
        if round >= LOADS / 10 {
            loads.push(millis(begun.elapsed()));
        }
    }
    measured("list of 1,000 rows, first load", "ms", loads.median());

    let mut watched = Watched::new(innsync).await?;
    let mut changes = Samples::default();
    let notes: Vec<_> = watched.rows.iter().map(Entity::id).take(CHANGES).collect();
    for (round, note_id) in notes.into_iter().enumerate() {
        let title = format!("Changed {round}");
        let patch = NotePatch { title: Some(title.clone()), ..NotePatch::default() };
        let begun = Instant::now();
        innsync.execute(Command::EditNote { note_id, patch }).await?;
        let changed = |row: &Entity| matches!(row, Entity::Note(note) if note.title == title);
        watched.until(|rows| rows.iter().any(changed)).await?;
        if round >= CHANGES / 10 {
            changes.push(millis(begun.elapsed()));
        }
    }
    measured("the same, one row changed", "ms", changes.median());
    Ok(())
}

async fn calls(innsync: &InnSync) -> Result<()> {
    let nobody = innsync.new_id();
    let begun = Instant::now();
    for _ in 0..CALLS {
        innsync.why_waiting(nobody).await?;
    }
    measured("a call and its answer", "µs", micros(begun.elapsed()) / CALLS as f64);
    Ok(())
}

/// What waits is taken as fast as it goes.
async fn events(sam: &InnSync, ana: &InnSync) -> Result<()> {
    let events = ana.events();
    sam.connect();
    sam.up_to_date(PATIENCE).await?;
    ana.connect();
    ana.up_to_date(PATIENCE).await?;
    let begun = Instant::now();
    let mut created = 0;
    while created < TAKEN {
        let event = events.next().await.ok_or("the events ended")?;
        created += usize::from(event.name() == "ENTITY_CREATED");
    }
    measured("events taken", "1/s", created as f64 / begun.elapsed().as_secs_f64());
    Ok(())
}

async fn openings(options: impl Fn() -> Options) -> Result<()> {
    // Until the allocators have grown: what each further one leaves is asked for.
    for _ in 0..OPENINGS / 4 {
        innsync_client::open(options())?.close().await;
    }
    let memory = || machine::status_kb(std::process::id(), "VmRSS");
    let (before, begun) = (memory()?, Instant::now());
    for _ in 0..OPENINGS {
        innsync_client::open(options())?.close().await;
    }
    measured("opened and closed", "ms", millis(begun.elapsed()) / OPENINGS as f64);
    measured("memory that 10,000 openings leave", "MB", (memory()? - before) / 1024.0);
    Ok(())
}
