//! Phones and a server, and the one loop that everything happens in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use innsync_domain::{Command, Uuid};
use innsync_engine::{Input, SocketEvent};
use innsync_protocol::CloseCode;
use innsync_random::Random;

use crate::Bug;
use crate::failure::{Checked, Report, Violation};
use crate::host::Host;
use crate::model::Model;
use crate::people::{PEOPLE, employee};
use crate::phone::{Phone, wall};
use crate::plan::{Faults, Plan};
use crate::queue::{Event, Queue};
use crate::sockets::Conn;
use crate::sometimes::Sometimes;
use crate::storage::{End, Storage};
use crate::trace::{Lines, Trace};
use crate::twins::Diary;

/// Events in one run for each phone, or if it is long, in one of its seconds; more is a run that spins.
const EVENTS: u64 = 20_000;
const EVENTS_A_SECOND: u64 = 3;
/// Events at one and the same moment; more is a run that spins.
const EVENTS_AT_ONCE: u64 = 2_000;

/// Milliseconds after which somebody tries again to sign in who is not on the staff.
const NOT_ON_STAFF_MS: u64 = 3_000;

/// What a person gave and their phone saved.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) person: usize,
    pub(crate) command: Command,
}

/// See the module.
pub(crate) struct World {
    pub(crate) plan: Plan,
    /// The network's faults; none once all is calm.
    pub(crate) faults: Faults,
    pub(crate) bug: Bug,
    pub(crate) bug_is_due: bool,
    pub(crate) now: u64,
    pub(crate) queue: Queue,
    pub(crate) trace: Trace,
    pub(crate) random: Random,
    pub(crate) ids: Random,
    pub(crate) phones: Vec<Phone>,
    pub(crate) host: Host,
    pub(crate) model: Model,
    /// What the server was each time before a backup was restored.
    pub(crate) past: Vec<Model>,
    /// Operations that left an outbox since they were confirmed, and in which history: how many were before it.
    pub(crate) left: BTreeMap<Uuid, usize>,
    pub(crate) conns: BTreeMap<u64, Conn>,
    pub(crate) last_conn: u64,
    /// Every operation that a person gave, whether or not they heard that it was saved.
    pub(crate) given: BTreeMap<Uuid, Command>,
    pub(crate) accepted: BTreeMap<Uuid, Accepted>,
    /// Operations that may have a part alone of what was given: those that settle a conflict, or carry on with what nobody else
    /// had changed.
    pub(crate) rests: BTreeSet<Uuid>,
    /// Operations that a person gave up.
    pub(crate) given_up: BTreeSet<Uuid>,
    pub(crate) parked: BTreeSet<Uuid>,
    pub(crate) is_calm: bool,
    /// Ids are made of the true time, not of phones' wall clocks, see `twins.rs`.
    pub(crate) ids_are_timely: bool,
    /// What became of each operation, where it is compared with another run.
    pub(crate) diary: Option<Diary>,
    /// Which effect told which phone of a value that lost.
    pub(crate) told: BTreeMap<(usize, String), Uuid>,
    /// What was reached, and how often.
    pub(crate) reached: BTreeMap<Sometimes, u64>,
    /// Which phones have sent each operation to the server.
    pub(crate) senders: BTreeMap<Uuid, BTreeSet<usize>>,
    pub(crate) disk_faults: u64,
    /// How often an engine compared its digest with the server's.
    pub(crate) digests: u64,
    events: u64,
    events_now: u64,
}

impl World {
    pub(crate) fn new(plan: &Plan, bug: Bug, lines: Lines) -> Checked<Self> {
        let mut model = Model::default();
        let mut host = Host::open(plan, wall(0), &mut model)?;
        let mut phones = Vec::new();
        for who in 0..plan.people {
            let disk = plan.disks.iter().find(|disk| disk.who == who);
            let storage = Storage::new(disk, plan.seed ^ who as u64, bug == Bug::NoSync)?;
            let mut phone = Phone::new(who, plan.skew_ms.get(who).copied().unwrap_or(0), storage);
            phone.session = Some(host.issuer.sign_in(who, wall(0)));
            phones.push(phone);
        }
        Ok(Self {
            faults: plan.faults,
            bug,
            bug_is_due: bug != Bug::None,
            now: 0,
            queue: Queue::default(),
            trace: Trace::new(lines),
            random: Random::of(plan.seed, "network"),
            ids: Random::of(plan.seed, "ids"),
            phones,
            host,
            model,
            past: Vec::new(),
            left: BTreeMap::new(),
            conns: BTreeMap::new(),
            last_conn: 0,
            given: BTreeMap::new(),
            accepted: BTreeMap::new(),
            rests: BTreeSet::new(),
            given_up: BTreeSet::new(),
            parked: BTreeSet::new(),
            is_calm: false,
            ids_are_timely: false,
            diary: None,
            told: BTreeMap::new(),
            reached: BTreeMap::new(),
            senders: BTreeMap::new(),
            disk_faults: 0,
            digests: 0,
            events: 0,
            events_now: 0,
            plan: plan.clone(),
        })
    }

    /// The plan, then the calm after it.
    pub(crate) fn run(&mut self) -> Checked<Report> {
        for who in 0..self.phones.len() {
            self.queue.push(0, Event::Start { who });
        }
        for (index, step) in self.plan.steps.iter().enumerate() {
            self.queue.push(step.at, Event::Step(index));
        }
        self.queue.push(1_000, Event::HubTick { life: 0 });
        if self.phones.len() == PEOPLE.len() {
            self.reach(Sometimes::ManyPhones);
        }
        self.until(self.plan.end() + 1)?;
        let disk_operations = self.phones.iter().map(|phone| phone.storage.operations().0).sum();
        let disk_changes = self.phones.iter().find_map(|phone| phone.storage.changes()).unwrap_or_default();
        self.calm()?;
        Ok(Report {
            trace_hash: self.trace.hash(),
            events: self.events,
            accepted: self.accepted.len() as u64,
            confirmed: self.model.confirmed(),
            parked: self.parked.len() as u64,
            disk_operations,
            disk_changes,
            reached: std::mem::take(&mut self.reached),
            disk_faults: self.disk_faults,
            digests: self.digests,
            healed: self.healed()?,
            alike: 0,
            virtual_ms: self.now,
        })
    }

    /// Lets everything up to that moment happen.
    pub(crate) fn until(&mut self, end: u64) -> Checked {
        let of_one = EVENTS.max(self.plan.end() / 1_000 * EVENTS_A_SECOND);
        while let Some((at, event)) = self.queue.pop(end) {
            self.events += 1;
            self.events_now = if at == self.now { self.events_now + 1 } else { 0 };
            let most = of_one * self.phones.len() as u64;
            if self.events > most || self.events_now > EVENTS_AT_ONCE {
                return Err(Violation::new(
                    "G3",
                    format!("it spins: {} events, at last {event:?}", self.events),
                ));
            }
            self.now = at;
            self.happen(event)?;
        }
        self.now = end;
        Ok(())
    }

    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    pub(crate) fn reach(&mut self, what: Sometimes) {
        *self.reached.entry(what).or_default() += 1;
    }

    pub(crate) fn name(&self, who: usize) -> &'static str {
        self.phones[who].name()
    }

    pub(crate) fn note(&mut self, text: impl Display) {
        self.trace.line(self.now, text);
    }

    fn happen(&mut self, event: Event) -> Checked {
        match event {
            Event::Step(index) => match self.plan.steps.get(index).cloned() {
                Some(step) => self.step(step.what),
                None => Ok(()),
            },
            Event::Start { who } => self.start(who),
            Event::Tick { who, life } => {
                let phone = &mut self.phones[who];
                if phone.life != life || phone.tick_at != Some(self.now) {
                    return Ok(());
                }
                phone.tick_at = None;
                self.feed(who, Input::Tick)
            }
            Event::Look { who, life } => match self.phones[who].life == life {
                true => self.look_again(who),
                false => Ok(()),
            },
            Event::Shell { who, life, input } => match self.phones[who].life == life {
                true => self.feed(who, *input),
                false => Ok(()),
            },
            Event::Push { who, budget_ms, told } => self.push_arrives(who, budget_ms, Some(&told)),
            Event::SignIn { who } => self.sign_in(who),
            Event::Request(request) => self.request_arrives(*request),
            Event::Answer { who, life, id, lines, answer } => {
                self.answer_arrives(who, life, id, lines, answer)
            }
            Event::Handshake { conn, token } => self.handshake(conn, &token),
            Event::ToServer { conn, text } => self.frame_arrives(conn, text),
            Event::GoneAtServer { conn } => self.gone_at_server(conn),
            Event::ToPhone { conn, event } => self.reaches_phone(conn, event),
            Event::Takes { conn } => self.takes_frames(conn),
            Event::CaughtUp { life, conn, ticket, answer } => self.caught_up(life, conn, ticket, answer),
            Event::HubTick { life } => self.hub_tick(life),
            Event::Rehire { person } => self.rehire(person),
            Event::ServerStart => self.server_starts(),
        }
    }

    fn sign_in(&mut self, who: usize) -> Checked {
        if self.model.person(employee(self.phones[who].person)).is_none() {
            self.queue.push(self.now + NOT_ON_STAFF_MS, Event::SignIn { who });
            return Ok(());
        }
        let session = self.host.issuer.sign_in(self.phones[who].person, wall(self.now));
        let phone = &mut self.phones[who];
        phone.is_signing_in = false;
        phone.session = Some(session.clone());
        self.note(format!("{} signs in", self.name(who)));
        self.feed(who, Input::SignedIn(session))
    }

    /// The app dies; with `reboot` the whole phone goes off.
    pub(crate) fn kill(&mut self, who: usize, down_ms: u64, reboot: bool) -> Checked {
        // What is left of what was not synced is another thing each time.
        let end = if reboot { End::PowerLoss(self.plan.seed ^ self.now) } else { End::Death };
        self.end(who, down_ms, end)
    }

    pub(crate) fn end(&mut self, who: usize, down_ms: u64, end: End) -> Checked {
        let name = self.name(who);
        let reboot = end != End::Death;
        self.note(format!("{name}'s app dies{}", if reboot { " with the whole phone" } else { "" }));
        self.drop_socket(who);
        self.phones[who].kill(self.now, reboot);
        self.queue.push(self.now + down_ms, Event::Start { who });
        self.phones[who].storage.end(end)?;
        self.phones[who].power_failed |= reboot;
        Ok(())
    }

    /// Makes sure that the engine's next deadline is kept.
    pub(crate) fn schedule_tick(&mut self, who: usize) {
        let phone = &mut self.phones[who];
        let Some(due) = phone.deadline(self.now) else { return };
        if phone.tick_at.is_none_or(|at| at > due) {
            phone.tick_at = Some(due);
            let life = phone.life;
            self.queue.push(due, Event::Tick { who, life });
        }
    }

    fn server_starts(&mut self) -> Checked {
        self.note("the server starts");
        self.host.restart(self.plan.seed ^ self.now);
        let life = self.host.life;
        self.queue.push(self.now + 1_000, Event::HubTick { life });
        Ok(())
    }

    /// The server's process is gone, and with it every socket.
    pub(crate) fn server_stops(&mut self, down_ms: u64) {
        if !self.host.is_up {
            return;
        }
        self.note("the server stops");
        self.host.is_up = false;
        self.host.life += 1;
        if self.conns.values().any(|conn| conn.at_server) {
            self.reach(Sometimes::ServerStopped);
        }
        let conns: Vec<u64> = self.conns.keys().copied().collect();
        for id in conns {
            let delay = self.delay();
            let conn = self.conns.get_mut(&id);
            let Some(conn) = conn.filter(|conn| conn.at_server) else { continue };
            conn.at_server = false;
            let at = conn.down_at(self.now + delay);
            let event = SocketEvent::closed(CloseCode(1006), "");
            self.queue.push(at, Event::ToPhone { conn: id, event });
        }
        self.queue.push(self.now + down_ms, Event::ServerStart);
    }
}
