//! Plain HTTP, for asking the server what it holds and for sending it what no client would.

use std::sync::Arc;

use serde_json::Value;

use crate::{PASSWORD, PROPERTY};

/// An HTTP client for one server on loopback.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    url: String,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The media type.
    pub content_type: String,
    /// `Retry-After`, where given.
    pub retry_after: Option<String>,
    /// The body as JSON; a string where it is none.
    pub body: Value,
}

impl Http {
    /// A client for the server at `url`. It trusts no certificate, since it speaks plain HTTP alone.
    pub fn new(url: &str) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("no TLS: {error}"))?
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let client = reqwest::Client::builder().tls_backend_preconfigured(tls).build();
        Ok(Self { client: client.map_err(|error| format!("no HTTP client: {error}"))?, url: url.to_owned() })
    }

    /// Signs in and returns the access token.
    pub async fn token(&self, person: &str) -> Result<String, String> {
        let body = serde_json::json!({
            "property": PROPERTY, "person": person, "password": PASSWORD, "device": format!("{person}-curl"),
        });
        let answer = self.send("POST", "/v1/sessions", None, Some(body.to_string())).await?;
        match answer.body["accessToken"].as_str() {
            Some(token) => Ok(token.to_owned()),
            None => Err(format!("{person} could not sign in: {answer:?}")),
        }
    }

    /// Sends a request with whatever body.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<String>,
    ) -> Result<Answer, String> {
        let method = method.parse().map_err(|_| format!("no method: {method}"))?;
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        let response = request.send().await.map_err(|error| error.to_string())?;
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned)
        };
        let (status, content_type) = (response.status().as_u16(), header("content-type").unwrap_or_default());
        let retry_after = header("retry-after");
        let text = response.text().await.map_err(|error| error.to_string())?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, content_type, retry_after, body })
    }

    /// What the server answers to `person` for `/v1/{kind}`: a list of entities.
    pub async fn list(&self, person: &str, kind: &str) -> Result<Vec<Value>, String> {
        let token = self.token(person).await?;
        let answer = self.send("GET", &format!("/v1/{kind}"), Some(&token), None).await?;
        answer.body.as_array().cloned().ok_or_else(|| format!("/v1/{kind}: {answer:?}"))
    }
}
