//! Access tokens: JWT (RFC 7519), signed with HS256 and nothing else.

use std::sync::Arc;
use std::time::Duration;

use innsync_domain::{Timestamp, Uuid};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use super::key::{AuthError, TokenKey};
use super::secret::{Secret, hex, random_bytes};
use crate::hub::TokenFacts;

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// The employee's id.
    pub sub: Uuid,
    /// The property's id.
    pub prop: String,
    /// The sign-in that it came from.
    pub sid: Uuid,
    /// When it was issued, seconds since the epoch.
    pub iat: i64,
    /// When it expires, seconds since the epoch.
    pub exp: i64,
    /// Its own number.
    pub jti: String,
}

/// Why a token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is none.
    #[error(
        "no access token; sign in at POST /v1/sessions, and send its accessToken as \"Authorization: Bearer …\""
    )]
    Missing,
    /// It is none of ours.
    #[error("the access token is not good; sign in again")]
    Invalid,
    /// It was good once.
    #[error("the access token has expired; refresh it at POST /v1/sessions/refresh")]
    Expired,
}

impl TokenError {
    /// The problem's `code`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "TOKEN_MISSING",
            Self::Invalid => "TOKEN_INVALID",
            Self::Expired => "TOKEN_EXPIRED",
        }
    }
}

/// Issues access tokens and checks them.
pub struct Tokens {
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
    ttl_ms: i64,
}

impl Tokens {
    /// With that key; a token is good for `ttl`.
    pub fn new(key: &TokenKey, ttl: Duration) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // The time is checked here against the caller's clock, so that it can be told from a forgery.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_required_spec_claims(&["exp", "sub"]);
        Self {
            signing: EncodingKey::from_secret(key.bytes()),
            checking: DecodingKey::from_secret(key.bytes()),
            validation,
            ttl_ms: i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX),
        }
    }

    /// A token for somebody, and when it expires.
    pub fn issue(
        &self,
        now: Timestamp,
        property: &str,
        employee: Uuid,
        session: Uuid,
    ) -> Result<(Secret, Timestamp), AuthError> {
        let expires_at = Timestamp::from_millis(now.plus_millis(self.ttl_ms).as_millis() / 1000 * 1000);
        let claims = AccessClaims {
            sub: employee,
            prop: property.to_owned(),
            sid: session,
            iat: now.as_millis() / 1000,
            exp: expires_at.as_millis() / 1000,
            jti: hex(&random_bytes::<16>()?),
        };
        let text = encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .map_err(|error| AuthError::Sign(error.to_string()))?;
        Ok((Secret::new(text), expires_at))
    }

    /// What the token says, if it is good now.
    pub fn check(&self, now: Timestamp, token: &str) -> Result<TokenFacts, TokenError> {
        if token.is_empty() {
            return Err(TokenError::Missing);
        }
        let data = decode::<AccessClaims>(token, &self.checking, &self.validation)
            .map_err(|_| TokenError::Invalid)?;
        let AccessClaims { sub, prop, sid, exp, .. } = data.claims;
        let expires_at = Timestamp::from_millis(exp.saturating_mul(1000));
        if now >= expires_at {
            return Err(TokenError::Expired);
        }
        Ok(TokenFacts { property: Arc::from(prop), employee: sub, session: sid, expires_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: Uuid = Uuid::from_u128(1);
    const SESSION: Uuid = Uuid::from_u128(9);
    const NOW: i64 = 1_795_335_000_000;

    fn tokens() -> Tokens {
        Tokens::new(&TokenKey::ephemeral().unwrap(), Duration::from_secs(900))
    }

    #[test]
    fn a_token_says_who_where_and_until_when() {
        let (tokens, now) = (tokens(), Timestamp::from_millis(NOW));
        let (token, expires_at) = tokens.issue(now, "seaside", ANA, SESSION).unwrap();
        let facts = tokens.check(now, token.expose()).unwrap();
        let expected = TokenFacts { property: "seaside".into(), employee: ANA, session: SESSION, expires_at };
        assert_eq!(facts, expected);
        assert_eq!(expires_at, now.plus_millis(900_000));
        assert_eq!(tokens.check(expires_at, token.expose()), Err(TokenError::Expired));
    }

    #[test]
    fn nothing_but_our_own_signature_is_good() {
        let (tokens, now) = (tokens(), Timestamp::from_millis(NOW));
        let (token, _) = tokens.issue(now, "seaside", ANA, SESSION).unwrap();
        let token = token.expose();
        let body = token.split('.').nth(1).unwrap();
        // {"typ":"JWT","alg":"none"} and the same with HS512.
        let none = format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.{body}.");
        let claims = AccessClaims {
            sub: ANA,
            prop: "seaside".into(),
            sid: SESSION,
            iat: NOW / 1000,
            exp: NOW / 1000 + 900,
            jti: String::new(),
        };
        let hs512 = encode(&Header::new(Algorithm::HS512), &claims, &tokens.signing).unwrap();
        let foreign = self::tokens().issue(now, "seaside", ANA, SESSION).unwrap().0;
        let mut tampered = token.to_owned();
        tampered.replace_range(40..41, if &token[40..41] == "A" { "B" } else { "A" });
        for bad in
            [none.as_str(), &hs512, foreign.expose(), &tampered, "x", "a.b.c", &token[..token.len() - 4]]
        {
            assert_eq!(tokens.check(now, bad), Err(TokenError::Invalid), "{bad}");
        }
        assert_eq!(tokens.check(now, ""), Err(TokenError::Missing));
    }
}
