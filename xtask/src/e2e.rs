//! `cargo xtask e2e`: rounds of chaos with real processes.

use std::env::consts::EXE_SUFFIX;
use std::process::Command;

use clap::Args as ClapArgs;

use crate::bindings;
use crate::cargo::{PROFILE, cargo, step};

/// Which rounds to run.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// What the rounds take: `--rounds N --from SEED --at-once N`; `-- --help` tells all.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<(), String> {
    // The whole workspace, as `cargo xtask test` does: by themselves these would be built once more with other features.
    step("build", &mut cargo(&["build", "--profile", PROFILE, "--workspace", "--lib", "--bins"]))?;
    let program = bindings::built()?.join(format!("innsync-chaos{EXE_SUFFIX}"));
    step("rounds of chaos", Command::new(program).args(&args.args))
}
