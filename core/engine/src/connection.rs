//! The connection's life, carried out: opening, greeting, heartbeat, loss, backoff. What happens when is in [`crate::link`].

use innsync_protocol::CloseCode;
use innsync_protocol::limits::{HEARTBEAT_GRACE_MS, HEARTBEAT_MS};

use crate::draft::Draft;
use crate::http::Answers;
use crate::input::SocketEvent;
use crate::limits::{ATTEMPTS_BEFORE_TOLD, CONNECT_TIMEOUT_MS, DRAIN_CAP_MS, STABLE_MS};
use crate::link::{Action, Event, Link, Loss, Phase, next};
use crate::output::{ClientEvent, Output, Secret, SignInReason};
use crate::session::Standing;
use crate::store::StoreError;

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
            SocketEvent::Frames(texts) => {
                self.heard();
                for text in &texts {
                    self.on_frame(text)?;
                    // It may have been the last that counts.
                    if self.state.link.open_generation() != Some(generation) {
                        break;
                    }
                }
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
        self.heard_something();
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
                let token = Secret(self.state.session.access_token());
                link.generation += 1;
                link.token = Some(token.clone());
                link.phase = Phase::Opening { until: self.now.boot_ms + CONNECT_TIMEOUT_MS };
                let generation = link.generation;
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
        let current = self.state.session.access_token();
        match self.state.link.token.take() {
            // It went with an older token than the one that has come meanwhile.
            Some(Secret(old)) if old != current => self.link_event(Event::TokenReady),
            _ => self.token_refused(&current),
        }
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
