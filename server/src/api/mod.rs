//! REST, without HTTP.
use crate::authority::Authority;
use crate::reader::Reader;
use crate::view::Committed;
use innsync_domain::{Timestamp, Uuid};
use std::sync::Arc;

/// An authenticated request.
#[derive(Debug, Clone, Copy)]
pub struct ApiRequest<'a> {
    /// `GET`, `POST`, `PATCH`, `DELETE`.
    pub method: &'a str,
    /// From `/v1` on, without the query.
    pub path: &'a str,
    /// The query, decoded.
    pub query: &'a [(String, String)],
    /// The body as it came.
    pub body: &'a [u8],
    /// The header of that name.
    pub idempotency_key: Option<&'a str>,
}

/// Whose token it was.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Where they work.
    pub property: Arc<str>,
    /// Who they are.
    pub employee: Uuid,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The media type of the body.
    pub content_type: &'static str,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    /// What was committed, for the hub.
    pub committed: Vec<Committed>,
}

/// Answers any request.
pub fn handle(
    _authority: &mut Authority,
    _caller: &Caller,
    _now: Timestamp,
    _request: &ApiRequest<'_>,
) -> ApiAnswer {
    todo!()
}

/// Answers requests that only read; `None`: it writes, see [`handle`].
pub fn handle_read(_reader: &Reader, _caller: &Caller, _request: &ApiRequest<'_>) -> Option<ApiAnswer> {
    todo!()
}
