//! Answers.

use innsync_domain::{EntityKind, EntityRef, Uuid};
use innsync_protocol::{PROBLEM_JSON, Problem};
use serde::Serialize;

use super::ApiAnswer;
use crate::ledger::LedgerError;

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";

impl ApiAnswer {
    pub(super) fn json(body: &impl Serialize) -> Self {
        Self::text(JSON, serde_json::to_string(body).unwrap_or_default())
    }

    pub(super) fn lines(body: String) -> Self {
        Self::text(NDJSON, body)
    }

    fn text(content_type: &'static str, body: String) -> Self {
        Self { status: 200, content_type, headers: Vec::new(), body, committed: Vec::new() }
    }

    /// An answer as it is kept under an Idempotency-Key.
    pub(super) fn of_parts(status: u16, location: &str, body: String) -> Self {
        let content_type = if status >= 400 { PROBLEM_JSON } else { JSON };
        let headers = if location.is_empty() { vec![] } else { vec![("Location", location.to_owned())] };
        Self { status, headers, ..Self::text(content_type, body) }
    }

    /// What a problem looks like as an answer.
    pub fn problem(problem: &Problem) -> Self {
        let body = serde_json::to_string(problem).unwrap_or_default();
        let mut answer = Self { status: problem.status, ..Self::text(PROBLEM_JSON, body) };
        if problem.status == 503 {
            answer.headers.push(("Retry-After", "5".to_owned()));
        }
        answer
    }
}

pub(super) fn not_found(kind: &EntityKind, id: Uuid) -> Problem {
    let detail = format!("There is no {} {id} that you may see.", kind.as_str().to_lowercase());
    Problem { entity: Some(EntityRef::new(kind.clone(), id)), ..Problem::new(404, "NOT_FOUND", detail) }
}

/// A field that cannot be used, by its name.
pub(crate) fn invalid(field: &str, detail: impl Into<String>) -> Problem {
    Problem { field: Some(field.to_owned()), ..Problem::new(422, "INVALID_FIELD", detail) }
}

/// What the caller is told of a failure of the ledger. The rest is for the log.
pub fn problem_of(error: &LedgerError) -> Problem {
    match error {
        LedgerError::Busy => Problem::new(503, "BUSY", "The server is busy; try again."),
        LedgerError::Full => {
            tracing::error!(%error, "nothing can be written");
            let detail = "The server's disk is full; nothing was changed. Tell its operator.";
            Problem::new(503, "STORAGE_FULL", detail)
        }
        LedgerError::NoSuchPerson(_) | LedgerError::NoSuchProperty(_) => Problem::new(
            401,
            "SESSION_REVOKED",
            "You are not on the staff of this property any more; ask a manager.",
        ),
        error => {
            tracing::error!(%error, "the ledger failed");
            Problem::new(
                500,
                "INTERNAL",
                "The server failed; nothing was changed. Try again, or tell its operator.",
            )
        }
    }
}
