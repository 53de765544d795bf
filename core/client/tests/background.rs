//! To the background, and woken there by a push.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Link, Peer, SUITE_101, TASK_TOWELS, mark, session_until, soon, task, until};
use innsync_client::{
    Backgrounded, Command, ConnectionState, Error, InnSync, MemorySessions, PushOutcome, Unfinished, Uuid,
    open,
};
use innsync_protocol::{OpOutcome, OpResult, PushAnswer};
use serde_json::json;

/// What a platform gives.
const BUDGET: Duration = Duration::from_secs(15);
/// What is there at once, on a machine that does other things as well.
const AT_ONCE: Duration = Duration::from_secs(3);

/// Whether nobody has the database open.
fn is_free(phone: &Path) -> bool {
    let is_lock = |path: &std::path::PathBuf| path.extension().is_some_and(|extension| extension == "lock");
    let path = fs::read_dir(phone).unwrap().map(|entry| entry.unwrap().path()).find(is_lock).unwrap();
    fs::File::open(path).unwrap().try_lock().is_ok()
}

/// Ana at work, who has started her task; the server has not answered yet.
async fn ana_just_tapped(peer: &Peer, phone: &Path) -> (InnSync, Link, Uuid) {
    let (ana, link) = peer.ana_at_work(phone).await;
    let tap = ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await.unwrap().id;
    peer.is_asked("POST /v1/ops").await;
    (ana, link, tap)
}

fn takes(peer: &Peer, operation: Uuid, seq: u64) {
    let result = OpOutcome::Applied { seq, version: 2, skipped: Vec::new() };
    let results = vec![OpResult { id: operation, result }];
    peer.answer("POST /v1/ops", 200, &serde_json::to_string(&PushAnswer { results }).unwrap());
}

/// The feed has come to commit 2, with nothing in it that ana may see.
fn goes_on(peer: &Peer) {
    let delta = json!({"type": "DELTA", "epoch": 1, "from": 1, "to": 2, "mark": mark(2)});
    peer.answer("GET /v1/sync", 200, &delta.to_string());
}

/// Maria gives ana another task, with commit 2.
fn gives_a_task(peer: &Peer) {
    let change = json!({
        "op": "UPSERT", "entityType": "TASK", "entity": task(Uuid::from_u128(0x202), "Minibar"), "created": true,
    });
    let commit = json!({
        "seq": 2, "at": "2026-11-22T08:30:00.000Z", "by": common::MARIA, "changes": [change],
    });
    let delta =
        json!({"type": "DELTA", "epoch": 1, "from": 1, "to": 2, "mark": mark(2), "commits": [commit]});
    peer.answer("GET /v1/sync", 200, &delta.to_string());
}

#[tokio::test]
async fn what_can_be_sent_is_sent_before_she_is_quiet() {
    // G1, G22
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, _link, tap) = ana_just_tapped(&peer, phone.path()).await;
    let (outcome, ()) = tokio::join!(soon(ana.background(BUDGET)), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!is_free(phone.path()), "it waits for the answer");
        goes_on(&peer);
        takes(&peer, tap, 2);
    });
    assert_eq!(outcome, Ok(Backgrounded::Done));
    assert!(is_free(phone.path()));
    assert_eq!(ana.status().pending_changes, 0);
    // And again: it is so already.
    let again = soon(ana.background(BUDGET)).await.unwrap();
    assert_eq!(again, Backgrounded::Left { operations: 0, why: Unfinished::Quiet });
}

#[tokio::test]
async fn without_a_network_she_is_quiet_soon() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, link, _) = ana_just_tapped(&peer, phone.path()).await;
    drop((peer, link));
    let asked = Instant::now();
    let outcome = soon(ana.background(BUDGET)).await.unwrap();
    let Backgrounded::Left { operations: 1, why } = outcome else { panic!("{outcome:?}") };
    assert_eq!(why, Unfinished::Offline);
    assert!(why.to_string().ends_with('.') && why.to_string().contains("cannot be reached"));
    assert!(asked.elapsed() < AT_ONCE, "it took {:?}", asked.elapsed());
    assert!(is_free(phone.path()));
}

#[tokio::test]
async fn where_nothing_can_be_sent_she_is_quiet_soon() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, link) = peer.ana_at_work(phone.path()).await;
    ana.disconnect();
    drop(link);
    ana.execute(Command::StartTask { task_id: TASK_TOWELS }).await.unwrap();
    let asked = Instant::now();
    let left = |why| Ok(Backgrounded::Left { operations: 1, why });
    assert_eq!(soon(ana.background(BUDGET)).await, left(Unfinished::Disconnected));
    ana.close().await;
    let ana = open(peer.options(phone.path()).sessions(Arc::new(MemorySessions::default()))).unwrap();
    ana.connect();
    assert_eq!(soon(ana.background(BUDGET)).await, left(Unfinished::SignInRequired));
    assert!(asked.elapsed() < AT_ONCE, "it took {:?}", asked.elapsed());
    assert!(is_free(phone.path()));
    ana.close().await;
    assert_eq!(ana.background(BUDGET).await, Err(Error::Closed));
}

#[tokio::test]
async fn she_is_quiet_within_the_budget() {
    // G22
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, _link, _) = ana_just_tapped(&peer, phone.path()).await;
    let (asked, budget) = (Instant::now(), Duration::from_millis(1_500));
    let outcome = soon(ana.background(budget)).await.unwrap();
    let took = asked.elapsed();
    assert_eq!(outcome, Backgrounded::Left { operations: 1, why: Unfinished::OutOfTime });
    assert!(is_free(phone.path()));
    assert!(took < budget, "it took {took:?}");
    assert!(took > budget / 2, "it gave up after {took:?}");
}

#[tokio::test]
async fn a_token_that_is_being_renewed_is_waited_for_within_the_budget() {
    // G12, G22
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    peer.answer("POST /v1/sessions", 200, &session_until("2026-01-01T00:00:00.000Z", "refresh-1"));
    let ana = peer.sign_in(phone.path()).await;
    ana.connect();
    peer.is_asked("POST /v1/sessions/refresh").await;
    let (asked, budget) = (Instant::now(), Duration::from_millis(1_500));
    let outcome = soon(ana.background(budget)).await.unwrap();
    assert_eq!(outcome, Backgrounded::Left { operations: 0, why: Unfinished::OutOfTime });
    assert!(asked.elapsed() < budget && is_free(phone.path()));
}

#[tokio::test]
async fn whoever_comes_back_calls_it_off() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, _link, tap) = ana_just_tapped(&peer, phone.path()).await;
    let (outcome, resumed) = tokio::join!(soon(ana.background(BUDGET)), soon(ana.resume()));
    assert_eq!((outcome, resumed), (Ok(Backgrounded::CalledOff), Ok(())));
    let (outcome, ()) = tokio::join!(soon(ana.background(BUDGET)), async { ana.foreground() });
    assert_eq!(outcome, Ok(Backgrounded::CalledOff));
    assert!(!is_free(phone.path()));
    assert_eq!(ana.connection_state(), ConnectionState::Connected, "her socket is as it was");
    // The same answers find the same operation.
    goes_on(&peer);
    takes(&peer, tap, 2);
    soon(ana.settled(tap, Duration::from_secs(15))).await.unwrap();
}

#[tokio::test]
async fn quiet_that_is_wanted_now_is_had_now() {
    // G22
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, _link, _) = ana_just_tapped(&peer, phone.path()).await;
    let asked = Instant::now();
    let (outcome, quiet) = tokio::join!(soon(ana.background(BUDGET)), soon(ana.quiesce()));
    assert_eq!(outcome, Ok(Backgrounded::Left { operations: 1, why: Unfinished::Quiet }));
    assert_eq!(quiet, Ok(()));
    assert!(asked.elapsed() < AT_ONCE && is_free(phone.path()));
}

#[tokio::test]
async fn a_push_tells_of_something_new() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, _link) = peer.ana_at_work(phone.path()).await;
    assert_eq!(soon(ana.push_received("", BUDGET)).await, Ok(PushOutcome::NoData));
    gives_a_task(&peer);
    assert_eq!(soon(ana.push_received("", BUDGET)).await, Ok(PushOutcome::NewData));
    assert_eq!(ana.my_tasks().await.unwrap().tasks.len(), 2);
    assert!(!is_free(phone.path()), "it was awake before");
}

#[tokio::test]
async fn a_push_that_finds_her_quiet_leaves_her_quiet() {
    // G22
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, _link) = peer.ana_at_work(phone.path()).await;
    soon(ana.quiesce()).await.unwrap();
    gives_a_task(&peer);
    assert_eq!(soon(ana.push_received("not even JSON", BUDGET)).await, Ok(PushOutcome::NewData));
    assert!(is_free(phone.path()));
    soon(ana.resume()).await.unwrap();
    assert_eq!(ana.my_tasks().await.unwrap().tasks.len(), 2);
}

#[tokio::test]
async fn a_push_that_tells_of_nothing_new_costs_nothing() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, _link) = peer.ana_at_work(phone.path()).await;
    assert_eq!(soon(ana.push_received("{}", BUDGET)).await, Ok(PushOutcome::NoData));
    let asked = peer.asked("GET /v1/sync").len();
    let here = r#"{"epoch": 1, "seq": 1}"#;
    assert_eq!(soon(ana.push_received(here, BUDGET)).await, Ok(PushOutcome::NoData));
    soon(ana.quiesce()).await.unwrap();
    assert_eq!(soon(ana.push_received(here, BUDGET)).await, Ok(PushOutcome::NoData));
    assert!(is_free(phone.path()));
    assert_eq!(peer.asked("GET /v1/sync").len(), asked, "nobody was asked");
    let further = r#"{"epoch": 1, "seq": 2}"#;
    assert_eq!(soon(ana.push_received(further, BUDGET)).await, Ok(PushOutcome::NoData));
    assert!(peer.asked("GET /v1/sync").len() > asked, "the server was asked, and has no such commit");
}

#[tokio::test]
async fn a_push_that_comes_to_nothing_says_so_in_time() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, link) = peer.ana_at_work(phone.path()).await;
    peer.silence("GET /v1/sync");
    let (asked, limit) = (Instant::now(), Duration::from_millis(1_500));
    let late = soon(ana.push_received("", limit)).await.unwrap();
    assert_eq!(late, PushOutcome::Failed { why: Unfinished::OutOfTime });
    assert!(asked.elapsed() < limit + AT_ONCE);
    soon(ana.quiesce()).await.unwrap();
    drop((peer, link));
    let asked = Instant::now();
    let offline = soon(ana.push_received("", BUDGET)).await.unwrap();
    assert_eq!(offline, PushOutcome::Failed { why: Unfinished::Offline });
    assert!(asked.elapsed() < AT_ONCE && is_free(phone.path()));
}

#[tokio::test]
async fn whoever_looks_at_the_app_after_a_push_finds_it_awake() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, _link) = peer.ana_at_work(phone.path()).await;
    soon(ana.quiesce()).await.unwrap();
    peer.silence("GET /v1/sync");
    let (outcome, ()) = tokio::join!(soon(ana.push_received("", BUDGET)), async {
        until(&ana.watch_status(), |status| status.sync_in_progress).await;
        soon(ana.resume()).await.unwrap();
        gives_a_task(&peer);
    });
    assert_eq!(outcome, Ok(PushOutcome::NewData));
    assert!(!is_free(phone.path()));
    let suite = ana.stores().suites().get(SUITE_101).await.unwrap();
    assert_eq!(suite.unwrap().suite_number, "101");
}

#[tokio::test]
async fn a_push_into_the_way_to_the_background_is_answered_too() {
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, _link, tap) = ana_just_tapped(&peer, phone.path()).await;
    let (departure, push, ()) =
        tokio::join!(soon(ana.background(BUDGET)), soon(ana.push_received("", BUDGET)), async {
            gives_a_task(&peer);
            takes(&peer, tap, 2);
        });
    assert_eq!((departure, push), (Ok(Backgrounded::Done), Ok(PushOutcome::NewData)));
    assert!(is_free(phone.path()));
}

/// One call of many that come at once.
async fn any_call(ana: InnSync, what: u64, millis: u64) {
    let time = Duration::from_millis(millis);
    match what {
        0 | 1 => drop(soon(ana.background(time)).await.unwrap()),
        2 | 3 => drop(soon(ana.push_received("", time)).await.unwrap()),
        4 => soon(ana.resume()).await.unwrap(),
        5 => soon(ana.quiesce()).await.unwrap(),
        6 => drop(soon(ana.diagnostics()).await.unwrap()),
        7 => ana.network_changed(true),
        _ => ana.foreground(),
    }
}

#[tokio::test]
async fn whatever_comes_at_once_is_answered() {
    // G22
    let (peer, phone) = (Peer::start().await, tempfile::tempdir().unwrap());
    let (ana, _link) = peer.ana_at_work(phone.path()).await;
    for seed in 0..40 {
        let mut random = innsync_random::Random::of(seed, "calls at once");
        match random.coin() {
            true => goes_on(&peer),
            false => peer.silence("GET /v1/sync"),
        }
        let calls: Vec<_> =
            (0..6).map(|_| tokio::spawn(any_call(ana.clone(), random.below(9), random.below(600)))).collect();
        for call in calls {
            call.await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
        soon(ana.quiesce()).await.unwrap();
        assert!(is_free(phone.path()), "seed {seed}");
        soon(ana.resume()).await.unwrap();
        assert!(ana.outbox().await.unwrap().is_empty(), "seed {seed}");
        assert!(!is_free(phone.path()), "seed {seed}: she is back, and nobody sends her away");
    }
}
