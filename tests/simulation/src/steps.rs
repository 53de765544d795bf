//! The steps of a plan, carried out.

use innsync_domain::{Command, EntityKind, EntityRef, Uuid};
use innsync_engine::{Input, OpState, QueuedOp};
use innsync_random::Random;

use crate::failure::Checked;
use crate::host::broken;
use crate::ids;
use crate::model::Model;
use crate::people::{Human, MARIA, PEOPLE, PROPERTY, employee};
use crate::phone::Death;
use crate::plan::{CrashPoint, Side, What};
use crate::queue::Event;
use crate::sometimes::Sometimes;
use crate::workload::{Deed, Scene};
use crate::world::World;

impl World {
    pub(crate) fn step(&mut self, what: What) -> Checked {
        match what {
            What::BackUp => {
                self.note(format!("a backup is taken at {}", self.model.head()));
                self.host.back_up(&self.model)
            }
            What::Restore { down_ms, declared } => self.restore(down_ms, declared),
            What::Suspend { who, ms } => self.suspend(who, ms),
            What::Background { who, budget_ms, ms } => self.background(who, budget_ms, ms),
            What::Push { who, budget_ms, hint } => self.push_is_sent(who, budget_ms, hint),
            What::OneWay { who, ms, up } => {
                let way = if up { "sends" } else { "is sent" };
                self.note(format!("for {ms} ms nothing arrives that {} {way}", self.name(who)));
                self.one_way(who, ms, up);
                Ok(())
            }
            What::CopyPhone { who } => self.copy_phone(who),
            What::Dismiss { who, ms } => self.dismiss(who, ms),
            What::Act { who, deed, pick } => self.act(who, deed, pick),
            What::Decide { who, pick } => self.decide(who, pick),
            What::Settle { who, pick } => self.settle_one(who, pick),
            What::Crash { who, point: CrashPoint::Idle, down_ms, reboot } => {
                if self.phones[who].engine.is_some() { self.kill(who, down_ms, reboot) } else { Ok(()) }
            }
            What::Crash { who, point, down_ms, reboot } => {
                self.phones[who].death = Some(Death { point, down_ms, reboot });
                Ok(())
            }
            What::Close { who, down_ms } => {
                if self.phones[who].engine.is_some() {
                    self.close(who, down_ms)
                } else {
                    Ok(())
                }
            }
            What::RestartServer { down_ms } => {
                self.server_stops(down_ms);
                Ok(())
            }
            What::Partition { who, ms, told } => {
                self.note(format!("{} has no network for {ms} ms", self.name(who)));
                self.partition(who, ms);
                if !told {
                    return Ok(());
                }
                let (life, at) = (self.phones[who].life, self.phones[who].offline_until);
                let input = Box::new(Input::NetworkChanged { available: true });
                self.queue.push(at, Event::Shell { who, life, input });
                self.feed(who, Input::NetworkChanged { available: false })
            }
            What::CutSocket { who, side } => {
                if let Some(id) = self.phones[who].socket {
                    self.note(format!("{}'s socket is cut: {side:?}", self.name(who)));
                    self.cut(id, side);
                }
                Ok(())
            }
            What::SetClock { who, by_ms } => {
                self.phones[who].skew_ms += by_ms;
                Ok(())
            }
            What::Foreground { who } => {
                self.is_seen(who);
                self.feed(who, Input::Foreground)?;
                self.raise_barrier(who)
            }
            What::RevokeAccess { who } => {
                self.note(format!("{}'s access token is revoked", self.name(who)));
                self.host.issuer.revoke_access(self.phones[who].person);
                Ok(())
            }
            What::EndSession { who, ms } => self.end_session(who, ms),
            What::Refetch { who } => self.feed(who, Input::Refetch),
            What::ClearCache { who } => self.feed(who, Input::ClearCache),
            What::ClearKind { who, kind } => self.feed(who, Input::ClearKind { kind }),
            What::Disconnect { who, ms } => {
                self.phones[who].wants_connection = false;
                let life = self.phones[who].life;
                let input = Box::new(Input::Connect);
                self.queue.push(self.now + ms, Event::Shell { who, life, input });
                self.feed(who, Input::Disconnect)
            }
            What::TrimLog { keep } => {
                self.note(format!("the log is trimmed to {keep}"));
                let head = self.model.head();
                self.model.forgotten(head.saturating_sub(keep));
                self.host.authority.compact(PROPERTY, head.saturating_sub(keep)).map_err(broken)
            }
        }
    }

    fn act(&mut self, who: usize, deed: Deed, pick: u64) -> Checked {
        let phone = &mut self.phones[who];
        if phone.engine.is_none() || phone.is_frozen(self.now) {
            return Ok(());
        }
        let now = phone.id_time(self.now, self.ids_are_timely);
        let (who_is, people) = (phone.person, self.plan.people);
        let scene = Scene { shown: &phone.shadow.shown, who: who_is, people, now };
        let Some(command) = scene.command(deed, pick) else { return Ok(()) };
        phone.requests += 1;
        let request = phone.requests;
        let last = phone.last_op.filter(|id| pick.is_multiple_of(11) && phone.shadow.outbox.contains_key(id));
        let id = ids::version_7(&mut self.ids, now);
        self.feed(who, Input::Execute { request, id, command, depends_on: last.into_iter().collect() })
    }

    /// A person looks at what is parked.
    fn decide(&mut self, who: usize, pick: u64) -> Checked {
        if self.phones[who].is_frozen(self.now) {
            return Ok(());
        }
        let parked = self.parked_of(who);
        let Some(op) = Random::of(pick, "decide").pick(&parked).copied() else { return Ok(()) };
        let command = &self.phones[who].shadow.outbox[&op].op.command;
        // Who is off the staff for good is in no day's story.
        let dismissal = matches!(command, Command::DeleteEmployee { .. });
        if pick.is_multiple_of(2) && !dismissal {
            let id = self.new_id(who);
            self.feed(who, Input::Retry { parked: op, id })
        } else {
            self.feed(who, Input::Discard { id: op })
        }
    }

    /// An id as that phone makes one now.
    pub(crate) fn new_id(&mut self, who: usize) -> Uuid {
        let at = self.phones[who].id_time(self.now, self.ids_are_timely);
        ids::version_7(&mut self.ids, at)
    }

    /// What is parked on a phone, in the order of intent.
    pub(crate) fn parked_of(&self, who: usize) -> Vec<innsync_domain::Uuid> {
        let outbox = self.phones[who].shadow.outbox.values();
        let mut parked: Vec<_> = outbox.filter(|op| matches!(op.state, OpState::Parked { .. })).collect();
        parked.sort_by_key(|op| op.order);
        parked.into_iter().map(|op| op.op.id).collect()
    }

    /// The server goes on from the last backup.
    fn restore(&mut self, down_ms: u64, declared: bool) -> Checked {
        let seed = self.plan.seed ^ (self.now << 16);
        let Some(model) = self.host.restore(seed, declared)? else { return Ok(()) };
        self.server_stops(down_ms);
        let how = if declared { "as another epoch" } else { "and nobody says so" };
        self.note(format!("the backup of {} takes the place of {}, {how}", model.head(), self.model.head()));
        self.confirmed_are_lost(&model);
        self.past.push(std::mem::replace(&mut self.model, model));
        Ok(())
    }

    fn confirmed_are_lost(&mut self, after: &Model) {
        let confirmed = |id: &Uuid| self.model.outcome(*id).is_some_and(|outcome| outcome.seq().is_some());
        let kept = |id: &Uuid| after.outcome(*id).is_some();
        let waits = |id: &Uuid| self.phones.iter().any(|phone| phone.shadow.outbox.contains_key(id));
        let lost = |id: &&Uuid| confirmed(id) && !kept(id) && !waits(id);
        if self.accepted.keys().any(|id| lost(&id)) {
            self.reach(Sometimes::LostByBackup);
        }
    }

    /// The app is frozen: what happens meanwhile reaches it when it wakes.
    pub(crate) fn suspend(&mut self, who: usize, ms: u64) -> Checked {
        if self.phones[who].engine.is_none() || self.phones[who].is_frozen(self.now) {
            return Ok(());
        }
        self.note(format!("{}'s app is frozen for {ms} ms", self.name(who)));
        if ms >= 3_600_000 {
            self.reach(Sometimes::Suspended);
        }
        let (life, at) = (self.phones[who].life, self.now + ms);
        self.phones[who].frozen_until = at;
        let input = Box::new(Input::Foreground);
        self.queue.push(at, Event::Shell { who, life, input });
        if let Some(id) = self.phones[who].socket {
            let side = if self.random.chance(500) { Side::Both } else { Side::Phone };
            self.cut(id, side);
        }
        Ok(())
    }

    /// Maria takes somebody off the staff.
    fn dismiss(&mut self, who: usize, ms: u64) -> Checked {
        let person = self.phones[who].person;
        if self.phones[MARIA].engine.is_none() || self.phones[MARIA].is_frozen(self.now) {
            return Ok(());
        }
        self.queue.push(self.now + ms, Event::Rehire { person });
        self.maria_does(Command::DeleteEmployee { employee_id: employee(person) })
    }

    /// Maria takes them back, as soon as she can and what she did before is done.
    pub(crate) fn rehire(&mut self, person: usize) -> Checked {
        let id = employee(person);
        let about = |op: &QueuedOp| {
            let staff =
                matches!(op.op.command, Command::DeleteEmployee { .. } | Command::CreateEmployee { .. });
            staff && op.op.command.primary().id == id && !matches!(op.state, OpState::Parked { .. })
        };
        let waits = self.phones.iter().any(|phone| phone.shadow.outbox.values().any(about));
        if self.model.person(id).is_some() && !waits {
            return Ok(());
        }
        self.queue.push(self.now + 2_000, Event::Rehire { person });
        let maria = &self.phones[MARIA];
        if maria.engine.is_none() || maria.is_frozen(self.now) {
            return Ok(());
        }
        // What is parked might hold back that they come back, if only through others.
        for id in self.parked_of(MARIA) {
            self.feed(MARIA, Input::Discard { id })?;
        }
        let maria = &self.phones[MARIA];
        if waits || maria.shadow.shown.contains_key(&EntityRef::new(EntityKind::Employee, id)) {
            return Ok(());
        }
        self.reach(Sometimes::Rehired);
        let Human { name, role, department, .. } = &PEOPLE[person];
        let (name, role, department) = ((*name).to_owned(), role.clone(), department.clone());
        self.maria_does(Command::CreateEmployee { employee_id: id, name, role, department })
    }

    fn maria_does(&mut self, command: Command) -> Checked {
        let phone = &mut self.phones[MARIA];
        phone.requests += 1;
        let request = phone.requests;
        let id = self.new_id(MARIA);
        self.feed(MARIA, Input::Execute { request, id, command, depends_on: Vec::new() })
    }

    /// Another phone of the same person, over a copy of the database.
    fn copy_phone(&mut self, who: usize) -> Checked {
        if self.phones[who].storage.is_on_disk() {
            return Ok(());
        }
        let copy = self.phones.len();
        let phone = self.phones[who].copy(copy)?;
        self.note(format!("{} begins with the database of {}", phone.name(), self.name(who)));
        self.phones.push(phone);
        self.start(copy)
    }

    fn end_session(&mut self, who: usize, ms: u64) -> Checked {
        self.note(format!("{}'s session ends", self.name(who)));
        for session in self.host.issuer.end_sessions(self.phones[who].person) {
            self.hub(innsync_server::hub::HubInput::SessionEnded { session })?;
        }
        // They notice by themselves sooner or later; or sign in anew before.
        self.phones[who].is_signing_in = true;
        self.queue.push(self.now + ms, Event::SignIn { who });
        Ok(())
    }
}
