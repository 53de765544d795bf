//! The command line.

mod args;
mod password;
mod policies;
mod restored;
mod serve;
mod staff;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::auth::AuthError;
use crate::demo::DemoError;
use crate::http::ServeError;
use crate::ledger::LedgerError;
use args::{Action, Args, PersonAction, PropertyAction};

/// A command failed. What it prints says what to do.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Auth(#[from] AuthError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error("{0}")]
    Usage(String),
    #[error("reading or writing failed: {0}")]
    Io(#[from] std::io::Error),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let args = Args::parse();
    match run(args, &mut std::io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "innsync-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args, out: &mut (impl Write + Send)) -> Result<(), CliError> {
    match args.action {
        Action::Serve(options) => serve::serve(options, out),
        Action::Property { action: PropertyAction::Create(options) } => staff::create_property(options, out),
        Action::Property { action: PropertyAction::List(options) } => staff::list_properties(&options, out),
        Action::Person { action: PersonAction::Add(options) } => staff::add_person(options, out),
        Action::Person { action: PersonAction::SetPassword(options) } => staff::set_password(&options, out),
        Action::Policies(options) => policies::policies(options, out),
        Action::Restored(options) => restored::restored(options, out),
    }
}
