//! Random days: a phone in a corridor where nothing works reliably. After each step what is shown equals the mirror with
//! the outbox replayed from scratch (checked in `Phone::feed`); once the network heals, everything converges.

use innsync_domain::{
    Command, EntityKind, EntityRef, NotePatch, SuitePatch, SuiteStatus, TaskPatch, TaskStatus, Uuid,
};
use innsync_engine::{ConnectionState, HttpFailure, Input, OpState, SocketEvent, StoreRead};
use innsync_protocol::{OpOutcome, ServerFrame, SyncAnswer};

use crate::support::*;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len() as u64) as usize]
    }
}

struct Day {
    dice: Dice,
    motel: Motel,
    phone: Phone,
    who: Uuid,
    tapped: Vec<Uuid>,
    next_entity: u128,
}

fn motel() -> Motel {
    let tasks = (1..=6).map(|number| {
        let mut row = task(
            id(70 + number),
            &format!("Task {number}"),
            [None, Some(ana()), Some(sam())][number as usize % 3],
        );
        row.suite_id = Some(suite_id(101));
        row.into()
    });
    let suites = (101..=104).map(|number| suite(number, SuiteStatus::KNOWN[number as usize % 6].clone()));
    Motel::new(tasks.chain(suites).collect::<Vec<_>>())
}

impl Day {
    fn new(seed: u64, who: Uuid) -> Self {
        let mut motel = motel();
        let phone = Phone::online(who, &mut motel);
        Self { dice: Dice(seed), motel, phone, who, tapped: Vec::new(), next_entity: 2_000 }
    }

    fn command(&mut self) -> Command {
        self.next_entity += 1;
        let fresh = id(self.next_entity);
        let tasks: Vec<Uuid> =
            self.motel.rows.keys().filter(|it| it.kind == EntityKind::Task).map(|it| it.id).collect();
        let task_id = if tasks.is_empty() { id(71) } else { *self.dice.pick(&tasks) };
        let number = 101 + self.dice.roll(5) as u32;
        let person = id(1 + u128::from(self.dice.roll(5)));
        match self.dice.roll(17) {
            0 | 1 => set_status(number, self.dice.pick(SuiteStatus::KNOWN).clone()),
            2 => Command::StartTask { task_id },
            3 => Command::CompleteTask { task_id },
            4 => Command::TakeTask { task_id },
            5 => Command::ReleaseTask { task_id },
            6 => Command::AssignTask { task_id, assignee: person },
            7 => report(fresh, "Something"),
            8 => Command::SetDuty { employee_id: person, is_on_duty: self.dice.roll(3) > 0 },
            9 => {
                let patch =
                    TaskPatch { title: Some(format!("T{}", self.dice.roll(5))), ..TaskPatch::default() };
                Command::EditTask { task_id, patch }
            }
            10 => {
                let patch = TaskPatch { suite_id: Some(Some(suite_id(number))), ..TaskPatch::default() };
                Command::EditTask { task_id, patch }
            }
            11 => Command::ReopenTask { task_id },
            12 => Command::DeleteTask { task_id },
            13 => {
                let patch = SuitePatch { floor: Some(self.dice.roll(9) as i32), ..SuitePatch::default() };
                Command::EditSuite { suite_id: suite_id(number), patch }
            }
            14 => Command::CreateNote {
                note_id: id(3_000 + u128::from(self.dice.roll(4))),
                title: "Note".into(),
                content: String::new(),
                suite_id: Some(suite_id(number)),
                task_id: None,
                audience: Default::default(),
            },
            15 => Command::AddComment {
                note_id: id(3_000 + u128::from(self.dice.roll(4))),
                comment_id: fresh,
                text: "Seen".into(),
            },
            _ => {
                let patch =
                    NotePatch { content: Some(format!("{}", self.dice.roll(9))), ..NotePatch::default() };
                Command::EditNote { note_id: id(3_000 + u128::from(self.dice.roll(4))), patch }
            }
        }
    }

    fn step(&mut self) {
        match self.dice.roll(26) {
            0..=6 => self.tap(),
            7..=10 => {
                let (by, command) = (id(1 + u128::from(self.dice.roll(5))), self.command());
                if by != self.who {
                    self.motel.act(by, command);
                }
            }
            11..=15 => self.request(),
            16..=18 => self.delta(),
            19 => self.phone.pass(1 + self.dice.0 % 7_000),
            20 => self.link(),
            21 => match self.dice.roll(8) {
                0 => {
                    self.phone.restart();
                    self.phone.feed(Input::Connect).clear();
                }
                1 => self.phone.feed(Input::Refetch).clear(),
                2 => self.phone.feed(Input::ClearCache).clear(),
                3 => self.phone.disk_full = true,
                4 => self.phone.feed(Input::ClearKind { kind: EntityKind::Suite }).clear(),
                5 => self.phone.feed(Input::Sync { until: u64::MAX }).clear(),
                _ => self.phone.feed(Input::Foreground).clear(),
            },
            22 => self.decide(),
            23 => {
                if self.phone.socket.is_some() && self.phone.state() == ConnectionState::Connected {
                    self.phone.ack(&self.motel);
                }
            }
            _ => self.phone.settle(),
        }
    }

    fn tap(&mut self) {
        let command = self.command();
        let id = self.phone.new_id();
        let depends_on =
            if self.dice.roll(6) == 0 { self.tapped.last().copied().into_iter().collect() } else { vec![] };
        self.phone.feed(Input::Execute { request: 1, id, command, depends_on });
        if self.phone.store.op(id).is_some() {
            self.tapped.push(id);
        }
    }

    /// A request is answered, or its answer is lost, or it never arrives.
    fn request(&mut self) {
        let Some(request) = self.phone.requests.pop_front() else { return };
        let lost = Input::Http { id: request.id, answer: Err(HttpFailure { detail: "lost".into() }) };
        match self.dice.roll(5) {
            0 => self.phone.feed(lost).clear(),
            1 if request.path == "/v1/ops" => {
                self.motel.push(&request.body.as_ref().unwrap().0);
                self.phone.feed(lost).clear();
            }
            1 if request.path == "/v1/snapshot" => {
                let lines = self.motel.snapshot(self.who, &[]);
                let cut = 1 + self.dice.roll(lines.len() as u64 - 2) as usize;
                self.phone.feed(Input::SnapshotLines { id: request.id, lines: lines[..cut].to_vec() });
                self.phone.feed(lost).clear();
            }
            2 => self.phone.answer(&request, 200, "<html>Welcome to our Wi-Fi</html>").clear(),
            _ => self.phone.serve_one(&request, &mut self.motel),
        }
    }

    /// A delta of some range: the next one, an old one, or one beyond a gap.
    fn delta(&mut self) {
        if self.phone.socket.is_none() || self.phone.state() != ConnectionState::Connected {
            return;
        }
        let (mine, head) = (self.phone.cursor().seq, self.motel.seq());
        let from = match self.dice.roll(4) {
            0 => mine.saturating_sub(self.dice.roll(4)),
            1 => mine + self.dice.roll(3),
            _ => mine,
        };
        let to = from + self.dice.roll(4);
        if to <= head {
            let delta = self.motel.delta(self.who, from, to);
            self.phone.delta(delta);
        }
    }

    fn link(&mut self) {
        match self.phone.socket {
            None => self.phone.pass(10_000),
            Some(generation) if self.phone.state() == ConnectionState::Connected => {
                self.phone.socket = None;
                let event = SocketEvent::Failed("gone".into());
                self.phone.feed(Input::Socket { generation, event });
            }
            Some(_) => self.phone.greet(&self.motel),
        }
    }

    /// A person looks after what is parked.
    fn decide(&mut self) {
        let ops = self.phone.store.outbox().unwrap();
        let Some(op) = ops.iter().find(|op| matches!(op.state, OpState::Parked { .. })) else { return };
        if self.dice.roll(2) == 0 {
            self.phone.feed(Input::Discard { id: op.op.id });
        } else {
            let new = self.phone.new_id();
            self.phone.feed(Input::Retry { parked: op.op.id, id: new });
        }
    }

    /// The network heals: then everything is in order within bounds.
    fn heal(&mut self) {
        self.phone.disk_full = false;
        self.phone.feed(Input::Connect);
        for _ in 0..400 {
            self.phone.pass(1_000);
            self.phone.serve(&mut self.motel);
            if self.phone.socket.is_some() && self.phone.state() != ConnectionState::Connected {
                self.phone.greet(&self.motel);
            } else if self.phone.state() == ConnectionState::Connected {
                self.phone.serve(&mut self.motel);
                match self.motel.sync(self.who, self.phone.cursor()) {
                    SyncAnswer::Delta(delta) => self.phone.delta(delta),
                    SyncAnswer::Reset(reset) => self.phone.frame(ServerFrame::Reset(reset)),
                };
            }
            self.phone.serve(&mut self.motel);
            if self.is_quiet() {
                return;
            }
        }
        let waiting: Vec<String> =
            self.phone.store.outbox().unwrap().iter().map(|op| self.phone.why(op.op.id)).collect();
        panic!(
            "not quiet: {:?} {waiting:#?} {:?}",
            self.phone.engine.status(),
            self.phone.engine.next_deadline()
        );
    }

    fn is_quiet(&self) -> bool {
        let ops = self.phone.store.outbox().unwrap();
        let held = |op: &innsync_engine::QueuedOp| {
            matches!(op.state, OpState::Parked { .. })
                || self.phone.why(op.op.id).contains("needs you first")
                || {
                    // Behind one that is held back itself.
                    self.phone.why(op.op.id).contains("waits for operation")
                }
        };
        self.phone.state() == ConnectionState::Connected
            && self.phone.cursor() == self.motel.cursor()
            && self.phone.requests.is_empty()
            && ops.iter().all(held)
            && (ops.is_empty() || ops.iter().any(|op| matches!(op.state, OpState::Parked { .. })))
    }
}

fn run(seed: u64, who: Uuid, steps: u32) -> Day {
    let mut day = Day::new(seed, who);
    for _ in 0..steps {
        day.step();
        // G3: whatever the state, there is a time at which the engine looks again.
        assert!(day.phone.engine.next_deadline().is_some(), "seed {seed}");
    }
    day.heal();
    // G9: what the phone holds is what the server would show it.
    assert_eq!(day.phone.store.whole_mirror(), day.motel.visible(who), "seed {seed}");
    // G1, G2: every saved operation was taken once, or is still here for a person, or was discarded by one.
    for op in &day.tapped {
        let taken = day.motel.outcomes.get(op).is_some_and(|it| it.seq().is_some());
        assert!(!taken || day.phone.store.op(*op).is_none(), "seed {seed}: {op} is taken and still here");
    }
    day
}

/// That the days are eventful: operations are taken, refused and in conflict, and arrive more than once.
#[test]
fn the_random_days_are_not_idle() {
    let (mut taken, mut refused, mut conflicts, mut again) = (0, 0, 0, 0);
    for seed in 31..=36 {
        let day = run(seed, if seed % 2 == 0 { ana() } else { sam() }, 500);
        for outcome in day.motel.outcomes.values() {
            match outcome {
                OpOutcome::Applied { .. } => taken += 1,
                OpOutcome::Rejected { .. } => refused += 1,
                OpOutcome::Conflict { .. } => conflicts += 1,
                _ => {}
            }
        }
        again += day.motel.arrivals.values().filter(|arrivals| **arrivals > 1).count();
    }
    assert!(
        taken > 60 && refused > 5 && conflicts > 1 && again > 10,
        "{taken} {refused} {conflicts} {again}"
    );
}

#[test]
fn a_housekeepers_days() {
    for seed in 1..=4 {
        let _ = run(seed, ana(), 500);
    }
}

#[test]
fn a_managers_days() {
    for seed in 11..=14 {
        let _ = run(seed, maria(), 500);
    }
}

/// A longer look: `cargo test -p innsync-engine -- --ignored`.
#[test]
#[ignore = "200 days take minutes; the 13 days above run every time, and the simulator covers more"]
fn many_days() {
    for seed in 1_000..1_200 {
        let who = [ana(), ben(), miguel(), sam(), maria()][seed as usize % 5];
        let _ = run(seed, who, 600);
    }
}

#[test]
fn a_supervisors_long_day() {
    let _ = run(21, sam(), 2_000);
}

/// One step's outputs are a function of state, time and input alone.
#[test]
fn a_day_replays_to_the_byte() {
    let day = || {
        let mut day = Day::new(5, ana());
        (0..300).for_each(|_| day.step());
        (day.phone.texts.clone(), day.phone.store.clone(), day.phone.engine.next_deadline())
    };
    assert!(day() == day());
}

#[test]
fn completed_tasks_stay_completed_on_the_screen_of_who_completed_them() {
    let mut motel = Motel::new([task(id(71), "Towels", Some(ana())).into()]);
    let mut phone = Phone::online(ana(), &mut motel);
    phone.offline();
    phone.tap(Command::StartTask { task_id: id(71) });
    phone.tap(Command::CompleteTask { task_id: id(71) });
    phone.pass(40_000);
    phone.serve(&mut motel);
    phone.greet(&motel);
    phone.catch_up(&mut motel);
    let reference = EntityRef::new(EntityKind::Task, id(71));
    assert_eq!(phone.sees(&reference, "status"), TaskStatus::Completed.as_str());
    assert_eq!(phone.store.history(&reference, "status"), ["PENDING", "IN_PROGRESS", "COMPLETED"]); // G7
}
