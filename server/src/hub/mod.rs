//! The hub: which sockets there are, where each stands in its property's feed, and what each is told of a commit.
//!
//! It does no I/O and knows no clock. A driver feeds [`HubInput`]s to [`Hub::handle`] and carries the [`HubOutput`]s out,
//! in order: the server's over TCP (`http::driver`), the simulator's on virtual time.
//!
//! # The life of an InnSync socket
//!
//! ```text
//!  phone                        hub                                 ledger
//!    │                           │ Opened
//!    │ ◀── CONNECTED ─────────── │
//!    │ ─── RESUME 40 ──────────▶ │ ── CatchUp from 40 ───────────────▶ │
//!    │                           │ ◀ commit 42 (not sent: asked)       │
//!    │ ◀── DELTA 40..41 ──────── │ ◀──────────── CaughtUp 40..41 ───── │
//!    │                           │ ── CatchUp from 41 (42 came by) ──▶ │
//!    │ ◀── DELTA 41..42 ──────── │ ◀──────────── CaughtUp 41..42 ───── │
//!    │ ◀── DELTA 42..44 ──────── │ ◀ commit 43 (unseen), commit 44
//!    │ ─── HEARTBEAT ──────────▶ │
//!    │ ◀── HEARTBEAT_ACK 44..45  │   (45 was unseen, too)
//! ```
//!
//! Of a phone that is further behind than one page the hub sends that page, then an empty DELTA at the head: the phone pulls
//! what is in between over HTTP, and is live meanwhile.
//!
//! `from` of each cursor-bearing frame is the `to` of the one before. A change of the person's role or department is
//! answered by RESET SCOPE, and then nothing of the feed until the next RESUME.
//!
//! The seed's sockets are told the seed's events instead, by the seed's rooms (see [`rooms`]).

mod commit;
mod conn;
mod fanout;
mod feed;
mod frames;
mod io;
mod resume;
pub mod rooms;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use innsync_domain::Uuid;
use innsync_protocol::{CloseCode, Connected, ServerFrame, limits};

use crate::random::SeededRandom;
use conn::{Conn, Flow, bare_ack};
use feed::Feed;
pub use io::{ClientKind, ConnId, HubInput, HubOutput, Now, Opened, Text, TokenFacts, Unchecked};
use rooms::{Room, Rooms};

/// Milliseconds after a token's expiry that its connection is still served, for the phone to bring a fresh one.
pub const TOKEN_GRACE_MS: i64 = 60_000;
/// Milliseconds that a heartbeat waits for the end of a catch-up before it is answered without a range.
const OWED_ACK_MS: u64 = 2_000;
/// Milliseconds over which phones that are sent away spread their return.
const RECONNECT_SPREAD_MS: u64 = 5_000;

/// Everything that is said to the sockets of all properties.
#[derive(Debug)]
pub struct Hub {
    properties: BTreeMap<Arc<str>, Property>,
    whereabouts: BTreeMap<ConnId, Arc<str>>,
    random: SeededRandom,
    tickets: u64,
    draining: bool,
}

/// One property's sockets.
#[derive(Debug)]
struct Property {
    feed: Feed,
    conns: BTreeMap<ConnId, Conn>,
    rooms: Rooms,
}

impl Hub {
    /// A hub without sockets. The seed decides how those that are sent away spread.
    pub fn new(seed: u64) -> Self {
        Self {
            properties: BTreeMap::new(),
            whereabouts: BTreeMap::new(),
            random: SeededRandom::new(seed),
            tickets: 0,
            draining: false,
        }
    }

    /// The one entry point. What is to be done is appended to `out`, in order, and must be done before the next input
    /// (but for the answers, which come when they come).
    pub fn handle(&mut self, now: Now, input: HubInput, out: &mut Vec<HubOutput>) {
        match input {
            HubInput::Opened(opened) => self.opened(now, *opened, out),
            HubInput::Text { conn, text } => self.text(now, conn, &text, out),
            HubInput::Binary { conn } => self.binary(now, conn, out),
            HubInput::Alive { conn } => self.alive(now, conn),
            HubInput::Oversize { conn } => self.close(conn, CloseCode::TOO_BIG, "Frame too large", out),
            HubInput::Overflowed { conn } => self.close(conn, CloseCode::SLOW, "Too slow", out),
            HubInput::Closed { conn } => self.forget(conn),
            HubInput::Committed(committed) => self.committed(&committed, out),
            HubInput::CaughtUp { conn, ticket, answer } => self.caught_up(now, conn, ticket, answer, out),
            HubInput::TokenChecked { conn, facts } => self.token_checked(conn, facts, out),
            HubInput::SessionEnded { session } => self.session_ended(session, out),
            HubInput::Drain => self.drain(out),
            HubInput::Tick => self.tick(now, out),
        }
    }

    /// How many sockets are open.
    pub fn connections(&self) -> usize {
        self.whereabouts.len()
    }

    fn opened(&mut self, now: Now, opened: Opened, out: &mut Vec<HubOutput>) {
        let Opened { conn, kind, property: info, viewer, head, token } = opened;
        let name: Arc<str> = token.property.clone();
        let property = self.properties.entry(name.clone()).or_insert_with(|| Property::new(Feed::new(head)));
        property.feed.set_epoch(head.epoch);
        let Ok(viewer) = property.feed.present(viewer, head.seq) else {
            out.push(HubOutput::Close { conn, code: CloseCode::GOING_AWAY, reason: "Try again" });
            return;
        };
        let since = head.seq.max(property.feed.head().seq);
        let connected = Connected {
            user_id: viewer.id,
            timestamp: now.wall.as_millis(),
            heartbeat_interval: limits::HEARTBEAT_MS,
            property: info,
        };
        out.push(HubOutput::Send { conn, text: ServerFrame::Connected(connected).to_json().into() });
        if kind == ClientKind::Seed {
            property.rooms.connect(viewer.id, conn);
            for room in [Room::AllStaff, Room::Department(viewer.department.clone()), Room::User(viewer.id)] {
                property.rooms.join(viewer.id, room);
            }
        }
        let entry = Conn { kind, viewer, since, token, heard_ms: now.mono_ms, flow: Flow::Waiting };
        property.conns.insert(conn, entry);
        self.whereabouts.insert(conn, name);
        if self.draining {
            self.send_away(conn, out);
        }
    }

    /// The socket's entry and its property.
    fn at(&mut self, conn: ConnId) -> Option<(&mut Conn, &Feed, &mut Rooms)> {
        let property = self.properties.get_mut(self.whereabouts.get(&conn)?)?;
        Some((property.conns.get_mut(&conn)?, &property.feed, &mut property.rooms))
    }

    fn forget(&mut self, conn: ConnId) {
        let Some(property) = self.whereabouts.remove(&conn) else { return };
        let Some(property) = self.properties.get_mut(&property) else { return };
        if let Some(gone) = property.conns.remove(&conn) {
            property.rooms.disconnect(gone.viewer.id, conn);
        }
    }

    fn close(&mut self, conn: ConnId, code: CloseCode, reason: &'static str, out: &mut Vec<HubOutput>) {
        if self.whereabouts.contains_key(&conn) {
            self.forget(conn);
            out.push(HubOutput::Close { conn, code, reason });
        }
    }

    fn session_ended(&mut self, session: Uuid, out: &mut Vec<HubOutput>) {
        let all = self.properties.values().flat_map(|property| &property.conns);
        let ended: Vec<ConnId> =
            all.filter(|(_, conn)| conn.token.session == session).map(|(id, _)| *id).collect();
        for conn in ended {
            self.close(conn, CloseCode::POLICY, "Signed out", out);
        }
    }

    fn drain(&mut self, out: &mut Vec<HubOutput>) {
        self.draining = true;
        let all: Vec<ConnId> = self.whereabouts.keys().copied().collect();
        for conn in all {
            self.send_away(conn, out);
        }
    }

    fn send_away(&mut self, conn: ConnId, out: &mut Vec<HubOutput>) {
        let after = self.random.next_u64() % (RECONNECT_SPREAD_MS + 1);
        if let Some((entry, ..)) = self.at(conn)
            && entry.kind == ClientKind::InnSync
        {
            out.push(HubOutput::Send { conn, text: ServerFrame::Reconnect { after }.to_json().into() });
        }
        self.close(conn, CloseCode::GOING_AWAY, "Server going away", out);
    }

    fn tick(&mut self, now: Now, out: &mut Vec<HubOutput>) {
        let mut closed = Vec::new();
        for property in self.properties.values_mut() {
            let epoch = property.feed.head().epoch;
            for (id, conn) in &mut property.conns {
                if now.mono_ms.saturating_sub(conn.heard_ms) > limits::SERVER_IDLE_MS {
                    closed.push((*id, CloseCode::IDLE, "Nothing heard"));
                } else if conn.is_expired(now.wall, TOKEN_GRACE_MS) {
                    closed.push((*id, CloseCode::POLICY, "Token expired"));
                } else if let Flow::CatchingUp { owed_ack, .. } = &mut conn.flow
                    && owed_ack.is_some_and(|since| now.mono_ms.saturating_sub(since) >= OWED_ACK_MS)
                {
                    *owed_ack = None;
                    out.push(HubOutput::Send { conn: *id, text: bare_ack(now, epoch) });
                }
            }
        }
        for (conn, code, reason) in closed {
            self.close(conn, code, reason, out);
        }
    }
}

impl Property {
    fn new(feed: Feed) -> Self {
        Self { feed, conns: BTreeMap::new(), rooms: Rooms::default() }
    }
}
