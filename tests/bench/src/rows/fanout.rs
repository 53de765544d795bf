//! One change after the other goes to a thousand sockets: what that costs the server in CPU time.

use std::time::Duration;

use crate::measure::Pair;
use crate::net::{Child, Http, Sockets, ours, plain};
use crate::report::{Bound, Row};
use crate::{Result, Scale};

pub(crate) const NAME: &str = "fan-out";

pub(crate) fn rows(scale: &Scale) -> Result<Vec<Row>> {
    let server = ours::Server::start()?;
    let sockets = Sockets::open(&server.dials(scale.sockets)?)?;
    std::thread::sleep(Duration::from_millis(scale.settle_ms));
    let mut writer = server.writer()?;
    writer.commit()?;
    sockets.wait_for(scale.sockets as u64)?;
    // The baseline sends the very text that InnSync sent.
    let text = sockets.last();

    let child = plain::start()?;
    let listeners = Sockets::open(&plain::dials(&child, scale.sockets))?;
    let mut http = Http::connect(child.address)?;
    std::thread::sleep(Duration::from_millis(scale.settle_ms));

    let pair = Pair::interleave(
        scale.rounds,
        |_| cost(&server.child, &sockets, scale, || writer.commit()),
        |_| cost(&child, &listeners, scale, || http.post("/broadcast", &text).map(drop)),
    )?;
    let name = format!("{NAME}: CPU per million of {} bytes", text.len());
    Ok(vec![Row::new(name, "s", pair.ours.median(), pair.baseline.median()).at_most(Bound::Ratio(1.5))])
}

/// CPU seconds of the server for a million deliveries.
fn cost(
    child: &Child,
    sockets: &Sockets,
    scale: &Scale,
    mut commit: impl FnMut() -> Result<()>,
) -> Result<f64> {
    let (before, heard) = (child.cpu_seconds()?, sockets.deliveries());
    let each = scale.sockets as u64;
    for number in 1..=scale.commits {
        commit()?;
        // Changes come apart from each other in life; sent in one go they would share system calls.
        sockets.wait_for(heard + number * each)?;
    }
    let deliveries = scale.commits * each;
    Ok((child.cpu_seconds()? - before) / deliveries as f64 * 1e6)
}
