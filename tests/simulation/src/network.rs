//! What lies between phones and server. Frames of a socket stay in order; requests and sockets overtake each other; what
//! is lost, doubled or late follows from the plan.

use innsync_domain::{Command, Uuid};
use innsync_engine::{HttpAnswer, HttpFailure, HttpRequest, Input, SocketEvent};
use innsync_protocol::{CloseCode, HeartbeatAck, OpResult, PushAnswer, PushRequest, ServerFrame, SyncAnswer};
use innsync_server::authority::Committed;
use innsync_server::hub::{ClientKind, ConnId, HubInput, HubOutput, Now, Opened};
use innsync_server::ledger::Property;

use crate::Bug;
use crate::failure::{Checked, Violation};
use crate::host::{Handled, broken, problem};
use crate::people::{PEOPLE, PROPERTY, employee};
use crate::phone::wall;
use crate::plan::Side;
use crate::queue::{Event, Request};
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

    fn is_offline(&self, who: usize) -> bool {
        self.now < self.phones[who].offline_until
    }

    // HTTP, from the phone's side.

    pub(crate) fn request(&mut self, who: usize, request: HttpRequest) {
        let HttpRequest { id, method, path, token, body, streams_lines } = request;
        let request = Request {
            who,
            life: self.phones[who].life,
            id,
            method,
            path,
            token: token.map(|token| token.0),
            body: body.map(|body| body.0).unwrap_or_default(),
            streams_lines,
            is_copy: false,
        };
        if self.is_offline(who) || self.random.chance(self.faults.lose_request) {
            return self.request_fails(&request);
        }
        if self.random.chance(self.faults.captive) {
            let answer =
                HttpAnswer { status: 200, retry_after_ms: None, body: "<html>Welcome!</html>".to_owned() };
            return self.answer_later(&request, Vec::new(), Ok(answer));
        }
        if self.random.chance(self.faults.duplicate) {
            let most = if self.random.chance(300) { 60_000 } else { 300 };
            let late = self.random.below(most);
            let copy = Request { is_copy: true, ..request.clone() };
            self.queue.push(self.now + self.faults.delay_min_ms + late, Event::Request(Box::new(copy)));
        }
        let at = self.now + self.delay();
        self.queue.push(at, Event::Request(Box::new(request)));
    }

    /// No answer comes: the phone hears so, soon or late, or never.
    fn request_fails(&mut self, request: &Request) {
        let after = match self.random.below(3) {
            0 => self.random.between(1, 100),
            1 => self.random.between(100, 30_000),
            _ => return,
        };
        let Request { who, life, id, .. } = *request;
        let answer = Err(HttpFailure { detail: "connection lost".to_owned() });
        self.queue.push(self.now + after, Event::Answer { who, life, id, lines: Vec::new(), answer });
    }

    fn answer_later(
        &mut self,
        request: &Request,
        lines: Vec<String>,
        answer: Result<HttpAnswer, HttpFailure>,
    ) {
        let Request { who, life, id, is_copy, .. } = *request;
        if !is_copy {
            let at = self.now + self.delay();
            self.queue.push(at, Event::Answer { who, life, id, lines, answer });
        }
    }

    pub(crate) fn answer_arrives(
        &mut self,
        who: usize,
        life: u32,
        id: u64,
        lines: Vec<String>,
        answer: Result<HttpAnswer, HttpFailure>,
    ) -> Checked {
        if self.phones[who].life != life {
            return Ok(());
        }
        let lost = HttpFailure { detail: "connection lost".to_owned() };
        let answer = if self.is_offline(who) { Err(lost) } else { answer };
        let name = PEOPLE[who].name;
        self.note(match &answer {
            Ok(answer) => format!("{name} ◀ {} {} ({} lines)", answer.status, answer.body, lines.len()),
            Err(failure) => format!("{name} ◀ no answer: {}", failure.detail),
        });
        let mut lines = lines.into_iter().peekable();
        while lines.peek().is_some() {
            let some = 1 + self.random.below(60) as usize;
            self.feed(who, Input::SnapshotLines { id, lines: lines.by_ref().take(some).collect() })?;
            if self.phones[who].life != life {
                return Ok(());
            }
        }
        self.feed(who, Input::Http { id, answer })
    }

    // HTTP, from the server's side.

    pub(crate) fn request_arrives(&mut self, mut request: Request) -> Checked {
        let name = PEOPLE[request.who].name;
        if !self.host.is_up {
            if !request.is_copy {
                self.request_fails(&request);
            }
            return Ok(());
        }
        let fails = self.random.chance(self.faults.server_error);
        if fails && self.random.chance(700) {
            let answer = self.error();
            self.note(format!("{name}'s {} meets a {}", request.path, answer.status));
            self.answer_later(&request, Vec::new(), Ok(answer));
            return Ok(());
        }
        self.push_twice(&mut request);
        self.note(format!(
            "server ◀ {name} {}{}",
            request.path,
            if request.is_copy { " (again)" } else { "" }
        ));
        let Handled { answer, mut lines, committed } = self.host.answer(&request, wall(self.now));
        if request.path == "/v1/ops" && answer.status == 200 {
            self.pushed(&request, &answer)?;
        }
        self.committed(committed)?;
        if fails {
            // It was done all the same.
            let answer = self.error();
            self.answer_later(&request, Vec::new(), Ok(answer));
        } else if self.random.chance(self.faults.lose_answer) && !request.is_copy {
            self.note(format!("{name}'s answer is lost"));
            self.request_fails(&request);
        } else if !lines.is_empty() && self.random.chance(self.faults.cut_body) {
            lines.truncate(self.random.below(lines.len() as u64) as usize);
            let end = if self.random.chance(500) {
                Ok(answer)
            } else {
                Err(HttpFailure { detail: "cut".to_owned() })
            };
            self.answer_later(&request, lines, end);
        } else {
            self.answer_later(&request, lines, Ok(answer));
        }
        Ok(())
    }

    fn error(&mut self) -> HttpAnswer {
        match self.random.below(4) {
            0 => problem(500, "INTERNAL", "Something failed."),
            1 => {
                HttpAnswer { status: 502, retry_after_ms: None, body: "<html>Bad Gateway</html>".to_owned() }
            }
            2 => problem(503, "UNAVAILABLE", "Later."),
            _ => {
                let retry_after_ms = Some(1_000 * self.random.between(1, 20));
                HttpAnswer { retry_after_ms, ..problem(429, "TOO_MANY_REQUESTS", "Later.") }
            }
        }
    }

    /// The reference hears what the server said of each operation.
    fn pushed(&mut self, request: &Request, answer: &HttpAnswer) -> Checked {
        let unreadable = |error: serde_json::Error| Violation::new("RUN", format!("a push: {error}"));
        let sent: PushRequest = serde_json::from_str(&request.body).map_err(unreadable)?;
        let answer: PushAnswer = serde_json::from_str(&answer.body).map_err(unreadable)?;
        if sent.ops.len() != answer.results.len() {
            return Err(Violation::new("G2", "a push has not as many results as operations"));
        }
        for (op, OpResult { id, result }) in sent.ops.iter().zip(&answer.results) {
            let op: innsync_protocol::Op = serde_json::from_str(op.get()).map_err(unreadable)?;
            let who = PEOPLE[request.who].name;
            self.note(format!("  {who}'s {} {id}: {}", op.command.name(), outcome_text(result)));
            // Read marks that wait join each other.
            let same =
                |given: &Command| *given == op.command || (given.is_cosmetic() && op.command.is_cosmetic());
            if !self.given.get(&op.id).is_some_and(same) || op.id != *id {
                let detail = format!("operation {} {} was never given by {who}", op.id, op.command.name());
                return Err(Violation::new("G2", detail));
            }
            self.model.answered(&op, result, wall(self.now))?;
        }
        Ok(())
    }

    fn committed(&mut self, committed: Vec<Committed>) -> Checked {
        committed.into_iter().try_for_each(|committed| self.hub(HubInput::Committed(committed)))
    }

    /// A bug on purpose: see [`Bug::PushTwice`].
    fn push_twice(&mut self, request: &mut Request) {
        if self.bug != Bug::PushTwice || !self.bug_is_due || request.path != "/v1/ops" {
            return;
        }
        let Ok(mut push) = serde_json::from_str::<PushRequest>(&request.body) else { return };
        let Some(first) = push.ops.first() else { return };
        let Ok(mut op) = serde_json::from_str::<innsync_protocol::Op>(first.get()) else { return };
        op.id = Uuid::from_u128(op.id.as_u128() ^ 1);
        if let Ok(raw) = serde_json::value::to_raw_value(&op) {
            self.bug_is_due = false;
            push.ops.push(raw);
            request.body = serde_json::to_string(&push).unwrap_or_default();
        }
    }

    // Sockets, from the phone's side.

    pub(crate) fn open_socket(&mut self, who: usize, generation: u64, token: String) {
        self.drop_socket(who);
        self.last_conn += 1;
        let (id, life) = (self.last_conn, self.phones[who].life);
        let is_dead = self.is_offline(who);
        let conn = Conn {
            who,
            life,
            generation,
            at_server: false,
            at_phone: true,
            is_dead,
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
        let cut = self.random.chance(self.faults.cut_socket);
        let Some((id, conn)) = self.conn_of(who) else { return };
        if conn.generation != generation || !conn.at_phone {
            return;
        }
        if !conn.is_dead {
            let at = conn.up_at(arrival);
            self.queue.push(at, Event::ToServer { conn: id, text });
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
        if !conn.is_dead {
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
        conn.at_phone = matches!(event, SocketEvent::Frame(_));
        let phone = &mut self.phones[who];
        if phone.life != life || phone.engine.is_none() {
            return Ok(());
        }
        self.note(match &event {
            SocketEvent::Frame(text) => format!("{} ◀ {text}", PEOPLE[who].name),
            other => format!("{} ◀ {other:?}", PEOPLE[who].name),
        });
        self.feed(who, Input::Socket { generation, event })
    }

    // Sockets, from the server's side.

    pub(crate) fn handshake(&mut self, id: u64, token: &str) -> Checked {
        let Some(conn) = self.conns.get(&id) else { return Ok(()) };
        let who = conn.who;
        if !self.host.is_up || !conn.at_phone || conn.is_dead {
            self.tell_phone(id, SocketEvent::Failed("connection refused".to_owned()));
            return Ok(());
        }
        let Some(token) = self.host.facts(token, wall(self.now)) else {
            self.tell_phone(id, SocketEvent::closed(CloseCode::POLICY, "Authentication failed"));
            return Ok(());
        };
        if let Some(conn) = self.conns.get_mut(&id) {
            conn.at_server = true;
        }
        let read = self.host.authority.read();
        let head = read.head(PROPERTY).map_err(broken)?;
        let viewer = read.person(PROPERTY, employee(who)).map_err(broken)?;
        let viewer = viewer.ok_or_else(|| Violation::new("RUN", "somebody is not on the staff"))?;
        let (name, time_zone) = ("Seaside Motel".to_owned(), "UTC".to_owned());
        let property = Property { id: PROPERTY.to_owned(), name, time_zone }.into();
        let kind = ClientKind::InnSync;
        let opened = Opened { conn: ConnId(id), kind, property, viewer, head, token };
        self.hub(HubInput::Opened(Box::new(opened)))
    }

    pub(crate) fn frame_arrives(&mut self, id: u64, text: String) -> Checked {
        match self.conns.get(&id) {
            Some(conn) if conn.at_server && !conn.is_dead => {
                self.note(format!("server ◀ {} {text}", PEOPLE[conn.who].name));
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
                    self.tell_phone(conn.0, SocketEvent::Frame(text));
                    if self.random.chance(self.faults.cut_socket) {
                        self.cut_somehow(conn.0);
                    }
                }
                HubOutput::Close { conn, code, reason } => {
                    self.tell_phone(conn.0, SocketEvent::closed(code, reason));
                    if let Some(conn) = self.conns.get_mut(&conn.0) {
                        conn.at_server = false;
                    }
                }
                HubOutput::CatchUp { conn, ticket, property, viewer, cursor, pending } => {
                    let answer = self.host.authority.read().catch_up(&property, viewer, cursor, &pending);
                    let answer = Some(answer.map_err(broken)?);
                    let (life, at) = (self.host.life, self.now + self.random.below(40));
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
        if let Some(conn) = self.conns.get_mut(&id) {
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
}

fn outcome_text(outcome: &innsync_protocol::OpOutcome) -> String {
    serde_json::to_string(outcome).unwrap_or_default()
}
