//! G21: the server is started again, and every phone that was connected comes back. How many come in the busiest second, and
//! how long it takes until all are there. The baseline has the same server, and links that try at once and then each second.

use std::time::{Duration, Instant};

use crate::net::{Links, Returned, Rule, ours};
use crate::report::{Bound, Row};
use crate::{Result, Scale};

pub(crate) const NAME: &str = "return";

/// How long the server is away besides the time that it takes to start.
const AWAY: Duration = Duration::from_millis(500);

pub(crate) fn rows(scale: &Scale) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (how, name) in [(ours::Stop::Politely, "stopped"), (ours::Stop::Kill, "killed")] {
        let ours = restart(scale, how, Rule::Engine)?;
        let baseline = restart(scale, how, Rule::AtOnce)?;
        let links = scale.returning;
        let peak = Row::new(format!("{NAME}, {name}: peak of {links}"), "/s", ours.peak, baseline.peak);
        let until = Row::new(format!("{NAME}, {name}: until all are"), "s", ours.seconds, baseline.seconds);
        // Backoff is 30 s at most; whoever is not back by then has met a server that could not cope.
        rows.extend([peak.at_most(Bound::Ratio(1.0)), until.at_most(Bound::Ours(30.0))]);
    }
    Ok(rows)
}

fn restart(scale: &Scale, how: ours::Stop, rule: Rule) -> Result<Returned> {
    let mut server = ours::Server::start()?;
    let links = Links::open(&server.dials(scale.returning)?, rule)?;
    std::thread::sleep(Duration::from_millis(scale.settle_ms));
    links.count_anew();
    server.stop(how)?;
    let ended = Instant::now();
    std::thread::sleep(AWAY);
    server.start_again()?;
    links.returned(ended, Instant::now())
}
