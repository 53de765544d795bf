//! `cargo xtask test`: everything that must pass, on a fresh machine too.

use clap::Args as ClapArgs;

use crate::cargo::{PROFILE, cargo, step};

/// What to leave out.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Leaves the demo out.
    #[arg(long)]
    skip_demo: bool,
    /// Leaves the documentation out.
    #[arg(long)]
    skip_docs: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), String> {
    let mut ran = vec!["tests of all crates"];
    // Built first, all at once, so that the tests that start the server's binary find it.
    step("build", &mut cargo(&["build", "--profile", PROFILE, "--workspace", "--bins"]))?;
    step(
        "tests of all crates",
        &mut cargo(&["test", "--profile", PROFILE, "--workspace", "--no-fail-fast"]),
    )?;
    if !args.skip_docs {
        let mut doc = cargo(&["doc", "--profile", PROFILE, "--workspace", "--no-deps", "--quiet"]);
        step("documentation without warnings", doc.env("RUSTDOCFLAGS", "--deny warnings"))?;
        ran.push("documentation");
    }
    if !args.skip_demo {
        let mut demo = cargo(&["run", "--quiet", "--profile", PROFILE, "--package", "xtask", "--"]);
        step("the demo, headless", demo.args(["demo", "--headless"]))?;
        ran.push("demo");
    }
    anstream::println!("all passed: {}", ran.join(", "));
    Ok(())
}
