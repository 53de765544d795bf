//! The mutants stay out of every build but the one that is asked to have them.

#![allow(clippy::unwrap_used)]

use std::process::Command;

/// What `cargo tree` says of the features with which anything in the workspace uses the domain.
fn features_of_the_domain(more: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    cargo.args(["tree", "--offline", "--locked", "--workspace", "--edges", "features"]);
    let done = cargo.args(["--invert", "innsync-domain"]).args(more).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn nothing_that_ships_or_is_tested_has_them() {
    let usual = features_of_the_domain(&[]);
    assert!(usual.contains("innsync-server") && usual.contains("innsync-client"), "{usual}");
    assert!(!usual.contains("mutants"), "{usual}");
    let asked = features_of_the_domain(&["--features", "innsync-simulation/mutants"]);
    assert!(asked.contains(r#"innsync-domain feature "mutants""#), "{asked}");
}

#[test]
#[cfg(not(feature = "mutants"))]
fn a_build_without_them_says_how_to_get_one() {
    let done = Command::new(env!("CARGO_BIN_EXE_sim")).arg("--mutants").output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(said.contains("cargo xtask sim --mutants"), "{said}");
}
