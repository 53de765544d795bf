//! What people ask of the outbox, on the core's thread.

use innsync_domain::{Command, Uuid};
use innsync_engine::{ConnectionState, Input, OpState, QueuedOp, Receipt, StoreRead, SyncStatus};

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
        match self.queued(parked)?.state {
            OpState::Parked { .. } => {}
            OpState::Queued | OpState::Sent | OpState::Applied { .. } => {
                return Err(Error::InvalidInput(
                    "the operation is not parked; it is tried by itself".to_owned(),
                ));
            }
        }
        self.input(Input::Retry { parked, id });
        self.kept.waiting.settled(parked, Outcome::Discarded);
        Ok(id)
    }

    /// Forgets an operation.
    pub(crate) fn discard(&mut self, id: Uuid) -> Result<(), Error> {
        self.queued(id)?;
        self.input(Input::Discard { id });
        match self.queued(id) {
            Ok(_) => Err(Error::InvalidInput("the operation is on its way to the server already".to_owned())),
            Err(_) => {
                self.kept.waiting.settled(id, Outcome::Discarded);
                Ok(())
            }
        }
    }

    /// Connects, also after a pause.
    pub(crate) fn want_connection(&mut self, wanted: bool) {
        self.kept.connect = wanted;
        self.input(if wanted { Input::Connect } else { Input::Disconnect });
    }

    fn queued(&self, id: Uuid) -> Result<QueuedOp, Error> {
        let found = self.store.outbox()?.into_iter().find(|queued| queued.op.id == id);
        found.ok_or_else(|| Error::InvalidInput("there is no such operation in the outbox".to_owned()))
    }

    /// The status as far as the database alone knows it.
    pub(super) fn status_of_store(&self) -> Result<SyncStatus, Error> {
        let (meta, outbox) = (self.store.meta()?, self.store.outbox()?);
        let parked = outbox.iter().filter(|queued| matches!(queued.state, OpState::Parked { .. })).count();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(SyncStatus {
            connection: ConnectionState::Disconnected,
            is_online: false,
            pending_changes: count(outbox.len() - parked),
            parked: count(parked),
            sync_in_progress: false,
            last_sync_time: meta.last_sync_time,
            up_to_date_as_of: meta.up_to_date_as_of,
            has_data: meta.has_data,
            needs_sign_in: self.shared.session().is_none(),
        })
    }
}
