//! The phone's side: a process of its own, so that it can be killed like one.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use innsync_client::{ConnectionState, EntityKind, Error, InnSync, OpState, Query, SyncStatus};
use innsync_random::Random;
use tokio::sync::mpsc;

use super::talk::{Asked, Rows, Said, Shown};
use super::work::Work;
use crate::{PASSWORD, Phone};

/// How long its barrier may take, once all is calm. A request that went into a dead connection is given up after 30 s.
const BARRIER: Duration = Duration::from_secs(60);
/// How long its status may take to become true after that.
const SETTLING: Duration = Duration::from_secs(10);
/// How often its person tries again what is parked, before giving it up.
const TRIES: u32 = 2;
/// Every kind there is.
const KINDS: [EntityKind; 8] = [
    EntityKind::Suite,
    EntityKind::Task,
    EntityKind::Employee,
    EntityKind::Note,
    EntityKind::Notification,
    EntityKind::Alert,
    EntityKind::Announcement,
    EntityKind::Shift,
];

/// Whose phone it is.
#[derive(Debug, Clone)]
pub struct Handset {
    /// The person's sign-in name.
    pub person: String,
    /// The server's URL, as far as the phone knows.
    pub server: String,
    /// The phone's directory.
    pub directory: PathBuf,
    /// Decides what its person does.
    pub seed: u64,
}

impl Handset {
    /// Lives until it is killed, or nobody listens any more.
    pub async fn live(self) {
        let mut asked = listen();
        if let Err(what) = self.day(&mut asked).await {
            say(&Said::Failed { what });
            // It is not the end of the process: that would be another failure.
            while asked.recv().await.is_some() {}
        }
    }

    async fn day(&self, asked: &mut mpsc::UnboundedReceiver<Asked>) -> Result<(), String> {
        let innsync = self.open().await.map_err(|error| format!("it could not be opened: {error}"))?;
        innsync.connect();
        say(&Said::Open);
        let me = innsync.account().employee;
        let mut work = Work::new(Random::of(self.seed, "work"), me, self.person == "maria");
        let mut works = false;
        loop {
            let pause = Duration::from_millis(work.pause_ms());
            tokio::select! {
                asked = asked.recv() => match asked {
                    None => return Ok(()),
                    Some(Asked::Work) => works = true,
                    Some(Asked::Rest) => works = false,
                    Some(Asked::Offline) => innsync.network_changed(false),
                    Some(Asked::Online) => innsync.network_changed(true),
                    Some(Asked::Foreground) => innsync.foreground(),
                    Some(Asked::Tidy) => tidy(&innsync).await.map_err(|error| format!("tidying up: {error}"))?,
                    Some(Asked::Show) => say(&Said::Shows(Box::new(show(&innsync).await?))),
                },
                () = tokio::time::sleep(pause), if works => {
                    act(&innsync, &mut work).await.map_err(|error| format!("at work: {error}"))?;
                }
            }
        }
    }

    /// As an app does: what is there needs no network; else the person signs in, however often that takes.
    async fn open(&self) -> Result<InnSync, Error> {
        loop {
            let options = || Phone::options(&self.person, &self.server, &self.directory);
            match innsync_client::open(options()) {
                Err(Error::SignInRequired) => {}
                done => return done,
            }
            match innsync_client::sign_in(options(), PASSWORD).await {
                Err(Error::Offline) => tokio::time::sleep(Duration::from_millis(200)).await,
                done => return done,
            }
        }
    }
}

async fn act(innsync: &InnSync, work: &mut Work) -> Result<(), Error> {
    let Some(command) = work.next(innsync).await? else { return Ok(()) };
    match innsync.execute(command.clone()).await {
        Ok(receipt) => {
            say(&Said::Saved { id: receipt.id, command });
            Ok(())
        }
        Err(Error::Rejected(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Each parked operation is tried again a few times and then given up, until the outbox is empty.
async fn tidy(innsync: &InnSync) -> Result<(), Error> {
    let mut tries = BTreeMap::new();
    loop {
        let outbox = innsync.outbox().await?;
        if outbox.is_empty() {
            say(&Said::Tidy);
            return Ok(());
        }
        let mut operations = Vec::new();
        for queued in outbox {
            let (id, name) = (queued.op.id, queued.op.command.name());
            let why = innsync.why_waiting(id).await?;
            operations.push(format!("{name} {id} ({} sent): {}", queued.attempts, why.unwrap_or_default()));
            let OpState::Parked { reason } = queued.state else { continue };
            let reason = format!("{reason:?}");
            let tried: u32 = tries.remove(&id).unwrap_or_default();
            // Some alone, so that both ways are gone.
            if (tried > 0 || id.as_u128().is_multiple_of(3)) && tried < TRIES {
                match innsync.retry(id).await {
                    Ok(under) => {
                        tries.insert(under, tried + 1);
                        say(&Said::Again { id, reason, under });
                        continue;
                    }
                    // It makes no sense any more.
                    Err(Error::Rejected(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            innsync.discard(id).await?;
            say(&Said::GivenUp { id, reason });
        }
        say(&Said::Waiting { operations });
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn show(innsync: &InnSync) -> Result<Shown, String> {
    // G11
    let barrier = innsync.up_to_date(BARRIER).await.err().map(|error| error.to_string());
    let until = tokio::time::Instant::now() + SETTLING;
    let status = loop {
        match untrue(&innsync.status()) {
            None => break None,
            Some(what) if tokio::time::Instant::now() > until => break Some(what.to_owned()),
            Some(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let rows = rows(innsync).await.map_err(|error| format!("what it shows: {error}"))?;
    Ok(Shown { barrier, status, rows })
}

/// What a status says that is not so when everything has come to rest (G10).
fn untrue(status: &SyncStatus) -> Option<&'static str> {
    [
        (status.connection == ConnectionState::Connected, "it is not connected"),
        (status.is_online, "the server does not answer"),
        (status.pending_changes == 0, "changes are pending"),
        (status.parked == 0, "changes are parked"),
        (!status.sync_in_progress, "it is syncing"),
        (status.has_data, "there is no data"),
        (!status.needs_sign_in, "a person must sign in"),
        (status.reconnect_attempts == 0, "it tries to reconnect"),
        (status.up_to_date_as_of.is_some(), "it was never up to date"),
    ]
    .into_iter()
    .find_map(|(is_so, otherwise)| (!is_so).then_some(otherwise))
}

/// Every entity that it shows.
pub(super) async fn rows(innsync: &InnSync) -> Result<Rows, Error> {
    let mut rows = Rows::new();
    for kind in KINDS {
        for entity in innsync.query(Query::of(kind.clone())).await? {
            let json =
                serde_json::to_value(&entity).map_err(|error| Error::InvalidInput(error.to_string()))?;
            rows.insert(format!("{} {}", kind.as_str(), entity.id()), json);
        }
    }
    Ok(rows)
}

/// Lines of standard input. At its end nobody listens any more, and the phone goes too.
fn listen() -> mpsc::UnboundedReceiver<Asked> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if let Ok(asked) = serde_json::from_str(&line) {
                let _ = sender.send(asked);
            }
        }
        std::process::exit(0);
    });
    receiver
}

/// In one write, so that a line is there whole or not at all when the process is killed.
fn say(said: &Said) {
    let mut line = serde_json::to_string(said).unwrap_or_default();
    line.push('\n');
    if std::io::stdout().lock().write_all(line.as_bytes()).is_err() {
        std::process::exit(0);
    }
}

/// The database in a phone's directory.
pub(super) fn database(directory: &Path) -> Result<PathBuf, String> {
    let entries = std::fs::read_dir(directory).map_err(|error| error.to_string())?;
    let mut files = entries.flatten().map(|entry| entry.path());
    let found = files.find(|file| file.extension().is_some_and(|it| it == "db"));
    found.ok_or_else(|| format!("{} has no database", directory.display()))
}
