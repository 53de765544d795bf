//! How a person settles a conflict: their own values, the others', or what they made of both.

use innsync_domain::{Command, Entity, FieldConflict, Fields, Reason, Rejection, Uuid};

use serde::{Deserialize, Serialize};

use crate::draft::Draft;
use crate::outbox::{OpState, ParkReason, QueuedOp, Receipt};
use crate::output::Output;
use crate::store::StoreError;

/// What a person chose in a conflict. To leave it for later is no input: the operation stays parked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Settlement {
    /// What is on the server stays; what they wanted is kept as a record, and can be restored.
    Theirs,
    /// What they wanted takes the place of what is on the server; whose value that was is told, and can restore it.
    Mine,
    /// These values, by the wire names of the fields that the command edits.
    Merged(Fields),
}

impl Draft<'_> {
    /// See [`crate::Input::Settle`].
    pub(crate) fn settle(
        &mut self,
        request: u64,
        parked: Uuid,
        id: Uuid,
        seen: Option<u64>,
        choice: Settlement,
    ) -> Result<(), StoreError> {
        let result = self.settled(parked, id, seen, choice)?;
        self.tell(Output::Executed { request, result });
        Ok(())
    }

    fn settled(
        &mut self,
        parked: Uuid,
        id: Uuid,
        seen: Option<u64>,
        choice: Settlement,
    ) -> Result<Result<Receipt, Rejection>, StoreError> {
        let refuse = |reason: &str, message: &str| Ok(Err(Rejection::permanent(reason.into(), message)));
        let Some(old) = self.parked(parked, id) else {
            return refuse("NOT_IN_CONFLICT", "That change does not wait for a decision of yours any more.");
        };
        let OpState::Parked { reason: ParkReason::Conflict { fields, .. } } = &old.state else {
            return refuse("NOT_IN_CONFLICT", "The server refused that change; edit it, or discard it.");
        };
        let now = self.mirror_row(&old.op.command.primary())?;
        if now.as_ref().map(Entity::version) != seen {
            let message = "It was changed again meanwhile; look at it once more, then choose.";
            return refuse("CHANGED_MEANWHILE", message);
        }
        match choice {
            Settlement::Theirs => self.give_up(&old, id, as_it_is(fields, now.as_ref())),
            Settlement::Mine => self.replace(&old, id, old.op.command.clone(), true),
            Settlement::Merged(values) => match old.op.command.with_values(&values) {
                Some(command) => self.replace(&old, id, command, true),
                None => {
                    let message = "These values cannot be merged into that change; keep yours, or theirs.";
                    Ok(Err(Rejection::permanent(Reason::InvalidField, message)))
                }
            },
        }
    }

    fn give_up(
        &mut self,
        old: &QueuedOp,
        id: Uuid,
        fields: Vec<FieldConflict>,
    ) -> Result<Result<Receipt, Rejection>, StoreError> {
        let primary = old.op.command.primary();
        let command = Command::KeepTheirs {
            operation: old.op.id,
            entity_type: primary.kind,
            entity_id: primary.id,
            fields,
        };
        let queued = self.queue(id, command, Vec::new())?;
        if queued.is_ok() {
            self.forget(old);
            self.park_dependents(old.op.id);
        }
        Ok(queued)
    }
}

/// The fields in conflict, with what the server has by now.
fn as_it_is(fields: &[FieldConflict], now: Option<&Entity>) -> Vec<FieldConflict> {
    let theirs = |it: &FieldConflict| now.and_then(|entity| entity.field(&it.field));
    fields.iter().map(|it| FieldConflict { theirs: theirs(it).unwrap_or_default(), ..it.clone() }).collect()
}
