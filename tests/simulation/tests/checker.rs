//! The checks are worth what they find: with a bug put in on purpose, they must say so.

#![allow(clippy::unwrap_used, clippy::panic)]

use innsync_simulation::{Bug, Faults, Plan, run_with};

/// A seed's plan without faults of the network.
fn calm(seed: u64) -> Plan {
    let calm = Faults { delay_min_ms: 5, delay_max_ms: 100, ..Faults::default() };
    Plan { faults: calm, ..Plan::of(seed) }
}

/// What is found in a few runs without other faults, where every run must be clean but for the bug.
fn found(bug: Bug) -> Vec<&'static str> {
    let mut found = Vec::new();
    for seed in 1..=5 {
        if let Err(failure) = run_with(&calm(seed), bug, false) {
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

/// Nobody but a digest would see it: nothing that comes later touches the row.
#[test]
fn a_row_that_vanished_behind_the_engines_back_is_found() {
    assert_eq!(found(Bug::LoseRow), ["G9"; 5]);
}

/// G9: the engine itself finds out and heals, and then everything is checked as always.
#[test]
fn a_row_that_vanished_is_fetched_again_once_the_digest_differs() {
    for seed in 1..=5 {
        let report = run_with(&calm(seed), Bug::HealRow, false).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(report.healed, 1, "seed {seed}");
        assert!(report.digests >= 1, "seed {seed} compared {} digests", report.digests);
    }
}
