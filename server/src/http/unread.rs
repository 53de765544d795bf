//! The part of a request's body that nobody has read when its answer is ready.
//!
//! A request can be refused before its body is read: it is too large, or its token is no good. Were the connection closed
//! then, with the client still sending, the client would see it break instead of why. So the rest is read and thrown away
//! first, within bounds.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, EXPECT};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{Stream, StreamExt};

/// Bytes that are thrown away at most.
const BYTES: usize = 16 * 1024 * 1024;
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers when the body has come whole, or not within bounds: then the connection ends with the answer.
pub(super) async fn drain(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let is_hopeless = is_hopeless(&parts.headers);
    let rest = Rest(Arc::new(Mutex::new(Some(body.into_data_stream()))));
    let mut response = next.run(Request::from_parts(parts, Body::from_stream(rest.clone()))).await;
    if rest.is_read() {
        return response;
    }
    if is_hopeless || !drained(rest, BYTES, PATIENCE).await {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Whether the body is longer than what is thrown away, or its client waits to be asked for it.
fn is_hopeless(headers: &HeaderMap) -> bool {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    headers.contains_key(EXPECT) || announced.is_some_and(|bytes| bytes > BYTES)
}

/// Reads to the end; whether it came within the bounds.
async fn drained<E>(
    mut rest: impl Stream<Item = Result<Bytes, E>> + Unpin,
    bytes: usize,
    patience: Duration,
) -> bool {
    let read = async {
        let mut left = bytes;
        while let Some(Ok(chunk)) = rest.next().await {
            match left.checked_sub(chunk.len()) {
                Some(fewer) => left = fewer,
                None => return false,
            }
        }
        true
    };
    tokio::time::timeout(patience, read).await.unwrap_or(false)
}

/// A body of which the handler has a handle and the drain another. `None`: it is read to its end.
#[derive(Clone)]
struct Rest(Arc<Mutex<Option<BodyDataStream>>>);

impl Rest {
    fn is_read(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

impl Stream for Rest {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stream) = body.as_mut() else { return Poll::Ready(None) };
        let next = stream.poll_next_unpin(context);
        if !matches!(next, Poll::Pending | Poll::Ready(Some(Ok(_)))) {
            *body = None;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn chunk() -> Result<Bytes, ()> {
        Ok(Bytes::from_static(&[0; 1_000]))
    }

    #[tokio::test]
    async fn a_body_without_an_end_is_given_up_after_its_bytes_or_its_time() {
        assert!(drained(stream::iter([chunk(), chunk()]), 2_000, PATIENCE).await);
        assert!(!drained(stream::repeat_with(chunk), 1_000_000, PATIENCE).await);
        let silent = stream::pending::<Result<Bytes, ()>>();
        assert!(!drained(silent, 1_000_000, Duration::from_millis(1)).await);
    }

    #[test]
    fn what_is_announced_too_long_or_waits_to_be_asked_for_is_not_waited_for() {
        let with =
            |name, value: &'static str| HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
        assert!(is_hopeless(&with(CONTENT_LENGTH, "16777217")));
        assert!(is_hopeless(&with(EXPECT, "100-continue")));
        assert!(!is_hopeless(&with(CONTENT_LENGTH, "16777216")));
    }
}
