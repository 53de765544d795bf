//! The databases of each release (G18): a small day of ana's phone, made by the client against a server process, and the
//! ledger as it was then. `cargo xtask golden` writes them to `tests/golden`, `tests/golden.rs` opens them with today's code.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use innsync_client::{Command, Discarded, Effect, EntityKind, InnSync, OpState, ParkReason, QueuedOp, Uuid};
use innsync_domain::{
    AnnouncementPriority, Audience, EmployeeStatus, Entity, Note, NotePatch, Priority, Severity, SuiteStatus,
    TaskType,
};
use innsync_engine::{Meta, StoreRead};
use innsync_store::{FORMAT, Query, Store};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::toxic::{Ailment, End, Toxic, Weather};
use crate::{Http, PASSWORD, PATIENCE, Phone, Server, becomes};

/// The kinds of entities, and what REST calls them.
pub const KINDS: [(EntityKind, &str); 9] = [
    (EntityKind::Suite, "suites"),
    (EntityKind::Task, "tasks"),
    (EntityKind::Employee, "employees"),
    (EntityKind::Note, "notes"),
    (EntityKind::Notification, "notifications"),
    (EntityKind::Alert, "alerts"),
    (EntityKind::Announcement, "announcements"),
    (EntityKind::Shift, "shifts"),
    (EntityKind::Conflict, "conflicts"),
];

/// What each format of the phone's database began with.
const PHONE: [&str; 1] = [include_str!("../../../core/store/migrations/0001_first.sql")];
/// What each version of the ledger began with.
const LEDGER: [&str; 1] = [include_str!("../../../server/src/ledger/migrations/0001_initial.sql")];

/// What must be found in ana's database, and in the ledger beside it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// The format of her database.
    pub format: u32,
    /// The version of the ledger.
    pub ledger_version: u32,
    /// What she sees.
    pub rows: BTreeMap<String, Vec<Value>>,
    /// What is not confirmed, in order.
    pub outbox: Vec<QueuedOp>,
    /// What she discarded, the latest first.
    pub discarded: Vec<Discarded>,
    /// What she was not shown yet.
    pub effects: Vec<Effect>,
    /// The few facts that stand by themselves.
    pub meta: Meta,
    /// What the server answers maria.
    pub server: BTreeMap<String, Vec<Value>>,
}

/// What the story says of the day, in words that nothing else in it has.
pub mod story {
    /// The note that everybody writes in.
    pub const LOG: &str = "Night log";
    /// A comment that the server has, and ana's phone does not know it.
    pub const UNANSWERED: &str = "The answer to this was lost.";
    /// A note of ana's that was never sent.
    pub const MINIBAR: &str = "Minibar of 105";
    /// Her comment on it.
    pub const ON_MINIBAR: &str = "Two bottles of water are missing.";
    /// A report of hers that was never sent.
    pub const LAMP: &str = "Lamp flickers in 202";
    /// What was written while she was away.
    pub const MEANWHILE: &str = "While ana was away";
    /// The suite that she cleaned.
    pub const CLEANED: &str = "101";
    /// The suite that she and maria changed.
    pub const CONTESTED: &str = "108";
}

/// The folder of files that lies in the workspace.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden")
}

/// The name of the folder of a phone's format and a ledger's version.
pub fn name(format: u32, ledger_version: u32) -> String {
    format!("{format}-{ledger_version}")
}

/// Writes the day with the formats of this release, and those that came before as far as they are missing. Those that are
/// there already stay: they were released.
pub async fn write(golden: &Path) -> Result<Vec<String>, String> {
    let home = tempfile::tempdir().map_err(|error| error.to_string())?;
    let day = live(home.path()).await?;
    let mut written = Vec::new();
    for format in 1..=FORMAT {
        let ledger_version = format.min(day.found.ledger_version);
        let name = name(format, ledger_version);
        let place = golden.join(&name);
        if place.exists() {
            continue;
        }
        fs::create_dir_all(&place).map_err(|error| error.to_string())?;
        let (phone, ledger) = (place.join("phone.db"), place.join("ledger.db"));
        as_of(&day.phone, &phone, format, FORMAT, &PHONE)?;
        as_of(&day.ledger, &ledger, ledger_version, day.found.ledger_version, &LEDGER)?;
        let found = Found { format, ledger_version, server: day.found.server.clone(), ..found_in(&phone)? };
        let text = serde_json::to_string_pretty(&found).map_err(|error| error.to_string())?;
        fs::write(place.join("found.json"), text + "\n").map_err(|error| error.to_string())?;
        written.push(name);
    }
    Ok(written)
}

/// What a phone's database holds, read from a copy by today's code.
pub fn found_in(database: &Path) -> Result<Found, String> {
    let home = tempfile::tempdir().map_err(|error| error.to_string())?;
    let copy = home.path().join("phone.db");
    fs::copy(database, &copy).map_err(|error| error.to_string())?;
    let store = Store::open(&copy).map_err(|error| error.to_string())?;
    let found = || {
        let mut rows = BTreeMap::new();
        for (kind, name) in KINDS {
            let of_kind = store.query(&Query::of(kind).order(innsync_store::Order::Id))?;
            rows.insert(name.to_owned(), of_kind.iter().map(to_value).collect());
        }
        Ok::<_, innsync_engine::StoreError>(Found {
            format: FORMAT,
            ledger_version: 0,
            rows,
            outbox: store.outbox()?,
            discarded: store.discarded()?,
            effects: store.effects()?,
            meta: store.meta()?,
            server: BTreeMap::new(),
        })
    };
    found().map_err(|error| error.to_string())
}

/// An entity as JSON.
pub fn to_value(entity: &Entity) -> Value {
    serde_json::from_str(&entity.to_json()).unwrap_or_default()
}

/// What the server answers maria, of each kind, by id.
pub async fn listed(http: &Http) -> Result<BTreeMap<String, Vec<Value>>, String> {
    let mut all = BTreeMap::new();
    for (_, name) in KINDS {
        let mut rows = http.list("maria", name).await?;
        rows.sort_by_key(|row| row["id"].as_str().map(ToOwned::to_owned));
        all.insert(name.to_owned(), rows);
    }
    Ok(all)
}

/// A file of format `format`, with what `whole`, of the format `newest`, has in the tables that were there then.
fn as_of(whole: &Path, older: &Path, format: u32, newest: u32, steps: &[&str]) -> Result<(), String> {
    if format == newest {
        return fs::copy(whole, older).map(drop).map_err(|error| error.to_string());
    }
    let copied = || -> rusqlite::Result<()> {
        let database = Connection::open(older)?;
        database.execute("ATTACH ?1 AS whole", [whole.to_string_lossy()])?;
        let application: i32 = database.query_row("PRAGMA whole.application_id", [], |row| row.get(0))?;
        database.pragma_update(None, "application_id", application)?;
        for step in steps.iter().take(format as usize) {
            database.execute_batch(step)?;
        }
        let sql = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let tables: Vec<String> =
            database.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        for table in tables {
            let sql = format!("SELECT group_concat(name, ', ') FROM pragma_table_info('{table}', 'main')");
            let columns: String = database.query_row(&sql, [], |row| row.get(0))?;
            database.execute(
                &format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM whole.{table}"),
                [],
            )?;
        }
        database.pragma_update(None, "user_version", format)?;
        database.execute_batch("DETACH whole")?;
        database.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
    };
    copied().map_err(|error| error.to_string())
}

/// The files that the day left, and what is in them.
struct Day {
    phone: PathBuf,
    ledger: PathBuf,
    found: Found,
}

async fn live(home: &Path) -> Result<Day, String> {
    let ledger = home.join("ledger.db");
    let mut server = Server::start(&ledger)?;
    let address = server.url().trim_start_matches("http://").parse().map_err(|_| "no address".to_owned())?;
    // In bad weather the server hears ana, and she does not hear the server.
    let deaf = Ailment { down: Some((0, End::Mute)), ..Ailment::default() };
    let network = Toxic::start_with(address, 1, move |_| deaf).await.map_err(|error| error.to_string())?;
    let maria = Phone::sign_in("maria", server.url(), home).await?;
    let directory = home.join("ana");
    let options = || Phone::options("ana", &network.url(), &directory);
    let ana = innsync_client::sign_in(options(), PASSWORD).await.map_err(|error| error.to_string())?;
    maria.go_online().await?;
    up_to_date(&ana).await?;

    let notes = morning(&maria, &ana).await?;
    up_to_date(&ana).await?;
    two_are_parked(&maria, &ana, &notes).await?;
    an_answer_is_lost(&network, &server.http()?, &ana, notes.log).await?;
    ana.close().await;

    let ana = innsync_client::open(options()).map_err(|error| error.to_string())?;
    offline(&ana, notes.log).await?;
    ana.close().await;
    does(&maria, note(maria.innsync.new_id(), story::MEANWHILE)).await?;
    maria.innsync.close().await;
    let answered = listed(&server.http()?).await?;
    server.kill();

    let phone = fs::read_dir(&directory)
        .map_err(|error| error.to_string())?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|it| it == "db"))
        .ok_or("ana has no database")?;
    let ledger_version = folded(&ledger).map_err(|error| error.to_string())?;
    let found = Found { ledger_version, server: answered, ..found_in(&phone)? };
    Ok(Day { phone, ledger, found })
}

/// Writes the log back into the file; says the file's version.
fn folded(database: &Path) -> rusqlite::Result<u32> {
    let connection = Connection::open(database)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

struct Notes {
    log: Uuid,
    lost: Uuid,
}

async fn morning(maria: &Phone, ana: &InnSync) -> Result<Notes, String> {
    let (log, lost) = (maria.innsync.new_id(), maria.innsync.new_id());
    let id = || maria.innsync.new_id();
    does(maria, note(log, story::LOG)).await?;
    does(maria, note(lost, "Lost and found")).await?;
    let patch =
        NotePatch { content: Some("Umbrella, 203; reading glasses, lobby.".into()), ..NotePatch::default() };
    does(maria, Command::EditNote { note_id: lost, patch }).await?;
    for number in ["101", "105"] {
        let task = maria.suite(number).await.and_then(|suite| suite.open_cleaning_task);
        let task_id = task.ok_or_else(|| format!("suite {number} is not to be cleaned"))?;
        does(maria, Command::AssignTask { task_id, assignee: ana.account().employee }).await?;
    }
    does(
        maria,
        Command::Announce {
            announcement_id: id(),
            title: "Fire drill".into(),
            message: "At noon, by the pool.".into(),
            priority: AnnouncementPriority::High,
            expires_at: None,
        },
    )
    .await?;
    let on_duty_employees = vec![maria.employee, ana.account().employee];
    let (old_shift, new_shift) = ("night".to_owned(), "day".to_owned());
    does(maria, Command::ChangeShift { shift_id: id(), old_shift, new_shift, on_duty_employees }).await?;
    let emergency = Command::RaiseEmergency {
        task_id: id(),
        title: "Water in the hall".into(),
        description: "It comes from 206.".into(),
        severity: Severity::Critical,
        suite_id: None,
    };
    does(maria, emergency).await?;
    Ok(Notes { log, lost })
}

/// One operation is refused, since its note is hidden from her by then; one is in conflict with maria's; and a status of hers
/// lost to a later one.
async fn two_are_parked(maria: &Phone, ana: &InnSync, notes: &Notes) -> Result<(), String> {
    ana.disconnect();
    let status_of_ana = |status| Command::SetEmployeeStatus { employee_id: ana.account().employee, status };
    execute(ana, status_of_ana(EmployeeStatus::OnBreak)).await?;
    execute(ana, comment(ana, notes.lost, "The glasses are mine.")).await?;
    let contested = maria.suite(story::CONTESTED).await.ok_or("no such suite")?.id;
    let patch = NotePatch { audience: Some(Audience::Managers), ..NotePatch::default() };
    does(maria, Command::EditNote { note_id: notes.lost, patch }).await?;
    does(maria, Command::SetSuiteStatus { suite_id: contested, status: SuiteStatus::OutOfService }).await?;
    does(maria, status_of_ana(EmployeeStatus::Busy)).await?;
    execute(ana, Command::SetSuiteStatus { suite_id: contested, status: SuiteStatus::Cleaning }).await?;
    up_to_date(ana).await?;
    let outbox = ana.outbox().await.map_err(|error| error.to_string())?;
    let parked = |is: fn(&ParkReason) -> bool| {
        outbox.iter().any(|queued| matches!(&queued.state, OpState::Parked { reason } if is(reason)))
    };
    let conflict = parked(|reason| matches!(reason, ParkReason::Conflict { .. }));
    let rejection = parked(|reason| matches!(reason, ParkReason::Rejected { .. }));
    if conflict && rejection { Ok(()) } else { Err(format!("not parked: {outbox:?}")) }
}

async fn an_answer_is_lost(network: &Toxic, http: &Http, ana: &InnSync, log: Uuid) -> Result<(), String> {
    network.weather(Weather::Toxic);
    let sent = execute(ana, comment(ana, log, story::UNANSWERED)).await?;
    let arrived = becomes(|| async {
        let notes = http.list("maria", "notes").await.unwrap_or_default();
        notes.iter().any(|note| note["comments"].to_string().contains(story::UNANSWERED))
    });
    if !arrived.await {
        return Err("the server did not hear ana".to_owned());
    }
    let outbox = ana.outbox().await.map_err(|error| error.to_string())?;
    let is_sent = |queued: &QueuedOp| queued.op.id == sent && queued.state == OpState::Sent;
    if outbox.iter().any(is_sent) { Ok(()) } else { Err(format!("it was answered: {outbox:?}")) }
}

/// What ana does without a network, in lanes of their own.
async fn offline(ana: &InnSync, log: Uuid) -> Result<(), String> {
    let shown = |error: innsync_client::Error| error.to_string();
    let mine = ana.my_tasks().await.map_err(shown)?.tasks;
    let cleaning = mine.iter().find(|card| card.suite_number.as_deref() == Some(story::CLEANED));
    let task_id = cleaning.ok_or("ana has nothing to clean")?.task.id;
    execute(ana, Command::StartTask { task_id }).await?;
    execute(ana, Command::CompleteTask { task_id }).await?;

    let minibar = ana.new_id();
    execute(ana, note(minibar, story::MINIBAR)).await?;
    execute(ana, comment(ana, minibar, story::ON_MINIBAR)).await?;
    execute(ana, comment(ana, log, "Towels are low on the second floor.")).await?;
    let report = Command::CreateTask {
        task_id: ana.new_id(),
        title: story::LAMP.into(),
        description: String::new(),
        task_type: TaskType::Maintenance,
        priority: Priority::Normal,
        suite_id: None,
        assigned_to: None,
        due_at: None,
        severity: None,
    };
    execute(ana, report).await?;
    let inbox = ana.inbox().await.map_err(shown)?.items;
    let unread = inbox.iter().find(|item| !item.read && !item.is_announcement).ok_or("ana has no news")?;
    execute(ana, Command::MarkRead { notification_ids: vec![unread.id] }).await?;
    let alert = ana.urgent().await.map_err(shown)?.alerts.into_iter().next().ok_or("there is no alert")?;
    execute(ana, Command::AcknowledgeAlert { alert_id: alert.id }).await?;
    let employee_id = ana.account().employee;
    execute(ana, Command::SetEmployeeStatus { employee_id, status: EmployeeStatus::OnBreak }).await?;
    let never_mind = execute(ana, note(ana.new_id(), "Never mind")).await?;
    ana.discard(never_mind).await.map_err(shown)
}

fn note(note_id: Uuid, title: &str) -> Command {
    Command::CreateNote {
        note_id,
        title: title.to_owned(),
        content: String::new(),
        suite_id: None,
        task_id: None,
        audience: Audience::AllStaff,
    }
}

fn comment(ana: &InnSync, note_id: Uuid, text: &str) -> Command {
    Command::AddComment { note_id, comment_id: ana.new_id(), text: text.to_owned() }
}

async fn execute(ana: &InnSync, command: Command) -> Result<Uuid, String> {
    let name = command.name();
    ana.execute(command).await.map(|receipt| receipt.id).map_err(|error| format!("ana: {name}: {error}"))
}

/// Does it, and waits until the server has it.
async fn does(phone: &Phone, command: Command) -> Result<(), String> {
    let id = phone.does(command).await?.id;
    phone.innsync.settled(id, PATIENCE).await.map(drop).map_err(|error| error.to_string())
}

async fn up_to_date(ana: &InnSync) -> Result<(), String> {
    ana.connect();
    ana.up_to_date(PATIENCE).await.map_err(|error| format!("ana is not up to date: {error}"))
}

/// How often somebody wrote that comment in the notes that were listed.
pub fn comments(notes: &[Value], text: &str) -> usize {
    let notes = notes.iter().filter_map(|note| serde_json::from_value::<Note>(note.clone()).ok());
    notes.flat_map(|note| note.comments).filter(|comment| comment.text == text).count()
}
