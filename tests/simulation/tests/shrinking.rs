//! A failing plan becomes a short one that fails in the same way.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use innsync_simulation::{Bug, DiskFault, DiskPlan, Plan, Trouble, What, run_with, shrink};

/// A plan of a hundred steps and more, all classes of faults, wrong clocks, a failing disk.
fn long_plan() -> Plan {
    let mut plan = (1..).map(Plan::of).find(|plan| plan.steps.len() >= 100 && plan.people == 3).unwrap();
    plan.faults.lose_answer = 50;
    plan.faults.duplicate = 50;
    plan.skew_ms = vec![60_000; 3];
    let faults = vec![DiskFault { operation: 5_000, fault: Trouble::Busy { times: 1 } }];
    plan.disks = vec![DiskPlan { who: 0, faults }];
    plan
}

#[test]
fn a_hundred_steps_become_a_handful() {
    let failure = run_with(&long_plan(), Bug::PushTwice, false).unwrap_err();
    let mut heard = Vec::new();
    let shrunk = shrink(&failure, Bug::PushTwice, Duration::from_secs(60), &mut |runs, steps| {
        heard.push((runs, steps));
    });
    let plan = &shrunk.failure.plan;
    assert!(shrunk.is_done, "{} runs were not enough", shrunk.runs);
    assert_eq!(shrunk.failure.violation.guarantee, failure.violation.guarantee);
    // A command that is sent twice is enough.
    assert!(plan.steps.len() <= 3, "{plan}");
    assert!(plan.steps.iter().any(|step| matches!(step.what, What::Act { .. })), "{plan}");
    assert_eq!((plan.faults.lose_answer, plan.faults.duplicate), (0, 0));
    assert_eq!((&plan.skew_ms, plan.disks.len()), (&vec![0; 3], 0));
    assert_eq!(heard.last(), Some(&(shrunk.runs, plan.steps.len())), "the progress is told");
    // It fails again, from its JSON.
    let saved = serde_json::to_string(plan).unwrap();
    let again = run_with(&serde_json::from_str(&saved).unwrap(), Bug::PushTwice, false).unwrap_err();
    assert_eq!(again.violation, shrunk.failure.violation);
    let words = plan.to_string();
    assert!(words.lines().count() == 1 + plan.steps.len() && words.contains(" does "), "{words}");
}

#[test]
fn without_time_the_plan_stays_as_it_is() {
    let failure = run_with(&long_plan(), Bug::PushTwice, false).unwrap_err();
    let shrunk = shrink(&failure, Bug::PushTwice, Duration::ZERO, &mut |_, _| {});
    assert_eq!((shrunk.runs, shrunk.is_done), (0, false));
    assert_eq!(shrunk.failure.plan, failure.plan);
}
