//! `cargo xtask bench`: builds the benchmark with optimisation and runs it.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::cargo::{cargo, step};

/// What to measure, and where the figures go.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Writes the rows `{name, unit, ours, baseline, ratio}` as a JSON array to this file too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measures only what has this in its name.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Fails when a ratio is over its bound.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), String> {
    let mut command = cargo(&["run", "--release", "--quiet", "--package", "innsync-bench", "--"]);
    if let Some(file) = &args.json {
        let file =
            std::path::absolute(file).map_err(|error| format!("--json {}: {error}", file.display()))?;
        command.arg("--json").arg(file);
    }
    if let Some(only) = &args.only {
        command.args(["--only", only]);
    }
    if args.check {
        command.arg("--check");
    }
    step("benchmark (built with optimisation)", &mut command)
}
