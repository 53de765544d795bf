//! What is measured. Each gives one row or more.

pub(crate) mod apply;
pub(crate) mod away;
pub(crate) mod between;
pub(crate) mod drain;
pub(crate) mod fanout;
pub(crate) mod first_sync;
pub(crate) mod idle;
pub(crate) mod idle_hour;
pub(crate) mod ingest;
pub(crate) mod memory;
pub(crate) mod open;
pub(crate) mod query;
pub(crate) mod returning;
pub(crate) mod tap;
