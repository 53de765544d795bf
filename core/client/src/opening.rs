//! How a handle comes about, and how a person signs in.

use std::sync::Arc;
use std::time::Duration;

use innsync_engine::{HttpAnswer, Session};
use innsync_protocol::limits::DEVICE_CHARS;
use innsync_protocol::{Problem, SessionAnswer, SessionRequest};

use crate::actor::{Opened, start};
use crate::drivers::{Failed, Http, Request, Server, runtime, tls, within};
use crate::error::Error;
use crate::files::{self, Files};
use crate::handle::InnSync;
use crate::options::{Account, Options};
use crate::shared::{Parts, Shared};

/// How long ending a session on the server may take.
const REVOKING: Duration = Duration::from_secs(5);

/// Options, looked through.
pub(crate) struct Opening {
    pub(crate) files: Files,
    options: Options,
    server: Server,
    tls: rustls::ClientConfig,
    http: Http,
}

impl Opening {
    pub(crate) fn new(options: Options) -> Result<Self, Error> {
        let server = Server::parse(&options.server)?;
        for (name, value) in [("property", &options.property), ("person", &options.person)] {
            if value.trim().is_empty() {
                return Err(Error::InvalidInput(format!("the {name} must be given")));
            }
        }
        if options.device.chars().count() > DEVICE_CHARS {
            return Err(Error::InvalidInput(format!(
                "the device's name is longer than {DEVICE_CHARS} characters"
            )));
        }
        let tls = tls::config(&options.extra_roots)?;
        let http = Http::new(tls.clone())?;
        let files = Files::new(&options.directory, &server, &options.property, &options.person);
        Ok(Self { files, options, server, tls, http })
    }

    /// Signs in on the server and keeps the tokens.
    pub(crate) async fn sign_in(&self, password: &str) -> Result<Account, Error> {
        let device = self.device()?;
        let Options { property, person, .. } = &self.options;
        let asked = Credentials { property, person, password, device: &device };
        let answer = authenticate(&self.http, &self.server, asked).await?;
        let session = session(&answer);
        if let Err(error) = self.options.sessions.save(self.files.account_key(), &session) {
            revoke(&self.http, &self.server, session).await?;
            return Err(error.into());
        }
        Ok(Account {
            server: self.server.base(),
            property: property.clone(),
            person: person.clone(),
            employee: answer.employee.id,
            name: answer.employee.name,
            device,
        })
    }

    /// Opens the database and starts its thread.
    pub(crate) fn start(self, mut account: Account) -> Result<InnSync, Error> {
        if !self.options.device.is_empty() {
            account.device.clone_from(&self.options.device);
        }
        let account_key = self.files.account_key().to_owned();
        // Without tokens the phone works all the same, offline.
        let session = self.options.sessions.load(&account_key).unwrap_or_else(|error| {
            tracing::warn!(%error, "the tokens could not be read");
            None
        });
        let shared = Arc::new(Shared::new(Parts {
            account,
            account_key,
            server: self.server,
            tls: self.tls,
            clock: self.options.clock,
            sessions: self.options.sessions,
            session,
        }));
        start(Opened { shared: Arc::clone(&shared), files: self.files, http: self.http.clone() })?;
        Ok(InnSync::new(shared, self.http))
    }

    fn device(&self) -> Result<String, Error> {
        if !self.options.device.is_empty() {
            return Ok(self.options.device.clone());
        }
        match self.files.account() {
            Some(account) => Ok(account.device),
            None => files::device(&self.options.directory),
        }
    }
}

/// Who signs in, and with what. Holds a password, so it has no `Debug`.
pub(crate) struct Credentials<'a> {
    pub(crate) property: &'a str,
    pub(crate) person: &'a str,
    pub(crate) password: &'a str,
    pub(crate) device: &'a str,
}

/// `POST /v1/sessions`.
pub(crate) async fn authenticate(
    http: &Http,
    server: &Server,
    credentials: Credentials<'_>,
) -> Result<SessionAnswer, Error> {
    let body = SessionRequest {
        property: credentials.property.to_owned(),
        person: credentials.person.to_owned(),
        password: credentials.password.to_owned(),
        device: credentials.device.to_owned(),
    };
    let body = serde_json::to_string(&body).map_err(|error| Error::bug("a request is no JSON", &error))?;
    let request = Request { method: "POST", url: server.url("/v1/sessions"), token: None, body: Some(body) };
    let answer = exchange(http, request).await?;
    match answer.status {
        200 | 201 => serde_json::from_str(&answer.body).map_err(|error| {
            // Not our server: a captive portal, most likely. Nothing of the text is logged.
            tracing::warn!(line = error.line(), "the answer to a sign-in cannot be read");
            Error::Offline
        }),
        401 | 403 | 404 => Err(Error::SignInRequired),
        426 => Err(Error::UpdateRequired),
        400 | 413 | 415 | 422 => Err(Error::InvalidInput(detail(&answer))),
        status => {
            tracing::warn!(status, "sign-in is not possible now");
            Err(Error::Offline)
        }
    }
}

/// A request outside the engine, on the crate's own runtime.
pub(crate) async fn exchange(http: &Http, request: Request) -> Result<HttpAnswer, Error> {
    let http = http.clone();
    let answer = runtime()?.spawn(async move { http.fetch(request).await }).await;
    let answer = answer.map_err(|error| Error::bug("a request panicked", &error))?;
    answer.map_err(|failed| match failed {
        Failed::Distrusted(why) => {
            tracing::warn!(why, "the server's certificate is not trusted");
            Error::ServerNotTrusted(why)
        }
        Failed::Unanswered(detail) => {
            tracing::info!(detail, "the server cannot be reached");
            Error::Offline
        }
    })
}

/// Ends a session on the server, where it answers; else its tokens expire by themselves.
pub(crate) async fn revoke(http: &Http, server: &Server, session: Session) -> Result<(), Error> {
    let url = server.url("/v1/sessions/current");
    let request = Request { method: "DELETE", url, token: Some(session.access_token), body: None };
    let _ = within(REVOKING, exchange(http, request)).await?;
    Ok(())
}

pub(crate) fn session(answer: &SessionAnswer) -> Session {
    Session {
        access_token: answer.access_token.clone(),
        refresh_token: answer.refresh_token.clone(),
        expires_at: answer.expires_at,
    }
}

fn detail(answer: &HttpAnswer) -> String {
    match serde_json::from_str::<Problem>(&answer.body) {
        Ok(problem) => problem.detail,
        Err(_) => format!("the server answered {}", answer.status),
    }
}
