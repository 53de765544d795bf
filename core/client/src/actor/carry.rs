//! The engine's outputs, carried out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use innsync_engine::{HttpFailure, HttpRequest, Input, OpState, Output, Session, SocketEvent};

use super::Actor;
use crate::drivers::{AbortOnDrop, Request, Socket, runtime};
use crate::error::Error;
use crate::handle::Outcome;
use crate::mailbox::Courier;

impl Actor {
    pub(super) fn carry(&mut self, output: Output) {
        match output {
            Output::OpenSocket { generation, token } => self.open_socket(generation, &token.0),
            Output::SendFrame { generation, text } => {
                if let Some((_, socket)) = self.socket.as_ref().filter(|(open, _)| *open == generation) {
                    socket.send(text);
                }
            }
            Output::CloseSocket { generation, code, reason } => {
                if let Some((_, socket)) = self.socket.take_if(|(open, _)| *open == generation) {
                    socket.close(code, reason);
                }
            }
            Output::Http(request) => self.request(request),
            Output::SaveSession(session) => self.save_session(session),
            Output::SignInRequired(reason) => tracing::info!(?reason, "a person must sign in"),
            Output::Executed { request, result } => {
                if let Some(reply) = self.executing.remove(&request) {
                    let _ = reply.send(result.map_err(|rejection| Error::Rejected(Box::new(rejection))));
                }
            }
            Output::UpToDate { request } => self.kept.waiting.lifted(request),
            Output::Operation(receipt) => {
                if let Some(outcome) = outcome(receipt.state.as_ref()) {
                    self.kept.waiting.settled(receipt.id, outcome);
                }
                self.shared.operations.tell(&receipt);
            }
            Output::Event(event) => self.shared.event(&event),
            Output::Effect(effect) => self.shared.effects.tell(&effect),
            Output::Withdrawn(effect) => self.shared.effects.discard(|waiting| waiting.id == effect),
            Output::Connection(state) => {
                tracing::info!(state = state.as_str(), "connection");
                self.shared.connection_is(state);
            }
            Output::Status(status) => {
                self.shared.status.tell(&status);
                self.kept.observers.status_changed();
            }
        }
    }

    fn open_socket(&mut self, generation: u64, token: &str) {
        // The older one is dropped first: there is one at a time.
        self.socket = None;
        let courier = Courier::new(&self.shared.mailbox, self.kept.incarnation, generation);
        let (url, tls) = (self.shared.server.socket(), Arc::clone(&self.shared.tls));
        match Socket::open(&url, token, tls, courier) {
            Ok(socket) => self.socket = Some((generation, socket)),
            Err(error) => {
                self.report(Input::Socket { generation, event: SocketEvent::Failed(error.to_string()) })
            }
        }
    }

    fn request(&mut self, request: HttpRequest) {
        let (http, courier, shared) = (self.http.clone(), self.courier.clone(), Arc::clone(&self.shared));
        let HttpRequest { id, method, path, token, body, streams_lines } = request;
        let (token, body) = (token.map(|token| token.0), body.map(|body| body.0));
        let request = Request { method, url: self.shared.server.url(&path), token, body };
        let exchange = async move {
            let answered = match streams_lines {
                // Its own courier: other answers do not wait for the disk behind its lines.
                true => http.stream(request, &courier.apart(), id).await,
                false => http.fetch(request).await,
            };
            shared.answered(&answered);
            let answer = answered.map_err(HttpFailure::from);
            // Without the query, and never the bodies.
            let path = path.split('?').next().unwrap_or_default();
            match &answer {
                Ok(answer) => tracing::debug!(method, path, status = answer.status, "HTTP"),
                Err(failure) => tracing::debug!(method, path, detail = failure.detail, "HTTP failed"),
            }
            courier.bring(Input::Http { id, answer }).await;
        };
        match runtime() {
            Ok(runtime) => {
                let task = runtime.spawn(exchange).abort_handle();
                self.requests.insert(id, task.clone());
                if streams_lines {
                    self.snapshot = Some(AbortOnDrop(task));
                }
            }
            Err(error) => {
                self.report(Input::Http { id, answer: Err(HttpFailure { detail: error.to_string() }) })
            }
        }
    }

    /// Breaks off the requests that the engine has given up: they would take the network from those that it waits for.
    pub(super) fn abort_requests(&mut self) {
        let engine = &self.engine;
        for (id, task) in self.requests.extract_if(.., |id, _| !engine.waits_for(*id)) {
            // Where it was answered there is nothing left to abort.
            if !task.is_finished() {
                tracing::debug!(id, "an HTTP request is given up");
                task.abort();
            }
        }
    }

    fn save_session(&self, session: Session) {
        let (store, account) = (&self.shared.sessions, &self.shared.account_key);
        // The shell's key store is not ours: what it does wrong must not end this thread.
        match catch_unwind(AssertUnwindSafe(|| store.save(account, &session))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the new tokens could not be kept"),
            Err(_) => tracing::error!("the token store panicked"),
        }
        self.shared.set_session(Some(session));
    }

    /// Reports what could not even be begun; as the next input, not within this one.
    fn report(&self, input: Input) {
        if !self.courier.bring_now(input) {
            tracing::debug!("closed before a failure could be reported");
        }
    }
}

fn outcome(state: Option<&OpState>) -> Option<Outcome> {
    match state {
        None => Some(Outcome::Confirmed),
        Some(OpState::Parked { reason }) => Some(Outcome::Parked(Box::new(reason.clone()))),
        Some(OpState::Queued | OpState::Sent | OpState::Applied { .. }) => None,
    }
}
