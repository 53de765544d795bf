//! Tokens: refreshed before they expire and when they are refused, one refresh at a time. Without a good one nothing is
//! sent; reading and queueing go on.

use innsync_protocol::{ClientFrame, RefreshRequest, SessionAnswer};

use crate::draft::Draft;
use crate::http::{Answer, Purpose};
use crate::input::Session;
use crate::limits::{REFRESH_AHEAD_MS, REFRESH_APART_MS};
use crate::link::{Event, Loss};
use crate::output::{Output, Secret, SignInReason};
use crate::state::State;

#[derive(Debug, Clone, Default)]
pub(crate) struct SessionState {
    current: Option<Session>,
    /// The server refused the access token.
    refused: bool,
    /// The access token is the fruit of a refusal, and nothing has taken it yet: a second refusal ends it.
    on_trial: bool,
    /// A person must sign in.
    ended: bool,
    /// They were told so.
    pub(crate) told_missing: bool,
    /// When the access token is refreshed ahead of its expiry.
    refresh_at: Option<u64>,
    failures: u32,
    retry_at: u64,
    /// The token was over when its refresh began: nothing else is worth asking meanwhile.
    over: bool,
}

/// What the session is good for at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The access token may be used.
    Good,
    /// It must be refreshed first.
    Stale,
    /// A person must sign in.
    Missing,
}

impl SessionState {
    pub(crate) fn new(current: Option<Session>) -> Self {
        Self { current, ..Self::default() }
    }

    /// Whether requests can be made.
    pub(crate) fn standing(&self) -> Standing {
        match &self.current {
            None => Standing::Missing,
            Some(_) if self.ended => Standing::Missing,
            Some(_) if self.refused => Standing::Stale,
            Some(_) => Standing::Good,
        }
    }

    pub(crate) fn access_token(&self) -> String {
        self.current.as_ref().map(|session| session.access_token.clone()).unwrap_or_default()
    }

    /// The server took the access token.
    pub(crate) fn accepted(&mut self) {
        self.on_trial = false;
    }

    /// When a refresh is due.
    pub(crate) fn refresh_due(&self) -> Option<u64> {
        match self.standing() {
            Standing::Missing => None,
            Standing::Stale => Some(self.retry_at),
            Standing::Good => self.refresh_at.map(|at| at.max(self.retry_at)),
        }
    }
}

impl State {
    /// Whether requests can be made now.
    pub(crate) fn may_request(&self) -> bool {
        let session = &self.session;
        let renewing = session.over && self.requests.find(Purpose::Refresh).is_some();
        self.link.wanted && session.standing() == Standing::Good && !renewing
    }
}

impl Draft<'_> {
    pub(crate) fn signed_in(&mut self, session: Session) {
        // Its answer is about the tokens of before: it would put them in the place of these, or end the session.
        self.state.requests.take_for(Purpose::Refresh);
        self.state.session = SessionState::new(Some(session));
        self.state.link.refusals = 0;
        self.plan_refresh(REFRESH_APART_MS);
        self.token_ready();
    }

    /// Says when the access token is to be refreshed: ahead of its expiry by the server's clock, as far as that is known,
    /// and `apart` milliseconds from now at least.
    pub(crate) fn plan_refresh(&mut self, apart: i64) {
        let Some(session) = &self.state.session.current else { return };
        let left = session.expires_at.as_millis() - self.state.clock.guess(self.now).as_millis();
        // A short-lived token is refreshed at half its life; a clock that is wrong must not make it a storm.
        let wait = (left - REFRESH_AHEAD_MS).max(if apart > 0 { left / 2 } else { 0 }).max(apart);
        self.state.session.refresh_at = Some(self.boot().saturating_add(wait.unsigned_abs()));
    }

    /// Whether the access token is over, as far as the phone can tell.
    pub(crate) fn expired_by_clock(&self) -> bool {
        let expires = self.state.session.current.as_ref().map(|session| session.expires_at);
        expires.is_some_and(|at| at <= self.state.clock.guess(self.now))
    }

    pub(crate) fn ask_for_sign_in(&mut self) {
        let session = &mut self.state.session;
        if !session.told_missing {
            session.told_missing = true;
            let reason =
                if session.current.is_none() { SignInReason::NoSession } else { SignInReason::Expired };
            self.tell(Output::SignInRequired(reason));
        }
    }

    /// An access token was refused. It costs no operation a retry.
    pub(crate) fn token_refused(&mut self, token: &str) {
        let session = &mut self.state.session;
        if session.access_token() != token || session.standing() != Standing::Good {
            return;
        }
        if session.on_trial {
            self.end_session(SignInReason::Expired);
            return;
        }
        session.refused = true;
        session.retry_at = 0;
        self.refresh();
    }

    /// Starts a refresh, if none is under way.
    pub(crate) fn refresh(&mut self) {
        if self.state.requests.find(Purpose::Refresh).is_some() || !self.state.link.wanted {
            return;
        }
        let Some(session) = &self.state.session.current else { return };
        let body = RefreshRequest { refresh_token: session.refresh_token.clone() };
        let body = serde_json::to_string(&body).unwrap_or_default();
        self.state.session.over = self.expired_by_clock();
        self.request(Purpose::Refresh, "/v1/sessions/refresh".to_owned(), Some(body));
    }

    /// Starts a refresh that is due.
    pub(crate) fn refresh_when_due(&mut self) {
        if self.state.session.refresh_due().is_some_and(|at| at <= self.boot()) {
            self.refresh();
        }
    }

    pub(crate) fn on_refresh_answer(&mut self, answer: Answer) {
        let detail = match answer {
            Answer::Body(body) => match serde_json::from_str::<SessionAnswer>(&body) {
                Ok(answer) => return self.refreshed(answer),
                Err(_) => {
                    self.answered_by_another();
                    "its answer could not be read".to_owned()
                }
            },
            Answer::Unauthorized => return self.end_session(SignInReason::Expired),
            Answer::TooLarge => "the server answered 413".to_owned(),
            Answer::Later { after, detail } => {
                self.state.session.retry_at = self.boot().saturating_add(after.unwrap_or(0));
                detail
            }
        };
        let session = &mut self.state.session;
        session.failures += 1;
        let wait = self.state.random.backoff(session.failures);
        session.retry_at = session.retry_at.max(self.now.boot_ms + wait);
        self.link_event(Event::TokenFailed(detail));
    }

    fn refreshed(&mut self, answer: SessionAnswer) {
        if answer.employee.id != self.config.employee {
            self.error("the refreshed session is another person's");
            return self.end_session(SignInReason::Expired);
        }
        let session = Session {
            access_token: answer.access_token,
            refresh_token: answer.refresh_token,
            expires_at: answer.expires_at,
        };
        self.tell(Output::SaveSession(session.clone()));
        let on_trial = self.state.session.refused;
        self.state.session = SessionState { on_trial, ..SessionState::new(Some(session)) };
        self.state.requests.answers = crate::http::Answers::Ours;
        self.plan_refresh(REFRESH_APART_MS);
        self.token_ready();
    }

    /// A fresh token: the live socket hears of it, everything that waited for it goes on.
    fn token_ready(&mut self) {
        self.state.push.retry_now();
        self.state.feed.retry_now();
        self.state.snapshots.retry_now();
        if let Some(generation) = self.state.link.live_generation() {
            let token = self.state.session.access_token();
            self.state.link.token = Some(Secret(token.clone()));
            self.tell(Output::SendFrame { generation, text: ClientFrame::Auth { token }.to_json() });
        } else if self.state.link.wanted {
            self.link_event(Event::TokenReady);
        }
    }

    /// A person must sign in before anything is sent again.
    pub(crate) fn end_session(&mut self, reason: SignInReason) {
        if self.state.session.ended {
            return;
        }
        self.state.session.ended = true;
        self.state.session.told_missing = true;
        self.tell(Output::SignInRequired(reason));
        self.link_event(Event::Lost(Loss::SignedOut));
    }
}
