//! Runs seeds on all processors, or a saved plan. The last line says how many ran clean.

#![allow(clippy::print_stdout, clippy::print_stderr)] // It is a command line.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::time::{Duration, Instant};

use clap::Parser;
use innsync_simulation::{Bug, Failure, Plan, Shrunk, Sometimes, run_with, save, save_shortest, shrink};
use serde::{Deserialize, Serialize};

/// Seeds of which nobody expects that they reach everything.
const FEW: u64 = 100;

/// Phones and server on virtual time, from seeds.
#[derive(Parser)]
struct Arguments {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// How many seeds.
    #[arg(long, default_value_t = 500, conflicts_with = "minutes")]
    seeds: u64,
    /// Runs seeds for so long instead.
    #[arg(long, value_name = "M")]
    minutes: Option<u64>,
    /// Of these, only the seeds whose phones have failing disks.
    #[arg(long)]
    disks: bool,
    /// Runs this saved plan instead.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Writes what came of it to this file, too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Processes at once; one for each processor unless given. (Not threads: SQLite's randomness is the process's.)
    #[arg(long, value_name = "N")]
    jobs: Option<u64>,
    /// Runs each of the fifteen mutants over so many seeds until it is caught. Needs a build that has them: `cargo xtask sim
    /// --mutants`.
    #[arg(long, conflicts_with_all = ["minutes", "disks", "plan", "json", "jobs", "trace", "keep_going"])]
    mutants: bool,
    /// Prints everything that happens; with one process.
    #[arg(long)]
    trace: bool,
    /// Goes on after a failure.
    #[arg(long)]
    keep_going: bool,
    /// Does not look for a shorter plan that fails in the same way.
    #[arg(long)]
    no_shrink: bool,
    /// Looks for a shorter plan for so many seconds, instead of 20.
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    shrink: u64,
    /// Runs each so-manieth seed: the others are other processes'.
    #[arg(long, hide = true, default_value_t = 1)]
    stride: u64,
}

/// What came of it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sum {
    /// Seeds that ran clean.
    clean: u64,
    /// Those that did not.
    failed: Vec<Failed>,
    /// Operations that people gave and their phones accepted.
    saved: u64,
    /// Operations that took effect.
    confirmed: u64,
    /// Operations that were parked at some time.
    parked: u64,
    /// Faults of disks.
    disk_faults: u64,
    /// How often a phone compared its digest with the server's.
    digests: u64,
    /// What some runs should reach, and how many did.
    #[serde(default)]
    reached: BTreeMap<String, u64>,
    /// Operations that came to the same with other wall clocks.
    #[serde(default)]
    alike: u64,
    /// Milliseconds of all processes together.
    millis: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Failed {
    seed: u64,
    guarantee: String,
    detail: String,
    /// Its plan.
    plan: Option<PathBuf>,
    /// A shorter one that fails in the same way.
    shortest: Option<PathBuf>,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.clean += other.clean;
        self.failed.extend(other.failed);
        self.saved += other.saved;
        self.confirmed += other.confirmed;
        self.parked += other.parked;
        self.disk_faults += other.disk_faults;
        self.digests += other.digests;
        self.alike += other.alike;
        self.millis += other.millis;
        for (what, runs) in other.reached {
            *self.reached.entry(what).or_default() += runs;
        }
    }

    /// What no run has reached of what some should.
    fn never(&self) -> Vec<&'static str> {
        let texts = Sometimes::ALL.iter().map(|what| what.text());
        texts.filter(|text| !self.reached.contains_key(*text)).collect()
    }

    fn seeds(&self) -> u64 {
        self.clean + self.failed.len() as u64
    }

    fn print(&self, begun: Instant) {
        println!(
            "{} operations saved, {} confirmed, {} parked; {} faults of disks; {} digests compared; {} operations tried with other clocks; {:.1} ms a seed, {:.1} s in all",
            self.saved,
            self.confirmed,
            self.parked,
            self.disk_faults,
            self.digests,
            self.alike,
            self.millis as f64 / self.seeds().max(1) as f64,
            begun.elapsed().as_secs_f64()
        );
        // Few runs reach little.
        let never = if self.seeds() < FEW { Vec::new() } else { self.never() };
        for text in never {
            println!("never: {text}");
        }
        println!("{} seeds ran clean, {} failed", self.clean, self.failed.len());
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let begun = Instant::now();
    if arguments.mutants {
        return hunt(&arguments);
    }
    let processors = std::thread::available_parallelism().map_or(1, |it| it.get() as u64);
    let jobs = arguments.jobs.unwrap_or(processors).max(1);
    let single = jobs == 1 || arguments.trace || arguments.plan.is_some();
    let sum = if single { run(&arguments, begun) } else { share_out(&arguments, jobs) };
    let sum = match sum {
        Ok(sum) => sum,
        Err(error) => {
            println!("{error}");
            return ExitCode::from(2);
        }
    };
    if let Some(file) = &arguments.json
        && let Err(error) = write(file, &sum)
    {
        println!("{}: {error}", file.display());
        return ExitCode::from(2);
    }
    // Of a part nobody wants to read.
    if arguments.stride == 1 {
        sum.print(begun);
    }
    if sum.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A build without mutants: says how to get one.
#[cfg(not(feature = "mutants"))]
fn hunt(_: &Arguments) -> ExitCode {
    println!(
        "there are no mutants in this build; run `cargo xtask sim --mutants`, which makes one that has them"
    );
    ExitCode::from(2)
}

/// Each mutant, until it is caught.
#[cfg(feature = "mutants")]
fn hunt(arguments: &Arguments) -> ExitCode {
    use innsync_simulation::mutants::{Hunt, hunt};
    let (mut caught, mut all) = (0, 0);
    println!("{:<26} {:<7} {:>5} {:>8}  what was seen", "mutant", "failed", "seeds", "time");
    hunt(arguments.from, arguments.seeds, |Hunt { mutant, caught: found, seeds, time }| {
        all += 1;
        caught += u64::from(found.is_some());
        let (guarantee, detail) = found.as_ref().map_or(("-", ""), |(it, detail)| (*it, detail));
        let detail: String = detail.lines().next().unwrap_or("it survived").chars().take(110).collect();
        println!("{mutant:<26} {guarantee:<7} {seeds:>5} {:>6.2} s  {detail}", time.as_secs_f64());
    });
    println!("{caught} of {all} mutants were caught");
    if caught == all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn write(file: &Path, sum: &Sum) -> std::io::Result<()> {
    std::fs::write(file, serde_json::to_string_pretty(sum)?)
}

/// The seeds or the plan, in this process.
fn run(arguments: &Arguments, begun: Instant) -> Result<Sum, String> {
    let mut sum = Sum::default();
    if let Some(path) = &arguments.plan {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
        let plan = text.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
        let plan = plan.map_err(|error| format!("{} is no plan: {error}", path.display()))?;
        one(&plan, arguments, &mut sum);
        return Ok(sum);
    }
    let last = match arguments.minutes {
        None => arguments.from.saturating_add(arguments.seeds),
        Some(_) => u64::MAX,
    };
    let limit = arguments.minutes.map(|minutes| Duration::from_secs(60 * minutes));
    let mut seed = arguments.from;
    while seed < last && limit.is_none_or(|limit| begun.elapsed() < limit) {
        let plan = Plan::of(seed);
        seed = seed.saturating_add(arguments.stride);
        if arguments.disks && plan.disks.is_empty() {
            continue;
        }
        one(&plan, arguments, &mut sum);
        if !sum.failed.is_empty() && !arguments.keep_going {
            break;
        }
    }
    Ok(sum)
}

fn one(plan: &Plan, arguments: &Arguments, sum: &mut Sum) {
    let begun = Instant::now();
    match run_with(plan, Bug::None, arguments.trace) {
        Ok(report) => {
            sum.clean += 1;
            sum.saved += report.accepted;
            sum.confirmed += report.confirmed;
            sum.parked += report.parked;
            sum.disk_faults += report.disk_faults;
            sum.digests += report.digests;
            sum.alike += report.alike;
            for what in report.reached.keys() {
                *sum.reached.entry(what.text().to_owned()).or_default() += 1;
            }
        }
        Err(failure) => sum.failed.push(told(&failure, arguments)),
    }
    sum.millis += u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
}

fn told(failure: &Failure, arguments: &Arguments) -> Failed {
    let plan = save(failure);
    let shrunk = (!arguments.no_shrink).then(|| shorter(failure, Duration::from_secs(arguments.shrink)));
    let shortest = shrunk.as_ref().map(|shrunk| save_shortest(&shrunk.failure));
    let shown = shrunk.as_ref().map_or(failure, |shrunk| &shrunk.failure);
    println!("{shown}");
    if let Some(Shrunk { failure: short, runs, is_done }) = &shrunk {
        let (was, is) = (failure.plan.steps.len(), short.plan.steps.len());
        let all = if *is_done { "nothing more can be left out" } else { "more might be left out" };
        println!("{is} of {was} steps, after {runs} runs; {all}:\n{}", short.plan);
    }
    for (what, path) in [("its plan", Some(&plan)), ("the shortest", shortest.as_ref())] {
        match path {
            Some(Ok(path)) => println!("{what}: {}", path.display()),
            Some(Err(error)) => println!("{what} could not be written: {error}"),
            None => {}
        }
    }
    Failed {
        seed: failure.plan.seed,
        guarantee: failure.violation.guarantee.to_owned(),
        detail: failure.violation.detail.clone(),
        plan: plan.ok(),
        shortest: shortest.and_then(Result::ok),
    }
}

/// Shrinks, and shows on a terminal how far it is.
fn shorter(failure: &Failure, within: Duration) -> Shrunk {
    let is_terminal = std::io::stderr().is_terminal();
    let shrunk = shrink(failure, Bug::None, within, &mut |runs, steps| {
        if is_terminal {
            eprint!("\rshrinking: {steps} steps left after {runs} runs ");
        }
    });
    if is_terminal {
        eprintln!();
    }
    shrunk
}

/// The seeds, by so many processes: each takes every so-manieth one.
fn share_out(arguments: &Arguments, jobs: u64) -> Result<Sum, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let program = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
    let part = |job: u64| folder.path().join(format!("{job}.json"));
    let start = |job: u64| -> std::io::Result<Child> {
        let mut command = Command::new(&program);
        command.arg("--json").arg(part(job));
        command.args(["--jobs", "1", "--stride", &jobs.to_string()]);
        command.args(["--from", &arguments.from.saturating_add(job).to_string()]);
        match arguments.minutes {
            Some(minutes) => command.args(["--minutes", &minutes.to_string()]),
            None => command.args(["--seeds", &arguments.seeds.saturating_sub(job).to_string()]),
        };
        command.args(["--shrink", &arguments.shrink.to_string()]);
        let flags = [
            ("--disks", arguments.disks),
            ("--keep-going", arguments.keep_going),
            ("--no-shrink", arguments.no_shrink),
        ];
        for (flag, on) in flags {
            if on {
                command.arg(flag);
            }
        }
        command.spawn()
    };
    let children: Vec<Child> = (0..jobs)
        .map(start)
        .collect::<std::io::Result<_>>()
        .map_err(|error| format!("a process could not be started: {error}"))?;
    for mut child in children {
        child.wait().map_err(|error| format!("a process: {error}"))?;
    }
    let mut sum = Sum::default();
    for job in 0..jobs {
        let text = std::fs::read_to_string(part(job)).map_err(|error| format!("a process died: {error}"))?;
        sum.add(serde_json::from_str(&text).map_err(|error| error.to_string())?);
    }
    Ok(sum)
}
