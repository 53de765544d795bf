//! Signing in, staying signed in, signing out.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use innsync_domain::{Employee, Timestamp, Uuid};
use innsync_protocol::{PropertyInfo, SessionAnswer, limits};

use super::bearer::authenticate;
use super::reply::{self, Refused};
use super::rest::read_body;
use super::state::{App, Shared};
use crate::api::Body;
use crate::auth::{Secret, SessionError, refresh, sign_out, start};

/// Bytes of a request's body here.
const BODY_BYTES: usize = 16 * 1024;

/// `POST /v1/sessions`
pub(super) async fn sign_in(
    State(shared): App,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, Refused> {
    let mut body = body(request).await?;
    let property = body.filled("property", BODY_BYTES, "the property's id, as seaside")?;
    let person = body.filled("person", BODY_BYTES, "the name that somebody signs in with, as ana")?;
    let password = body.filled("password", BODY_BYTES, "their password")?;
    let most = limits::DEVICE_CHARS;
    let what = format!("a name of this phone or program, of 1 to {most} characters, as handset-3");
    let device = body.filled("device", most, &what)?;
    let employee = verify(&shared, &property, &person, Secret::new(password), peer.ip()).await?;
    let now = shared.now();
    let at = property.clone();
    let started = shared
        .writer
        .run(move |authority| (start(authority, now, &at, employee, &device), Vec::new()))
        .await??;
    tracing::info!(property, employee = %employee, "signed in");
    let answer =
        answer(&shared, now, &property, started.session, started.refresh_token, started.employee).await?;
    Ok(reply::json(StatusCode::CREATED, answer))
}

/// Whose password it is. Takes as long for somebody who is not there.
async fn verify(
    shared: &Arc<Shared>,
    property: &str,
    person: &str,
    password: Secret,
    address: IpAddr,
) -> Result<Uuid, Refused> {
    admit(shared, property, person, address)?;
    let (at, login) = (property.to_owned(), person.to_owned());
    let known = shared.readers.run(move |reader| reader.credentials(&at, &login)).await?;
    let known = known.map_err(|error| Refused::from(crate::api::problem_of(&error)))?;
    let permit = shared.hashing.acquire().await.map_err(|_| Refused::internal())?;
    // Those who waited for their turn may have failed too often meanwhile.
    admit(shared, property, person, address)?;
    let employee = known.as_ref().map(|known| known.employee);
    let hashing = shared.clone();
    let check = tokio::task::spawn_blocking(move || {
        hashing.passwords.verify(&password, known.as_ref().map(|known| known.password_hash.as_str()))
    });
    let right = check.await.map_err(|_| Refused::internal())?;
    drop(permit);
    match employee.filter(|_| right) {
        Some(employee) => {
            shared.throttle().succeeded(property, person);
            Ok(employee)
        }
        None => {
            shared.throttle().failed(shared.clock.mono_ms(), property, person, address);
            tracing::info!("a sign-in failed");
            Err(Refused::new(401, "BAD_CREDENTIALS", "Property, name or password is wrong."))
        }
    }
}

fn admit(shared: &Shared, property: &str, person: &str, address: IpAddr) -> Result<(), Refused> {
    let admitted = shared.throttle().admit(shared.clock.mono_ms(), property, person, address);
    admitted.map_err(|seconds| {
        let detail = format!("Too many attempts failed; try again in {seconds} seconds.");
        Refused::new(429, "TOO_MANY_ATTEMPTS", detail).after(seconds)
    })
}

/// `POST /v1/sessions/refresh`
pub(super) async fn renew(State(shared): App, request: Request) -> Result<Response, Refused> {
    let what = "the refresh token of the last answer";
    let refresh_token = body(request).await?.filled("refreshToken", BODY_BYTES, what)?;
    let (token, now) = (Secret::new(refresh_token), shared.now());
    let ending = shared.clone();
    let refreshed = in_any_case(async move {
        let refreshed =
            ending.writer.run(move |authority| (refresh(authority, now, &token), Vec::new())).await?;
        if let Err(SessionError::Ended(session)) = refreshed {
            ending.close_session(session, now).await;
        }
        Ok(refreshed?)
    })
    .await?;
    let answer = answer(
        &shared,
        now,
        &refreshed.property,
        refreshed.session,
        refreshed.refresh_token,
        refreshed.employee,
    )
    .await?;
    Ok(reply::json(StatusCode::OK, answer))
}

/// `DELETE /v1/sessions/current`
pub(super) async fn end(State(shared): App, headers: HeaderMap) -> Result<Response, Refused> {
    let facts = authenticate(&shared, &headers)?;
    let (now, session) = (shared.now(), facts.session);
    in_any_case(async move {
        shared.writer.run(move |authority| (sign_out(authority, now, session), Vec::new())).await??;
        shared.close_session(session, now).await;
        tracing::info!(employee = %facts.employee, "signed out");
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

/// Does it to the end, also if the phone hangs up meanwhile and nobody waits for the answer any more.
async fn in_any_case<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refused>> + Send + 'static,
) -> Result<T, Refused> {
    tokio::spawn(work).await.map_err(|_| Refused::internal())?
}

/// What somebody has who signed in or refreshed: an access token that is as old as the refresh token.
async fn answer(
    shared: &Shared,
    now: Timestamp,
    property: &str,
    session: Uuid,
    refresh_token: Secret,
    employee: Employee,
) -> Result<String, Refused> {
    let id = property.to_owned();
    let found = shared.readers.run(move |reader| reader.property(&id)).await?;
    let property: PropertyInfo = match found.map_err(|error| Refused::from(crate::api::problem_of(&error)))? {
        Some(property) => property.into(),
        None => return Err(SessionError::Revoked.into()),
    };
    let issued = shared.gate.tokens().issue(now, &property.id, employee.id, session);
    let (access_token, expires_at) = issued.map_err(SessionError::from)?;
    let answer = SessionAnswer {
        access_token: access_token.expose().clone(),
        refresh_token: refresh_token.expose().clone(),
        expires_at,
        employee,
        property,
    };
    serde_json::to_string(&answer).map_err(|_| Refused::internal())
}

async fn body(request: Request) -> Result<Body, Refused> {
    let (parts, body) = request.into_parts();
    let bytes = read_body(&parts.headers, body, BODY_BYTES).await?;
    Ok(Body::read(&bytes)?)
}

impl From<SessionError> for Refused {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Revoked | SessionError::Ended(_) => {
                Self::new(401, "SESSION_REVOKED", "The session has ended; sign in again.")
            }
            SessionError::Ledger(error) => crate::api::problem_of(&error).into(),
            SessionError::Auth(error) => {
                tracing::error!(%error, "no token could be made");
                Self::internal()
            }
        }
    }
}
