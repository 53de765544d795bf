//! `cargo xtask sim`: builds the simulator and runs it.

use std::env::consts::EXE_SUFFIX;
use std::process::Command;

use clap::Args as ClapArgs;

use crate::cargo::{PROFILE, build, built, cargo, step};

/// Which seeds to run.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// What the simulator takes: `--from SEED --seeds N`, `--plan FILE`, `--trace`, `--mutants`; `-- --help` tells all.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<(), String> {
    if args.args.iter().any(|arg| arg == "--mutants") {
        build_mutants()?
    } else {
        build()?
    }
    let program = built()?.join(format!("sim{EXE_SUFFIX}"));
    step("simulation", Command::new(program).args(&args.args))
}

/// The simulator alone, with the mutants in it: nothing else that is built ever has them.
fn build_mutants() -> Result<(), String> {
    let package = ["--package", "innsync-simulation", "--bin", "sim", "--features", "mutants"];
    step("build with mutants", cargo(&["build", "--profile", PROFILE]).args(package))
}
