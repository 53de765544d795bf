//! What is going to happen, in order of virtual time; at the same moment in the order that it was said.

use std::collections::BTreeMap;

use innsync_engine::{HttpAnswer, HttpFailure, Input, SocketEvent};
use innsync_protocol::SyncAnswer;
use innsync_server::hub::ConnId;

use crate::visits::Told;

/// A request on its way.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) who: usize,
    /// Which life of the app asked.
    pub(crate) life: u32,
    pub(crate) id: u64,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) token: Option<String>,
    pub(crate) body: String,
    pub(crate) streams_lines: bool,
    /// The second arrival of a request: nobody waits for its answer.
    pub(crate) is_copy: bool,
}

/// Something that is going to happen.
#[derive(Debug)]
pub(crate) enum Event {
    /// A step of the plan.
    Step(usize),
    /// The app is started (again).
    Start { who: usize },
    /// The engine's deadline.
    Tick { who: usize, life: u32 },
    /// The app looks whether it may be closed.
    Look { who: usize, life: u32 },
    /// Something that the shell or the platform says.
    Shell { who: usize, life: u32, input: Box<Input> },
    /// A push arrives.
    Push { who: usize, budget_ms: u64, told: Told },
    /// A person signs in.
    SignIn { who: usize },
    /// A request reaches the server.
    Request(Box<Request>),
    /// Its answer reaches the phone.
    Answer { who: usize, life: u32, id: u64, lines: Vec<String>, answer: Result<HttpAnswer, HttpFailure> },
    /// A socket's handshake reaches the server.
    Handshake { conn: u64, token: String },
    /// A frame reaches the server.
    ToServer { conn: u64, text: String },
    /// The server learns that the socket is gone.
    GoneAtServer { conn: u64 },
    /// A frame or the end of the socket reaches the phone.
    ToPhone { conn: u64, event: SocketEvent },
    /// The app takes the frames that waited.
    Takes { conn: u64 },
    /// The ledger's answer reaches the hub.
    CaughtUp { life: u32, conn: ConnId, ticket: u64, answer: Option<SyncAnswer> },
    /// A second of the hub's has passed.
    HubTick { life: u32 },
    /// Somebody who was taken off the staff is to come back.
    Rehire { person: usize },
    /// The server is there again.
    ServerStart,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    events: BTreeMap<(u64, u64), Event>,
    count: u64,
}

impl Queue {
    pub(crate) fn push(&mut self, at: u64, event: Event) {
        self.count += 1;
        self.events.insert((at, self.count), event);
    }

    /// The next event, if it is not after `until`.
    pub(crate) fn pop(&mut self, until: u64) -> Option<(u64, Event)> {
        let entry = self.events.first_entry()?;
        let at = entry.key().0;
        (at <= until).then(|| (at, entry.remove()))
    }
}
