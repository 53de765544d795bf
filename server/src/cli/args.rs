//! What can be said on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use innsync_domain::{Department, Policy, Role};

use crate::auth::{REFRESH_TTL_MS, check_login};
use crate::ledger::Property;
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
    Serve(Serve),
    /// Creates and lists properties: motels, each with a staff and data of its own.
    Property {
        #[command(subcommand)]
        action: PropertyAction,
    },
    /// Adds people and sets their passwords.
    Person {
        #[command(subcommand)]
        action: PersonAction,
    },
    Policies(Policies),
    Restored(Restored),
}

#[derive(Debug, clap::Args)]
pub(super) struct Data {
    /// The ledger's file, which must be there: `property create` begins it.
    #[arg(long, value_name = "FILE", default_value = LEDGER, env = "INNSYNC_DATA")]
    pub(super) data: PathBuf,
}

/// The ledger where none is named.
const LEDGER: &str = "innsync.sqlite";

/// Serves phones until it is interrupted
///
/// The first line on stdout says where:
///
///   innsync-server listening on http://127.0.0.1:8080
///
/// Logs go to stderr; RUST_LOG=debug says more. SIGINT (Ctrl-C) or SIGTERM stops it politely.
///
/// Without a ledger, try it with a motel that is made up (or begin one: see innsync-server property create --help):
///
///   innsync-server serve --demo
///
/// Failed sign-ins slow down their person and the address that connects, but not 127.0.0.1 or ::1, where a proxy is:
/// let that limit POST /v1/sessions by client.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Serve {
    /// Where to listen; 0.0.0.0:8080 is every network, port 0 any port that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = address)]
    pub(super) listen: SocketAddr,
    /// The ledger's file, which must be there (with --demo it is begun).
    #[arg(long, value_name = "FILE", default_value = LEDGER, env = "INNSYNC_DATA")]
    pub(super) data: PathBuf,
    /// Fills a ledger that is new or empty with the Seaside Motel: maria (manager), sam (supervisor), ana and ben
    /// (housekeepers) and miguel (maintenance); everybody's password is "demo".
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
    Create(CreateProperty),
    /// Lists the properties: id, name and time zone.
    List(Data),
}

/// Begins a property, and the ledger where there is none yet
///
///   innsync-server property create --id seaside --name "Seaside Motel" --time-zone America/Los_Angeles
///
/// Then add its first manager: see innsync-server person add --help. A server may be running meanwhile.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct CreateProperty {
    /// The ledger's file; begun where there is none yet.
    #[arg(long, value_name = "FILE", default_value = LEDGER, env = "INNSYNC_DATA")]
    pub(super) data: PathBuf,
    /// Its id, of a-z, 0-9 and -, with which phones sign in: seaside.
    #[arg(long, value_parser = property_id)]
    pub(super) id: String,
    /// Its name: "Seaside Motel".
    #[arg(long, value_parser = name)]
    pub(super) name: String,
    /// Its time zone, as the IANA database names it: America/Los_Angeles.
    #[arg(long, value_name = "ZONE", value_parser = time_zone, allow_hyphen_values = true)]
    pub(super) time_zone: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum PersonAction {
    Add(AddPerson),
    SetPassword(SetPassword),
}

#[derive(Debug, clap::Args)]
pub(super) struct Whose {
    #[command(flatten)]
    pub(super) data: Data,
    /// The property's id: seaside.
    #[arg(long)]
    pub(super) property: String,
    /// The name they sign in with, without spaces: ana.
    #[arg(long, value_parser = login)]
    pub(super) person: String,
    /// Reads the password from the first line of standard input: pass show ana | innsync-server person …
    #[arg(long)]
    pub(super) password_stdin: bool,
}

/// Adds somebody to the staff of a property, with a password that is asked for
///
///   innsync-server person add --property seaside --person maria --name Maria --role MANAGER
///
/// A manager can do the rest (suites, tasks, more people) in the app or over REST.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct AddPerson {
    #[command(flatten)]
    pub(super) whose: Whose,
    /// The name that others see: Ana.
    #[arg(long, value_parser = name)]
    pub(super) name: String,
    /// HOUSEKEEPER, MAINTENANCE, FRONT_DESK, SUPERVISOR or MANAGER.
    #[arg(long, value_parser = role)]
    pub(super) role: Role,
    /// HOUSEKEEPING, MAINTENANCE, FRONT_DESK or MANAGEMENT; left out: the role's own.
    #[arg(long, value_parser = department)]
    pub(super) department: Option<Department>,
}

/// Gives somebody another password, which is asked for, and signs them out everywhere
///
///   innsync-server person set-password --property seaside --person ana
///
/// A server that runs notices it within seconds.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct SetPassword {
    #[command(flatten)]
    pub(super) whose: Whose,
}

/// Shows and changes how a property decides between edits that did not know of each other
///
///   innsync-server policies --property seaside
///   innsync-server policies --property seaside --set TASK.priority=MANUAL --reset NOTE.title
///
/// A server that runs decides so from the next edit on. docs/conflicts.md says what each policy does.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Policies {
    #[command(flatten)]
    pub(super) data: Data,
    /// The property's id: seaside
    #[arg(long)]
    pub(super) property: String,
    /// Has a field decided otherwise from now on: TASK.priority=MANUAL. Can be given several times.
    #[arg(long, value_name = "FIELD=POLICY", value_parser = policy_choice)]
    pub(super) set: Vec<PolicyChoice>,
    /// Has a field decided as the table says: TASK.priority. Can be given several times.
    #[arg(long, value_name = "FIELD")]
    pub(super) reset: Vec<String>,
}

/// `TASK.priority=MANUAL`.
#[derive(Debug, Clone)]
pub(super) struct PolicyChoice {
    pub(super) field: String,
    pub(super) policy: Policy,
}

fn policy_choice(text: &str) -> Result<PolicyChoice, String> {
    let (field, policy) = text.split_once('=').ok_or("write FIELD=POLICY, as TASK.priority=MANUAL")?;
    Ok(PolicyChoice { field: field.trim().to_owned(), policy: Policy::from(policy.trim()) })
}

/// Says that the ledger was put back from a backup, before it is served again
///
///   innsync-server restored
///
/// Phones that know of commits which the backup does not have fetch everything anew, and send again what they had sent and
/// not seen come back. Once after each restore, while no server runs; another time does no harm.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Restored {
    #[command(flatten)]
    pub(super) data: Data,
    /// The id of the one property that it is true of: seaside. Left out: all.
    #[arg(long)]
    pub(super) property: Option<String>,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "write an IP address and a port, as 127.0.0.1:8080; localhost is 127.0.0.1, every network 0.0.0.0"
            .to_owned()
    })
}

fn property_id(text: &str) -> Result<String, String> {
    Property::check_id(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

fn login(text: &str) -> Result<String, String> {
    check_login(text).map(|()| text.to_owned())
}

fn name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("write a name".to_owned()) } else { Ok(text.to_owned()) }
}

/// Phones tell times by it, so it must be one that they know.
fn time_zone(text: &str) -> Result<String, String> {
    if text.parse::<chrono_tz::Tz>().is_ok() {
        return Ok(text.to_owned());
    }
    let meant = text.trim().replace(' ', "_");
    let is_like = |zone: &&str| {
        let place = zone.rsplit('/').next().unwrap_or_default();
        zone.eq_ignore_ascii_case(&meant) || place.eq_ignore_ascii_case(&meant)
    };
    let like: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).filter(is_like).collect();
    let like = if like.is_empty() { String::new() } else { format!("; is it {}?", like.join(" or ")) };
    Err(format!("write its name in the IANA time zone database, as America/Los_Angeles or Europe/Rome{like}"))
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
    fn a_time_zone_is_one_of_ianas_and_what_may_be_meant_is_named() {
        assert_eq!(time_zone("America/Los_Angeles").as_deref(), Ok("America/Los_Angeles"));
        for (like, meant) in [
            ("los angeles", "America/Los_Angeles"),
            ("europe/rome", "Europe/Rome"),
            ("Pacific", "US/Pacific"),
        ] {
            let error = time_zone(like).unwrap_err();
            assert!(error.contains("is it") && error.contains(meant), "{error}");
        }
        assert!(!time_zone("Atlantis").unwrap_err().contains("is it"));
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
