//! What carries the engine's wishes out: sockets, HTTP, and the runtime they run on. No rule lives here.

mod http;
mod runtime;
mod server;
mod socket;
pub(crate) mod tls;

pub(crate) use http::{Answer, Failed, Http, Request};
pub(crate) use runtime::{AbortOnDrop, runtime, within};
pub(crate) use server::Server;
pub(crate) use socket::Socket;
