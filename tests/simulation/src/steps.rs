//! The steps of a plan, carried out.

use innsync_engine::{Input, OpState};
use innsync_random::Random;

use crate::failure::Checked;
use crate::host::broken;
use crate::ids;
use crate::people::{PEOPLE, PROPERTY};
use crate::phone::Death;
use crate::plan::{CrashPoint, What};
use crate::queue::Event;
use crate::workload::{Deed, Scene};
use crate::world::World;

impl World {
    pub(crate) fn step(&mut self, what: What) -> Checked {
        match what {
            What::Act { who, deed, pick } => self.act(who, deed, pick),
            What::Decide { who, pick } => self.decide(who, pick),
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
                self.note(format!("{} has no network for {ms} ms", PEOPLE[who].name));
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
                    self.note(format!("{}'s socket is cut: {side:?}", PEOPLE[who].name));
                    self.cut(id, side);
                }
                Ok(())
            }
            What::SetClock { who, by_ms } => {
                self.phones[who].skew_ms += by_ms;
                Ok(())
            }
            What::Foreground { who } => {
                self.feed(who, Input::Foreground)?;
                self.raise_barrier(who)
            }
            What::RevokeAccess { who } => {
                self.note(format!("{}'s access token is revoked", PEOPLE[who].name));
                self.host.issuer.revoke_access(who);
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
                self.host.authority.compact(PROPERTY, head.saturating_sub(keep)).map_err(broken)
            }
        }
    }

    fn act(&mut self, who: usize, deed: Deed, pick: u64) -> Checked {
        let phone = &mut self.phones[who];
        if phone.engine.is_none() {
            return Ok(());
        }
        let now = phone.now(self.now).wall;
        let scene = Scene { shown: &phone.shadow.shown, who, now };
        let Some(command) = scene.command(deed, pick) else { return Ok(()) };
        phone.requests += 1;
        let request = phone.requests;
        let last = phone.last_op.filter(|id| pick.is_multiple_of(11) && phone.shadow.outbox.contains_key(id));
        let id = ids::version_7(&mut self.ids, now);
        self.feed(who, Input::Execute { request, id, command, depends_on: last.into_iter().collect() })
    }

    /// A person looks at what is parked.
    fn decide(&mut self, who: usize, pick: u64) -> Checked {
        let parked = self.parked_of(who);
        let Some(op) = Random::of(pick, "decide").pick(&parked).copied() else { return Ok(()) };
        if pick.is_multiple_of(2) {
            let id = ids::version_7(&mut self.ids, self.phones[who].now(self.now).wall);
            self.feed(who, Input::Retry { parked: op, id })
        } else {
            self.feed(who, Input::Discard { id: op })
        }
    }

    /// What is parked on a phone, in the order of intent.
    pub(crate) fn parked_of(&self, who: usize) -> Vec<innsync_domain::Uuid> {
        let outbox = self.phones[who].shadow.outbox.values();
        let mut parked: Vec<_> = outbox.filter(|op| matches!(op.state, OpState::Parked { .. })).collect();
        parked.sort_by_key(|op| op.order);
        parked.into_iter().map(|op| op.op.id).collect()
    }

    fn end_session(&mut self, who: usize, ms: u64) -> Checked {
        self.note(format!("{}'s session ends", PEOPLE[who].name));
        for session in self.host.issuer.end_sessions(who) {
            self.hub(innsync_server::hub::HubInput::SessionEnded { session })?;
        }
        // They notice by themselves sooner or later; or sign in anew before.
        self.phones[who].is_signing_in = true;
        self.queue.push(self.now + ms, Event::SignIn { who });
        Ok(())
    }
}
