//! Sockets. Frames of one stay in order; requests and sockets overtake each other.

use innsync_engine::{Input, SocketEvent};
use innsync_protocol::{CloseCode, HeartbeatAck, ResetReason, ServerFrame, SyncAnswer};
use innsync_server::hub::{ClientKind, ConnId, HubInput, HubOutput, Now, Opened};
use innsync_server::ledger::Property;

use crate::Bug;
use crate::failure::Checked;
use crate::host::broken;
use crate::people::PROPERTY;
use crate::phone::wall;
use crate::plan::{Releases, Side};
use crate::queue::Event;
use crate::releases;
use crate::shadow::Shadow;
use crate::sometimes::Sometimes;
use crate::world::World;

/// A socket, as it truly is.
#[derive(Debug)]
pub(crate) struct Conn {
    who: usize,
    life: u32,
    generation: u64,
    /// Whether the server has it.
    pub(crate) at_server: bool,
    /// Whether the phone has it.
    pub(crate) at_phone: bool,
    /// Packets vanish.
    pub(crate) is_dead: bool,
    /// Those of the phone do.
    is_mute: bool,
    /// Those of the server do.
    is_deaf: bool,
    /// Frames that the phone has, and its app has not taken.
    waiting: Vec<String>,
    last_up: u64,
    last_down: u64,
}

impl Conn {
    /// When something sent by the server arrives that would take until `at`.
    pub(crate) fn down_at(&mut self, at: u64) -> u64 {
        self.last_down = self.last_down.max(at);
        self.last_down
    }

    fn up_at(&mut self, at: u64) -> u64 {
        self.last_up = self.last_up.max(at);
        self.last_up
    }
}

impl World {
    /// How long a packet takes.
    pub(crate) fn delay(&mut self) -> u64 {
        let most = self.faults.delay_max_ms.max(self.faults.delay_min_ms);
        // Most are quick, some are slow.
        let most = if self.random.chance(800) { most / 10 } else { most };
        self.random.between(self.faults.delay_min_ms.min(most), most)
    }

    pub(crate) fn is_offline(&self, who: usize) -> bool {
        self.now < self.phones[who].offline_until
    }

    fn reaches_both_ways(&self, who: usize) -> bool {
        let phone = &self.phones[who];
        self.now >= phone.offline_until.max(phone.mute_until).max(phone.deaf_until)
    }

    // From the phone's side.

    pub(crate) fn open_socket(&mut self, who: usize, generation: u64, token: String) {
        self.drop_socket(who);
        self.last_conn += 1;
        let (id, life) = (self.last_conn, self.phones[who].life);
        let is_dead = !self.reaches_both_ways(who);
        let conn = Conn {
            who,
            life,
            generation,
            at_server: false,
            at_phone: true,
            is_dead,
            is_mute: false,
            is_deaf: false,
            waiting: Vec::new(),
            last_up: self.now,
            last_down: self.now,
        };
        self.conns.insert(id, conn);
        self.phones[who].socket = Some(id);
        if is_dead {
            if self.random.chance(500) {
                let at = self.now + self.random.between(1, 5_000);
                let event = SocketEvent::Failed("no network".to_owned());
                self.queue.push(at, Event::ToPhone { conn: id, event });
            }
            return;
        }
        let delay = self.delay();
        if let Some(conn) = self.conns.get_mut(&id) {
            let at = conn.up_at(self.now + delay);
            self.queue.push(at, Event::Handshake { conn: id, token });
        }
    }

    pub(crate) fn send_frame(&mut self, who: usize, generation: u64, text: String) {
        let arrival = self.now + self.delay();
        let (cut, releases) = (self.random.chance(self.faults.cut_socket), self.faults.releases);
        let Some((id, conn)) = self.conn_of(who) else { return };
        if conn.generation != generation || !conn.at_phone {
            return;
        }
        if !conn.is_dead && !conn.is_mute {
            let at = conn.up_at(arrival);
            self.queue.push(at, Event::ToServer { conn: id, text: releases::frame_up(releases, text) });
        }
        if cut {
            self.cut_somehow(id);
        }
    }

    fn conn_of(&mut self, who: usize) -> Option<(u64, &mut Conn)> {
        let id = self.phones[who].socket?;
        Some((id, self.conns.get_mut(&id)?))
    }

    /// The phone lets go of its socket; the server hears of it some time.
    pub(crate) fn drop_socket(&mut self, who: usize) {
        let delay = self.delay();
        let Some(id) = self.phones[who].socket.take() else { return };
        let Some(conn) = self.conns.get_mut(&id) else { return };
        conn.at_phone = false;
        if !conn.is_dead && !conn.is_mute {
            let at = conn.up_at(self.now + delay);
            self.queue.push(at, Event::GoneAtServer { conn: id });
        }
    }

    pub(crate) fn reaches_phone(&mut self, id: u64, event: SocketEvent) -> Checked {
        let Some(conn) = self.conns.get_mut(&id) else { return Ok(()) };
        let (who, life, generation) = (conn.who, conn.life, conn.generation);
        // Of a dead socket the phone's own system can tell, the server cannot.
        if !conn.at_phone || (conn.is_dead && !matches!(event, SocketEvent::Failed(_))) {
            return Ok(());
        }
        if let SocketEvent::Frame(text) = event {
            conn.waiting.push(text);
            // The app is busy with something else; it takes all that waits at once.
            if self.random.chance(self.faults.busy) {
                let at = self.now + self.random.below(500);
                self.queue.push(at, Event::Takes { conn: id });
                return Ok(());
            }
            return self.takes_frames(id);
        }
        self.takes_frames(id)?;
        if let Some(conn) = self.conns.get_mut(&id) {
            conn.at_phone = false;
        }
        if self.phones[who].life != life || self.phones[who].engine.is_none() {
            return Ok(());
        }
        self.note(format_args!("{} ◀ {event:?}", self.name(who)));
        self.feed(who, Input::Socket { generation, event })
    }

    /// The phone's app takes all frames that it has not taken, as one step.
    pub(crate) fn takes_frames(&mut self, id: u64) -> Checked {
        let Some(conn) = self.conns.get_mut(&id) else { return Ok(()) };
        let (who, life, generation) = (conn.who, conn.life, conn.generation);
        let mut texts = std::mem::take(&mut conn.waiting);
        let phone = &self.phones[who];
        if texts.is_empty() || phone.life != life || phone.engine.is_none() {
            return Ok(());
        }
        let name = self.name(who);
        for text in &texts {
            self.note(format_args!("{name} ◀ {text}"));
            self.watch_frame(who, text);
        }
        let event = match texts.pop() {
            Some(only) if texts.is_empty() => SocketEvent::Frame(only),
            last => {
                self.reach(Sometimes::Together);
                texts.extend(last);
                SocketEvent::Frames(texts)
            }
        };
        self.feed(who, Input::Socket { generation, event })
    }

    fn watch_frame(&mut self, who: usize, text: &str) {
        match ServerFrame::parse(text) {
            Ok(ServerFrame::Delta(delta)) => {
                let Shadow { meta, .. } = &self.phones[who].shadow;
                let (has_data, mine) = (meta.has_data, meta.cursor.seq);
                if has_data && delta.from > mine {
                    self.reach(Sometimes::Gap);
                } else if has_data && delta.to <= mine && !delta.commits.is_empty() {
                    self.reach(Sometimes::OldFrame);
                }
            }
            Ok(ServerFrame::Reset(reset)) => self.watch_reset(reset.reason),
            _ => {}
        }
    }

    pub(crate) fn watch_reset(&mut self, reason: ResetReason) {
        self.reach(match reason {
            ResetReason::History => Sometimes::ResetHistory,
            ResetReason::Horizon => Sometimes::ResetHorizon,
            _ => Sometimes::ResetScope,
        });
    }

    // From the server's side.

    pub(crate) fn handshake(&mut self, id: u64, token: &str) -> Checked {
        let Some(conn) = self.conns.get(&id) else { return Ok(()) };
        if !self.host.is_up || !conn.at_phone || conn.is_dead {
            self.tell_phone(id, SocketEvent::Failed("connection refused".to_owned()));
            return Ok(());
        }
        let Some(token) = self.host.facts(token, wall(self.now)) else {
            self.tell_phone(id, SocketEvent::closed(CloseCode::POLICY, "Authentication failed"));
            return Ok(());
        };
        let read = self.host.authority.read();
        let head = read.head(PROPERTY).map_err(broken)?;
        let viewer = read.person(PROPERTY, token.employee).map_err(broken)?;
        let Some(viewer) = viewer else {
            self.tell_phone(id, SocketEvent::closed(CloseCode::POLICY, "Authentication failed"));
            return Ok(());
        };
        if let Some(conn) = self.conns.get_mut(&id) {
            conn.at_server = true;
        }
        let (name, time_zone) = ("Seaside Motel".to_owned(), "UTC".to_owned());
        let property = Property { id: PROPERTY.to_owned(), name, time_zone }.into();
        let kind = ClientKind::InnSync;
        let opened = Opened { conn: ConnId(id), kind, property, viewer, head, token };
        self.hub(HubInput::Opened(Box::new(opened)))
    }

    pub(crate) fn frame_arrives(&mut self, id: u64, text: String) -> Checked {
        match self.conns.get(&id) {
            Some(conn) if conn.at_server && !conn.is_dead => {
                let name = self.name(conn.who);
                self.note(format_args!("server ◀ {name} {text}"));
                self.hub(HubInput::Text { conn: ConnId(id), text: text.into() })
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn gone_at_server(&mut self, id: u64) -> Checked {
        match self.conns.get_mut(&id) {
            Some(conn) if conn.at_server => {
                conn.at_server = false;
                self.hub(HubInput::Closed { conn: ConnId(id) })
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn caught_up(
        &mut self,
        life: u32,
        conn: ConnId,
        ticket: u64,
        answer: Option<SyncAnswer>,
    ) -> Checked {
        if life != self.host.life {
            return Ok(());
        }
        self.hub(HubInput::CaughtUp { conn, ticket, answer })
    }

    pub(crate) fn hub_tick(&mut self, life: u32) -> Checked {
        if life != self.host.life || !self.host.is_up {
            return Ok(());
        }
        self.queue.push(self.now + 1_000, Event::HubTick { life });
        self.sends_soon()?;
        self.hub(HubInput::Tick)
    }

    /// Feeds the hub and does what it says.
    pub(crate) fn hub(&mut self, input: HubInput) -> Checked {
        if !self.host.is_up {
            return Ok(());
        }
        let now = Now { wall: wall(self.now), mono_ms: self.now };
        let mut out = Vec::new();
        self.host.hub.handle(now, input, &mut out);
        for output in out {
            match output {
                HubOutput::Send { conn, text } => {
                    let text = self.lose_delta(text.as_str().to_owned());
                    if self.faults.releases == Releases::NewerServer && self.random.chance(50) {
                        self.tell_phone(conn.0, SocketEvent::Frame(releases::UNKNOWN_FRAME.to_owned()));
                    }
                    let text = releases::frame_down(self.faults.releases, text);
                    self.tell_phone(conn.0, SocketEvent::Frame(text));
                    if self.random.chance(self.faults.cut_socket) {
                        self.cut_somehow(conn.0);
                    }
                }
                HubOutput::Close { conn, code, reason } => {
                    if code == CloseCode::IDLE {
                        self.reach(Sometimes::SilentPhone);
                    }
                    self.tell_phone(conn.0, SocketEvent::closed(code, reason));
                    if let Some(conn) = self.conns.get_mut(&conn.0) {
                        conn.at_server = false;
                    }
                }
                HubOutput::CatchUp { conn, ticket, property, viewer, cursor, pending } => {
                    let answer = self.host.authority.read().catch_up(&property, viewer, cursor, &pending);
                    let answer = Some(answer.map_err(broken)?);
                    let slow = u64::from(self.faults.slow_ledger_ms);
                    let (life, at) = (self.host.life, self.now + self.random.below(slow.max(40)));
                    if at > self.now + 2_000 {
                        self.reach(Sometimes::SlowCatchUp);
                    }
                    self.queue.push(at, Event::CaughtUp { life, conn, ticket, answer });
                }
                HubOutput::CheckToken { conn, token } => {
                    let facts = self.host.facts(&token.0, wall(self.now));
                    self.hub(HubInput::TokenChecked { conn, facts })?;
                }
            }
        }
        Ok(())
    }

    fn tell_phone(&mut self, id: u64, event: SocketEvent) {
        let delay = self.delay();
        if let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.is_deaf) {
            let at = conn.down_at(self.now + delay);
            self.queue.push(at, Event::ToPhone { conn: id, event });
        }
    }

    /// A bug on purpose: see [`Bug::LoseDelta`].
    fn lose_delta(&mut self, text: String) -> String {
        if self.bug != Bug::LoseDelta || !self.bug_is_due {
            return text;
        }
        match ServerFrame::parse(&text) {
            Ok(ServerFrame::Delta(delta)) if !delta.commits.is_empty() && delta.results.is_empty() => {
                self.bug_is_due = false;
                let (timestamp, epoch) = (wall(self.now).as_millis(), delta.epoch);
                let (from, to, mark) = (delta.from, delta.to, delta.mark);
                ServerFrame::HeartbeatAck(HeartbeatAck { timestamp, epoch, from, to, mark }).to_json()
            }
            _ => text,
        }
    }

    // Cuts.

    fn cut_somehow(&mut self, id: u64) {
        let sides = [Side::Both, Side::Phone, Side::Server, Side::Neither];
        let side = *self.random.pick(&sides).unwrap_or(&Side::Both);
        self.cut(id, side);
    }

    /// The socket carries nothing more, and those of `side` notice.
    pub(crate) fn cut(&mut self, id: u64, side: Side) {
        let (up, down) = (self.delay(), self.delay());
        let Some(conn) = self.conns.get_mut(&id).filter(|conn| !conn.is_dead) else { return };
        conn.is_dead = true;
        let (up, down) = (conn.up_at(self.now + up), conn.down_at(self.now + down));
        if matches!(side, Side::Both | Side::Server) {
            self.queue.push(up, Event::GoneAtServer { conn: id });
        }
        if matches!(side, Side::Both | Side::Phone) {
            let event = SocketEvent::Failed("connection reset".to_owned());
            self.queue.push(down, Event::ToPhone { conn: id, event });
        }
    }

    /// No packet gets through for a while.
    pub(crate) fn partition(&mut self, who: usize, ms: u64) {
        self.phones[who].offline_until = self.phones[who].offline_until.max(self.now + ms);
        if let Some(id) = self.phones[who].socket {
            self.cut(id, Side::Neither);
        }
    }
    /// No packet gets through in one direction for a while.
    pub(crate) fn one_way(&mut self, who: usize, ms: u64, up: bool) {
        let (phone, until) = (&mut self.phones[who], self.now + ms);
        let until_then = if up { &mut phone.mute_until } else { &mut phone.deaf_until };
        *until_then = until.max(*until_then);
        let conn = phone.socket.and_then(|id| self.conns.get_mut(&id));
        if let Some(conn) = conn {
            conn.is_mute |= up;
            conn.is_deaf |= !up;
            self.reach(Sometimes::OneWay);
        }
    }
}
