//! Runs seeds, or a saved plan. The last line says how many ran clean.

#![allow(clippy::print_stdout)] // It is a command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use innsync_simulation::{Bug, Plan, run_with, save};

/// Phones and server on virtual time, from seeds.
#[derive(Parser)]
struct Arguments {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// How many seeds.
    #[arg(long, default_value_t = 500)]
    seeds: u64,
    /// Of these, only the seeds whose phones have failing disks.
    #[arg(long)]
    disks: bool,
    /// Runs this saved plan instead.
    #[arg(long)]
    plan: Option<PathBuf>,
    /// Prints everything that happens.
    #[arg(long)]
    trace: bool,
    /// Goes on after a failure.
    #[arg(long)]
    keep_going: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let plans: Box<dyn Iterator<Item = Plan>> = match &arguments.plan {
        None => Box::new((arguments.from..arguments.from.saturating_add(arguments.seeds)).map(Plan::of)),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
            match text.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string())) {
                Ok(plan) => Box::new(std::iter::once(plan)),
                Err(error) => {
                    println!("{} is no plan: {error}", path.display());
                    return ExitCode::from(2);
                }
            }
        }
    };
    let begun = Instant::now();
    let (mut clean, mut failed, mut accepted, mut confirmed, mut parked) = (0u64, 0u64, 0, 0, 0);
    let mut faults = 0;
    for plan in plans {
        if arguments.disks && plan.disks.is_empty() {
            continue;
        }
        match run_with(&plan, Bug::None, arguments.trace) {
            Ok(report) => {
                faults += report.disk_faults;
                clean += 1;
                accepted += report.accepted;
                confirmed += report.confirmed;
                parked += report.parked;
            }
            Err(failure) => {
                failed += 1;
                println!("{failure}");
                match save(&failure) {
                    Ok(path) => println!("its plan: {}", path.display()),
                    Err(error) => println!("its plan could not be written: {error}"),
                }
                if !arguments.keep_going {
                    break;
                }
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{accepted} operations saved, {confirmed} confirmed, {parked} parked; {faults} faults of disks; {:.1} ms a seed",
        seconds * 1000.0 / (clean + failed).max(1) as f64
    );
    println!("{clean} seeds ran clean, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
