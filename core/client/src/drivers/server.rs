//! The server's address.

use crate::error::Error;

/// A server's base URL: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    secure: bool,
    authority: String,
}

impl Server {
    /// Reads `https://host[:port]` or `http://host[:port]`. Credentials, paths and queries are refused: they would end
    /// up where URLs end up, in logs.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let invalid =
            || Error::InvalidInput("the server must be given as https://host or http://host:port".to_owned());
        let lower = text.trim().trim_end_matches('/').to_ascii_lowercase();
        let (scheme, authority) = lower.split_once("://").ok_or_else(invalid)?;
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(invalid()),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
        let parses = reqwest::Url::parse(&lower).is_ok_and(|url| url.has_host());
        if !parses || !authority.bytes().all(plain) {
            return Err(invalid());
        }
        Ok(Self { secure, authority: authority.to_owned() })
    }

    /// The base URL in one spelling.
    pub(crate) fn base(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.authority)
    }

    /// The URL of a path (and query), from `/v1` on.
    pub(crate) fn url(&self, path: &str) -> String {
        self.base() + path
    }

    /// The URL of the WebSocket.
    pub(crate) fn socket(&self) -> String {
        format!("{}://{}/v1/ws", if self.secure { "wss" } else { "ws" }, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_scheme_host_and_port() {
        let server = Server::parse("https://Sync.Example.com/").unwrap();
        assert_eq!(server.url("/v1/sync"), "https://sync.example.com/v1/sync");
        assert_eq!(server.socket(), "wss://sync.example.com/v1/ws");
        assert_eq!(Server::parse("http://127.0.0.1:8080").unwrap().socket(), "ws://127.0.0.1:8080/v1/ws");
        assert!(Server::parse("http://[::1]:8080").is_ok());
        for bad in [
            "",
            "example.com",
            "ftp://example.com",
            "https://a:b@example.com",
            "https://x/y",
            "https://x?y",
            "http://",
        ] {
            assert!(Server::parse(bad).is_err(), "{bad}");
        }
    }
}
