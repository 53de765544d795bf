//! Commands, and those that are not confirmed yet.

use std::time::Duration;

use innsync_domain::{Command, Entity, EntityKind, Timestamp, Uuid};
use innsync_engine::{Discarded, QueuedOp, Receipt, Settlement, StoreRead, Undoable};
use innsync_store::Quarantined;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::oneshot;

use super::{InnSync, Outcome};
use crate::drivers::within;
use crate::error::Error;
use crate::mailbox::Letter;
use crate::stream::Stream;

/// What [`InnSync::export_work`] writes.
#[derive(Serialize)]
struct Work<'a> {
    property: &'a str,
    person: &'a str,
    at: Timestamp,
    outbox: Vec<QueuedOp>,
    discarded: Vec<Discarded>,
    unreadable: Vec<Value>,
}

/// What was put aside of a person's work, as it was stored; a text where it is no JSON.
fn unreadable(aside: Vec<Quarantined>) -> Vec<Value> {
    let work = aside.into_iter().filter(|it| ["outbox", "discarded"].contains(&it.source.as_str()));
    work.map(|it| serde_json::from_str(&it.body).unwrap_or(Value::String(it.body))).collect()
}

/// Commands and the outbox.
impl InnSync {
    /// Carries out a command on the phone and queues it for the server. Returns when it is saved on disk; never waits
    /// for the network.
    ///
    /// Errors: `Rejected` (by the rules, at once), `StorageFull`, `UpdateRequired` (see [`open`](crate::open)), `Closed`.
    pub async fn execute(&self, command: Command) -> Result<Receipt, Error> {
        self.execute_after(command, Vec::new()).await
    }

    /// As [`InnSync::execute`], to be sent only after those operations have succeeded.
    pub async fn execute_after(&self, command: Command, depends_on: Vec<Uuid>) -> Result<Receipt, Error> {
        self.writable()?;
        let (id, (reply, answer)) = (self.new_id(), oneshot::channel());
        self.post(Letter::job(move |actor| actor.execute(id, command, depends_on, reply)))?;
        answer.await.unwrap_or_else(|_| Err(self.no_answer()))
    }

    /// Tries a parked operation again; returns the new operation's id.
    ///
    /// Errors: `InvalidInput` (it is not parked, or the phone has no data yet), `Rejected` (by the rules, at once),
    /// `StorageFull`.
    pub async fn retry(&self, operation: Uuid) -> Result<Uuid, Error> {
        self.writable()?;
        let id = self.new_id();
        self.ask(move |actor| actor.retry(operation, id)).await
    }

    /// Tries a parked operation again with another command about the same entity, in its place; returns the new operation.
    ///
    /// Errors: `Rejected` (the phone refuses it already, and the parked one stays as it was), `InvalidInput` (there is no
    /// such operation), `StorageFull`.
    pub async fn edit(&self, operation: Uuid, command: Command) -> Result<Receipt, Error> {
        self.writable()?;
        let (id, (reply, answer)) = (self.new_id(), oneshot::channel());
        self.post(Letter::job(move |actor| actor.edit(operation, id, command, reply)))?;
        answer.await.unwrap_or_else(|_| Err(self.no_answer()))
    }

    /// Settles a conflict of the screen [`crate::Conflicts`]. `seen`: the `version` of the sheet that the person looked at.
    /// Returns the operation that settles it.
    ///
    /// Errors: `Rejected` (`CHANGED_MEANWHILE`: somebody changed it once more, look again; by the rules), and the operation
    /// stays as it was; `InvalidInput` (there is no such operation), `StorageFull`.
    pub async fn settle(
        &self,
        operation: Uuid,
        seen: Option<u64>,
        choice: Settlement,
    ) -> Result<Receipt, Error> {
        self.writable()?;
        let (id, (reply, answer)) = (self.new_id(), oneshot::channel());
        self.post(Letter::job(move |actor| actor.settle(operation, id, seen, choice, reply)))?;
        answer.await.unwrap_or_else(|_| Err(self.no_answer()))
    }

    /// Writes a value that lost a conflict after all: a new operation, by the rules for such an edit.
    ///
    /// Errors: `InvalidInput` (no such conflict is known; they are kept for 30 days), `Rejected`, `StorageFull`.
    pub async fn restore(&self, conflict: Uuid) -> Result<Receipt, Error> {
        let found = self.ask(move |actor| Ok(actor.store().shown(&EntityKind::Conflict, conflict)?)).await?;
        let Some(Entity::Conflict(it)) = found else {
            return Err(Error::InvalidInput(
                "there is no such conflict; they are kept for 30 days".to_owned(),
            ));
        };
        self.execute(Command::RestoreValue {
            conflict_id: it.id,
            entity_type: it.entity_type,
            entity_id: it.entity_id,
            field: it.field,
            value: it.lost,
        })
        .await
    }

    /// Takes back what this person did last on this phone: while it has not left the phone it is as if it had never been
    /// (the receipt has no state then); after that the opposite is done, by the rules for that. Nothing is done where
    /// somebody has changed the same since. What was discarded is kept for 30 days ([`InnSync::discarded`]).
    ///
    /// Errors: `Rejected` (`NOTHING_TO_UNDO`: nothing was done since the app was opened, or there is no way back from it, as
    /// from a comment, an alarm or a deletion; `CHANGED_MEANWHILE`; by the rules), `StorageFull`.
    pub async fn undo(&self) -> Result<Receipt, Error> {
        self.writable()?;
        let (id, (reply, answer)) = (self.new_id(), oneshot::channel());
        self.post(Letter::job(move |actor| actor.undo(id, reply)))?;
        answer.await.unwrap_or_else(|_| Err(self.no_answer()))
    }

    /// What [`InnSync::undo`] would take back, for the button that offers it; `None`: nothing.
    pub async fn undoable(&self) -> Result<Option<Undoable>, Error> {
        self.ask(|actor| Ok(actor.undoable())).await
    }

    /// Puts conflicts aside, as read.
    ///
    /// Errors: as [`InnSync::execute`].
    pub async fn dismiss(&self, conflicts: Vec<Uuid>) -> Result<Receipt, Error> {
        self.execute(Command::DismissConflicts { conflict_ids: conflicts }).await
    }

    /// The operations that build on that one, directly or through others, in order: declared by
    /// [`InnSync::execute_after`], or about an entity that it creates.
    pub async fn dependents(&self, operation: Uuid) -> Result<Vec<QueuedOp>, Error> {
        self.ask(move |actor| actor.dependents(operation)).await
    }

    /// As [`InnSync::discard`], with all that builds on it; says what was forgotten. What has left the phone already stays.
    pub async fn discard_with_dependents(&self, operation: Uuid) -> Result<Vec<Uuid>, Error> {
        self.writable()?;
        self.ask(move |actor| actor.discard_with_dependents(operation)).await
    }

    /// What was discarded in the last 30 days, the latest first.
    pub async fn discarded(&self) -> Result<Vec<Discarded>, Error> {
        self.ask(|actor| actor.discarded()).await
    }

    /// Everything that this person did and the server has not confirmed, and what they discarded in the last 30 days, as
    /// JSON: `{"property", "person", "at", "outbox": […], "discarded": […], "unreadable": […]}`, for a file to be handed in.
    /// `unreadable` holds what this release could not read of both, as it was stored.
    pub async fn export_work(&self) -> Result<String, Error> {
        let (account, at) = (self.inner.shared.account.clone(), self.inner.shared.now().wall);
        self.ask(move |actor| {
            let work = Work {
                property: &account.property,
                person: &account.person,
                at,
                outbox: actor.store().outbox()?,
                discarded: actor.discarded()?,
                unreadable: unreadable(actor.store().quarantined()?),
            };
            serde_json::to_string_pretty(&work).map_err(|error| Error::bug("work is no JSON", &error))
        })
        .await
    }

    /// Forgets an operation that is parked, or has never left the phone, by a person's choice: what it predicted is undone. It
    /// is kept for 30 days ([`InnSync::discarded`]).
    ///
    /// Errors: `AlreadySent` (the server may have carried it out), `InvalidInput` (there is no such operation).
    pub async fn discard(&self, operation: Uuid) -> Result<(), Error> {
        self.writable()?;
        self.ask(move |actor| actor.discard(operation)).await
    }

    /// The operations not yet confirmed, in order.
    pub async fn outbox(&self) -> Result<Vec<QueuedOp>, Error> {
        self.ask(|actor| Ok(actor.store().outbox()?)).await
    }

    /// Waits until the operation is confirmed, parked or discarded; `Timeout` else. One that the phone does not know
    /// (any more) counts as confirmed.
    pub async fn settled(&self, operation: Uuid, timeout: Duration) -> Result<Outcome, Error> {
        let (reply, answer) = oneshot::channel();
        self.post(Letter::job(move |actor| actor.wait_for_operation(operation, reply)))?;
        match within(timeout, answer).await? {
            Some(answer) => answer.unwrap_or_else(|_| Err(self.no_answer())),
            None => Err(Error::Timeout),
        }
    }

    /// Why an operation is not confirmed yet, in one English sentence; `None`: it is not in the outbox (G24).
    pub async fn why_waiting(&self, operation: Uuid) -> Result<Option<String>, Error> {
        self.ask(move |actor| Ok(actor.why_waiting(operation))).await
    }

    /// Each change of an operation's state after it was saved, from now on. The oldest are dropped when the consumer lags by 1,000.
    pub fn operations(&self) -> Stream<Receipt> {
        self.inner.shared.operations.stream()
    }
}
