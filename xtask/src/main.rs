//! The developer's commands. `cargo xtask --help` lists them.

mod bench;
mod bindings;
mod cargo;
mod demo;
mod e2e;
mod golden;
mod shells;
mod sim;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// InnSync's developer commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs everything that must pass: unit, property, simulation and end-to-end tests, the demo, the docs.
    Test(test::Args),
    /// Shows it all at work: a server process, five phones, a shift's scenes, a kill and a conflict.
    Demo(demo::Args),
    #[command(hide = true)]
    Basement(demo::BasementArgs),
    /// Runs the simulator: phones and the server on virtual time, one seed after the other.
    Sim(sim::Args),
    /// Runs rounds of chaos: server and phones as processes, a bad network between them, and kill -9 of both.
    E2e(e2e::Args),
    /// Writes the databases of this release to `tests/golden`, where they are missing: with each migration, once.
    #[command(hide = true)]
    Golden,
    /// Writes the Kotlin and Swift that belong to the core, and puts the libraries where the two packages find them.
    Bindings(bindings::Args),
    /// Measures InnSync beside plain baselines in the same run, and prints a table.
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Test(args) => test::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Basement(args) => demo::run_basement(&args),
        Command::Sim(args) => sim::run(&args),
        Command::E2e(args) => e2e::run(&args),
        Command::Golden => golden::run(),
        Command::Bindings(args) => bindings::run(&args),
        Command::Bench(args) => bench::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
