//! What is on the phone: kept, guarded, watched.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{Peer, SUITE_101, TASK_TOWELS, session_until, soon, until};
use innsync_client::domain::{Audience, Rejection, SuiteStatus};
use innsync_client::{
    Backgrounded, Change, Clock, Command, Entity, EntityKind, Error, InnSync, MemorySessions, MyTasks, Now,
    Outcome, PendingWork, Query, Session, SessionError, SessionStore, Settlement, SyncState, SystemClock,
    Update, accounts, open, sign_in,
};
use innsync_protocol::{OpOutcome, OpResult, PushAnswer};

async fn ana_with_data(peer: &Peer, phone: &Path) -> InnSync {
    let (ana, link) = peer.ana_at_work(phone).await;
    ana.disconnect();
    drop(link);
    ana
}

fn database(phone: &Path) -> PathBuf {
    let is_database = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "db");
    fs::read_dir(phone).unwrap().map(|entry| entry.unwrap().path()).find(is_database).unwrap()
}

#[tokio::test]
async fn what_was_saved_survives_a_kill_and_is_there_offline() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = ana_with_data(&peer, phone.path()).await;
    let receipt = ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await.unwrap();
    drop(ana); // No close.
    let options = peer.options(phone.path());
    drop(peer);
    let ana = open(options).unwrap();
    let outbox = ana.outbox().await.unwrap();
    assert_eq!(outbox.len(), 1);
    assert_eq!(outbox[0].op.id, receipt.id);
    assert_eq!(ana.status().pending_changes, 1);
    assert_eq!(ana.stores().suites().get(SUITE_101).await.unwrap().unwrap().suite_number, "101");
    assert_eq!(ana.sync_line().await.unwrap().state, SyncState::Offline);
    assert_eq!(accounts(phone.path())[0].name, "Ana");
}

#[tokio::test]
async fn after_a_command_the_status_counts_it() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = ana_with_data(&peer, phone.path()).await;
    for count in 1..=50 {
        let note = Command::CreateNote {
            note_id: ana.new_id(),
            title: format!("Minibar, floor {count}"),
            content: String::new(),
            suite_id: None,
            task_id: None,
            audience: Audience::AllStaff,
        };
        ana.execute(note).await.unwrap();
        assert_eq!(
            ana.status().pending_changes,
            count,
            "no moment at which it is neither here nor there (G10)"
        );
    }
}

#[tokio::test]
async fn a_stream_that_was_asked_for_too_late_ends() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = peer.sign_in(phone.path()).await;
    ana.quiesce().await.unwrap();
    // Asked for while the core is quiet, and never come to.
    let (effects, tasks, screen) = (ana.effects(), ana.live(Query::tasks()), ana.watch::<MyTasks>());
    ana.close().await;
    assert_eq!(soon(effects.next()).await, None);
    assert_eq!(soon(tasks.next()).await, None);
    assert_eq!(soon(screen.next()).await, None);
}

#[tokio::test]
async fn a_database_is_open_once() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = peer.sign_in(phone.path()).await;
    let asked = Instant::now();
    assert_eq!(open(peer.options(phone.path())).unwrap_err(), Error::AlreadyOpen);
    assert!(asked.elapsed() < Duration::from_secs(1), "she is told at once: it was {:?}", asked.elapsed());
    ana.close().await;
    ana.close().await;
    assert_eq!(ana.outbox().await.unwrap_err(), Error::Closed);
    assert_eq!(ana.events().next().await, None);
    assert_eq!(ana.live(Query::tasks()).next().await, None);
    open(peer.options(phone.path())).unwrap();
}

#[tokio::test]
async fn opening_waits_for_who_is_just_leaving() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = ana_in_the_evening(&peer, phone.path()).await;
    // Going quiet waits for the new tokens.
    let (pause, reopened) = tokio::join!(soon(ana.quiesce()), async {
        let options = peer.options(phone.path());
        let opening = tokio::task::spawn_blocking(move || open(options));
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!opening.is_finished(), "the database is still in use");
        let renewed = session_until("2099-01-01T00:00:00.000Z", "refresh-2");
        peer.answer("POST /v1/sessions/refresh", 200, &renewed);
        opening.await.unwrap()
    });
    pause.unwrap();
    let reopened = reopened.unwrap();
    assert_eq!(soon(ana.resume()).await.unwrap_err(), Error::AlreadyOpen);
    reopened.close().await;

    // Another process can't be asked; it lets go of the lock when it ends.
    let other = fs::File::open(database(phone.path()).with_extension("lock")).unwrap();
    other.try_lock().unwrap();
    let ends = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        drop(other);
    });
    open(peer.options(phone.path())).unwrap();
    ends.join().unwrap();
}

#[tokio::test]
async fn who_goes_on_at_once_after_a_pause_is_not_leaving() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = peer.sign_in(phone.path()).await;
    let (pause, goes_on) = tokio::join!(soon(ana.quiesce()), soon(ana.resume()));
    pause.unwrap();
    goes_on.unwrap();
    let asked = Instant::now();
    assert_eq!(open(peer.options(phone.path())).unwrap_err(), Error::AlreadyOpen);
    assert!(asked.elapsed() < Duration::from_secs(1), "nobody waits for it: it was {:?}", asked.elapsed());
}

#[tokio::test]
async fn a_damaged_database_is_said_so_and_left_alone() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    peer.sign_in(phone.path()).await.close().await;
    let path = database(phone.path());
    let good = fs::read(&path).unwrap();
    let noise = vec![0x5a; 8_192];
    fs::write(&path, &noise).unwrap();
    assert_eq!(open(peer.options(phone.path())).unwrap_err(), Error::StorageCorrupt);
    assert_eq!(fs::read(&path).unwrap(), noise, "not touched");
    fs::write(&path, good).unwrap();
    open(peer.options(phone.path())).unwrap();
}

/// The app was updated, and the older one came back: ana sees what there is, is told what to do, and nothing changes.
#[tokio::test]
async fn the_database_of_a_newer_release_is_for_reading() {
    // G18
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = ana_with_data(&peer, phone.path()).await;
    ana.disconnect();
    let started = ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await.unwrap().id;
    ana.close().await;
    let path = database(phone.path());
    let mut newer = fs::read(&path).unwrap();
    let format: [u8; 4] = newer[60..64].try_into().unwrap(); // SQLite's user_version.
    newer[60..64].copy_from_slice(&9_999_u32.to_be_bytes());
    fs::write(&path, &newer).unwrap();
    let asked_before = peer.asked("").len();

    let ana = open(peer.options(phone.path())).unwrap();
    ana.connect();
    let line = ana.sync_line().await.unwrap();
    assert_eq!((line.state, line.pending), (SyncState::UpdateRequired, 1));
    let card = ana.my_tasks().await.unwrap().tasks.remove(0);
    assert!(card.unsent && card.task.status == innsync_client::domain::TaskStatus::InProgress);
    let Some(Update::Reset(live)) = soon(ana.live(Query::tasks()).next()).await else {
        panic!("the first item is a Reset")
    };
    assert_eq!(live.len(), 1);
    assert_eq!(ana.outbox().await.unwrap()[0].op.id, started);
    assert!(ana.export_work().await.unwrap().contains(&started.to_string()));

    let old = Err(Error::UpdateRequired);
    assert_eq!(ana.execute(Command::CompleteTask { task_id: TASK_TOWELS }).await.map(drop), old);
    assert_eq!(ana.edit(started, Command::CompleteTask { task_id: TASK_TOWELS }).await.map(drop), old);
    assert_eq!(ana.retry(started).await.map(drop), old);
    assert_eq!(ana.settle(started, None, Settlement::Theirs).await.map(drop), old);
    assert_eq!(ana.discard(started).await, old);
    assert_eq!(ana.discard_with_dependents(started).await.map(drop), old);
    assert_eq!(ana.refresh().await, old);
    assert_eq!(ana.clear_cache().await, old);
    assert_eq!(ana.clear_kind(EntityKind::Task).await, old);
    assert_eq!(ana.send(r#"{"type":"SUBSCRIBE"}"#), old);
    assert_eq!(ana.up_to_date(Duration::from_secs(5)).await, old);
    assert_eq!(ana.sign_out(PendingWork::Send(Duration::from_secs(5))).await, old);
    assert_eq!(ana.sign_out(PendingWork::Discard).await, old);
    assert!(Error::UpdateRequired.to_string().contains("update the app"));
    let diagnosis: serde_json::Value = serde_json::from_str(&ana.diagnostics().await.unwrap()).unwrap();
    assert_eq!(diagnosis["storage"]["readOnly"], true);

    // To the background and back.
    let left = soon(ana.background(Duration::from_secs(5))).await.unwrap();
    assert!(matches!(left, Backgrounded::Left { operations: 1, .. }), "{left:?}");
    soon(ana.resume()).await.unwrap();
    assert_eq!(ana.outbox().await.unwrap().len(), 1);
    ana.close().await;
    assert_eq!(fs::read(&path).unwrap(), newer, "not a byte");
    assert_eq!(peer.asked("").len(), asked_before, "nobody was asked for anything");

    // The update comes, and it goes on.
    newer[60..64].copy_from_slice(&format);
    fs::write(&path, &newer).unwrap();
    let ana = open(peer.options(phone.path())).unwrap();
    ana.execute(Command::CompleteTask { task_id: TASK_TOWELS }).await.unwrap();
    assert_eq!(ana.outbox().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_live_query_begins_with_everything_and_goes_on_with_changes() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = ana_with_data(&peer, phone.path()).await;
    let tasks = ana.live(Query::tasks());
    let Some(Update::Reset(mut shown)) = soon(tasks.next()).await else {
        panic!("the first item is a Reset")
    };
    assert_eq!(shown.len(), 1);
    ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await.unwrap();
    let update = soon(tasks.next()).await.unwrap();
    assert!(
        matches!(&update, Update::Diff(changes) if matches!(changes[..], [Change::Update { at: 0, .. }]))
    );
    update.apply(&mut shown);
    assert_eq!(shown, ana.query(Query::tasks()).await.unwrap());
    tasks.stop();
    assert_eq!(tasks.next().await, None);
}

#[tokio::test]
async fn a_consumer_that_lags_gets_the_whole_instead_of_a_growing_queue() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = ana_with_data(&peer, phone.path()).await;
    let (quick, slow) = (ana.live(Query::notes()), ana.live(Query::notes()));
    for notes in [&quick, &slow] {
        assert_eq!(soon(notes.next()).await, Some(Update::Reset(Vec::new())));
    }
    for number in 0..100 {
        ana.execute(note(&ana, &format!("Note {number}"))).await.unwrap();
        soon(quick.next()).await.unwrap();
    }
    let mut shown: Vec<Entity> = Vec::new();
    let first = soon(slow.next()).await.unwrap();
    assert!(matches!(first, Update::Reset(_)), "it lagged by more than its queue holds");
    first.apply(&mut shown);
    while shown.len() < 100 {
        soon(slow.next()).await.unwrap().apply(&mut shown);
    }
    assert_eq!(shown, ana.query(Query::notes()).await.unwrap());
}

fn note(ana: &InnSync, title: &str) -> Command {
    Command::CreateNote {
        note_id: ana.new_id(),
        title: title.to_owned(),
        content: String::new(),
        suite_id: None,
        task_id: None,
        audience: Audience::AllStaff,
    }
}

#[tokio::test]
async fn a_discarded_operation_is_undone_and_its_waiter_told() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = ana_with_data(&peer, phone.path()).await;
    let receipt = ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await.unwrap();
    let (settled, discarded) =
        tokio::join!(ana.settled(receipt.id, Duration::from_secs(10)), ana.discard(receipt.id));
    assert_eq!((settled, discarded), (Ok(Outcome::Discarded), Ok(())));
    let Entity::Task(task) = &ana.query(Query::tasks()).await.unwrap()[0] else { panic!("a task") };
    assert_eq!(task.status.as_str(), "PENDING");
    assert!(matches!(ana.discard(receipt.id).await, Err(Error::InvalidInput(_))));
    assert!(matches!(ana.retry(receipt.id).await, Err(Error::InvalidInput(_))));
}

#[tokio::test]
async fn a_refused_command_changes_nothing() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = ana_with_data(&peer, phone.path()).await;
    let refused = ana.execute(Command::DeleteSuite { suite_id: SUITE_101 }).await;
    assert!(matches!(refused, Err(Error::Rejected(_))), "{refused:?}");
    assert!(ana.outbox().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_pause_leaves_no_lock_and_calls_wait_for_its_end() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = ana_with_data(&peer, phone.path()).await;
    soon(ana.quiesce()).await.unwrap();
    let lock = fs::File::open(database(phone.path()).with_extension("lock")).unwrap();
    lock.try_lock().unwrap();
    assert!(!database(phone.path()).with_extension("db-wal").exists(), "the log was written back");
    let (tapped, ()) = tokio::join!(soon(ana.execute(Command::StartTask { task_id: TASK_TOWELS })), async {
        // The tap is there, and the lock still free.
        lock.unlock().unwrap();
        lock.try_lock().unwrap();
        drop(lock);
        soon(ana.resume()).await.unwrap();
    });
    tapped.unwrap();
}

#[tokio::test]
async fn frames_that_wait_for_a_connection_wait_over_a_pause() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = peer.sign_in(phone.path()).await;
    ana.send(r#"{"type":"TEST","data":"before"}"#).unwrap();
    soon(ana.quiesce()).await.unwrap();
    assert_eq!(ana.status().queued_messages, 1);
    soon(ana.resume()).await.unwrap();
    ana.send(r#"{"type":"TEST","data":"after"}"#).unwrap();
    until(&ana.watch_status(), |status| status.queued_messages == 2).await;
    ana.connect();
    let mut socket = peer.welcome().await;
    for data in ["before", "after"] {
        assert_eq!(socket.hear("TEST").await["data"], data);
    }
}

#[tokio::test]
async fn a_resume_calls_off_a_pause_that_still_waits() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = ana_in_the_evening(&peer, phone.path()).await;
    let (quiet, resumed) = tokio::join!(soon(ana.quiesce()), soon(ana.resume()));
    assert_eq!((quiet, resumed), (Ok(()), Ok(())));
    let lock = fs::File::open(database(phone.path()).with_extension("lock")).unwrap();
    assert!(lock.try_lock().is_err(), "the database is still open");
}

#[tokio::test]
async fn a_resume_that_fails_can_be_tried_again() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = ana_with_data(&peer, phone.path()).await;
    let tasks = ana.live(Query::tasks());
    assert!(matches!(soon(tasks.next()).await, Some(Update::Reset(_))));
    soon(ana.quiesce()).await.unwrap();
    let path = database(phone.path());
    let aside = phone.path().join("aside");
    fs::rename(&path, &aside).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(soon(ana.resume()).await.is_err());
    fs::remove_dir(&path).unwrap();
    fs::rename(&aside, &path).unwrap();
    soon(ana.resume()).await.unwrap();
    ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await.unwrap();
    assert!(matches!(soon(tasks.next()).await, Some(Update::Diff(_))), "streams go on");
}

#[tokio::test]
async fn what_was_discarded_can_be_looked_up_and_handed_in() {
    // G14
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = ana_with_data(&peer, phone.path()).await;
    let note = ana.new_id();
    let create = Command::CreateNote {
        note_id: note,
        title: "Minibar, floor 2".to_owned(),
        content: String::new(),
        suite_id: None,
        task_id: None,
        audience: Audience::AllStaff,
    };
    let written = ana.execute(create).await.unwrap().id;
    let comment = Command::AddComment { note_id: note, comment_id: ana.new_id(), text: "Empty".to_owned() };
    let commented = ana.execute(comment).await.unwrap().id;
    let started = ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await.unwrap().id;
    let dependents: Vec<_> = ana.dependents(written).await.unwrap().iter().map(|it| it.op.id).collect();
    assert_eq!(dependents, [commented]);
    assert_eq!(ana.discard_with_dependents(written).await.unwrap(), [written, commented]);
    let waiting: Vec<_> = ana.outbox().await.unwrap().iter().map(|it| it.op.id).collect();
    assert_eq!(waiting, [started]);
    assert_eq!(ana.discarded().await.unwrap().len(), 2);
    let work: serde_json::Value = serde_json::from_str(&ana.export_work().await.unwrap()).unwrap();
    assert_eq!((work["person"].as_str(), work["outbox"].as_array().unwrap().len()), (Some("ana"), 1));
    let said = work["discarded"].to_string();
    assert!(said.contains("Minibar, floor 2") && said.contains("Empty"), "{said}");
    assert!(matches!(ana.discard_with_dependents(written).await, Err(Error::InvalidInput(_))));
    ana.close().await;
}

/// The phone's clock, as far on as a test says.
struct Later {
    clock: SystemClock,
    days: AtomicU64,
}

impl Clock for Later {
    fn now(&self) -> Now {
        let (now, passed) = (self.clock.now(), self.days.load(Ordering::Relaxed) * 24 * 60 * 60 * 1_000);
        let wall = now.wall.plus_millis(i64::try_from(passed).unwrap());
        Now { boot_ms: now.boot_ms + passed, wall }
    }
    fn boot_id(&self) -> String {
        self.clock.boot_id()
    }
}

#[tokio::test]
async fn what_was_discarded_is_shown_for_thirty_days() {
    // G14
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let later = Arc::new(Later { clock: SystemClock::new(), days: AtomicU64::new(0) });
    let options = peer.options(phone.path()).clock(Arc::clone(&later) as Arc<dyn Clock>);
    let (ana, _link) = peer.at_work(options).await;
    ana.disconnect();
    let receipt = ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await.unwrap();
    ana.discard(receipt.id).await.unwrap();
    later.days.store(29, Ordering::Relaxed);
    assert_eq!(ana.discarded().await.unwrap().len(), 1);
    later.days.store(31, Ordering::Relaxed);
    assert_eq!(ana.discarded().await.unwrap(), []);
    assert!(!ana.export_work().await.unwrap().contains(&receipt.id.to_string()));
    ana.close().await;
}

#[tokio::test]
async fn what_has_left_the_phone_is_not_discarded() {
    // G2
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    peer.answer("DELETE /v1/sessions/current", 204, "");
    let (ana, _link) = peer.ana_at_work(phone.path()).await;
    let receipt = ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await.unwrap();
    peer.is_asked("POST /v1/ops").await;
    assert_eq!(ana.discard(receipt.id).await, Err(Error::AlreadySent));
    ana.disconnect();
    soon(ana.sign_out(PendingWork::Discard)).await.unwrap();
    let ana = open(peer.options(phone.path())).unwrap();
    assert_eq!(
        ana.outbox().await.unwrap()[0].op.id,
        receipt.id,
        "it is kept, and settled at the next sign-in"
    );
}

#[tokio::test]
async fn signing_out_discards_what_waits_behind_a_parked_operation_before_it_can_leave() {
    // G2, G14
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    peer.answer("DELETE /v1/sessions/current", 204, "");
    let (ana, _link) = peer.ana_at_work(phone.path()).await;
    let clean = Command::SetSuiteStatus { suite_id: SUITE_101, status: SuiteStatus::Cleaning };
    let parked = ana.execute(clean.clone()).await.unwrap();
    peer.is_asked("POST /v1/ops").await;
    let refused = Rejection::permanent("NOT_ALLOWED".into(), "Not now.");
    let results = vec![OpResult { id: parked.id, result: OpOutcome::rejected(refused) }];
    peer.answer("POST /v1/ops", 200, &serde_json::to_string(&PushAnswer { results }).unwrap());
    let outcome = soon(ana.settled(parked.id, Duration::from_secs(10))).await.unwrap();
    assert!(matches!(outcome, Outcome::Parked(_)), "{outcome:?}");
    ana.execute(clean).await.unwrap();
    soon(ana.sign_out(PendingWork::Discard)).await.unwrap();
    assert_eq!(peer.asked("POST /v1/ops").len(), 1, "what she threw away was not sent");
    assert!(open(peer.options(phone.path())).unwrap().outbox().await.unwrap().is_empty());
}

/// Ana's tokens as they are kept.
fn kept_tokens(phone: &Path) -> String {
    let kept = |path: &PathBuf| path.to_string_lossy().ends_with(".session.json");
    let path = fs::read_dir(phone).unwrap().map(|entry| entry.unwrap().path()).find(kept).unwrap();
    fs::read_to_string(path).unwrap()
}

/// Ana comes back in the evening: her access token is over, and a new one has been asked for.
async fn ana_in_the_evening(peer: &Peer, phone: &Path) -> InnSync {
    peer.answer("POST /v1/sessions", 200, &session_until("2026-01-01T00:00:00.000Z", "refresh-1"));
    let ana = peer.sign_in(phone).await;
    ana.connect();
    peer.is_asked("POST /v1/sessions/refresh").await;
    ana
}

#[tokio::test]
async fn a_pause_waits_for_the_token_that_is_being_renewed() {
    // G12, G22
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = ana_in_the_evening(&peer, phone.path()).await;
    let (quiet, ()) = tokio::join!(soon(ana.quiesce()), async {
        peer.answer(
            "POST /v1/sessions/refresh",
            200,
            &session_until("2099-01-01T00:00:00.000Z", "refresh-2"),
        );
    });
    quiet.unwrap();
    assert!(kept_tokens(phone.path()).contains("refresh-2"), "the old one is good for a minute, and no more");
}

#[tokio::test]
async fn a_pause_does_not_wait_for_ever_for_a_token() {
    // G22
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = ana_in_the_evening(&peer, phone.path()).await;
    soon(ana.quiesce()).await.unwrap();
    let lock = fs::File::open(database(phone.path()).with_extension("lock")).unwrap();
    lock.try_lock().unwrap();
}

#[tokio::test]
async fn signing_out_keeps_the_work_and_forgets_the_tokens() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    peer.answer("DELETE /v1/sessions/current", 204, "");
    let ana = ana_with_data(&peer, phone.path()).await;
    ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await.unwrap();
    soon(ana.sign_out(PendingWork::Keep)).await.unwrap();
    assert_eq!(peer.asked("DELETE /v1/sessions/current").len(), 1);
    let ana = open(peer.options(phone.path())).unwrap();
    assert!(ana.status().needs_sign_in);
    assert_eq!(ana.outbox().await.unwrap().len(), 1);
    soon(ana.sign_in_again(common::PASSWORD)).await.unwrap();
    assert!(!ana.status().needs_sign_in);
}

/// A key store that keeps tokens only while the phone is unlocked.
#[derive(Default)]
struct KeyStore {
    locked: AtomicBool,
    kept: MemorySessions,
}

impl KeyStore {
    fn lock(&self, locked: bool) {
        self.locked.store(locked, Ordering::Relaxed);
    }

    fn opened(&self) -> Result<&MemorySessions, SessionError> {
        match self.locked.load(Ordering::Relaxed) {
            true => Err(SessionError("the phone is locked".to_owned())),
            false => Ok(&self.kept),
        }
    }
}

impl SessionStore for KeyStore {
    fn load(&self, account: &str) -> Result<Option<Session>, SessionError> {
        self.opened()?.load(account)
    }
    fn save(&self, account: &str, session: &Session) -> Result<(), SessionError> {
        self.opened()?.save(account, session)
    }
    fn clear(&self, account: &str) -> Result<(), SessionError> {
        self.opened()?.clear(account)
    }
}

#[tokio::test]
async fn a_key_store_that_fails_costs_nothing_that_was_there() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    peer.answer("DELETE /v1/sessions/current", 204, "");
    let (ended, failed) = ("DELETE /v1/sessions/current", "the phone is locked".to_owned());
    let keys = Arc::new(KeyStore::default());
    let options = || peer.options(phone.path()).sessions(Arc::clone(&keys) as Arc<dyn SessionStore>);

    keys.lock(true);
    let error = soon(sign_in(options(), common::PASSWORD)).await.unwrap_err();
    assert_eq!(error, Error::TokenStoreFailed(failed.clone()));
    assert_eq!(peer.asked(ended).len(), 1, "a session that nobody has the tokens of is ended");
    assert_eq!(accounts(phone.path()), []);

    keys.lock(false);
    let ana = soon(sign_in(options(), common::PASSWORD)).await.unwrap();
    keys.lock(true);
    let error = soon(ana.sign_in_again(common::PASSWORD)).await.unwrap_err();
    assert_eq!(error, Error::TokenStoreFailed(failed.clone()));
    assert_eq!(peer.asked(ended).len(), 2);
    let error = soon(ana.sign_out(PendingWork::Keep)).await.unwrap_err();
    assert_eq!(error, Error::TokenStoreFailed(failed));
    assert!(!ana.status().needs_sign_in, "she is signed in as before");
    assert!(ana.outbox().await.unwrap().is_empty(), "and the handle is open");

    keys.lock(false);
    soon(ana.sign_out(PendingWork::Keep)).await.unwrap();
    assert!(open(options()).unwrap().status().needs_sign_in);
}

#[tokio::test]
async fn without_kept_tokens_a_phone_works_offline() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    ana_with_data(&peer, phone.path()).await.close().await;
    let ana = open(peer.options(phone.path()).sessions(Arc::new(MemorySessions::default()))).unwrap();
    assert!(ana.status().needs_sign_in);
    ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await.unwrap();
    assert_eq!(ana.my_tasks().await.unwrap().tasks.len(), 1);
}

#[tokio::test]
async fn a_store_is_cleared_by_itself_and_comes_back() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = ana_with_data(&peer, phone.path()).await;
    let receipt = ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await.unwrap();
    let stores = ana.stores();
    stores.suites().clear().await.unwrap();
    assert!(stores.suites().get_all().await.unwrap().is_empty());
    assert_eq!(stores.employees().get_all().await.unwrap().len(), 2, "cleared by store");
    assert_eq!(stores.tasks().get(TASK_TOWELS).await.unwrap().unwrap().status.as_str(), "IN_PROGRESS");
    assert_eq!(ana.outbox().await.unwrap()[0].op.id, receipt.id);
    let suites = ana.live(Query::suites());
    assert_eq!(soon(suites.next()).await, Some(Update::Reset(Vec::new())));
    ana.connect();
    let _link = peer.welcome().await;
    soon(suites.next()).await.unwrap();
    assert_eq!(stores.suites().get(SUITE_101).await.unwrap().unwrap().suite_number, "101");
}

#[tokio::test]
async fn a_frame_to_send_must_be_one() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let ana = peer.sign_in(phone.path()).await;
    assert!(ana.send(r#"{"type":"TEST","data":"test"}"#).is_ok());
    for frame in
        ["", "TEST", "{}", r#"{"type":7}"#, &format!(r#"{{"type":"TEST","data":"{}"}}"#, "x".repeat(300_000))]
    {
        assert!(matches!(ana.send(frame), Err(Error::InvalidInput(_))));
    }
}
