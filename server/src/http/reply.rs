//! Answers.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use innsync_protocol::{PROBLEM_JSON, Problem};

use crate::api::ApiAnswer;
use crate::auth::TokenError;

/// A request that was not served, as its answer.
pub(super) struct Refused {
    problem: Problem,
    retry_after: Option<u64>,
}

impl Refused {
    pub(super) fn new(status: u16, code: &str, detail: impl Into<String>) -> Self {
        Self { problem: Problem::new(status, code, detail), retry_after: None }
    }

    /// Come back in so many seconds.
    pub(super) fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// More is asked of the server than it can do just now.
    pub(super) fn overloaded() -> Self {
        Self::new(503, "OVERLOADED", "The server has more to do than it can; try again.").after(1)
    }

    /// Something failed that is no fault of the caller's; the log has it.
    pub(super) fn internal() -> Self {
        let detail = "The server failed; nothing was changed. Try again, or tell its operator.";
        Self::new(500, "INTERNAL", detail)
    }

    pub(super) fn too_large(limit: usize) -> Self {
        Self::new(413, "BODY_TOO_LARGE", format!("A request has at most {limit} bytes."))
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        let retry_after = (problem.status == 503).then_some(5);
        Self { problem, retry_after }
    }
}

impl From<TokenError> for Refused {
    fn from(error: TokenError) -> Self {
        Self::new(401, error.code(), format!("{error}."))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self.problem).unwrap_or_default();
        let mut response = (status, [(CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        challenged(response)
    }
}

/// A 401 says how to authenticate (RFC 9110 §11.6.1, RFC 6750 §3).
fn challenged(mut response: Response) -> Response {
    if response.status() == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer realm=\"innsync\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// JSON.
pub(super) fn json(status: StatusCode, body: String) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

/// What the api answered, over HTTP.
pub(super) fn answered(answer: ApiAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if status != StatusCode::NO_CONTENT {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    }
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    challenged(response)
}
