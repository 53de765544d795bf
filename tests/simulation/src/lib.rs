//! Three phones (or twenty) and their server in one thread, on virtual time, from one seed: the real engine over the real SQLite, the
//! real ledger, authority, REST and hub; the network, the clocks, the deaths and the people are made up. In every tenth run
//! phones have their databases on disks that fail (`innsync-faulty-disk`): at any of SQLite's operations the app may die,
//! the power fail, or the operation.
//!
//! ```text
//!   seed ─▶ Plan ─▶ World ──┬─ Phone ana    engine + store      ┐
//!    (JSON)  steps, faults  ├─ Phone ben    shadow, watch       ├─ network ─ Host   authority, hub, ledger
//!                           └─ Phone maria                      ┘            issuer
//!                                    │ each transaction                        │ each answered operation
//!                                    └────────────▶ Model (reference) ◀────────┘
//! ```
//!
//! While it runs: whatever the server takes is executed once more by the reference and must come to the same
//! (G2); whenever a phone commits, its mirror must be the reference at its cursor (G6), nothing may leave its outbox
//! unresolved (G1), and nothing may change and change back without a reason (G7). What it shows is the mirror with the
//! outbox replayed over it (G7), whoever goes by what commits say of themselves knows it (G6), what it says is about to be sent is sent (G3), and a token costs no attempt (G12). Whoever
//! lost an edit has a record of it (G8), by rules of the simulation's own, and wrong clocks make no difference (G19). When the
//! plan is over, all faults end, and within a bound everything must be sent, everybody know everything and hold what the
//! server's digest says (G3, G9), and then rest. What these checks are worth is tried with mutants: `cargo xtask sim
//! --mutants`, docs/testing.md.
//!
//! A backup of the ledger may take its place; then the reference goes back, too, and a phone is compared with the history
//! that its cursor is in. What a run reached of what some runs should is in its [`Report`] ([`Sometimes`]).
//!
//! A failure says its seed, and is made shorter ([`shrink`]); the same seed gives the same run. `cargo run -p innsync-simulation --bin sim -- --from 7
//! --seeds 1 --trace` shows all of it.

// Indices into the phones come from plans, which are checked where they come in.
#![allow(clippy::indexing_slicing)]

mod barriers;
mod calm;
mod contest;
mod digests;
mod drive;
mod failure;
mod host;
mod ids;
mod issuer;
mod lives;
mod losses;
mod model;
#[cfg(feature = "mutants")]
pub mod mutants;
mod observers;
mod people;
mod phone;
mod plan;
mod queue;
mod releases;
mod requests;
mod settling;
mod shadow;
mod shrink;
mod sockets;
mod sometimes;
mod steady;
mod steps;
mod storage;
mod told;
mod trace;
mod twins;
mod visits;
mod watch;
mod workload;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

pub use failure::{Failure, Report, Violation};
pub use plan::{CrashPoint, DiskFault, DiskPlan, Faults, Hint, Plan, Releases, Side, Step, Trouble, What};
pub use shrink::{Shrunk, shrink};
pub use sometimes::Sometimes;
pub use workload::Deed;

use trace::Lines;
use world::World;

/// A bug that the harness puts in, to see that the checks find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bug {
    /// None: what is found is real.
    #[default]
    None,
    /// A DELTA is lost on its way, and the HEARTBEAT_ACK after it moves the phone's cursor over it.
    LoseDelta,
    /// An operation is sent a second time under another id.
    PushTwice,
    /// An operation that was called saved is gone from the phone's database after a restart.
    LoseOperation,
    /// What a command did is shown undone for one transaction.
    Flicker,
    /// Phones' disks say that they have synced, and have not (as with `synchronous=OFF`).
    NoSync,
    /// A phone commits its cursor in a transaction of its own, before what it stands for.
    CursorApart,
    /// In the end a row vanishes from a phone's mirror behind the engine's back.
    LoseRow,
    /// So it does, and there is time until the phone compares its digest with the server's: it must heal.
    HealRow,
}

/// Runs the plan of that seed.
pub fn run_seed(seed: u64) -> Result<Report, Box<Failure>> {
    run_plan(&Plan::of(seed))
}

/// Runs a plan.
pub fn run_plan(plan: &Plan) -> Result<Report, Box<Failure>> {
    run_with(plan, Bug::None, false)
}

/// Runs a plan with a bug put in; `trace` prints everything that happens.
pub fn run_with(plan: &Plan, bug: Bug, trace: bool) -> Result<Report, Box<Failure>> {
    let first = if trace { Lines::Printed } else { Lines::Hashed };
    let violation = match run_once(plan, bug, first) {
        Ok(report) if bug == Bug::None && twins::are_compared(plan) => return with_twin(plan, report),
        Ok(report) => return Ok(report),
        Err((violation, lines)) if trace => return Err(failed(plan, violation, lines)),
        Err((violation, _)) => violation,
    };
    // Once more, for the lines of what happened.
    match run_once(plan, bug, Lines::Kept) {
        Err((again, lines)) if again == violation => Err(failed(plan, violation, lines)),
        again => {
            let again = again.map_or_else(|(violation, _)| violation.detail, |_| "nothing".to_owned());
            let lines = vec![format!("the same plan once more gives something else: {again}")];
            Err(failed(plan, violation, lines))
        }
    }
}

/// A run that was clean is compared with one where all wall clocks are other ones.
fn with_twin(plan: &Plan, mut report: Report) -> Result<Report, Box<Failure>> {
    let same = catch_unwind(AssertUnwindSafe(|| twins::compare(plan)));
    let same = same.unwrap_or_else(|_| Err(Violation::new("RUN", "a panic with other wall clocks")));
    match same {
        Ok(same) => {
            report.alike = same;
            Ok(report)
        }
        Err(violation) => Err(failed(plan, violation, Vec::new())),
    }
}

fn failed(plan: &Plan, violation: Violation, trace: Vec<String>) -> Box<Failure> {
    Box::new(Failure { violation, trace, plan: plan.clone() })
}

/// One run; where it fails, with the lines that were kept.
fn run_once(plan: &Plan, bug: Bug, lines: Lines) -> Result<Report, (Violation, Vec<String>)> {
    let mut world = World::new(plan, bug, lines).map_err(|violation| (violation, Vec::new()))?;
    let result = catch_unwind(AssertUnwindSafe(|| world.run()));
    let result = result.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Violation::new("RUN", format!("a panic: {}", text.unwrap_or_default())))
    });
    let result = result.map_err(|violation| (violation, world.trace.last()));
    world.host.end();
    result
}

/// Writes the failed run's plan beside the running program (in the build's output), for
/// `tests/simulation/plans`; says where.
pub fn save(failure: &Failure) -> std::io::Result<PathBuf> {
    save_as(failure, "")
}

/// As [`save`], for the shortest plan that was found.
pub fn save_shortest(failure: &Failure) -> std::io::Result<PathBuf> {
    save_as(failure, "-short")
}

fn save_as(failure: &Failure, which: &str) -> std::io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.parent().map_or_else(PathBuf::new, PathBuf::from);
    let path = folder.join(format!("simulation-{}{which}.json", failure.plan.seed));
    std::fs::write(&path, serde_json::to_string_pretty(&failure.plan)?)?;
    Ok(path)
}
