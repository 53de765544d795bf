//! `innsync-chaos`: rounds of chaos, one seed after the other. `cargo xtask e2e` builds and runs it. It is a phone, too: the
//! rounds start it as one.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args as ClapArgs, Parser, Subcommand};
use innsync_e2e::chaos::{Handset, Ran, Settings, rounds};

/// Rounds of chaos: a server and four phones as processes, bad networks between them, and kill -9 of both.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    rounds: Rounds,
}

#[derive(ClapArgs)]
struct Rounds {
    /// How many rounds.
    #[arg(long, default_value_t = 10)]
    rounds: u64,
    /// The first one's seed; the others follow it. Left out: by the clock.
    #[arg(long, value_name = "SEED")]
    from: Option<u64>,
    /// How many run at the same time.
    #[arg(long, value_name = "ROUNDS", default_value_t = 2)]
    at_once: usize,
    /// How long it storms in each, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 2_500)]
    storm: u64,
}

#[derive(Subcommand)]
enum Role {
    #[command(hide = true)]
    Phone(Phone),
}

#[derive(ClapArgs)]
struct Phone {
    #[arg(long)]
    person: String,
    #[arg(long)]
    server: String,
    #[arg(long)]
    directory: PathBuf,
    #[arg(long)]
    seed: u64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            anstream::eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    match args.role {
        Some(Role::Phone(Phone { person, server, directory, seed })) => {
            let filter =
                tracing_subscriber::EnvFilter::new("debug,hyper_util=info,tungstenite=info,reqwest=info");
            tracing_subscriber::fmt()
                .with_env_filter(filter)
                .with_ansi(false)
                .with_writer(std::io::stderr)
                .init();
            runtime.block_on(Handset { person, server, directory, seed }.live());
            ExitCode::SUCCESS
        }
        None => runtime.block_on(run(args.rounds)),
    }
}

async fn run(args: Rounds) -> ExitCode {
    let phone = match std::env::current_exe() {
        Ok(me) => me,
        Err(error) => {
            anstream::eprintln!("error: where am I? {error}");
            return ExitCode::FAILURE;
        }
    };
    let by_the_clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let from = args.from.unwrap_or_else(by_the_clock);
    let settings = Settings { storm: Duration::from_millis(args.storm), ..Settings::new(phone) };
    let done = rounds(from..from + args.rounds, args.at_once, &settings, |ran| match ran {
        Ok(ran) => anstream::println!("{ran}"),
        Err(failed) => anstream::println!("{failed}"),
    })
    .await;
    let clean: Vec<&Ran> = done.iter().filter_map(|ran| ran.as_ref().ok()).collect();
    let sum = |of: fn(&Ran) -> usize| clean.iter().map(|ran| of(ran)).sum::<usize>();
    anstream::println!(
        "{} operations saved, {} of them parked; {} phones and {} servers killed",
        sum(|ran| ran.saved),
        sum(|ran| ran.parked),
        sum(|ran| ran.phones_killed),
        sum(|ran| ran.servers_killed)
    );
    let failed = done.len() - clean.len();
    if failed > 0 {
        anstream::eprintln!("error: {failed} of {} rounds failed", done.len());
        return ExitCode::FAILURE;
    }
    anstream::println!("{} rounds ran clean", clean.len());
    ExitCode::SUCCESS
}
