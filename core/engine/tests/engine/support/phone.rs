//! A phone whose network is played by hand, with helpers for when it simply works.

use std::collections::VecDeque;

use innsync_domain::Rejection;
use innsync_domain::{Command, Entity, EntityRef, Timestamp, Uuid};
use innsync_engine::{
    ClientEvent, Config, ConnectionState, Effect, EffectBody, Engine, HttpAnswer, HttpFailure, HttpRequest,
    Input, Now, OpState, Output, Receipt, Session, SocketEvent, verify,
};
use innsync_protocol::{
    ClientFrame, Connected, Cursor, Delta, HeartbeatAck, Reset, ResetReason, ServerFrame, SnapshotRequest,
    SyncAnswer,
};

use super::{MORNING, Motel, TestStore, id};

pub struct Phone {
    pub employee: Uuid,
    pub engine: Engine,
    pub store: TestStore,
    pub now: Now,
    /// Outputs nobody has looked at yet.
    pub said: Vec<Output>,
    /// HTTP requests that are not answered yet.
    pub requests: VecDeque<HttpRequest>,
    /// Text frames that left, and the socket that is open.
    pub frames: Vec<ClientFrame>,
    pub texts: Vec<String>,
    pub socket: Option<u64>,
    pub closed_with: Option<(u16, &'static str)>,
    /// Whether the next commit fails.
    pub disk_full: bool,
    next_op: u128,
}

pub fn session(access: &str, valid_ms: i64) -> Session {
    Session {
        access_token: access.to_owned(),
        refresh_token: format!("refresh-{access}"),
        expires_at: Timestamp::from_millis(MORNING + valid_ms),
    }
}

fn config(employee: Uuid, boot: &str) -> Config {
    Config { employee, device: "handset-3".into(), boot_id: boot.into(), seed: 7 }
}

impl Phone {
    pub fn new(employee: Uuid) -> Self {
        Self::over(employee, TestStore::default(), Some(session("token-1", 3_600_000)), "boot-1")
    }

    pub fn over(employee: Uuid, store: TestStore, session: Option<Session>, boot: &str) -> Self {
        let now = Now { boot_ms: 1_000, wall: Timestamp::from_millis(MORNING) };
        let engine = Engine::open(config(employee, boot), session, now, &store).unwrap();
        Self {
            employee,
            engine,
            store,
            now,
            said: Vec::new(),
            requests: VecDeque::new(),
            frames: Vec::new(),
            texts: Vec::new(),
            socket: None,
            closed_with: None,
            disk_full: false,
            next_op: 500_000,
        }
    }

    /// The app is killed and started again, in the same boot.
    pub fn restart(&mut self) {
        let Self { employee, now, next_op, .. } = *self;
        let store = std::mem::take(&mut self.store);
        *self = Self::over(employee, store, Some(session("token-1", 3_600_000)), "boot-1");
        self.now = now;
        self.next_op = next_op;
        self.engine =
            Engine::open(config(employee, "boot-1"), Some(session("token-1", 3_600_000)), now, &self.store)
                .unwrap();
    }

    /// One input, committed, carried out, and the screen checked against a replay from scratch.
    pub fn feed(&mut self, input: Input) -> Vec<Output> {
        let step = self.engine.prepare(self.now, input.clone(), &self.store).unwrap();
        if self.disk_full && !step.batch.writes.is_empty() {
            self.disk_full = false;
            let step = self.engine.prepare(self.now, Input::CommitFailed, &self.store).unwrap();
            assert!(step.batch.writes.is_empty(), "{:?}", step.batch);
            let outputs = self.engine.apply(step);
            return self.carry_out(outputs);
        }
        self.store.commit(&step.batch);
        let outputs = self.engine.apply(step);
        let wrong = verify(&self.store, self.employee).unwrap();
        assert!(wrong.is_empty(), "after {input:?}: {wrong:#?}");
        self.carry_out(outputs)
    }

    fn carry_out(&mut self, outputs: Vec<Output>) -> Vec<Output> {
        for output in &outputs {
            match output {
                Output::OpenSocket { generation, .. } => self.socket = Some(*generation),
                Output::CloseSocket { generation, code, reason } => {
                    assert_eq!(self.socket, Some(*generation));
                    self.socket = None;
                    self.closed_with = Some((*code, reason));
                }
                Output::SendFrame { generation, text } => {
                    assert_eq!(self.socket, Some(*generation));
                    self.texts.push(text.clone());
                    if let Ok(frame) = ClientFrame::parse(text) {
                        self.frames.push(frame);
                    }
                }
                Output::Http(request) => self.requests.push_back(request.clone()),
                _ => {}
            }
        }
        self.said.extend(outputs.iter().cloned());
        outputs
    }

    // Time.

    /// Lets time pass; ticks when the engine asks for it.
    pub fn pass(&mut self, millis: u64) {
        let end = self.now.boot_ms + millis;
        for _ in 0..100_000 {
            match self.engine.next_deadline() {
                Some((at, _)) if at <= end => {
                    self.set_time(at.max(self.now.boot_ms));
                    self.feed(Input::Tick);
                }
                _ => return self.set_time(end),
            }
        }
        panic!("a storm of ticks: {:?}", self.engine.next_deadline());
    }

    fn set_time(&mut self, boot_ms: u64) {
        let passed = i64::try_from(boot_ms - self.now.boot_ms).unwrap();
        self.now = Now { boot_ms, wall: self.now.wall.plus_millis(passed) };
    }

    /// What is due right now.
    pub fn settle(&mut self) {
        self.pass(0);
    }

    // The socket.

    pub fn frame(&mut self, frame: ServerFrame) -> Vec<Output> {
        self.text(&frame.to_json())
    }

    pub fn text(&mut self, text: &str) -> Vec<Output> {
        let generation = self.socket.expect("a socket");
        self.feed(Input::Socket { generation, event: SocketEvent::Frame(text.to_owned()) })
    }

    pub fn greet(&mut self, motel: &Motel) {
        let frame = self.connected(motel);
        self.frame(frame);
    }

    fn connected(&self, motel: &Motel) -> ServerFrame {
        ServerFrame::Connected(Connected {
            user_id: self.employee,
            timestamp: self.now.wall.as_millis(),
            heartbeat_interval: 30_000,
            property: motel.property(),
        })
    }

    pub fn ack(&mut self, motel: &Motel) {
        let cursor = motel.cursor();
        let ack = HeartbeatAck {
            timestamp: self.now.wall.as_millis(),
            epoch: cursor.epoch,
            from: cursor.seq,
            to: cursor.seq,
            mark: cursor.mark,
        };
        self.frame(ServerFrame::HeartbeatAck(ack));
    }

    pub fn delta(&mut self, delta: Delta) -> Vec<Output> {
        self.frame(ServerFrame::Delta(delta))
    }

    pub fn reset(&mut self, reason: ResetReason) {
        self.frame(ServerFrame::Reset(Reset { reason }));
    }

    pub fn close(&mut self, code: u16) -> Vec<Output> {
        let generation = self.socket.take().expect("a socket");
        let event = SocketEvent::Closed { code, reason: String::new() };
        let outputs = self.feed(Input::Socket { generation, event });
        self.settle();
        outputs
    }

    pub fn break_link(&mut self) {
        let generation = self.socket.take().expect("a socket");
        self.feed(Input::Socket { generation, event: SocketEvent::Failed("reset by peer".into()) });
        self.settle();
    }

    /// A new socket, greeted.
    pub fn come_back(&mut self, motel: &Motel) {
        self.feed(Input::Foreground);
        self.settle();
        self.greet(motel);
    }

    // HTTP.

    pub fn next_request(&mut self, path: &str) -> HttpRequest {
        let at = self.requests.iter().position(|it| it.path.starts_with(path));
        let at = at.unwrap_or_else(|| panic!("no {path} among {:?}", self.requests));
        self.requests.remove(at).unwrap()
    }

    pub fn has_request(&self, path: &str) -> bool {
        self.requests.iter().any(|it| it.path.starts_with(path))
    }

    pub fn answer(&mut self, request: &HttpRequest, status: u16, body: impl Into<String>) -> Vec<Output> {
        let answer = HttpAnswer { status, retry_after_ms: None, body: body.into() };
        let outputs = self.feed(Input::Http { id: request.id, answer: Ok(answer) });
        self.settle();
        outputs
    }

    pub fn fail(&mut self, request: &HttpRequest) {
        let failure = HttpFailure { detail: "unreachable".into() };
        self.feed(Input::Http { id: request.id, answer: Err(failure) });
        self.settle();
    }

    /// Answers what was asked, as the server would.
    pub fn serve(&mut self, motel: &mut Motel) {
        for _ in 0..1_000 {
            let Some(request) = self.requests.pop_front() else { return };
            self.serve_one(&request, motel);
        }
        panic!("the phone asks without end");
    }

    pub fn serve_one(&mut self, request: &HttpRequest, motel: &mut Motel) {
        let body = request.body.as_ref().map(|it| it.0.clone()).unwrap_or_default();
        if request.path == "/v1/ops" {
            let answer = motel.push(&body);
            self.answer(request, 200, answer);
        } else if request.path == "/v1/snapshot" {
            let pending: SnapshotRequest = serde_json::from_str(&body).unwrap();
            let lines = motel.snapshot(self.employee, &pending.pending);
            for chunk in lines.chunks(3) {
                self.feed(Input::SnapshotLines { id: request.id, lines: chunk.to_vec() });
            }
            self.answer(request, 200, "");
        } else if request.path.starts_with("/v1/sync") {
            let mut answer = motel.sync(self.employee, asked_at(&request.path));
            if let (SyncAnswer::Delta(delta), true) = (&mut answer, request.path.ends_with("&digest=true")) {
                delta.digest = Some(motel.digest(self.employee));
            }
            self.answer(request, 200, answer.to_json());
        } else {
            panic!("{request:?}");
        }
    }

    // When it simply works.

    /// Connected, with everything fetched and sent.
    pub fn online(employee: Uuid, motel: &mut Motel) -> Self {
        let mut phone = Self::new(employee);
        phone.go_online(motel);
        phone
    }

    pub fn go_online(&mut self, motel: &mut Motel) {
        self.feed(Input::Connect);
        self.settle();
        self.greet(motel);
        self.catch_up(motel);
        assert_eq!(self.engine.connection(), ConnectionState::Connected);
        self.said.clear();
    }

    /// The server continues the feed on the socket, and answers what was asked.
    pub fn catch_up(&mut self, motel: &mut Motel) {
        for _ in 0..20 {
            self.serve(motel);
            let cursor = self.cursor();
            if cursor == motel.cursor() && self.requests.is_empty() {
                return;
            }
            match motel.sync(self.employee, cursor) {
                SyncAnswer::Delta(delta) => self.delta(delta),
                SyncAnswer::Reset(reset) => self.frame(ServerFrame::Reset(reset)),
            };
            self.settle();
        }
        panic!("no end of catching up");
    }

    /// No network, and the platform says so.
    pub fn offline(&mut self) {
        self.break_link();
        self.feed(Input::NetworkChanged { available: false });
        while let Some(request) = self.requests.pop_front() {
            self.fail(&request);
        }
        self.said.clear();
    }

    // The person.

    pub fn new_id(&mut self) -> Uuid {
        self.next_op += 1;
        id(self.next_op)
    }

    pub fn try_to(&mut self, command: Command) -> Result<Receipt, Rejection> {
        self.try_after(command, vec![])
    }

    pub fn try_after(&mut self, command: Command, depends_on: Vec<Uuid>) -> Result<Receipt, Rejection> {
        let id = self.new_id();
        let outputs = self.feed(Input::Execute { request: 1, id, command, depends_on });
        let answer = outputs.into_iter().find_map(|it| match it {
            Output::Executed { result, .. } => Some(result),
            _ => None,
        });
        answer.expect("an answer")
    }

    /// Does something that works, and gives the operation's id.
    pub fn tap(&mut self, command: Command) -> Uuid {
        self.try_to(command).unwrap().id
    }

    // What can be seen.

    pub fn cursor(&self) -> innsync_protocol::Cursor {
        use innsync_engine::StoreRead;
        self.store.meta().unwrap().cursor
    }

    pub fn sees(&self, entity: &EntityRef, field: &str) -> String {
        let row: Option<&Entity> = self.store.row(entity);
        row.and_then(|it| it.field(field)).map_or("-".into(), |it| it.to_string().replace('"', ""))
    }

    pub fn state_of(&self, op: Uuid) -> Option<OpState> {
        self.store.op(op).map(|it| it.state.clone())
    }

    pub fn why(&self, op: Uuid) -> String {
        let why = self.engine.why_waiting(self.now, op).unwrap_or_else(|| "confirmed".into());
        assert_eq!(self.engine.is_about_to_be_sent(self.now, op), why == "It is about to be sent.");
        why
    }

    pub fn effects(&self) -> Vec<Effect> {
        self.said
            .iter()
            .filter_map(|it| if let Output::Effect(effect) = it { Some(effect.clone()) } else { None })
            .collect()
    }

    /// The keys of the toasts since somebody last looked.
    pub fn toasts(&mut self) -> Vec<String> {
        let keys = self
            .effects()
            .into_iter()
            .filter_map(|it| if let EffectBody::Toast { key, .. } = it.body { Some(key) } else { None })
            .collect();
        self.said.clear();
        keys
    }

    pub fn events(&self) -> Vec<&ClientEvent> {
        self.said
            .iter()
            .filter_map(|it| if let Output::Event(event) = it { Some(event) } else { None })
            .collect()
    }

    pub fn state(&self) -> ConnectionState {
        self.engine.connection()
    }
}

/// The place in the feed that a pull asks from.
fn asked_at(path: &str) -> Cursor {
    let pairs = path.split_once('?').unwrap().1.split('&').map(|pair| pair.split_once('=').unwrap());
    let value = |name| pairs.clone().find(|(it, _)| *it == name).unwrap().1;
    let (epoch, seq) = (value("epoch").parse().unwrap(), value("seq").parse().unwrap());
    Cursor { epoch, seq, mark: value("mark").parse().unwrap() }
}
