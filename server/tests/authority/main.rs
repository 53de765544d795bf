//! The heart of the server, with real SQLite: the authority that decides, the readers that show, REST over both.

#![allow(clippy::unwrap_used)]

mod feed;
mod files;
mod idempotency;
mod motel;
mod pages;
mod push;
mod rest;
mod rest_errors;
mod retention;
mod scenarios;
mod visibility;
