//! Logs: to stderr, as text or JSON, by `RUST_LOG` (`info` unless it says otherwise).
//!
//! | level | what |
//! | --- | --- |
//! | error | the server fails its users; its operator must look |
//! | warn | something went wrong that heals by itself |
//! | info | the server's life: starting, stopping, signing in and out (by id, never by name) |
//! | debug | each request by method and path, each socket |
//!
//! Never at any level: passwords, tokens, queries, bodies, names.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs, one object a line.
    Json,
}

/// Begins to log. A second call changes nothing.
pub fn init(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    let _ = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
