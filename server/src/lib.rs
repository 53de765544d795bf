//! The server that InnSync phones talk to.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
pub mod authority;
pub mod ledger;
mod random;
pub mod reader;
pub mod view;

pub use random::SeededRandom;
