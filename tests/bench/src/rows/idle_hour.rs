//! A phone that is connected and has nothing to do, for an hour: frames both ways, and how often it wakes. On virtual time.
//! The baseline is a WebSocket that pings every 30 seconds and hears the answer.

use crate::phone::Phone;
use crate::report::Row;
use crate::{Result, Scale, data, machine};

pub(crate) const NAME: &str = "idle hour";

const HOUR_MS: u64 = 3_600_000;
const PING_MS: u64 = 30_000;

pub(crate) fn rows(scale: &Scale) -> Result<Vec<Row>> {
    let folder = machine::folder()?;
    let mut phone = Phone::new(&folder.path().join("ours.sqlite"))?;
    phone.ingest(&data::snapshot(&data::entities(scale.tasks)))?;
    phone.link()?;
    // A first digest may be due in the beginning; what an hour costs is asked for.
    phone.idle(HOUR_MS)?;
    let idle = phone.idle(HOUR_MS)?;
    let pings = (HOUR_MS / PING_MS) as f64;
    Ok(vec![
        Row::new(format!("{NAME}: messages both ways"), "", idle.messages as f64, 2.0 * pings),
        Row::new(format!("{NAME}: wake-ups"), "", idle.wakes as f64, 2.0 * pings),
    ])
}
