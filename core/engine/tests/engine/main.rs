//! The engine's stories: scripted phones, a motel that decides as the server does, and time that only the tests move.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod barrier;
mod commands;
mod conflicts;
mod connection;
mod diagnosis;
mod effects;
mod faults;
mod feed;
mod outbox;
mod overlay;
mod random;
mod rest;
mod seed;
mod session;
mod snapshot;
mod support;
