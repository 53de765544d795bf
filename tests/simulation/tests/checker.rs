//! The checks are worth what they find: with a bug put in on purpose, they must say so.

#![allow(clippy::unwrap_used, clippy::panic)]

use innsync_simulation::{Bug, Faults, Plan, run_with};

/// What is found in a few runs without other faults, where every run must be clean but for the bug.
fn found(bug: Bug) -> Vec<&'static str> {
    let mut found = Vec::new();
    for seed in 1..=5 {
        let calm = Faults { delay_min_ms: 5, delay_max_ms: 100, ..Faults::default() };
        let plan = Plan { faults: calm, ..Plan::of(seed) };
        if let Err(failure) = run_with(&plan, bug, false) {
            assert!(!failure.trace.is_empty(), "a failure tells what happened");
            found.push(failure.violation.guarantee);
        }
    }
    found
}

#[test]
fn without_a_bug_nothing_is_found() {
    assert_eq!(found(Bug::None), [""; 0]);
}

#[test]
fn a_cursor_that_passes_a_lost_delta_is_found() {
    assert_eq!(found(Bug::LoseDelta), ["G6"; 5]);
}

#[test]
fn an_operation_sent_under_two_ids_is_found() {
    assert_eq!(found(Bug::PushTwice), ["G2"; 5]);
}

#[test]
fn an_operation_gone_from_the_disk_is_found() {
    assert_eq!(found(Bug::LoseOperation), ["G1"; 5]);
}

#[test]
fn a_prediction_shown_undone_for_a_moment_is_found() {
    assert_eq!(found(Bug::Flicker), ["G7"; 5]);
}
