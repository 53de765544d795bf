//! Sockets on which nothing happens: what they cost the server in memory.

use std::time::Duration;

use crate::net::{Child, Dial, Sockets, ours, plain};
use crate::report::{Bound, Row};
use crate::{Result, Scale};

pub(crate) const NAME: &str = "idle";

pub(crate) fn rows(scale: &Scale) -> Result<Vec<Row>> {
    let server = ours::Server::start()?;
    let ours = growth(&server.child, || server.dials(scale.sockets), scale)?;
    let child = plain::start()?;
    let baseline = growth(&child, || Ok(plain::dials(&child, scale.sockets)), scale)?;
    let name = format!("{NAME}: memory of {} sockets", scale.sockets);
    Ok(vec![Row::new(name, "MB", ours, baseline).at_most(Bound::Ours(10.0))])
}

/// How much the process grows by its sockets.
fn growth(child: &Child, dials: impl FnOnce() -> Result<Vec<Dial>>, scale: &Scale) -> Result<f64> {
    // Signing in is not what is measured, but it grows the process, too.
    let dials = dials()?;
    // One socket first: what a server sets up once is not what sockets cost.
    drop(Sockets::open(&dials[..1])?);
    settle(scale);
    let before = child.memory_mb()?;
    let sockets = Sockets::open(&dials)?;
    settle(scale);
    let after = child.memory_mb()?;
    drop(sockets);
    Ok(after - before)
}

fn settle(scale: &Scale) {
    std::thread::sleep(Duration::from_millis(scale.settle_ms));
}
