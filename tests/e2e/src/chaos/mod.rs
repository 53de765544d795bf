//! Rounds of chaos: a real server process, four phones that are real processes, a bad network between them, and `kill -9`
//! of both at random. Then all is calm, and what was promised must hold.
//!
//! A seed decides what befalls whom and what people do; when exactly it happens, the machine decides. So a seed that failed
//! fails again often, not always: what is left of a round that failed (ledger, databases, logs) is kept.

mod calm;
mod check;
mod handset;
mod ledger;
mod person;
mod storm;
mod talk;
mod work;

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use handset::Handset;
use innsync_random::Random;
use tokio::task::JoinSet;

use crate::Server;
use crate::toxic::{Befallen, Toxic};
use person::Person;

/// Who works. Others than these are on the staff, too, and have no phone.
const PEOPLE: [&str; 4] = ["ana", "ben", "miguel", "maria"];
/// How long a phone may take to open and sign in before anything is done to it.
const OPENING: Duration = Duration::from_secs(60);

/// How rounds are run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program that is a phone when it is called `phone --person … --server … --directory … --seed …`.
    pub phone: PathBuf,
    /// How long it storms.
    pub storm: Duration,
    /// What is broken on purpose, to see that it is found.
    pub sabotage: Option<Sabotage>,
}

impl Settings {
    /// Rounds as they are usually run.
    pub fn new(phone: impl Into<PathBuf>) -> Self {
        Self { phone: phone.into(), storm: Duration::from_millis(2_500), sabotage: None }
    }
}

/// What can be broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// An operation that ana saw saved is deleted from her phone.
    Lose,
    /// The server does something that no operation asked for.
    DoTwice,
    /// Another value is written into what ana's phone shows.
    ShowOther,
}

/// A round that ran clean.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ran {
    /// Its seed.
    pub seed: u64,
    /// All of it.
    pub took: Duration,
    /// From the end of the storm until every outbox was empty.
    pub settled: Duration,
    /// Operations that people saw saved.
    pub saved: usize,
    /// Of these, those that were parked, and given up or tried again by a person.
    pub parked: usize,
    /// Phones killed.
    pub phones_killed: usize,
    /// Servers killed.
    pub servers_killed: usize,
    /// What befell connections.
    pub befallen: Befallen,
}

impl Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, took, settled, saved, parked, phones_killed, servers_killed, befallen } = self;
        let Befallen { connections, cut, reset, mute, refused, portal } = befallen;
        write!(
            f,
            "round {seed}: {saved} saved, {parked} parked; killed: {phones_killed} phones, {servers_killed} servers; \
             {connections} connections: {cut} cut, {reset} reset, {mute} mute, {refused} refused, {portal} portal; \
             settled in {:.1} s of {:.1} s",
            settled.as_secs_f64(),
            took.as_secs_f64()
        )
    }
}

/// A round in which something did not hold.
#[derive(Debug, Clone)]
pub struct Failed {
    /// Its seed.
    pub seed: u64,
    /// What did not hold, by guarantee.
    pub what: Vec<String>,
    /// Where its ledger, databases and logs are.
    pub directory: PathBuf,
}

impl Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "round {} failed:", self.seed)?;
        for what in &self.what {
            writeln!(f, "  {what}")?;
        }
        write!(
            f,
            "  what is left of it: {}\n  once more: cargo xtask e2e --from {} --rounds 1",
            self.directory.display(),
            self.seed
        )
    }
}

/// What is special about a round; in ten in a row there is one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Phones are told of networks that come and go, and connections that went mute are reset in the end.
    Usual,
    /// No platform tells a phone anything: it finds out by itself.
    Untold,
    /// Connections that went mute stay so for ever.
    Mute,
    /// Access tokens last a few seconds.
    ShortTokens,
}

impl Kind {
    fn of(seed: u64) -> Self {
        match seed % 10 {
            3 => Self::Untold,
            6 => Self::ShortTokens,
            9 => Self::Mute,
            _ => Self::Usual,
        }
    }
}

/// Everything in a round.
struct Round {
    kind: Kind,
    random: Random,
    server: Server,
    data: PathBuf,
    people: Vec<Person>,
    servers_killed: usize,
    /// The ledger's head before anybody did anything.
    begin: u64,
}

/// Runs one round.
pub async fn round(seed: u64, settings: &Settings) -> Result<Ran, Failed> {
    let home = tempfile::Builder::new().prefix(&format!("innsync-e2e-{seed}-")).tempdir();
    let home = match home {
        Ok(home) => home,
        Err(error) => {
            let what = vec![format!("RUN: no folder: {error}")];
            return Err(Failed { seed, what, directory: std::env::temp_dir() });
        }
    };
    let done = play(seed, settings, home.path()).await;
    done.map_err(|what| Failed { seed, what, directory: home.keep() })
}

/// Runs rounds, `at_once` at a time; `tell` hears of each when it is over.
pub async fn rounds(
    seeds: impl IntoIterator<Item = u64>,
    at_once: usize,
    settings: &Settings,
    mut tell: impl FnMut(&Result<Ran, Failed>),
) -> Vec<Result<Ran, Failed>> {
    let mut seeds = seeds.into_iter();
    let mut running = JoinSet::new();
    let mut done = Vec::new();
    loop {
        while running.len() < at_once.max(1)
            && let Some(seed) = seeds.next()
        {
            let settings = settings.clone();
            running.spawn(async move { round(seed, &settings).await });
        }
        let Some(over) = running.join_next().await else { return done };
        let ran = over.unwrap_or_else(|error| {
            let what = vec![format!("RUN: {error}")];
            Err(Failed { seed: 0, what, directory: std::env::temp_dir() })
        });
        tell(&ran);
        done.push(ran);
    }
}

async fn play(seed: u64, settings: &Settings, home: &Path) -> Result<Ran, Vec<String>> {
    let began = Instant::now();
    let mut round = Round::begin(seed, settings, home).await.map_err(|what| vec![format!("RUN: {what}")])?;
    round.storm(settings.storm).await.map_err(|what| vec![format!("RUN: {what}")])?;
    let calmed = round.calm(home, settings.sabotage).await?;
    let mut ran = round.check(calmed.shown)?;
    ran.seed = seed;
    ran.settled = calmed.settled;
    ran.took = began.elapsed();
    Ok(ran)
}

impl Round {
    async fn begin(seed: u64, settings: &Settings, home: &Path) -> Result<Self, String> {
        let kind = Kind::of(seed);
        let data = home.join("ledger.sqlite");
        let ttl = if kind == Kind::ShortTokens { "4s" } else { "15m" };
        let arguments = ["--token-ttl", ttl].map(ToOwned::to_owned);
        let log = home.join("server.log");
        let server = tokio::task::block_in_place(|| Server::start_logged(&data, &arguments, &log))?;
        let begin = ledger::head(&data)?;
        let address = server.url().trim_start_matches("http://").parse();
        let address = address.map_err(|error| format!("{}: {error}", server.url()))?;
        let mut people = Vec::new();
        for (number, name) in (1..).zip(PEOPLE) {
            let seed = Random::of(seed, name).next() ^ number;
            let network = Toxic::start(address, seed).await.map_err(|error| format!("no proxy: {error}"))?;
            let mut person = Person::new(name, network, home, &settings.phone, seed);
            person.start()?;
            people.push(person);
        }
        let random = Random::of(seed, "storm");
        let mut round = Self { kind, random, server, data, people, servers_killed: 0, begin };
        round.hear(OPENING, |_| 0, |said| matches!(said, talk::Said::Open)).await?;
        Ok(round)
    }

    /// Waits until every phone has said something of the kind, after that place in what it says.
    async fn hear(
        &mut self,
        patience: Duration,
        from: impl Fn(usize) -> usize,
        is: impl Fn(&talk::Said) -> bool,
    ) -> Result<Vec<talk::Said>, String> {
        let until = Instant::now() + patience;
        loop {
            let heard: Vec<Option<talk::Said>> =
                self.people.iter().enumerate().map(|(who, it)| it.find(from(who), &is)).collect();
            let silent = heard.iter().position(Option::is_none);
            match silent {
                None => return Ok(heard.into_iter().flatten().collect()),
                Some(who) => {
                    let person = &self.people[who];
                    let failed = |it: &Person| it.find(0, |said| matches!(said, talk::Said::Failed { .. }));
                    for person in &self.people {
                        if let Some(talk::Said::Failed { what }) = failed(person) {
                            return Err(format!("{}'s phone failed: {what}", person.name));
                        }
                    }
                    if Instant::now() > until {
                        let last = person.said_after(0).pop();
                        let last = last.map_or_else(|| "nothing".to_owned(), |said| format!("{said:?}"));
                        return Err(format!("after {patience:?} {} says {last}", person.name));
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
