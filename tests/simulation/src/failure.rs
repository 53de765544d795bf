//! What a run came to.

use std::collections::BTreeMap;
use std::fmt;

use crate::plan::Plan;
use crate::sometimes::Sometimes;

/// A guarantee did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which one: `G2`, see the project's guarantees; `RUN` where the run itself could not go on.
    pub guarantee: &'static str,
    /// What was seen.
    pub detail: String,
}

impl Violation {
    pub(crate) fn new(guarantee: &'static str, detail: impl Into<String>) -> Self {
        Self { guarantee, detail: detail.into() }
    }
}

/// A run that failed, with what is needed to find out why.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What did not hold.
    pub violation: Violation,
    /// The last lines of the trace.
    pub trace: Vec<String>,
    /// The run's plan.
    pub plan: Plan,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { guarantee, detail } = &self.violation;
        writeln!(f, "seed {}: {guarantee} does not hold: {detail}", self.plan.seed)?;
        writeln!(f, "the last of what happened (seconds of virtual time):")?;
        self.trace.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl std::error::Error for Failure {}

/// A run that was clean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The hash over everything that happened: the same plan gives the same.
    pub trace_hash: u64,
    /// Lines of trace.
    pub events: u64,
    /// Operations that people gave and their phones accepted.
    pub accepted: u64,
    /// Operations that took effect.
    pub confirmed: u64,
    /// Operations that were parked at some time.
    pub parked: u64,
    /// SQLite's operations on failing disks, up to when all was calm.
    pub disk_operations: u64,
    /// Those of them that changed something there; of one disk alone.
    pub disk_changes: Vec<u64>,
    /// Faults of disks that came.
    pub disk_faults: u64,
    /// How often a phone compared its digest with the server's.
    pub digests: u64,
    /// How often one found a difference by that, and fetched everything anew.
    pub healed: u64,
    /// Operations that came to the same with other wall clocks; 0 where that was not tried.
    pub alike: u64,
    /// What it reached of what some runs should, and how often.
    pub reached: BTreeMap<Sometimes, u64>,
    /// Virtual milliseconds that it took.
    pub virtual_ms: u64,
}

/// `Ok`, or what did not hold.
pub(crate) type Checked<T = ()> = Result<T, Violation>;
