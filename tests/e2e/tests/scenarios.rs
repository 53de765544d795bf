//! The scenarios of `tests/scenarios`, played on the Rust client against a real server process; Kotlin and Swift play the
//! same files. Their README says what each step means.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use innsync_client::domain::{Audience, Priority, Severity, TaskType};
use innsync_client::{
    Choice, Command, ConflictSheet, Effect, EffectBody, Entity, Error, LostValue, OpState, Options,
    ParkReason, Query, Settlement, SyncState, Uuid,
};
use innsync_domain::{Note, SuiteStatus, Task, TaskPatch};
use innsync_e2e::{PATIENCE, Phone, Server, becomes, toast};
use serde_json::Value;

const PEOPLE: [&str; 5] = ["maria", "sam", "ana", "ben", "miguel"];

struct Play {
    server: Server,
    home: PathBuf,
    phones: BTreeMap<&'static str, Phone>,
    unread: BTreeMap<&'static str, u32>,
    // When the last phone had signed in: no token is younger.
    signed_in: Instant,
    token_life: Duration,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == "json"));
    files.sort();
    assert!(files.len() >= 10, "the scenarios are not where they were");
    let mut failed = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let scenario: Value = serde_json::from_str(&text).unwrap();
        if let Err(what) = play(&scenario).await {
            failed.push(format!("{}, {what}", file.file_stem().unwrap().to_string_lossy()));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

async fn play(scenario: &Value) -> Result<(), String> {
    let home = tempfile::tempdir().unwrap();
    let arguments: Vec<String> = strings(&scenario["serverArguments"]);
    let mut play = Play {
        server: Server::start_with(&home.path().join("ledger.sqlite"), &arguments).unwrap(),
        home: home.path().to_owned(),
        phones: BTreeMap::new(),
        unread: BTreeMap::new(),
        signed_in: Instant::now(),
        token_life: token_life(&arguments),
    };
    for (key, shared) in [("phones", false), ("handset", true)] {
        for person in strings(&scenario[key]) {
            let person = known(&person);
            let directory = play.home.join(if shared { "handset" } else { person });
            let phone = Phone::sign_in_on(person, play.server.url(), &directory).await.unwrap();
            phone.go_online().await.unwrap();
            play.unread.insert(person, phone.unread().await);
            play.phones.insert(person, phone);
            play.signed_in = Instant::now();
        }
    }
    for (number, step) in scenario["steps"].as_array().unwrap().iter().enumerate() {
        if let Err(what) = play.step(step).await {
            return Err(format!("step {}: {what}: {step}", number + 1));
        }
    }
    for phone in play.phones.values() {
        phone.innsync.close().await;
    }
    Ok(())
}

/// `--token-ttl 2s`, of a scenario that waits for tokens to expire.
fn token_life(arguments: &[String]) -> Duration {
    let seconds = arguments.iter().skip_while(|it| *it != "--token-ttl").nth(1);
    Duration::from_secs(seconds.and_then(|it| it.trim_end_matches('s').parse().ok()).unwrap_or_default())
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|it| it.as_str().unwrap().to_owned()).collect()
}

fn known(person: &str) -> &'static str {
    PEOPLE.into_iter().find(|it| *it == person).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

impl Play {
    async fn step(&mut self, step: &Value) -> Result<(), String> {
        match step["server"].as_str() {
            Some("stops") => {
                self.server.kill();
                return Ok(());
            }
            Some("starts") => return self.server.restart(),
            _ => {}
        }
        let who = known(step["by"].as_str().ok_or("who?")?);
        if let Some(password) = step["cannotSignIn"].as_str() {
            let options = Options::new(self.server.url(), "seaside", who, self.home.join("wrong"));
            let answer = innsync_client::sign_in(options, password).await;
            return match answer {
                Err(Error::SignInRequired) => Ok(()),
                other => Err(format!("signing in gave {other:?}")),
            };
        }
        if step["outlivesToken"] == true {
            let over = self.signed_in + self.token_life + Duration::from_secs(1);
            tokio::time::sleep_until(over.into()).await;
            return Ok(());
        }
        if step["closes"] == true {
            self.phones[who].innsync.close().await;
            return Ok(());
        }
        if step["opens"] == true {
            let url = self.server.url().to_owned();
            return self.phones.get_mut(who).ok_or("no phone")?.open_again(&url);
        }
        let phone = self.phones.get(who).ok_or("no phone")?;
        if step["goesOffline"] == true {
            phone.innsync.disconnect();
            return Ok(());
        }
        if step["goesOnline"] == true {
            return phone.go_online().await;
        }
        if step["discards"] == true {
            return discard_parked(phone).await;
        }
        if !step["settles"].is_null() {
            return settle(phone, &step["settles"]).await;
        }
        if step["undoes"].is_string() {
            return undo(phone, step).await;
        }
        if let Some(field) = step["restores"].as_str() {
            let lost = lost(phone, field).await.ok_or("nothing of that field lost")?;
            let restored = phone.innsync.restore(lost.conflict.id).await;
            return restored.map(drop).map_err(|error| error.to_string());
        }
        if step["sees"].is_object() {
            // What is not there must not be looked for before it could have come.
            let absence = ["noTask", "noMyTask"].iter().any(|it| step["sees"][it].is_string());
            if absence || step["sees"]["times"] == 0 {
                let caught_up = phone.innsync.up_to_date(PATIENCE).await;
                caught_up.map_err(|error| format!("{who} is not up to date: {error}"))?;
            }
            let seen = becomes(|| async { self.sees(phone, &step["sees"]).await }).await;
            return if seen { Ok(()) } else { Err(format!("{who} does not see it")) };
        }
        let command = self.command(phone, step).await?;
        match (phone.innsync.execute(command).await, step["isRefused"].as_str()) {
            (Ok(_), None) => Ok(()),
            (Err(Error::Rejected(rejection)), Some(reason)) if rejection.reason.as_str() == reason => Ok(()),
            (Ok(_), Some(reason)) => Err(format!("it was not refused as {reason}")),
            (Err(error), _) => Err(error.to_string()),
        }
    }

    async fn command(&self, phone: &Phone, step: &Value) -> Result<Command, String> {
        let id = phone.innsync.new_id();
        let of = |verb: &str| (!step[verb].is_null()).then(|| step[verb].clone());
        if let Some(it) = of("createTask") {
            return Ok(Command::CreateTask {
                task_id: id,
                title: text(&it, "title").to_owned(),
                description: String::new(),
                task_type: TaskType::General,
                priority: Priority::Normal,
                suite_id: suite(phone, &it["suite"]).await?,
                assigned_to: it["assignTo"].as_str().map(|name| self.phones[known(name)].employee),
                due_at: None,
                severity: None,
            });
        }
        for (verb, command) in [
            ("takeTask", (|task_id| Command::TakeTask { task_id }) as fn(Uuid) -> Command),
            ("startTask", |task_id| Command::StartTask { task_id }),
            ("completeTask", |task_id| Command::CompleteTask { task_id }),
        ] {
            if let Some(title) = step[verb].as_str() {
                return Ok(command(known_task(phone, title).await?.id));
            }
        }
        if let Some(it) = of("assignTask") {
            let task_id = known_task(phone, text(&it, "task")).await?.id;
            return Ok(Command::AssignTask {
                task_id,
                assignee: self.phones[known(text(&it, "to"))].employee,
            });
        }
        if let Some(it) = of("renameTask") {
            let task_id = known_task(phone, text(&it, "task")).await?.id;
            let patch = TaskPatch { title: Some(text(&it, "title").to_owned()), ..TaskPatch::default() };
            return Ok(Command::EditTask { task_id, patch });
        }
        if let Some(it) = of("setSuiteStatus") {
            let suite_id = suite(phone, &it["suite"]).await?.ok_or("which suite?")?;
            return Ok(Command::SetSuiteStatus { suite_id, status: SuiteStatus::from(text(&it, "status")) });
        }
        if let Some(it) = of("createNote") {
            return Ok(Command::CreateNote {
                note_id: id,
                title: text(&it, "title").to_owned(),
                content: text(&it, "content").to_owned(),
                suite_id: None,
                task_id: None,
                audience: Audience::AllStaff,
            });
        }
        if let Some(it) = of("raiseEmergency") {
            return Ok(Command::RaiseEmergency {
                task_id: id,
                title: text(&it, "title").to_owned(),
                description: text(&it, "description").to_owned(),
                severity: Severity::Critical,
                suite_id: suite(phone, &it["suite"]).await?,
            });
        }
        if let Some(title) = step["acknowledge"].as_str() {
            let alerts = phone.innsync.urgent().await.map_err(|error| error.to_string())?.alerts;
            let alert = alerts.into_iter().find(|it| it.title == title).ok_or("no such alert")?;
            return Ok(Command::AcknowledgeAlert { alert_id: alert.id });
        }
        Err("no such step".to_owned())
    }

    async fn sees(&self, phone: &Phone, what: &Value) -> bool {
        let innsync = &phone.innsync;
        let of = |name: &str| what[name].as_str();
        let status = innsync.status();
        if let Some(title) = of("myTask").or(of("noMyTask")) {
            let mine = innsync.my_tasks().await.unwrap().tasks.iter().any(|card| card.task.title == title);
            return mine == of("myTask").is_some();
        }
        if let Some(title) = of("unassigned") {
            return innsync.unassigned().await.unwrap().tasks.iter().any(|card| card.task.title == title);
        }
        if let Some(title) = of("urgent") {
            return innsync.urgent().await.unwrap().tasks.iter().any(|card| card.task.title == title);
        }
        if let Some(title) = of("noTask") {
            return task(phone, title).await.is_none();
        }
        if let Some(title) = of("task") {
            return task(phone, title).await.is_some_and(|it| Some(it.status.as_str()) == of("status"));
        }
        if let Some(title) = of("taskOf") {
            let of_whom = of("assignee").map(|name| self.phones[known(name)].employee);
            return task(phone, title).await.is_some_and(|it| it.assigned_to == of_whom);
        }
        if let Some(number) = of("suite") {
            return phone.suite(number).await.is_some_and(|it| Some(it.status.as_str()) == of("status"));
        }
        if let Some(title) = of("note") {
            let author = of("author").map(|name| self.phones[known(name)].employee);
            let mut found = notes(phone, title).await;
            found.retain(|note| author.is_none_or(|author| note.created_by == author));
            return Some(found.len() as u64) == what["times"].as_u64();
        }
        if what["moreUnread"] == true {
            return phone.unread().await > self.unread[phone.name];
        }
        if let Some(name) = of("event") {
            return phone.heard(name);
        }
        if let Some(key) = of("toast") {
            return phone.was_told(toast(key));
        }
        if let Some(wanted) = of("sound") {
            let is = |it: &Effect| matches!(&it.body, EffectBody::Sound { name, .. } if name == wanted);
            return phone.was_told(is);
        }
        if let Some(heading) = of("fullScreen") {
            let is = |it: &Effect| matches!(&it.body, EffectBody::EmergencyModal { title, .. } if title == heading);
            return phone.was_told(is);
        }
        if let Some(count) = what["acknowledgements"].as_u64() {
            let emergencies = innsync.dashboard().await.unwrap().emergencies;
            return emergencies.first().is_some_and(|it| it.acknowledged.len() as u64 == count);
        }
        if let Some(count) = what["emergencies"].as_u64() {
            return innsync.dashboard().await.unwrap().emergencies.len() as u64 == count;
        }
        if let Some(count) = what["pending"].as_u64() {
            return u64::from(status.pending_changes) == count;
        }
        if let Some(count) = what["parked"].as_u64() {
            return u64::from(status.parked) == count;
        }
        if let Some(field) = of("conflict") {
            let json = |value: &Value| Some(value.to_string());
            return innsync.outbox().await.unwrap().iter().any(|queued| match &queued.state {
                OpState::Parked { reason: ParkReason::Conflict { fields, .. } } => fields.iter().any(|it| {
                    it.field == field
                        && json(&it.mine).as_deref() == of("mine")
                        && json(&it.theirs).as_deref() == of("theirs")
                }),
                _ => false,
            });
        }
        if let Some(field) = of("sheet") {
            return innsync.conflicts().await.unwrap().open.iter().any(|sheet| shows(sheet, field, what));
        }
        if let Some(field) = of("lost") {
            let is = |it: LostValue| {
                Some(it.conflict.lost.to_string().as_str()) == of("value")
                    && it.kept_by_name.as_deref() == of("keptBy")
            };
            return lost(phone, field).await.is_some_and(is);
        }
        if let Some(state) = of("connection") {
            return innsync.connection_state().as_str() == state;
        }
        if let Some(state) = of("syncLine") {
            return sync_state(innsync.sync_line().await.unwrap().state) == state;
        }
        panic!("nothing to see in {what}");
    }
}

fn sync_state(state: SyncState) -> &'static str {
    match state {
        SyncState::UpdateRequired => "UPDATE_REQUIRED",
        SyncState::SignInRequired => "SIGN_IN_REQUIRED",
        SyncState::NeedsYou => "NEEDS_YOU",
        SyncState::Offline => "OFFLINE",
        SyncState::FirstSync => "FIRST_SYNC",
        SyncState::Syncing => "SYNCING",
        SyncState::UpToDate => "UP_TO_DATE",
    }
}

/// Whether the sheet has that field, and is as the step says.
fn shows(sheet: &ConflictSheet, field: &str, what: &Value) -> bool {
    let Some(field) = sheet.fields.iter().find(|it| it.field == field) else { return false };
    let possible = sheet.choices.iter().filter(|it| it.possible).map(|it| match it.choice {
        Choice::Theirs => "THEIRS",
        Choice::Mine => "MINE",
        Choice::Merged => "MERGED",
        Choice::Later => "LATER",
    });
    what["theirs"]
        .as_str()
        .is_none_or(|theirs| serde_json::from_str(theirs).ok().as_ref() == Some(&field.theirs))
        && what["overwrites"].as_str().is_none_or(|name| sheet.updated_by_name.as_deref() == Some(name))
        && (what["choices"].is_null() || what["choices"] == possible.collect::<Value>())
}

/// Takes back what was done last: that command.
async fn undo(phone: &Phone, step: &Value) -> Result<(), String> {
    let last = phone.innsync.undoable().await.map_err(|error| error.to_string())?;
    let last = last.map(|it| it.command);
    if last.as_deref() != step["undoes"].as_str() {
        return Err(format!("what was done last is {last:?}"));
    }
    match (phone.innsync.undo().await, step["isRefused"].as_str()) {
        (Ok(_), None) => Ok(()),
        (Err(Error::Rejected(rejection)), Some(reason)) if rejection.reason.as_str() == reason => Ok(()),
        (answer, reason) => Err(format!("undo gave {answer:?}, not {reason:?}")),
    }
}

/// Settles the open conflict as the sheet is just then; one that has moved on is looked at again.
async fn settle(phone: &Phone, how: &Value) -> Result<(), String> {
    loop {
        let conflicts = phone.innsync.conflicts().await.map_err(|error| error.to_string())?;
        let [sheet] = &conflicts.open[..] else { return Err(format!("open: {:?}", conflicts.open)) };
        let choice = match how.as_str() {
            Some("THEIRS") => Settlement::Theirs,
            Some("MINE") => Settlement::Mine,
            Some(other) => return Err(format!("no such choice: {other}")),
            None => Settlement::Merged(how.as_object().cloned().unwrap_or_default()),
        };
        match phone.innsync.settle(sheet.operation, sheet.version, choice).await {
            Err(Error::Rejected(it)) if it.reason.as_str() == "CHANGED_MEANWHILE" => {}
            settled => return settled.map(drop).map_err(|error| error.to_string()),
        }
    }
}

async fn lost(phone: &Phone, field: &str) -> Option<LostValue> {
    let lost = phone.innsync.conflicts().await.unwrap().lost;
    lost.into_iter().find(|it| it.conflict.field == field)
}

async fn discard_parked(phone: &Phone) -> Result<(), String> {
    for queued in phone.innsync.outbox().await.map_err(|error| error.to_string())? {
        if matches!(queued.state, OpState::Parked { .. }) {
            phone.innsync.discard(queued.op.id).await.map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

async fn suite(phone: &Phone, number: &Value) -> Result<Option<Uuid>, String> {
    match number.as_str() {
        None => Ok(None),
        Some(number) => match phone.suite(number).await {
            Some(suite) => Ok(Some(suite.id)),
            None => Err(format!("there is no suite {number}")),
        },
    }
}

/// The newest task of that title.
async fn task(phone: &Phone, title: &str) -> Option<Task> {
    let tasks = phone.innsync.stores().tasks().get_all().await.unwrap();
    tasks.into_iter().filter(|it| it.title == title).max_by_key(|it| it.created_at)
}

async fn known_task(phone: &Phone, title: &str) -> Result<Task, String> {
    task(phone, title).await.ok_or_else(|| format!("there is no task “{title}”"))
}

async fn notes(phone: &Phone, title: &str) -> Vec<Note> {
    let rows = phone.innsync.query(Query::notes()).await.unwrap();
    let notes = rows.into_iter().filter_map(|row| match row {
        Entity::Note(note) => Some(note),
        _ => None,
    });
    notes.filter(|note| note.title == title).collect()
}
