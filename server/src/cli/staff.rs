//! Properties and people, set up by an operator beside a server that may be running.

use std::io::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use innsync_domain::{Department, Role, Timestamp};

use super::args::{AddPerson, CreateProperty, Data, SetPassword, Whose};
use super::{CliError, password};
use crate::auth::{Passwords, random_seed};
use crate::authority::Authority;
use crate::ledger::{Ledger, LedgerError, Property};

pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

pub(super) fn authority(path: &Path) -> Result<Authority, CliError> {
    let ledger = Ledger::open(path)?;
    let seed = random_seed()?.iter().take(8).fold(0u64, |seed, byte| (seed << 8) | u64::from(*byte));
    Ok(Authority::new(ledger, seed))
}

pub(super) fn create_property(options: CreateProperty, out: &mut impl Write) -> Result<(), CliError> {
    let CreateProperty { data, id, name, time_zone } = options;
    authority(&data)?.create_property(&Property { id: id.clone(), name, time_zone })?;
    let data = quoted(&data);
    writeln!(out, "created the property {id}; add its first manager, with:")?;
    writeln!(
        out,
        "  innsync-server person add --data {data} --property {id} --person maria --name Maria --role MANAGER"
    )?;
    Ok(())
}

pub(super) fn list_properties(data: &Data, out: &mut impl Write) -> Result<(), CliError> {
    existing(&data.data)?;
    for Property { id, name, time_zone } in authority(&data.data)?.read().properties()? {
        writeln!(out, "{id}\t{name}\t{time_zone}")?;
    }
    Ok(())
}

pub(super) fn add_person(options: AddPerson, out: &mut impl Write) -> Result<(), CliError> {
    let AddPerson { whose: Whose { data, property, person, password_stdin }, name, role, department } =
        options;
    existing(&data.data)?;
    let mut authority = authority(&data.data)?;
    if authority.read().property(&property)?.is_none() {
        return Err(LedgerError::NoSuchProperty(property).into());
    }
    let department = department.unwrap_or_else(|| own_department(&role));
    let hash = Passwords::hash(&password::read(password_stdin)?)?;
    let (employee, _) =
        authority.add_person(now(), &property, &person, &hash, &name, role, department, None)?;
    writeln!(
        out,
        "added {person} to {property} ({}); unless a server runs already, start it with:",
        employee.id
    )?;
    writeln!(out, "  innsync-server serve --data {}", quoted(&data.data))?;
    Ok(())
}

pub(super) fn set_password(options: &SetPassword, out: &mut impl Write) -> Result<(), CliError> {
    let Whose { data, property, person, password_stdin } = &options.whose;
    existing(&data.data)?;
    let mut authority = authority(&data.data)?;
    if authority.read().property(property)?.is_none() {
        return Err(LedgerError::NoSuchProperty(property.clone()).into());
    }
    let Some(known) = authority.read().credentials(property, person)? else {
        let message =
            format!("nobody signs in to {property} as {person:?}; add them with: innsync-server person add");
        return Err(CliError::Usage(message));
    };
    let hash = Passwords::hash(&password::read(*password_stdin)?)?;
    authority.set_credentials(property, person, known.employee, &hash)?;
    authority.ledger_mut().end_sessions_of(now(), property, known.employee)?;
    writeln!(
        out,
        "{person} has another password and is signed out everywhere, by a server that runs within seconds"
    )?;
    Ok(())
}

/// A mistyped name must not begin another ledger.
pub(super) fn existing(path: &Path) -> Result<(), CliError> {
    if path.exists() {
        return Ok(());
    }
    Err(CliError::Usage(format!(
        "there is no ledger {}; name another with --data, or begin it with:\n  {}",
        path.display(),
        creation(path)
    )))
}

/// A command that begins a property in that ledger.
pub(super) fn creation(path: &Path) -> String {
    format!(
        "innsync-server property create --data {} --id seaside --name \"Seaside Motel\" \
         --time-zone America/Los_Angeles",
        quoted(path)
    )
}

/// As a shell reads it back.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_./:@%+,=".contains(it);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

fn own_department(role: &Role) -> Department {
    match role {
        Role::Maintenance => Department::Maintenance,
        Role::FrontDesk => Department::FrontDesk,
        Role::Manager => Department::Management,
        Role::Housekeeper | Role::Supervisor | Role::Other(_) => Department::Housekeeping,
    }
}
