//! The phases of a connection, and one table, [`next`], that says what happens in which.

use innsync_protocol::limits::HEARTBEAT_GRACE_MS;

use crate::limits::STABLE_MS;
use crate::output::Secret;
use crate::session::Standing;
use crate::state::sooner;
use crate::status::ConnectionState;

#[derive(Debug, Clone, Default)]
pub(crate) struct Link {
    pub(crate) phase: Phase,
    /// Whether the app wants to be connected.
    pub(crate) wanted: bool,
    pub(crate) generation: u64,
    /// The access token that the socket goes with.
    pub(crate) token: Option<Secret>,
    /// Tried before since the app asked: from now on it is *re*connecting.
    pub(crate) tried: bool,
    /// Failures since the last stable connection: the backoff's exponent.
    pub(crate) failures: u32,
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
    /// The app came back: now is a good time.
    Wake,
    /// There is a network again, or another one: what is being opened goes over one that is gone.
    Moved,
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
pub(crate) enum Action {
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
pub(crate) fn next(phase: &Phase, event: Event) -> Action {
    use Event::{Connect, Disconnect, Due, Greeted, Lost, Moved, TokenFailed, TokenReady, Wake};
    use Phase::{Idle, Live, NoToken, Opening, Waiting};
    match (phase, event) {
        (_, Disconnect) => Action::Close,

        (Idle, Connect) => Action::Open,
        (Idle, Wake | Moved | TokenReady | TokenFailed(_) | Greeted { .. } | Lost(_) | Due) => {
            Action::Nothing
        }

        (NoToken, Connect | Wake | Moved | TokenReady) => Action::Open,
        (NoToken, TokenFailed(reason)) => Action::Retry(Loss::Broken { code: 1006, reason }),
        (NoToken, Greeted { .. } | Lost(_) | Due) => Action::Nothing,

        (Opening { .. }, Moved) => Action::Open,
        (Opening { .. }, Greeted { interval }) => Action::Greet { interval },
        (Opening { .. }, Due) => Action::Retry(Loss::Silent("No CONNECTED in time")),
        (Opening { .. }, Connect | Wake | TokenReady | TokenFailed(_)) => Action::Nothing,

        (Live { .. }, Wake | Moved) => Action::Probe,
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

        (Waiting { .. }, Connect | Wake | Moved | TokenReady | Due) => Action::Open,
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

    pub(crate) fn open_generation(&self) -> Option<u64> {
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
