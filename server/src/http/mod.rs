//! The edge: HTTP and WebSockets (axum) around the synchronous heart.
//!
//! | path | who answers |
//! | --- | --- |
//! | `/v1/health` | `health`, without a token |
//! | `/v1/sessions…` | `sessions` |
//! | `/v1/ws` | `upgrade`, `socket`; what is said is the [`hub`](crate::hub)'s |
//! | `/v1/snapshot` | `snapshot`, by way of a `spool` |
//! | everything else | `rest`, by [`api`](crate::api) |
//!
//! Writes go through one thread (`writer`), so that commits reach the hub in their order; reads through a few connections
//! (`readers`). Neither a token nor a query is ever logged.

mod bearer;
mod driver;
mod health;
mod outbox;
mod readers;
mod reply;
mod rest;
mod revoked;
mod serve;
mod sessions;
mod snapshot;
mod socket;
mod spool;
mod staff;
mod state;
#[cfg(test)]
mod tests;
mod unread;
mod upgrade;
mod upkeep;
mod writer;

pub use serve::{Config, ServeError, listen, serve};
