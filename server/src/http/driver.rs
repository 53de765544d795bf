//! Runs the hub: the one task that feeds it and carries out what it says.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use innsync_domain::Timestamp;
use innsync_protocol::{CloseCode, SyncAnswer};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::outbox::Outbox;
use super::readers::Readers;
use super::state::{Clock, Gate};
use crate::authority::Committed;
use crate::hub::{ConnId, Hub, HubInput, HubOutput, Now, Opened};

/// Inputs that wait for the hub before whoever brings them waits, too.
const QUEUED_INPUTS: usize = 1024;
const TICK: Duration = Duration::from_secs(1);

#[allow(clippy::large_enum_variant)]
pub(super) enum Message {
    Open(Box<Opened>, Arc<Outbox>),
    Input(HubInput),
}

/// Where the hub's inputs are handed in.
#[derive(Clone)]
pub(super) struct HubHandle(mpsc::Sender<Message>);

impl HubHandle {
    /// From the authority's thread.
    pub(super) fn committed(&self, committed: Committed) {
        let _ = self.0.blocking_send(Message::Input(HubInput::Committed(committed)));
    }

    pub(super) async fn open(&self, opened: Opened, outbox: Arc<Outbox>) {
        let _ = self.0.send(Message::Open(Box::new(opened), outbox)).await;
    }

    pub(super) async fn input(&self, input: HubInput) {
        let _ = self.0.send(Message::Input(input)).await;
    }
}

/// The hub's inputs, before it runs.
pub(super) fn channel() -> (HubHandle, mpsc::Receiver<Message>) {
    let (inputs, queue) = mpsc::channel(QUEUED_INPUTS);
    (HubHandle(inputs), queue)
}

/// Runs until the task is dropped.
pub(super) async fn drive(
    hub: Hub,
    handle: HubHandle,
    mut queue: mpsc::Receiver<Message>,
    readers: Readers,
    gate: Arc<Gate>,
) {
    let mut driver = Driver {
        hub,
        handle,
        readers,
        gate,
        clock: Clock::start(),
        sockets: HashMap::new(),
        outputs: Vec::new(),
    };
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = queue.recv() => match message {
                Some(Message::Open(opened, outbox)) => {
                    driver.sockets.insert(opened.conn, outbox);
                    driver.feed(HubInput::Opened(opened));
                }
                Some(Message::Input(input)) => driver.feed(input),
                None => return,
            },
            _ = tick.tick() => driver.feed(HubInput::Tick),
        }
    }
}

struct Driver {
    hub: Hub,
    handle: HubHandle,
    readers: Readers,
    gate: Arc<Gate>,
    clock: Clock,
    sockets: HashMap<ConnId, Arc<Outbox>>,
    outputs: Vec<HubOutput>,
}

impl Driver {
    fn feed(&mut self, input: HubInput) {
        let now = self.clock.now();
        if let HubInput::Closed { conn } = &input {
            self.sockets.remove(conn);
        }
        let mut outputs = std::mem::take(&mut self.outputs);
        self.hub.handle(now, input, &mut outputs);
        let mut overflowed = Vec::new();
        for output in outputs.drain(..) {
            self.carry_out(now, output, &mut overflowed);
        }
        self.outputs = outputs;
        for conn in overflowed {
            self.feed(HubInput::Overflowed { conn });
        }
    }

    fn carry_out(&mut self, now: Now, output: HubOutput, overflowed: &mut Vec<ConnId>) {
        match output {
            HubOutput::Send { conn, text } => {
                if let Some(outbox) = self.sockets.get(&conn)
                    && outbox.push(text).is_err()
                    && !overflowed.contains(&conn)
                {
                    overflowed.push(conn);
                }
            }
            HubOutput::Close { conn, code, reason } => {
                if let Some(outbox) = self.sockets.remove(&conn) {
                    // Whoever does not read or is not there does not read the goodbye either.
                    outbox.close(code, reason, code == CloseCode::SLOW || code == CloseCode::IDLE);
                }
            }
            HubOutput::CatchUp { conn, ticket, property, viewer, cursor, pending } => {
                let (readers, handle) = (self.readers.clone(), self.handle.clone());
                tokio::spawn(async move {
                    let read =
                        readers.run(move |reader| reader.catch_up(&property, viewer, cursor, &pending)).await;
                    let answer: Option<SyncAnswer> = match read {
                        Ok(Ok(answer)) => Some(answer),
                        Ok(Err(error)) => {
                            tracing::warn!(%error, "a phone could not be caught up");
                            None
                        }
                        Err(_) => None,
                    };
                    handle.input(HubInput::CaughtUp { conn, ticket, answer }).await;
                });
            }
            HubOutput::CheckToken { conn, token } => {
                let facts = self.gate.check(now.wall, &token.0).ok();
                self.feed_later(HubInput::TokenChecked { conn, facts });
            }
        }
    }

    /// Signing is quick, but outputs are carried out before the next input.
    fn feed_later(&self, input: HubInput) {
        let handle = self.handle.clone();
        tokio::spawn(async move { handle.input(input).await });
    }
}

impl Clock {
    fn now(&self) -> Now {
        Now { wall: Timestamp::from_millis(self.wall_ms()), mono_ms: self.mono_ms() }
    }
}
