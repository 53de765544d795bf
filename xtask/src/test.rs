//! `cargo xtask test`: everything that must pass, on a fresh machine too.

use std::env::consts::EXE_SUFFIX;
use std::process::Command;

use clap::{Args as ClapArgs, ValueEnum};

use crate::cargo::{PROFILE, built, cargo, step};
use crate::{bindings, shells};

/// What to leave out.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Leaves a part out; may be given more than once.
    #[arg(long, value_enum, value_name = "PART")]
    skip: Vec<Part>,
}

/// A part that can be left out.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The documentation.
    Docs,
    /// The demo.
    Demo,
    /// The Kotlin library; needs a JDK and Maven.
    Kotlin,
    /// The Swift package; needs Swift 6, or a Debian machine on which it may be installed.
    Swift,
}

pub(crate) fn run(args: &Args) -> Result<(), String> {
    let wanted = |part| !args.skip.contains(&part);
    let mut ran = vec!["tests of all crates"];
    // Built first, programs and tests at once, so that the tests that start the server's binary find it.
    step("build", &mut cargo(&["build", "--profile", PROFILE, "--workspace", "--all-targets"]))?;
    step(
        "tests of all crates",
        &mut cargo(&["test", "--profile", PROFILE, "--workspace", "--no-fail-fast"]),
    )?;
    if wanted(Part::Kotlin) || wanted(Part::Swift) {
        bindings::generate(&built()?)?;
    }
    if wanted(Part::Kotlin) {
        shells::kotlin(wanted(Part::Docs))?;
        ran.push("Kotlin");
    }
    if wanted(Part::Swift) {
        shells::swift(wanted(Part::Docs))?;
        ran.push("Swift");
    }
    if wanted(Part::Docs) {
        let mut doc = cargo(&["doc", "--profile", PROFILE, "--workspace", "--no-deps", "--quiet"]);
        step("documentation without warnings", doc.env("RUSTDOCFLAGS", "--deny warnings"))?;
        ran.push("documentation");
    }
    if wanted(Part::Demo) {
        // By the program that is there: cargo would build it and the server once more, each by itself and so with other
        // features. The build of the workspace may have put another in the place of this one.
        let me = built()?.join(format!("xtask{EXE_SUFFIX}"));
        step("the demo, headless", Command::new(me).args(["demo", "--headless", "--built"]))?;
        ran.push("demo");
    }
    anstream::println!("all passed: {}", ran.join(", "));
    Ok(())
}
