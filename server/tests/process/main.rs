//! The real program: its sockets, its signals, its output.

#![allow(clippy::unwrap_used, missing_docs)]

mod command_line;
mod horizon;
mod house;
mod isolation;
mod logs;
mod policies;
mod sessions;
mod slow_phones;
mod sockets;
mod stopping;
mod storage;
mod tokens;
