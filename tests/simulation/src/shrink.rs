//! A failing plan made shorter: what can be left out while the same guarantee fails is left out. First whole classes of
//! faults, then steps, in ever smaller pieces (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input",
//! 2002), then what is left of disks and clocks; again and again until nothing more can go, or time is up.

use std::time::{Duration, Instant};

use innsync_domain::Policies;

use crate::failure::Failure;
use crate::people::FEW;
use crate::plan::{Faults, Plan, Releases, What};
use crate::{Bug, run_with};

/// What came of shrinking.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// The failure of the shortest plan that was found.
    pub failure: Failure,
    /// How many plans were tried.
    pub runs: u64,
    /// Whether nothing more could be left out; else time was up.
    pub is_done: bool,
}

/// Makes the plan of a failure shorter, for so long at most. `progress` hears after each run how many were made, and how
/// many steps are left.
pub fn shrink(failure: &Failure, bug: Bug, within: Duration, progress: &mut dyn FnMut(u64, usize)) -> Shrunk {
    let end = Instant::now() + within;
    let mut search = Search { best: failure.clone(), bug, end, runs: 0, progress };
    while search.round() {}
    let is_done = !search.is_over();
    Shrunk { failure: search.best, runs: search.runs, is_done }
}

struct Search<'a> {
    best: Failure,
    bug: Bug,
    end: Instant,
    runs: u64,
    progress: &'a mut dyn FnMut(u64, usize),
}

impl Search<'_> {
    fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    /// One pass over everything; whether anything could be left out, and there is time for more.
    fn round(&mut self) -> bool {
        let before = self.best.plan.clone();
        self.classes();
        self.steps();
        self.rest();
        self.best.plan != before && !self.is_over()
    }

    /// Takes `plan` if it fails in the same way.
    fn keeps(&mut self, plan: Plan) -> bool {
        if plan == self.best.plan || self.is_over() {
            return false;
        }
        self.runs += 1;
        let found = run_with(&plan, self.bug, false).err();
        let same = found.filter(|found| found.violation.guarantee == self.best.violation.guarantee);
        let keeps = same.is_some();
        if let Some(failure) = same {
            self.best = *failure;
        }
        (self.progress)(self.runs, self.best.plan.steps.len());
        keeps
    }

    /// All faults of the network off, or each class of them.
    fn classes(&mut self) {
        let calm = Faults { delay_min_ms: 5, delay_max_ms: 20, ..Faults::default() };
        if self.keeps(Plan { faults: calm, ..self.best.plan.clone() }) {
            return;
        }
        let off: [fn(&mut Faults); 17] = [
            |it| it.delay_max_ms = 20,
            |it| it.lose_request = 0,
            |it| it.lose_answer = 0,
            |it| it.duplicate = 0,
            |it| it.server_error = 0,
            |it| it.captive = 0,
            |it| it.cut_body = 0,
            |it| it.cut_socket = 0,
            |it| it.commit_fails = 0,
            |it| it.token_ms = 0,
            |it| (it.refuse, it.cut_answer) = (0, 0),
            |it| it.unseen = 0,
            |it| it.busy = 0,
            |it| it.page = 0,
            |it| it.slow_ledger_ms = 0,
            |it| it.absent = 0,
            |it| it.releases = Releases::Same,
        ];
        for off in off {
            let mut plan = self.best.plan.clone();
            off(&mut plan.faults);
            self.keeps(plan);
        }
    }

    /// Leaves out pieces of the steps, halving them as long as none can go.
    fn steps(&mut self) {
        let mut piece = self.best.plan.steps.len();
        while piece > 0 && !self.is_over() {
            let mut at = 0;
            while at < self.best.plan.steps.len() && !self.is_over() {
                let mut plan = self.best.plan.clone();
                plan.steps.drain(at..(at + piece).min(plan.steps.len()));
                if !self.keeps(plan) {
                    at += piece;
                }
            }
            piece /= 2;
        }
    }

    /// Clocks that are right, disks that do not fail, people who have nothing to do.
    fn rest(&mut self) {
        let plan = self.best.plan.clone();
        self.keeps(Plan { skew_ms: vec![0; plan.skew_ms.len()], ..plan.clone() });
        self.keeps(Plan { disks: Vec::new(), ..self.best.plan.clone() });
        self.keeps(Plan { policies: Policies::default(), ..self.best.plan.clone() });
        for disk in (0..self.best.plan.disks.len()).rev() {
            let mut plan = self.best.plan.clone();
            plan.disks.remove(disk);
            if self.keeps(plan) {
                continue;
            }
            for fault in (0..self.best.plan.disks[disk].faults.len()).rev() {
                let mut plan = self.best.plan.clone();
                plan.disks[disk].faults.remove(fault);
                self.keeps(plan);
            }
        }
        let busy =
            self.best.plan.steps.iter().filter_map(|step| step.what.who()).max().map_or(0, |who| who + 1);
        let people = busy.max(FEW);
        if people < self.best.plan.people {
            self.keeps(Plan { people, ..self.best.plan.clone() });
        }
    }
}

impl What {
    /// Whose phone it happens to.
    fn who(&self) -> Option<usize> {
        match self {
            Self::Act { who, .. }
            | Self::Decide { who, .. }
            | Self::Settle { who, .. }
            | Self::Crash { who, .. }
            | Self::Close { who, .. }
            | Self::Partition { who, .. }
            | Self::CutSocket { who, .. }
            | Self::SetClock { who, .. }
            | Self::Foreground { who }
            | Self::RevokeAccess { who }
            | Self::EndSession { who, .. }
            | Self::Refetch { who }
            | Self::ClearCache { who }
            | Self::ClearKind { who, .. }
            | Self::Disconnect { who, .. }
            | Self::Suspend { who, .. }
            | Self::OneWay { who, .. }
            | Self::CopyPhone { who }
            | Self::Background { who, .. }
            | Self::Push { who, .. }
            | Self::Dismiss { who, .. } => Some(*who),
            Self::RestartServer { .. } | Self::TrimLog { .. } | Self::BackUp | Self::Restore { .. } => None,
        }
    }
}
