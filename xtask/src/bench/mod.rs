//! `cargo xtask bench`: builds the benchmark with optimisation and runs it; then the same through Kotlin and Swift, and
//! what the library that ships weighs.

mod languages;
mod size;

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, ValueEnum};
use serde_json::Value;

use crate::bindings;
use crate::cargo::{cargo, heading, step};

/// What to measure, and where the figures go.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Writes the rows `{name, unit, ours, baseline, ratio}` as a JSON array to this file too. Through Kotlin and Swift the
    /// baseline is the same in Rust.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measures only the rows with this in their name, and neither languages nor the library.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Fails when a ratio is over its bound.
    #[arg(long)]
    check: bool,
    /// Leaves a part out; may be given more than once.
    #[arg(long, value_enum, value_name = "PART")]
    skip: Vec<Part>,
}

/// A part that can be left out.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Phone and server beside plain baselines, in Rust.
    Rows,
    /// The same through Kotlin; needs a JDK and Maven.
    Kotlin,
    /// The same through Swift; needs Swift 6, or a Debian machine on which it may be installed.
    Swift,
    /// What the library that ships weighs.
    Size,
}

pub(crate) fn run(args: &Args) -> Result<(), String> {
    let wanted = |part| !args.skip.contains(&part) && (part == Part::Rows || args.only.is_none());
    let json = match &args.json {
        Some(file) => {
            Some(std::path::absolute(file).map_err(|error| format!("--json {}: {error}", file.display()))?)
        }
        None => None,
    };
    let mut rows = Vec::new();
    let mut over = Ok(());
    if wanted(Part::Rows) {
        over = plain(args, json.as_deref());
        // Also where a bound was passed: that is when the figures are wanted.
        if let Some(file) = json.as_ref().filter(|file| file.exists()) {
            rows = read(file)?;
        }
    }
    if wanted(Part::Size) || wanted(Part::Kotlin) || wanted(Part::Swift) {
        let libraries = bindings::ship()?;
        if wanted(Part::Size) {
            heading("the library that ships, stripped");
            size::report(&libraries)?;
        }
        if wanted(Part::Kotlin) || wanted(Part::Swift) {
            let which = languages::Which { kotlin: wanted(Part::Kotlin), swift: wanted(Part::Swift) };
            rows.extend(languages::measure(&libraries, which)?);
        }
    }
    if let Some(file) = &json {
        let text = format!("{:#}\n", Value::Array(rows));
        std::fs::write(file, text).map_err(|error| format!("--json {}: {error}", file.display()))?;
    }
    over
}

fn plain(args: &Args, json: Option<&Path>) -> Result<(), String> {
    let mut command = cargo(&["run", "--release", "--quiet", "--package", "innsync-bench", "--"]);
    if let Some(file) = json {
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

fn read(file: &Path) -> Result<Vec<Value>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
}
