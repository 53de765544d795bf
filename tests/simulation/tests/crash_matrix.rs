//! A day of ana's phone, gone through once for each of SQLite's operations on its disk: the app dies within it, or the power
//! fails, or the operation does. The day goes on, and in the end nothing that ana was told is saved is missing (G1), all of
//! it took effect once (G2) and soon (G3), and at every commit her cursor, her rows and her outbox were right (G6, G7); see
//! `lib.rs` for how these are checked.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use innsync_domain::EntityKind;
use innsync_simulation::{
    Bug, CrashPoint, Deed, DiskFault, DiskPlan, Faults, Plan, Report, Step, Trouble, What, run_plan,
    run_with, save,
};

const ANA: usize = 0;
const MARIA: usize = 2;

/// From installing the app to the evening.
fn day() -> Vec<Step> {
    use Deed as D;
    let act = |at, who, deed, pick| Step { at, what: What::Act { who, deed, pick } };
    let is = |at, what| Step { at, what };
    vec![
        // A new file, its format, a first snapshot; then deltas.
        act(400, MARIA, D::CreateTask, 1),
        act(450, MARIA, D::WriteNote, 11),
        act(600, ANA, D::CreateTask, 3),
        act(650, ANA, D::SuiteStatus, 4),
        act(700, ANA, D::TakeTask, 7),
        act(750, ANA, D::Comment, 8),
        // In the cellar, while maria does the same things otherwise.
        is(1_000, What::Partition { who: ANA, ms: 1_500, told: true }),
        act(1_100, ANA, D::SuiteStatus, 5),
        act(1_150, MARIA, D::SuiteStatus, 5),
        act(1_200, ANA, D::Comment, 13),
        // These two meet: ana's is parked.
        act(1_250, ANA, D::EditTask, 16),
        act(1_300, MARIA, D::EditTask, 33),
        act(1_400, ANA, D::Duty, 15),
        is(3_100, What::Decide { who: ANA, pick: 0 }),
        is(3_200, What::Decide { who: ANA, pick: 1 }),
        // Closed and opened again: the log goes back into the file.
        is(3_400, What::Close { who: ANA, down_ms: 300 }),
        // An emergency: effects.
        act(4_000, MARIA, D::Raise, 17),
        act(4_300, ANA, D::Acknowledge, 18),
        // Room is made, everything is fetched anew.
        is(4_600, What::ClearKind { who: ANA, kind: EntityKind::Note }),
        is(4_900, What::ClearCache { who: ANA }),
        // Killed by the system, with a log that is not in the file.
        is(5_300, What::Crash { who: ANA, point: CrashPoint::AfterCommit, down_ms: 200, reboot: false }),
        act(5_400, ANA, D::SuiteStatus, 23),
        act(5_900, ANA, D::MarkRead, 25),
        is(6_200, What::Foreground { who: ANA }),
    ]
}

/// The day, with these faults on ana's disk.
fn plan(faults: Vec<DiskFault>) -> Plan {
    let calm = Faults { delay_min_ms: 5, delay_max_ms: 60, ..Faults::default() };
    let disks = vec![DiskPlan { who: ANA, faults }];
    Plan {
        seed: 2_211,
        faults: calm,
        skew_ms: vec![0; 3],
        steps: day(),
        disks,
        people: 3,
        policies: Default::default(),
    }
}

fn run(faults: Vec<DiskFault>) -> Report {
    run_plan(&plan(faults.clone())).unwrap_or_else(|failure| {
        let place = save(&failure).map_or_else(|error| error.to_string(), |path| path.display().to_string());
        panic!("{failure}\n{faults:?}; its plan: {place}");
    })
}

/// At operations of the day, `seeds` times, the faults that `faults` makes of the operation and of a seed. Says how many came.
///
/// Deaths and power losses are tried at all of [`Which`]; of what else may happen, `part` says at which part of them, which
/// is another each time: `INNSYNC_MATRIX=all` tries all (some five minutes on one core).
fn at_every(
    what: &str,
    (which, part): (Which, u64),
    seeds: u64,
    faults: impl Fn(u64, u64) -> Vec<DiskFault>,
) {
    let (begun, day) = (Instant::now(), run(Vec::new()));
    let mut operations = match which {
        Which::Operation => (1..=day.disk_operations).collect(),
        Which::Change => day.disk_changes,
    };
    let all = operations.len();
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    if std::env::var("INNSYNC_MATRIX").is_err() {
        operations.retain(|operation| (operation + time).is_multiple_of(part));
    }
    let (runs, mut struck) = (operations.len() as u64 * seeds, 0);
    for operation in &operations {
        for seed in 0..seeds {
            let report = run(faults(*operation, operation * seeds + seed));
            struck += u64::from(report.disk_faults > 0);
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{what}: {runs} runs, at {} of {all} operations, {struck} with faults, in {seconds:.1} s",
        operations.len()
    );
    assert!(struck * 100 >= runs * 90, "{struck} of {runs}");
}

/// Which operations. A death that changes nothing on the disk leaves what a death at the next change leaves.
#[derive(Clone, Copy)]
enum Which {
    Operation,
    Change,
}

fn at(operation: u64, fault: Trouble) -> DiskFault {
    DiskFault { operation, fault }
}

#[test]
fn the_day_has_something_of_everything() {
    let report = run(Vec::new());
    println!("{} saved, {} parked, {} operations", report.accepted, report.parked, report.disk_operations);
    assert!(report.accepted >= 10, "{} saved", report.accepted);
    assert!(report.parked >= 1, "{} parked", report.parked);
    assert!((600..2_000).contains(&report.disk_operations), "{} operations", report.disk_operations);
    assert!(report.disk_changes.len() > 400, "{} changes", report.disk_changes.len());
}

#[test]
fn the_app_dies_at_every_operation() {
    at_every("deaths", (Which::Change, 1), 1, |operation, _| {
        vec![at(operation, Trouble::Crash { down_ms: 150 })]
    });
}

#[test]
fn the_power_fails_at_every_operation() {
    at_every("power losses", (Which::Change, 1), 2, |operation, seed| {
        vec![at(operation, Trouble::PowerLoss { down_ms: 150, seed })]
    });
}

/// What was found on the disk after a death must not be gone after the next one: ana has seen it.
#[test]
fn the_app_dies_at_every_operation_and_soon_after_it_the_power_fails() {
    at_every("deaths, then power losses", (Which::Change, 6), 1, |operation, seed| {
        let next = operation + 1 + seed % 90;
        vec![
            at(operation, Trouble::Crash { down_ms: 150 }),
            at(next, Trouble::PowerLoss { down_ms: 150, seed }),
        ]
    });
}

#[test]
fn every_operation_fails_once() {
    at_every("I/O errors", (Which::Operation, 7), 1, |operation, _| {
        vec![at(operation, Trouble::Io { times: 1 })]
    });
}

#[test]
fn every_operation_fails_and_some_after_it_and_then_the_power() {
    at_every("I/O errors, then power losses", (Which::Change, 8), 1, |operation, seed| {
        let io = Trouble::Io { times: 1 + seed % 5 };
        vec![at(operation, io), at(operation + 5 + seed % 20, Trouble::PowerLoss { down_ms: 150, seed })]
    });
}

#[test]
fn the_disk_is_full_from_every_operation_on() {
    at_every("full disks", (Which::Change, 8), 1, |operation, seed| {
        vec![at(operation, Trouble::Full { times: 1 + seed % 12 })]
    });
}

#[test]
fn the_database_is_busy_from_every_operation_on() {
    at_every("busy databases", (Which::Change, 10), 1, |operation, seed| {
        vec![at(operation, Trouble::Busy { times: 1 + seed % 120 })]
    });
}

/// How many runs with a bug put in are found out, by what did not hold.
fn found(bug: Bug, fault: impl Fn(u64) -> Trouble) -> Vec<&'static str> {
    let operations = run(Vec::new()).disk_operations;
    let faults = (1..=operations).step_by(29).map(|operation| at(operation, fault(operation)));
    let runs = faults.map(|fault| run_with(&plan(vec![fault]), bug, false));
    runs.filter_map(Result::err).map(|failure| failure.violation.guarantee).collect()
}

/// The matrix is worth what it finds.
#[test]
fn commits_that_are_not_synced_are_found() {
    let found = found(Bug::NoSync, |seed| Trouble::PowerLoss { down_ms: 150, seed });
    println!("without syncs: {}", found.len());
    assert!(found.len() > 5 && found.contains(&"G1"), "{found:?}");
}

#[test]
fn a_cursor_committed_apart_is_found() {
    let found = found(Bug::CursorApart, |_| Trouble::Crash { down_ms: 150 });
    println!("with the cursor apart: {}", found.len());
    assert!(!found.is_empty(), "{found:?}");
}
