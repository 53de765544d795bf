//! An app's lives: it starts over what is on the disk, and ends by closing, dying, or on a disk that fails.

use innsync_engine::{EngineError, Input, OpState, StoreRead};
use innsync_faulty_disk::Fault;
use innsync_store::OpenError;

use crate::failure::{Checked, Violation};
use crate::plan::Trouble;
use crate::queue::Event;
use crate::sometimes::Sometimes;
use crate::storage::End;
use crate::world::World;

/// Milliseconds after which a person tries again to start an app that could not be.
const AGAIN_MS: u64 = 2_000;

impl World {
    pub(crate) fn start(&mut self, who: usize) -> Checked {
        let comes_back = self.phones[who].quiet_until.is_some_and(|until| until <= self.now);
        if comes_back {
            self.is_seen(who);
        }
        if self.phones[who].engine.is_some() {
            return if comes_back { self.feed(who, Input::Foreground) } else { Ok(()) };
        }
        self.note(format!("{} starts", self.name(who)));
        self.watch_start(who);
        let opened = self.phones[who].storage.open();
        let struck = self.strikes(who);
        if self.dies_on_disk(who)? {
            return Ok(());
        }
        if let Err(error) = opened {
            return self.cannot_start(who, struck, &error);
        }
        self.settle_doubt(who)?;
        let opened = self.phones[who].open_engine(self.now, self.plan.seed)?;
        let struck = self.strikes(who);
        if self.dies_on_disk(who)? {
            return Ok(());
        }
        match opened {
            Ok(()) => {}
            Err(error) if !struck => return Err(self.phones[who].failed(&error)),
            Err(error) => {
                self.note(format!("{}'s app cannot start: {error}", self.name(who)));
                self.phones[who].storage.close();
                self.queue.push(self.now + AGAIN_MS, Event::Start { who });
                self.strikes(who);
                return self.dies_on_disk(who).map(drop);
            }
        }
        if self.phones[who].session.is_none() && !self.phones[who].is_signing_in {
            self.phones[who].is_signing_in = true;
            self.queue.push(self.now + 3_000, Event::SignIn { who });
        }
        self.begins(who)
    }

    fn watch_start(&mut self, who: usize) {
        let shadow = &self.phones[who].shadow;
        let has = |state: fn(&OpState) -> bool| shadow.outbox.values().any(|op| state(&op.state));
        let sent = has(|state| *state == OpState::Sent);
        let applied = has(|state| matches!(state, OpState::Applied { .. }));
        let amid = !shadow.meta.has_data && !shadow.shown.is_empty();
        for (is, what) in [
            (sent, Sometimes::StartedWithSent),
            (applied, Sometimes::StartedWithApplied),
            (amid, Sometimes::StartedAmidSnapshot),
        ] {
            if is {
                self.reach(what);
            }
        }
    }

    /// An engine was opened.
    fn begins(&mut self, who: usize) -> Checked {
        let life = self.phones[who].life;
        let effects = self.phones[who]
            .storage
            .look(|store| store.effects().map_err(|error| Violation::new("RUN", error.to_string())))?;
        for effect in effects {
            let input = Box::new(Input::Presented { effect: effect.id });
            self.queue.push(self.now + 200, Event::Shell { who, life, input });
        }
        self.schedule_tick(who);
        // Nobody looks what has come of a visit before this engine knows of it.
        let visit = self.phones[who].visit.take();
        if self.phones[who].wants_connection {
            self.feed(who, Input::Connect)?;
        }
        if visit.is_none() || self.phones[who].life != life {
            return Ok(());
        }
        self.phones[who].visit = visit;
        self.wants_sync(who)?;
        self.look_again(who)
    }

    /// Only a disk that fails may keep an app from starting, and only so that the person knows what to do: nothing is said
    /// to be damaged, or somebody else's.
    fn cannot_start(&mut self, who: usize, struck: bool, error: &OpenError) -> Checked {
        let name = self.name(who);
        let is_passing = matches!(error, OpenError::Io { .. } | OpenError::Full | OpenError::Busy { .. });
        if !struck || !is_passing {
            return Err(Violation::new("G1", format!("{name}'s database cannot be opened: {error}")));
        }
        let reason = self.phones[who].storage.reason(error);
        self.note(format!("{name}'s app cannot start: {reason}"));
        self.queue.push(self.now + AGAIN_MS, Event::Start { who });
        Ok(())
    }

    /// Something of the database could not be read: as the client does, a new engine takes over.
    pub(crate) fn recover(&mut self, who: usize, error: &EngineError) -> Checked {
        self.note(format!("{}'s engine begins anew: {error}", self.name(who)));
        self.drop_socket(who);
        self.phones[who].tick_at = None;
        let opened = self.phones[who].open_engine(self.now, self.plan.seed)?;
        let struck = self.strikes(who);
        if self.dies_on_disk(who)? {
            return Ok(());
        }
        match opened {
            // The old one stays.
            Err(_) if struck => {
                self.schedule_tick(who);
                Ok(())
            }
            Err(error) => Err(self.phones[who].failed(&error)),
            Ok(()) => self.begins(who),
        }
    }

    /// The app is closed in order, and opened again after `down_ms`.
    pub(crate) fn close(&mut self, who: usize, down_ms: u64) -> Checked {
        self.note(format!("{}'s app is closed", self.name(who)));
        self.drop_socket(who);
        self.phones[who].kill(self.now, false);
        self.queue.push(self.now + down_ms, Event::Start { who });
        self.phones[who].storage.close();
        self.strikes(who);
        self.dies_on_disk(who).map(drop)
    }

    /// Notes what a disk did; whether it did anything.
    pub(crate) fn strikes(&mut self, who: usize) -> bool {
        let strikes = self.phones[who].storage.strikes();
        for strike in &strikes {
            let (name, kind) = (self.name(who), strike.kind);
            self.note(format!(
                "{name}'s disk: {:?} at operation {}, {kind:?}",
                strike.fault, strike.operation
            ));
        }
        for strike in &strikes {
            match strike.fault {
                Fault::Io => self.reach(Sometimes::DiskIo),
                Fault::Full => self.reach(Sometimes::DiskFull),
                Fault::Busy => self.reach(Sometimes::DiskBusy),
                // Which death it is comes later.
                _ => {}
            }
        }
        self.disk_faults += strikes.len() as u64;
        !strikes.is_empty()
    }

    /// Whether the app has died by its disk; then it is restarted later.
    pub(crate) fn dies_on_disk(&mut self, who: usize) -> Checked<bool> {
        let (down_ms, end) = match self.phones[who].storage.death() {
            None => return Ok(false),
            Some(Trouble::PowerLoss { down_ms, seed }) => (down_ms, End::PowerLoss(seed)),
            Some(Trouble::Crash { down_ms }) => (down_ms, End::Death),
            Some(Trouble::Io { .. } | Trouble::Full { .. } | Trouble::Busy { .. }) => (1, End::Death),
        };
        self.reach(if end == End::Death { Sometimes::DiskCrash } else { Sometimes::DiskPowerLoss });
        self.end(who, down_ms, end)?;
        Ok(true)
    }

    /// Finds out what the database holds: what was committed, perhaps with the commit that the app died in.
    fn settle_doubt(&mut self, who: usize) -> Checked {
        let power_failed = std::mem::take(&mut self.phones[who].power_failed);
        let phone = &self.phones[who];
        let is =
            |shadow: &crate::shadow::Shadow| phone.storage.look(|store| shadow.compare(phone.name(), store));
        let Err(differs) = is(&phone.shadow) else { return self.is_settled(who, power_failed) };
        for (batch, choice) in phone.storage.doubt.failed.iter().rev() {
            let mut shadow = phone.shadow.clone();
            shadow.apply(batch);
            if is(&shadow).is_ok() {
                let (batch, choice) = (batch.clone(), *choice);
                self.reach(Sometimes::FailedCommitFound);
                self.note(format!("{}'s last commit had happened", self.name(who)));
                self.written(who, &batch, choice)?;
                return self.is_settled(who, power_failed);
            }
        }
        if power_failed {
            for shadow in phone.storage.doubt.left() {
                if is(&shadow).is_ok() {
                    self.note(format!("{} has lost rows of a snapshot on its way in", self.name(who)));
                    self.phones[who].shadow = shadow;
                    self.phones[who].watch.forget_looks();
                    return self.is_settled(who, power_failed);
                }
            }
        }
        Err(differs)
    }

    /// After a power loss all that is there is durable.
    fn is_settled(&mut self, who: usize, power_failed: bool) -> Checked {
        if power_failed {
            self.phones[who].storage.doubt = Default::default();
        }
        Ok(())
    }
}
