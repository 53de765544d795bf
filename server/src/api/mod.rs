//! All authenticated REST as plain functions from a request to an answer, so that the HTTP edge and the simulator run the
//! same code. Sessions, sockets and health are the edge's.
//!
//! A call is read into commands (`suites.rs`, `tasks.rs`, …), which the [`Authority`] runs as one commit or not at all.

mod answer;
mod body;
mod employees;
mod news;
mod notes;
mod plan;
mod route;
mod suites;
mod sync;
mod tasks;
mod write;

use std::sync::Arc;

use innsync_domain::{Timestamp, Uuid};
use innsync_protocol::{Problem, limits};

use crate::authority::{Authority, NewLogin};
use crate::reader::Reader;
use crate::view::Committed;
pub(crate) use answer::invalid;
pub use answer::problem_of;
pub(crate) use body::Body;
pub(crate) use plan::Ids;
use route::Route;
pub(crate) use route::nothing_at;
pub use sync::snapshot_request;

/// A request of somebody who has signed in.
#[derive(Debug, Clone, Copy)]
pub struct ApiRequest<'a> {
    /// `GET`, `POST`, `PATCH`, `DELETE`; `HEAD` is answered as `GET`.
    pub method: &'a str,
    /// From `/v1` on, without the query.
    pub path: &'a str,
    /// The query, decoded.
    pub query: &'a [(String, String)],
    /// The body as it came.
    pub body: &'a [u8],
    /// The header of that name.
    pub idempotency_key: Option<&'a str>,
    /// For `POST /v1/employees`: how the new one will sign in, from `person` and `password` in the body.
    pub login: Option<&'a NewLogin>,
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
    /// What was committed, for the hub to show to everybody who may see it.
    pub committed: Vec<Committed>,
}

/// Answers any request.
pub fn handle(
    authority: &mut Authority,
    caller: &Caller,
    now: Timestamp,
    request: &ApiRequest<'_>,
) -> ApiAnswer {
    match handle_read(authority.read(), caller, request) {
        Some(answer) => answer,
        None => match route::resolve(request.method, request.path) {
            Ok(Route::Ops) => sync::push(authority, caller, now, request.body),
            Ok(route) => write::write(authority, caller, now, request, &route),
            Err(refusal) => refusal.into_answer(),
        },
    }
}

/// Answers a request that only reads (or cannot be answered at all), beside the authority. `None`: it writes, see
/// [`handle`].
pub fn handle_read(reader: &Reader, caller: &Caller, request: &ApiRequest<'_>) -> Option<ApiAnswer> {
    if request.body.len() > limits::BODY_BYTES {
        let detail = format!("A request has at most {} bytes.", limits::BODY_BYTES);
        return Some(ApiAnswer::problem(&Problem::new(413, "BODY_TOO_LARGE", detail)));
    }
    let route = match route::resolve(request.method, request.path) {
        Ok(route) => route,
        Err(refusal) => return Some(refusal.into_answer()),
    };
    let is_get = matches!(request.method, "GET" | "HEAD");
    let answer = match route {
        Route::Sync => sync::sync(reader, caller, request.query),
        Route::Snapshot => sync::snapshot(reader, caller, request.body),
        Route::Collection(kind) if is_get => reader
            .list(&caller.property, caller.employee, &kind)
            .map_err(|error| problem_of(&error))
            .map(|entities| ApiAnswer::json(&entities)),
        Route::Item(kind, id) if is_get => reader
            .get(&caller.property, caller.employee, &kind, id)
            .map_err(|error| problem_of(&error))
            .and_then(|entity| entity.ok_or_else(|| answer::not_found(&kind, id)))
            .map(|entity| ApiAnswer::json(&entity)),
        Route::Collection(_) | Route::Item(..) | Route::Step(..) | Route::Ops => return None,
    };
    Some(answer.unwrap_or_else(|problem| ApiAnswer::problem(&problem)))
}
