//! Everything that somebody who has signed in asks for: from HTTP to [`api`](crate::api) and back.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use innsync_domain::Timestamp;
use innsync_protocol::limits;

use super::bearer::authenticate;
use super::reply::{self, Refused};
use super::staff;
use super::state::{App, Shared};
use crate::api::{self, ApiRequest, Caller};
use crate::authority::NewLogin;

/// A request, read whole.
struct Whole {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Bytes,
    idempotency_key: Option<String>,
    login: Option<NewLogin>,
}

impl Whole {
    fn as_request(&self) -> ApiRequest<'_> {
        ApiRequest {
            method: self.method.as_str(),
            path: &self.path,
            query: &self.query,
            body: &self.body,
            idempotency_key: self.idempotency_key.as_deref(),
            login: self.login.as_ref(),
        }
    }
}

pub(super) async fn rest(State(shared): App, request: Request) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    if !parts.uri.path().starts_with("/v1/") {
        return Err(api::nothing_at(parts.uri.path()).into());
    }
    let facts = authenticate(&shared, &parts.headers)?;
    let caller = Caller { property: facts.property, employee: facts.employee };
    let body = read_body(&parts.headers, body, limits::BODY_BYTES).await?;
    let whole = Whole {
        query: query(&parts.uri)?,
        path: parts.uri.path().to_owned(),
        method: parts.method,
        body,
        idempotency_key: header(&parts.headers, "idempotency-key")?,
        login: None,
    };
    if matches!(whole.method, Method::GET | Method::HEAD) {
        return read(&shared, caller, whole).await;
    }
    write(&shared, caller, whole).await
}

async fn read(shared: &Shared, caller: Caller, whole: Whole) -> Result<Response, Refused> {
    let (answer, whole, caller) = shared
        .readers
        .run(move |reader| (api::handle_read(reader, &caller, &whole.as_request()), whole, caller))
        .await?;
    match answer {
        Some(answer) => Ok(reply::answered(answer)),
        None => write(shared, caller, whole).await,
    }
}

async fn write(shared: &Shared, caller: Caller, mut whole: Whole) -> Result<Response, Refused> {
    let now: Timestamp = shared.now();
    if whole.method == Method::POST {
        whole.login = staff::login(shared, &caller, &whole.path, &whole.body).await?;
    }
    let answer = shared
        .writer
        .run(move |authority| {
            let mut answer = api::handle(authority, &caller, now, &whole.as_request());
            let committed = std::mem::take(&mut answer.committed);
            (answer, committed)
        })
        .await?;
    Ok(reply::answered(answer))
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read_body(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Refused> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > limit) {
        return Err(Refused::too_large(limit));
    }
    to_bytes(body, limit).await.map_err(|error| match error.to_string().contains("limit") {
        true => Refused::too_large(limit),
        false => Refused::new(400, "BODY_CUT", "The request's body ended early; send it again."),
    })
}

fn query(uri: &Uri) -> Result<Vec<(String, String)>, Refused> {
    match Query::<Vec<(String, String)>>::try_from_uri(uri) {
        Ok(Query(pairs)) => Ok(pairs),
        Err(_) => {
            Err(Refused::new(400, "MALFORMED_QUERY", "The query cannot be read; encode it as name=value&…."))
        }
    }
}

fn header(headers: &HeaderMap, name: &str) -> Result<Option<String>, Refused> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    match value.to_str() {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(_) => {
            Err(Refused::new(400, "MALFORMED_HEADER", format!("The header {name} must be plain ASCII.")))
        }
    }
}
