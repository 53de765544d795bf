//! What can be said on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use innsync_domain::{Department, Role};

use crate::auth::REFRESH_TTL_MS;
use crate::logging::LogFormat;

/// The server that InnSync phones talk to.
///
/// Everything it knows is in one file, the ledger. Try it with a motel that is made up:
///
///   innsync-server serve --demo
///
/// or begin your own:
///
///   innsync-server property create --id seaside --name "Seaside Motel" --time-zone America/Los_Angeles
///   innsync-server person add --property seaside --person maria --name Maria --role MANAGER
///   innsync-server serve
#[derive(Debug, Parser)]
#[command(name = "innsync-server", version, verbatim_doc_comment)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) action: Action,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Serves phones until it is interrupted.
    Serve(Serve),
    /// Creates and lists properties.
    Property {
        #[command(subcommand)]
        action: PropertyAction,
    },
    /// Adds people and sets their passwords.
    Person {
        #[command(subcommand)]
        action: PersonAction,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Data {
    /// The ledger; a new file begins an empty one.
    #[arg(long, value_name = "FILE", default_value = "innsync.sqlite", env = "INNSYNC_DATA")]
    pub(super) data: PathBuf,
}

/// Serves phones until it is interrupted.
///
/// The first line on stdout says where:
///
///   innsync-server listening on http://127.0.0.1:8080
///
/// Logs go to stderr; RUST_LOG=debug says more.
///
/// Failed sign-ins slow down their person and the address that connects, but not 127.0.0.1 or ::1, where a proxy is:
/// let that limit POST /v1/sessions by client.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Serve {
    /// Where to listen; port 0: any that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(super) listen: SocketAddr,
    #[command(flatten)]
    pub(super) data: Data,
    /// Fills an empty ledger with the Seaside Motel: maria, sam, ana, ben and miguel, password "demo".
    #[arg(long)]
    pub(super) demo: bool,
    /// How long an access token is good, at most 90d: 90s, 15m, 12h.
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = token_ttl)]
    pub(super) token_ttl: Duration,
    /// How long changes are kept for phones that were away; after it they fetch a snapshot: 12h, 30d.
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = duration)]
    pub(super) keep_changes: Duration,
    /// Takes tokens from the Authorization header alone, never from a WebSocket's query.
    #[arg(long)]
    pub(super) no_query_token: bool,
    /// How log lines are written.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
pub(super) enum PropertyAction {
    /// Begins a property.
    Create(CreateProperty),
    /// Lists the properties: id, name and time zone.
    List(Data),
}

#[derive(Debug, clap::Args)]
pub(super) struct CreateProperty {
    #[command(flatten)]
    pub(super) data: Data,
    /// Its id, of a-z, 0-9 and -: seaside.
    #[arg(long)]
    pub(super) id: String,
    /// Its name: "Seaside Motel".
    #[arg(long)]
    pub(super) name: String,
    /// Its time zone, as IANA names it: America/Los_Angeles.
    #[arg(long, value_name = "ZONE")]
    pub(super) time_zone: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum PersonAction {
    /// Adds somebody to the staff, with a password that is asked for.
    Add(AddPerson),
    /// Gives somebody another password, and signs them out everywhere.
    SetPassword(SetPassword),
}

#[derive(Debug, clap::Args)]
pub(super) struct Whose {
    #[command(flatten)]
    pub(super) data: Data,
    /// The property's id: seaside.
    #[arg(long)]
    pub(super) property: String,
    /// The name they sign in with: ana.
    #[arg(long)]
    pub(super) person: String,
    /// Reads the password from stdin, as in: pass show ana | innsync-server person …
    #[arg(long)]
    pub(super) password_stdin: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct AddPerson {
    #[command(flatten)]
    pub(super) whose: Whose,
    /// The name that others see: Ana.
    #[arg(long)]
    pub(super) name: String,
    /// HOUSEKEEPER, MAINTENANCE, FRONT_DESK, SUPERVISOR or MANAGER.
    #[arg(long, value_parser = role)]
    pub(super) role: Role,
    /// HOUSEKEEPING, MAINTENANCE, FRONT_DESK or MANAGEMENT; left out: the role's own.
    #[arg(long, value_parser = department)]
    pub(super) department: Option<Department>,
}

#[derive(Debug, clap::Args)]
pub(super) struct SetPassword {
    #[command(flatten)]
    pub(super) whose: Whose,
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    let seconds = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => 0,
    };
    match digits.parse::<u64>().ok().and_then(|count| count.checked_mul(seconds)) {
        Some(total @ 1..=31_536_000) => Ok(Duration::from_secs(total)),
        _ => Err("write a number and s, m, h or d, at most a year: 90s, 15m, 12h, 30d".to_owned()),
    }
}

/// An access token that outlived its session's refresh tokens could not be ended with them.
fn token_ttl(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        ttl if ttl.as_millis() <= u128::from(REFRESH_TTL_MS.unsigned_abs()) => Ok(ttl),
        _ => Err("at most 90d, as long as a session lasts that is not refreshed".to_owned()),
    }
}

fn role(text: &str) -> Result<Role, String> {
    known(Role::from(text.to_ascii_uppercase().as_str()), Role::KNOWN)
}

fn department(text: &str) -> Result<Department, String> {
    known(Department::from(text.to_ascii_uppercase().as_str()), Department::KNOWN)
}

fn known<T: PartialEq + std::fmt::Display>(value: T, known: &[T]) -> Result<T, String> {
    if known.contains(&value) {
        return Ok(value);
    }
    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
    Err(format!("one of {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(duration("30d"), Ok(Duration::from_secs(2_592_000)));
        for bad in ["", "15", "0s", "m", "-1s", "99999h", "366d", "1\u{fc}"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
    #[test]
    fn an_access_token_is_good_no_longer_than_a_refresh_token() {
        assert_eq!(token_ttl("90d"), Ok(Duration::from_secs(7_776_000)));
        for bad in ["91d", "7776001s", "0s"] {
            assert!(token_ttl(bad).is_err(), "{bad}");
        }
    }
}
