//! The access token of a request.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::reply::Refused;
use super::state::Shared;
use crate::auth::{Secret, TokenError};
use crate::hub::TokenFacts;

/// `Authorization: Bearer …`
pub(super) fn bearer(headers: &HeaderMap) -> Result<Secret, TokenError> {
    let value = headers.get(AUTHORIZATION).ok_or(TokenError::Missing)?;
    let text = value.to_str().map_err(|_| TokenError::Invalid)?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(Secret::new(token.trim().to_owned()))
        }
        _ => Err(TokenError::Invalid),
    }
}

/// Whose request it is.
pub(super) fn authenticate(shared: &Shared, headers: &HeaderMap) -> Result<TokenFacts, Refused> {
    let token = bearer(headers)?;
    Ok(shared.gate.check(shared.now(), token.expose())?)
}
