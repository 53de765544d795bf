//! What is measured. Each gives one row or more.

pub(crate) mod fanout;
pub(crate) mod idle;
pub(crate) mod ingest;
pub(crate) mod open;
pub(crate) mod query;
pub(crate) mod returning;
pub(crate) mod tap;
