//! `cargo xtask sim`: builds the simulator and runs it.

use clap::Args as ClapArgs;

use crate::cargo::{PROFILE, cargo, step};

/// Which seeds to run.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// What the simulator takes: `--from SEED --seeds N`, `--plan FILE`, `--trace`; `-- --help` tells all.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<(), String> {
    let mut command =
        cargo(&["run", "--quiet", "--profile", PROFILE, "--package", "innsync-simulation", "--bin", "sim"]);
    step("simulation", command.arg("--").args(&args.args))
}
