//! The network's side: two servers in processes of their own, and the sockets that listen to them.

mod child;
mod http;
mod links;
pub(crate) mod ours;
pub(crate) mod plain;
mod sockets;

pub(crate) use child::Child;
pub(crate) use http::Http;
pub(crate) use links::{Links, Returned, Rule};
pub(crate) use sockets::{Dial, Sockets, dial};
