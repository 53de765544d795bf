//! `cargo xtask e2e`: rounds of chaos with real processes.

use std::env::consts::EXE_SUFFIX;
use std::process::Command;

use clap::Args as ClapArgs;

use crate::cargo::{build, built, step};

/// Which rounds to run.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// What the rounds take: `--rounds N --from SEED --at-once N`; `-- --help` tells all.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<(), String> {
    build()?;
    let program = built()?.join(format!("innsync-chaos{EXE_SUFFIX}"));
    step("rounds of chaos", Command::new(program).args(&args.args))
}
