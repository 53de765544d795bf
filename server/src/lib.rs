//! The server that InnSync phones talk to.
//!
//! ```text
//!  phones ── http ──┬── writes ──▶ one thread: api::handle ─▶ authority ─▶ ledger (SQLite)
//!     ▲             └── reads ───▶ api::handle_read ─▶ readers ───────────▶   │
//!     │                                                                       │ committed, in order
//!     └──────────────── sockets ◀── hub (rooms, cursors, projection) ◀────────┘
//! ```
//!
//! The heart ([`authority`], [`ledger`], [`reader`], [`api`], [`view`], [`hub`]) is synchronous and knows no clock, socket or
//! random source: it can be run on virtual time. [`http`] and [`cli`] are the edge.

#![cfg_attr(test, allow(clippy::unwrap_used))]
// A `Problem` is large, and rare.
#![allow(clippy::result_large_err)]

pub mod api;
pub mod auth;
pub mod authority;
pub mod cli;
pub mod demo;
pub mod http;
pub mod hub;
pub mod ledger;
pub mod logging;
pub mod random;
pub mod reader;
pub mod view;
