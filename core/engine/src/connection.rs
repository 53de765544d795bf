//! The connection's life: opening, greeting, heartbeat, loss, backoff.
//!
//! One table, [`next`], says what happens in which phase; the rest carries it out.

use innsync_protocol::CloseCode;
use innsync_protocol::limits::{HEARTBEAT_GRACE_MS, HEARTBEAT_MS};

use crate::draft::Draft;
use crate::http::Answers;
use crate::input::SocketEvent;
use crate::limits::{ATTEMPTS_BEFORE_TOLD, CONNECT_TIMEOUT_MS, DRAIN_CAP_MS, STABLE_MS};
use crate::output::{ClientEvent, Output, Secret, SignInReason};
use crate::session::Standing;
use crate::state::sooner;
use crate::status::ConnectionState;
use crate::store::StoreError;

#[derive(Debug, Clone, Default)]
pub(crate) struct Link {
    pub(crate) phase: Phase,
    /// Whether the app wants to be connected.
    pub(crate) wanted: bool,
    generation: u64,
    /// Tried before since the app asked: from now on it is *re*connecting.
    tried: bool,
    /// Failures since the last stable connection: the backoff's exponent.
    failures: u32,
    /// Attempts among them that never came to CONNECTED.
    pub(crate) attempts: u32,
    /// Sockets closed 1008 since the last CONNECTED: after the second a refresh does not help.
    pub(crate) refusals: u32,
    /// A person was told that the connection is gone.
    pub(crate) told_lost: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not wanted, or refused for good.
    #[default]
    Idle,
    /// Without a token that may be used.
    NoToken,
    /// The socket is being opened, or CONNECTED awaited.
    Opening { until: u64 },
    /// CONNECTED.
    Live { since: u64, heartbeat_at: u64, interval: u64, asked_at: Option<u64> },
    /// Until the next attempt.
    Waiting { until: u64 },
}

/// What happens to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// The app asks for it.
    Connect,
    /// The app asks to end it.
    Disconnect,
    /// The network or the app came back: now is a good time.
    Wake,
    /// There is a fresh token.
    TokenReady,
    /// A refresh failed for now.
    TokenFailed(String),
    /// The first frame.
    Greeted { interval: u64 },
    /// The link is gone.
    Lost(Loss),
    /// The phase's own time is over.
    Due,
}

/// Why a link is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Failed, timed out, or closed with a code after which one comes back.
    Broken { code: u16, reason: String },
    /// Nothing was heard; the socket is still open on this side.
    Silent(&'static str),
    /// Closed 1008.
    Unauthorized,
    /// Closed with a code after which one does not come back.
    Refused { code: u16, reason: String },
    /// The server drains and says when to come back.
    Drained { after: u64 },
    /// The session has ended.
    SignedOut,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Action {
    Nothing,
    Open,
    Greet {
        interval: u64,
    },
    /// Ask for a sign of life.
    Probe,
    /// Wait, then open again.
    Retry(Loss),
    /// Refresh the token, then open again.
    Renew,
    /// Stay away until the app, or a sign-in, asks again.
    Stop(Loss),
    /// The app's own goodbye.
    Close,
}

/// The table.
fn next(phase: &Phase, event: Event) -> Action {
    use Event::{Connect, Disconnect, Due, Greeted, Lost, TokenFailed, TokenReady, Wake};
    use Phase::{Idle, Live, NoToken, Opening, Waiting};
    match (phase, event) {
        (_, Disconnect) => Action::Close,

        (Idle, Connect) => Action::Open,
        (Idle, Wake | TokenReady | TokenFailed(_) | Greeted { .. } | Lost(_) | Due) => Action::Nothing,

        (NoToken, Connect | Wake | TokenReady) => Action::Open,
        (NoToken, TokenFailed(reason)) => Action::Retry(Loss::Broken { code: 1006, reason }),
        (NoToken, Greeted { .. } | Lost(_) | Due) => Action::Nothing,

        (Opening { .. }, Greeted { interval }) => Action::Greet { interval },
        (Opening { .. }, Due) => Action::Retry(Loss::Silent("No CONNECTED in time")),
        (Opening { .. }, Connect | Wake | TokenReady | TokenFailed(_)) => Action::Nothing,

        (Live { .. }, Wake) => Action::Probe,
        (Live { asked_at: None, .. }, Due) => Action::Probe,
        (Live { asked_at: Some(_), .. }, Due) => Action::Retry(Loss::Silent("No sign of life")),
        (Live { .. }, Connect | TokenReady | TokenFailed(_) | Greeted { .. }) => Action::Nothing,

        (Opening { .. } | Live { .. }, Lost(Loss::Unauthorized)) => Action::Renew,
        (Opening { .. } | Live { .. }, Lost(loss @ (Loss::Refused { .. } | Loss::SignedOut))) => {
            Action::Stop(loss)
        }
        (
            Opening { .. } | Live { .. },
            Lost(loss @ (Loss::Broken { .. } | Loss::Silent(_) | Loss::Drained { .. })),
        ) => Action::Retry(loss),

        (Waiting { .. }, Connect | Wake | TokenReady | Due) => Action::Open,
        (Waiting { .. }, Lost(Loss::SignedOut)) => Action::Stop(Loss::SignedOut),
        (Waiting { .. }, TokenFailed(_) | Greeted { .. } | Lost(_)) => Action::Nothing,
    }
}

impl Link {
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live { .. })
    }

    pub(crate) fn live_generation(&self) -> Option<u64> {
        self.is_live().then_some(self.generation)
    }

    fn open_generation(&self) -> Option<u64> {
        matches!(self.phase, Phase::Live { .. } | Phase::Opening { .. }).then_some(self.generation)
    }

    pub(crate) fn state(&self, standing: Standing) -> ConnectionState {
        match &self.phase {
            Phase::Idle => ConnectionState::Disconnected,
            Phase::NoToken if standing == Standing::Missing => ConnectionState::Disconnected,
            Phase::Live { .. } => ConnectionState::Connected,
            Phase::NoToken | Phase::Opening { .. } if !self.tried => ConnectionState::Connecting,
            Phase::NoToken | Phase::Opening { .. } | Phase::Waiting { .. } => ConnectionState::Reconnecting,
        }
    }

    /// When the phase's own time is over, and why.
    pub(crate) fn deadline(&self) -> Option<(u64, &'static str)> {
        match &self.phase {
            Phase::Idle | Phase::NoToken => None,
            Phase::Opening { until } => Some((*until, "connect timeout")),
            Phase::Waiting { until } => Some((*until, "reconnect")),
            Phase::Live { since, heartbeat_at, asked_at, .. } => {
                let heartbeat = match asked_at {
                    None => (*heartbeat_at, "heartbeat"),
                    Some(at) => (at + HEARTBEAT_GRACE_MS, "dead link"),
                };
                let stable = (self.failures > 0).then_some((since + STABLE_MS, "stable connection"));
                sooner(Some(heartbeat), stable)
            }
        }
    }
}

impl Draft<'_> {
    pub(crate) fn connect(&mut self) {
        if !self.state.link.wanted {
            self.state.link = Link { generation: self.state.link.generation, ..Link::default() };
            self.state.link.wanted = true;
            self.state.session.told_missing = false;
        }
        self.link_event(Event::Connect);
    }

    pub(crate) fn on_socket(&mut self, generation: u64, event: SocketEvent) -> Result<(), StoreError> {
        if self.state.link.open_generation() != Some(generation) {
            return Ok(());
        }
        match event {
            SocketEvent::Frame(text) => {
                self.heard();
                return self.on_frame(&text);
            }
            SocketEvent::Closed { code, reason } if code == CloseCode::POLICY.0 => {
                self.tell(Output::Event(ClientEvent::Disconnected { code, reason }));
                self.link_event(Event::Lost(Loss::Unauthorized));
            }
            SocketEvent::Closed { code, reason } => {
                self.tell(Output::Event(ClientEvent::Disconnected { code, reason: reason.clone() }));
                self.link_event(Event::Lost(if CloseCode(code).reconnects() {
                    Loss::Broken { code, reason }
                } else {
                    Loss::Refused { code, reason }
                }));
            }
            SocketEvent::Failed(reason) => {
                if self.state.link.is_live() {
                    let reason = reason.clone();
                    self.tell(Output::Event(ClientEvent::Disconnected { code: 1006, reason }));
                }
                self.error(format!("the connection failed: {reason}"));
                self.link_event(Event::Lost(Loss::Broken { code: 1006, reason }));
            }
        }
        Ok(())
    }

    /// A sign of life.
    fn heard(&mut self) {
        if let Phase::Live { asked_at, .. } = &mut self.state.link.phase {
            *asked_at = None;
        }
    }

    /// Does what the phase's own time asks for.
    pub(crate) fn link_when_due(&mut self) {
        let now = self.boot();
        if let Phase::Live { since, .. } = self.state.link.phase
            && now >= since + STABLE_MS
        {
            self.state.link.failures = 0;
            self.state.link.attempts = 0;
        }
        if self.state.link.deadline().is_some_and(|(at, _)| at <= now) {
            self.link_event(Event::Due);
        }
    }

    pub(crate) fn link_event(&mut self, event: Event) {
        match next(&self.state.link.phase, event) {
            Action::Nothing => {}
            Action::Open => self.open_socket(),
            Action::Greet { interval } => self.enter_live(interval),
            Action::Probe => self.heartbeat(),
            Action::Retry(loss) => self.retry_later(loss),
            Action::Renew => self.renew(),
            Action::Stop(loss) => self.stop(loss),
            Action::Close => self.disconnect(),
        }
    }

    fn open_socket(&mut self) {
        self.state.link.phase = Phase::NoToken;
        match self.state.session.standing() {
            Standing::Missing => self.ask_for_sign_in(),
            Standing::Stale => self.refresh(),
            Standing::Good if self.expired_by_clock() && self.refresh_is_due() => self.refresh(),
            Standing::Good => {
                let link = &mut self.state.link;
                link.generation += 1;
                link.phase = Phase::Opening { until: self.now.boot_ms + CONNECT_TIMEOUT_MS };
                let (generation, token) = (link.generation, Secret(self.state.session.access_token()));
                self.tell(Output::OpenSocket { generation, token });
            }
        }
    }

    fn refresh_is_due(&self) -> bool {
        self.state.session.refresh_due().is_some_and(|at| at <= self.now.boot_ms)
    }

    fn enter_live(&mut self, interval: u64) {
        let since = self.boot();
        let interval = interval.clamp(HEARTBEAT_GRACE_MS, HEARTBEAT_MS);
        self.state.link.tried = true;
        self.state.link.refusals = 0;
        self.state.link.phase =
            Phase::Live { since, heartbeat_at: since + interval, interval, asked_at: None };
        self.state.session.accepted();
    }

    fn heartbeat(&mut self) {
        let now = self.now;
        let generation = self.state.link.generation;
        let Phase::Live { heartbeat_at, interval, asked_at, .. } = &mut self.state.link.phase else { return };
        // A question that is not answered yet keeps its time.
        if asked_at.is_none() {
            *asked_at = Some(now.boot_ms);
            *heartbeat_at = now.boot_ms + *interval;
            let text = innsync_protocol::ClientFrame::Heartbeat { timestamp: now.wall.as_millis() }.to_json();
            self.tell(Output::SendFrame { generation, text });
        }
    }

    fn retry_later(&mut self, loss: Loss) {
        let was_live = self.leave(&loss);
        let link = &mut self.state.link;
        link.tried = true;
        let wait = if let Loss::Drained { after } = loss {
            after.min(DRAIN_CAP_MS)
        } else {
            link.failures += 1;
            self.state.random.backoff(link.failures)
        };
        link.phase = Phase::Waiting { until: self.now.boot_ms + wait };
        if was_live || matches!(loss, Loss::Drained { .. }) {
            return;
        }
        link.attempts += 1;
        if link.attempts == ATTEMPTS_BEFORE_TOLD {
            link.told_lost = true;
            self.tell(Output::Event(ClientEvent::ReconnectFailed));
            self.notice_failing();
        }
    }

    fn renew(&mut self) {
        self.leave(&Loss::Unauthorized);
        self.state.link.tried = true;
        self.state.link.phase = Phase::NoToken;
        self.state.link.refusals += 1;
        if self.state.link.refusals > 1 {
            return self.end_session(SignInReason::Expired);
        }
        let token = self.state.session.access_token();
        self.token_refused(&token);
    }

    fn stop(&mut self, loss: Loss) {
        self.leave(&loss);
        self.state.link.phase = Phase::NoToken;
        if let Loss::Refused { code, reason } = loss {
            self.state.link.phase = Phase::Idle;
            self.state.link.wanted = false;
            self.error(format!("the server refuses this app ({code} {reason}); update it"));
        }
    }

    fn disconnect(&mut self) {
        self.state.link.told_lost = false;
        if let Some(generation) = self.state.link.open_generation() {
            let (code, reason) = (CloseCode::NORMAL.0, "Client disconnect");
            self.tell(Output::CloseSocket { generation, code, reason });
            if self.state.link.is_live() {
                let reason = reason.to_owned();
                self.tell(Output::Event(ClientEvent::Disconnected { code, reason }));
            }
        }
        self.state.link.phase = Phase::Idle;
        self.state.link.wanted = false;
    }

    /// Drops the socket, if there is one, and tells the loss of a live one. Says whether it was live.
    fn leave(&mut self, loss: &Loss) -> bool {
        let was_live = self.state.link.is_live();
        let by_us = match loss {
            Loss::Silent(reason) => Some((CloseCode::IDLE.0, *reason)),
            Loss::Drained { .. } => Some((CloseCode::NORMAL.0, "Reconnecting as asked")),
            Loss::SignedOut => Some((CloseCode::NORMAL.0, "Signed out")),
            Loss::Broken { .. } | Loss::Unauthorized | Loss::Refused { .. } => None,
        };
        if let (Some((code, reason)), Some(generation)) = (by_us, self.state.link.open_generation()) {
            self.tell(Output::CloseSocket { generation, code, reason });
            if was_live {
                self.tell(Output::Event(ClientEvent::Disconnected { code, reason: reason.to_owned() }));
            }
        }
        if was_live {
            // What HTTP did an hour ago says nothing of now.
            self.state.requests.answers = Answers::Untried;
        }
        if was_live && matches!(loss, Loss::Broken { .. } | Loss::Silent(_)) && !self.state.link.told_lost {
            self.state.link.told_lost = true;
            self.notice_lost();
        }
        was_live
    }
}
