//! What the store promises, told as stories. `conformance` runs over a file and over memory alike.

#![allow(clippy::unwrap_used)]

mod commits;
mod conformance;
mod motel;
mod opening;
mod quarantine;
mod queries;
