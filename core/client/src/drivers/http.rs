//! HTTP requests.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use innsync_engine::limits::{CONNECT_TIMEOUT_MS, HTTP_TIMEOUT_MS, ROWS_PER_TRANSACTION};
use innsync_engine::{HttpAnswer, HttpFailure};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use rustls::ClientConfig;

use super::tls::distrust;
use crate::error::Error;
use crate::mailbox::Courier;

/// Bytes of an answer; what is longer is refused. A full page of changes (200 commits) stays below it.
const ANSWER_BYTES: usize = 16 << 20;
/// Bytes of one line of a snapshot.
const LINE_BYTES: usize = 1 << 20;
/// How long lines of a snapshot wait for more of a chunk: over a slow link the engine must hear that they come at all.
const CHUNK_WAITS: Duration = Duration::from_secs(5);
/// Milliseconds of `Retry-After` at most.
const RETRY_AFTER_MS: u64 = 10 * 60 * 1_000;

/// What came of a request.
pub(crate) type Answer = Result<HttpAnswer, Failed>;

/// No answer was had, and why.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The server's certificate is not trusted, for that reason.
    Distrusted(String),
    /// Anything else.
    Unanswered(String),
}

impl From<Failed> for HttpFailure {
    fn from(failed: Failed) -> Self {
        let detail = match failed {
            Failed::Distrusted(why) => Error::ServerNotTrusted(why).to_string(),
            Failed::Unanswered(detail) => detail,
        };
        Self { detail }
    }
}

/// A request. Holds secrets, so it has no `Debug`.
pub(crate) struct Request {
    /// `GET`, `POST` or `DELETE`.
    pub(crate) method: &'static str,
    /// The whole URL.
    pub(crate) url: String,
    /// For `Authorization: Bearer`.
    pub(crate) token: Option<String>,
    /// A JSON body.
    pub(crate) body: Option<String>,
}

/// The HTTP client of one handle. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: Arc<RwLock<reqwest::Client>>,
    tls: ClientConfig,
}

impl Http {
    pub(crate) fn new(tls: ClientConfig) -> Result<Self, Error> {
        Ok(Self { client: Arc::new(RwLock::new(client(tls.clone())?)), tls })
    }

    /// No request goes over a connection that was opened before: on another network they are dead, and may not know it.
    pub(crate) fn renew(&self) {
        if let Ok(fresh) = client(self.tls.clone()) {
            *self.client.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
    }

    /// Makes a request whose answer is read as a whole.
    pub(crate) async fn fetch(&self, request: Request) -> Answer {
        let whole = async { whole(self.send(request).await?).await };
        let limit = Duration::from_millis(HTTP_TIMEOUT_MS);
        tokio::time::timeout(limit, whole).await.unwrap_or_else(|_| Err(failure("no answer in time")))
    }

    /// Makes a request whose answer, if it is a 200, comes line by line; an error's as a whole.
    pub(crate) async fn stream(&self, request: Request, courier: &Courier, id: u64) -> Answer {
        let response = self.send(request).await?;
        if response.status().as_u16() != 200 {
            return whole(response).await;
        }
        let retry_after_ms = retry_after(response.headers());
        lines(response, courier, id).await?;
        Ok(HttpAnswer { status: 200, retry_after_ms, body: String::new() })
    }

    async fn send(&self, request: Request) -> Result<reqwest::Response, Failed> {
        let client = self.client.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut headers = HeaderMap::new();
        if let Some(token) = &request.token {
            let bearer = HeaderValue::try_from(format!("Bearer {token}"));
            let mut bearer = bearer.map_err(|_| failure("the token cannot be sent"))?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        let mut builder = match request.method {
            "GET" => client.get(&request.url),
            "DELETE" => client.delete(&request.url),
            _ => client.post(&request.url),
        };
        if let Some(body) = request.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            builder = builder.body(body);
        }
        builder.headers(headers).send().await.map_err(failed)
    }
}

fn client(tls: ClientConfig) -> Result<reqwest::Client, Error> {
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(Duration::from_millis(CONNECT_TIMEOUT_MS))
        // Between two pieces of a body: a long snapshot over a slow link is fine, a dead one is not.
        .read_timeout(Duration::from_millis(HTTP_TIMEOUT_MS))
        // A redirect is a captive portal, or would carry the token elsewhere.
        .redirect(Policy::none())
        .no_proxy()
        .gzip(true)
        .build();
    client.map_err(|error| Error::bug("no HTTP client can be made", &error))
}

async fn whole(mut response: reqwest::Response) -> Answer {
    let status = response.status().as_u16();
    let retry_after_ms = retry_after(response.headers());
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        if body.len() + piece.len() > ANSWER_BYTES {
            return Err(failure("the answer is too long"));
        }
        body.extend_from_slice(&piece);
    }
    let body = String::from_utf8(body).map_err(|_| failure("the answer is not UTF-8"))?;
    Ok(HttpAnswer { status, retry_after_ms, body })
}

/// Hands the body over in chunks of lines; each waits until the one before is in the database.
async fn lines(mut response: reqwest::Response, courier: &Courier, id: u64) -> Result<(), Failed> {
    let mut pending = Vec::new();
    let mut chunk = Vec::new();
    let mut handed_over = Instant::now();
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        let mut rest = piece.as_ref();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            pending.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            take_line(&mut pending, &mut chunk)?;
            let waited = handed_over.elapsed() >= CHUNK_WAITS && !chunk.is_empty();
            if waited || chunk.len() == ROWS_PER_TRANSACTION {
                if !courier.lines(id, std::mem::take(&mut chunk)).await {
                    return Err(failure("nobody wants the snapshot any more"));
                }
                handed_over = Instant::now();
            }
        }
        if pending.len() + rest.len() > LINE_BYTES {
            return Err(failure("a line of the snapshot is too long"));
        }
        pending.extend_from_slice(rest);
    }
    take_line(&mut pending, &mut chunk)?;
    if !chunk.is_empty() {
        courier.lines(id, chunk).await;
    }
    Ok(())
}

fn take_line(pending: &mut Vec<u8>, chunk: &mut Vec<String>) -> Result<(), Failed> {
    let line =
        String::from_utf8(std::mem::take(pending)).map_err(|_| failure("the snapshot is not UTF-8"))?;
    let line = line.trim_end_matches('\r');
    if !line.is_empty() {
        chunk.push(line.to_owned());
    }
    Ok(())
}

/// `Retry-After` in seconds; the form with a date is not used by our server, and a phone's clock may be wrong.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(seconds.saturating_mul(1_000).min(RETRY_AFTER_MS))
}

/// The error without its URL, whose query may say what it should not, but with its causes.
fn failed(error: reqwest::Error) -> Failed {
    if let Some(why) = distrust(&error) {
        return Failed::Distrusted(why);
    }
    let error = error.without_url();
    let mut detail = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        detail = format!("{detail}: {inner}");
        cause = inner.source();
    }
    failure(&detail)
}

fn failure(detail: &str) -> Failed {
    Failed::Unanswered(detail.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_and_bounded() {
        let after = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            retry_after(&headers)
        };
        assert_eq!(after("7"), Some(7_000));
        assert_eq!(after("99999999999"), Some(RETRY_AFTER_MS));
        assert_eq!(after("Sun, 22 Nov 2026 08:00:00 GMT"), None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
