//! The mutants (`innsync_domain::mutant`): each is run over seeds until a check fails. One that none finds shows a check that
//! is missing.

use std::time::{Duration, Instant};

use innsync_domain::mutant::{Mutant, choose};

use crate::plan::Plan;
use crate::{Bug, run_with};

/// What came of one mutant.
#[derive(Debug, Clone)]
pub struct Hunt {
    /// Which one.
    pub mutant: Mutant,
    /// The guarantee that did not hold, and what was seen; `None`: it survived.
    pub caught: Option<(&'static str, String)>,
    /// Seeds that were run, the one that caught it with them.
    pub seeds: u64,
    /// How long it took.
    pub time: Duration,
}

/// Runs each mutant over at most `seeds` seeds from `from` on, and hands out what came of it.
pub fn hunt(from: u64, seeds: u64, mut each: impl FnMut(&Hunt)) {
    // A panic is one of the ways in which a mutant is caught; it is told with the rest.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for mutant in Mutant::ALL {
        each(&hunt_one(mutant, from, seeds));
    }
    std::panic::set_hook(hook);
}

fn hunt_one(mutant: Mutant, from: u64, seeds: u64) -> Hunt {
    let begun = Instant::now();
    let mut run = 0;
    let mut caught = None;
    while caught.is_none() && run < seeds {
        let plan = Plan::of(from.saturating_add(run));
        choose(Some(mutant));
        let failure = run_with(&plan, Bug::None, false).err();
        choose(None);
        // What fails without it as well says nothing of it.
        caught = failure
            .filter(|_| run_with(&plan, Bug::None, false).is_ok())
            .map(|failure| (failure.violation.guarantee, failure.violation.detail));
        run += 1;
    }
    Hunt { mutant, caught, seeds: run, time: begun.elapsed() }
}
