//! After the storm: no more faults, everything runs. Within a bound it must come to rest.

use std::path::Path;
use std::time::{Duration, Instant};

use innsync_client::Uuid;
use rusqlite::Connection;

use super::handset::{self, database};
use super::talk::{Asked, Rows, Said, Shown};
use super::{Kind, Round, Sabotage};
use crate::toxic::Weather;
use crate::{Phone, becomes};

/// Within which every outbox is empty. A request into a connection that went mute is given up after 30 s; backoff is 30 s at
/// most; and the machine may be busy.
const SETTLING: Duration = Duration::from_secs(90);
/// How long the phones are watched doing nothing.
const IDLE: Duration = Duration::from_millis(800);
/// CPU time in it that a phone may use, in seconds: not a tenth of a core.
const IDLE_CPU: f64 = 0.08;

/// How it was.
pub(super) struct Calmed {
    pub(super) settled: Duration,
    /// What each person's phone shows, and what a fresh one does.
    pub(super) shown: Vec<(Shown, Rows)>,
}

fn run(what: impl std::fmt::Display) -> Vec<String> {
    vec![format!("RUN: {what}")]
}

impl Round {
    pub(super) async fn calm(
        &mut self,
        home: &Path,
        sabotage: Option<Sabotage>,
    ) -> Result<Calmed, Vec<String>> {
        if sabotage == Some(Sabotage::Lose) {
            self.lose().await.map_err(run)?;
        }
        for person in &mut self.people {
            person.ask(Asked::Rest);
            person.network.weather(Weather::Clear);
            if self.kind != Kind::Mute {
                person.network.heal();
            }
            if self.kind != Kind::Untold {
                person.ask(Asked::Online);
                person.ask(Asked::Foreground);
            }
        }
        let began = Instant::now();
        self.tidy().await?;
        let settled = began.elapsed();
        match sabotage {
            Some(Sabotage::DoTwice) => self.do_twice().await.map_err(run)?,
            Some(Sabotage::ShowOther) => self.show_other().await.map_err(run)?,
            Some(Sabotage::Lose) | None => {}
        }
        let shown = self.look().await?;
        let mut fresh = Vec::new();
        for person in &self.people {
            // Past the proxy, and on a phone that was never here before.
            let directory = home.join(format!("{}-fresh", person.name));
            let phone = Phone::sign_in_on(person.name, self.server.url(), &directory).await.map_err(run)?;
            phone.go_online().await.map_err(run)?;
            let rows = handset::rows(&phone.innsync).await.map_err(run)?;
            phone.innsync.close().await;
            fresh.push(rows);
        }
        self.rest().await?;
        Ok(Calmed { settled, shown: shown.into_iter().zip(fresh).collect() })
    }

    /// G3: what can be sent is sent, and what was refused says why.
    async fn tidy(&mut self) -> Result<(), Vec<String>> {
        let before: Vec<usize> = self.people.iter().map(super::Person::said).collect();
        for person in &mut self.people {
            person.ask(Asked::Tidy);
        }
        let tidy = self.hear(SETTLING, |who| before[who], |said| *said == Said::Tidy).await;
        tidy.map(drop).map_err(|what| vec![format!("G3: an outbox is not empty: {what}")])
    }

    async fn look(&mut self) -> Result<Vec<Shown>, Vec<String>> {
        let before: Vec<usize> = self.people.iter().map(super::Person::said).collect();
        for person in &mut self.people {
            person.ask(Asked::Show);
        }
        let shown = self.hear(SETTLING, |who| before[who], |said| matches!(said, Said::Shows(_))).await;
        let shown = shown.map_err(|what| vec![format!("G11: {what}")])?;
        Ok(shown
            .into_iter()
            .filter_map(|said| if let Said::Shows(it) = said { Some(*it) } else { None })
            .collect())
    }

    /// Nothing spins: phones on which nothing happens use next to no CPU time.
    async fn rest(&self) -> Result<(), Vec<String>> {
        let cpu = || self.people.iter().map(|it| it.process().and_then(cpu_seconds)).collect::<Vec<_>>();
        let before = cpu();
        tokio::time::sleep(IDLE).await;
        let mut wrong = Vec::new();
        for ((before, after), person) in before.into_iter().zip(cpu()).zip(&self.people) {
            match before.zip(after).map(|(before, after)| after - before) {
                Some(used) if used > IDLE_CPU => wrong.push(format!(
                    "G3: {}'s phone, on which nothing happens, used {used:.2} s of CPU time in {IDLE:?}",
                    person.name
                )),
                Some(_) => {}
                None if cfg!(target_os = "linux") => {
                    wrong.push(format!("G3: {}'s phone does not run any more", person.name));
                }
                None => {}
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

/// Sabotage.
impl Round {
    /// An operation that ana saw saved, and that cannot have been sent, is deleted while her phone is off.
    async fn lose(&mut self) -> Result<(), String> {
        let ana = &mut self.people[0];
        ana.network.weather(Weather::Refusing);
        ana.network.reset_all();
        // What was on its way to the server is there by then, and what is saved from then on stays.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let before = ana.said();
        let saved = |said: &Said| if let Said::Saved { id, .. } = said { Some(*id) } else { None };
        let more = becomes(|| async { ana.said_after(before).iter().filter_map(saved).count() >= 3 }).await;
        ana.kill();
        let lost = ana.said_after(before).iter().filter_map(saved).next_back();
        let lost: Uuid = lost.filter(|_| more).ok_or("ana did nothing that could be lost")?;
        let database = Connection::open(database(&ana.directory)?).map_err(|error| error.to_string())?;
        let deleted = database.execute("DELETE FROM outbox WHERE id = ?1", [lost.as_bytes()]);
        match deleted {
            Ok(1) => {}
            other => return Err(format!("{lost} was not in ana's outbox: {other:?}")),
        }
        drop(database);
        ana.start()
    }

    /// A comment stands there once more, and no operation is known for it.
    async fn do_twice(&mut self) -> Result<(), String> {
        let http = self.server.http()?;
        let token = http.token("maria").await?;
        let body = serde_json::json!({ "title": "Once more" }).to_string();
        let answer = http.send("POST", "/v1/notes", Some(&token), Some(body)).await?;
        if answer.status == 201 { Ok(()) } else { Err(format!("{answer:?}")) }
    }

    async fn show_other(&mut self) -> Result<(), String> {
        let before = self.people[0].said();
        let ana = &mut self.people[0];
        ana.kill();
        let database = Connection::open(database(&ana.directory)?).map_err(|error| error.to_string())?;
        let changed = database.execute("UPDATE suites SET floor = floor + 1 WHERE suite_number = '101'", []);
        match changed {
            Ok(1) => {}
            other => return Err(format!("the suite was not changed: {other:?}")),
        }
        drop(database);
        ana.start()?;
        let open = becomes(|| async { ana.find(before, |said| *said == Said::Open).is_some() }).await;
        if open { Ok(()) } else { Err("ana's phone did not open again".to_owned()) }
    }
}

/// User and system time of a process; `None` where the system does not tell.
fn cpu_seconds(process: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // After the name, which may have anything in it: state is the first field, utime the 12th, stime the 13th, in ticks.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks as f64 / 100.0)
}
