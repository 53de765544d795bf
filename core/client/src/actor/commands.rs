//! What people ask of the outbox, on the core's thread.

use innsync_domain::{Command, Uuid};
use innsync_engine::{
    Discarded, Input, OpState, ParkReason, QueuedOp, Receipt, Settlement, StoreRead, Undoable,
};

use super::{Actor, Reply};
use crate::error::Error;
use crate::handle::Outcome;

impl Actor {
    /// Carries out a command; the answer comes when it is on disk.
    pub(crate) fn execute(
        &mut self,
        id: Uuid,
        command: Command,
        depends_on: Vec<Uuid>,
        reply: Reply<Receipt>,
    ) {
        let request = self.next_request;
        self.next_request += 1;
        self.executing.insert(request, reply);
        self.input(Input::Execute { request, id, command, depends_on });
    }

    /// Tries a parked operation again, under the new id.
    pub(crate) fn retry(&mut self, parked: Uuid, id: Uuid) -> Result<Uuid, Error> {
        if !matches!(self.queued(parked)?.state, OpState::Parked { .. }) {
            return Err(Error::InvalidInput("the operation is not parked; it is tried by itself".to_owned()));
        }
        if !self.engine.status().has_data {
            let message =
                "this phone has not fetched your data yet; connect it once, then try again".to_owned();
            return Err(Error::InvalidInput(message));
        }
        self.input(Input::Retry { parked, id });
        match self.queued(parked).map(|queued| queued.state) {
            // The rules refuse it now, on the phone already: it stays parked, with that reason.
            Ok(OpState::Parked { reason: ParkReason::Rejected { rejection } }) => {
                Err(Error::Rejected(Box::new(rejection)))
            }
            Ok(OpState::Parked { reason: ParkReason::Conflict { rejection: Some(rejection), .. } }) => {
                Err(Error::Rejected(Box::new(rejection)))
            }
            // The commit failed; the reason was told as an event, and most likely is this.
            Ok(_) => Err(Error::StorageFull),
            Err(_) => {
                self.kept.waiting.settled(parked, Outcome::Discarded);
                Ok(id)
            }
        }
    }

    /// Tries a parked operation again with another command, under the new id; the answer comes when it is on disk.
    pub(crate) fn edit(&mut self, parked: Uuid, id: Uuid, command: Command, reply: Reply<Receipt>) {
        self.decide(parked, reply, |request| Input::Edit { request, parked, id, command });
    }

    /// Settles a conflict, by the operation of the new id; the answer comes when it is on disk.
    pub(crate) fn settle(
        &mut self,
        parked: Uuid,
        id: Uuid,
        seen: Option<u64>,
        choice: Settlement,
        reply: Reply<Receipt>,
    ) {
        self.decide(parked, reply, |request| Input::Settle { request, parked, id, seen, choice });
    }

    fn decide(&mut self, parked: Uuid, reply: Reply<Receipt>, input: impl FnOnce(u64) -> Input) {
        match self.queued(parked).map(|queued| queued.state) {
            Err(error) => drop(reply.send(Err(error))),
            Ok(OpState::Queued | OpState::Sent | OpState::Applied { .. }) => {
                let message = "the operation is not parked; it is tried by itself".to_owned();
                drop(reply.send(Err(Error::InvalidInput(message))));
            }
            Ok(OpState::Parked { .. }) => {
                let request = self.next_request;
                self.next_request += 1;
                self.executing.insert(request, reply);
                self.input(input(request));
                if self.queued(parked).is_err() {
                    self.kept.waiting.settled(parked, Outcome::Discarded);
                }
            }
        }
    }

    /// Takes back what the person did last; the answer comes when it is on disk.
    pub(crate) fn undo(&mut self, id: Uuid, reply: Reply<Receipt>) {
        let last = self.engine.undoable();
        let request = self.next_request;
        self.next_request += 1;
        self.executing.insert(request, reply);
        self.input(Input::Undo { request, id });
        if let Some(last) = last.filter(|last| self.queued(last.operation).is_err()) {
            self.kept.waiting.settled(last.operation, Outcome::Discarded);
        }
    }

    /// What would be taken back.
    pub(crate) fn undoable(&self) -> Option<Undoable> {
        self.engine.undoable()
    }

    /// The operations that build on that one, in order.
    pub(crate) fn dependents(&self, id: Uuid) -> Result<Vec<QueuedOp>, Error> {
        let dependents = self.engine.dependents(id);
        Ok(self.store.outbox()?.into_iter().filter(|queued| dependents.contains(&queued.op.id)).collect())
    }

    /// Forgets an operation and what builds on it; says what was forgotten.
    pub(crate) fn discard_with_dependents(&mut self, id: Uuid) -> Result<Vec<Uuid>, Error> {
        if !self.queued(id)?.may_be_discarded() {
            return Err(Error::AlreadySent);
        }
        let mut all = self.engine.dependents(id);
        all.insert(0, id);
        self.input(Input::DiscardWithDependents { id });
        let left: Vec<Uuid> = self.store.outbox()?.into_iter().map(|queued| queued.op.id).collect();
        all.retain(|id| !left.contains(id));
        if !all.contains(&id) {
            return Err(Error::StorageFull);
        }
        all.iter().for_each(|id| self.kept.waiting.settled(*id, Outcome::Discarded));
        Ok(all)
    }

    /// Forgets an operation that has not been sent, or was not taken.
    pub(crate) fn discard(&mut self, id: Uuid) -> Result<(), Error> {
        if !self.queued(id)?.may_be_discarded() {
            return Err(Error::AlreadySent);
        }
        self.input(Input::Discard { id });
        if self.queued(id).is_ok() {
            // The commit failed; the reason was told as an event, and most likely is this.
            return Err(Error::StorageFull);
        }
        self.kept.waiting.settled(id, Outcome::Discarded);
        Ok(())
    }

    /// What was discarded and is still kept. What has expired goes from the database with the next one.
    pub(crate) fn discarded(&self) -> Result<Vec<Discarded>, Error> {
        let mut discarded = self.store.discarded()?;
        if let Some(horizon) = self.engine.discarded_horizon(self.shared.now()) {
            discarded.retain(|it| it.at >= horizon);
        }
        Ok(discarded)
    }

    /// Why the operation is not confirmed yet.
    pub(crate) fn why_waiting(&self, id: Uuid) -> Option<String> {
        self.engine.why_waiting(self.shared.now(), id)
    }

    /// Connects, also after a pause.
    pub(crate) fn want_connection(&mut self, wanted: bool) {
        self.kept.connect = wanted;
        self.connect_at = None;
        self.input(if wanted { Input::Connect } else { Input::Disconnect });
    }

    fn queued(&self, id: Uuid) -> Result<QueuedOp, Error> {
        let found = self.store.outbox()?.into_iter().find(|queued| queued.op.id == id);
        found.ok_or_else(|| Error::InvalidInput("there is no such operation in the outbox".to_owned()))
    }
}
