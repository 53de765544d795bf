//! `innsync-server restored`

use std::io::Write;

use super::CliError;
use super::args::{Data, Restored};
use super::serve::alone;
use super::staff::{authority, existing, quoted};
use crate::ledger::{LedgerError, Property};

pub(super) fn restored(options: Restored, out: &mut impl Write) -> Result<(), CliError> {
    let Restored { data: Data { data }, property } = options;
    existing(&data)?;
    // A server that runs has told phones of the epoch that it began with.
    let _alone = alone(&data)?;
    let mut authority = authority(&data)?;
    let all = authority.read().properties()?.into_iter().map(|Property { id, .. }| id);
    let concerned: Vec<String> = all.filter(|id| property.as_ref().is_none_or(|it| it == id)).collect();
    match property {
        Some(property) if concerned.is_empty() => return Err(LedgerError::NoSuchProperty(property).into()),
        None if concerned.is_empty() => {
            let message = format!("{} has no property, so there is nothing to say of it", data.display());
            return Err(CliError::Usage(message));
        }
        _ => {}
    }
    for property in concerned {
        authority.declare_restored(&property)?;
        let epoch = authority.read().head(&property)?.epoch;
        writeln!(
            out,
            "{property} begins its epoch {epoch}: its phones fetch everything anew when they connect"
        )?;
    }
    writeln!(out, "start the server with:")?;
    writeln!(out, "  innsync-server serve --data {}", quoted(&data))?;
    Ok(())
}
