//! `cargo xtask sim`: builds the simulator and runs it.

use std::env::consts::EXE_SUFFIX;
use std::process::Command;

use clap::Args as ClapArgs;

use crate::cargo::{build, built, step};

/// Which seeds to run.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// What the simulator takes: `--from SEED --seeds N`, `--plan FILE`, `--trace`; `-- --help` tells all.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<(), String> {
    build()?;
    let program = built()?.join(format!("sim{EXE_SUFFIX}"));
    step("simulation", Command::new(program).args(&args.args))
}
