//! Server and phones as real processes, sockets and databases, for the scenarios in `tests/` and for `cargo xtask demo`.

pub mod chaos;
pub mod golden;
mod http;
mod patience;
mod phone;
mod server;
pub mod toxic;

pub use http::{Answer, Http};
pub use patience::{PATIENCE, becomes};
pub use phone::{Phone, toast};
pub use server::Server;

/// The demo property that `innsync-server serve --demo` makes.
pub const PROPERTY: &str = "seaside";
/// The password of everybody in it.
pub const PASSWORD: &str = "demo";
