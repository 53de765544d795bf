//! How a person settles a conflict: their own values, the others', or what they made of both.

use innsync_domain::{
    Command, Dispute, Entity, EntityRef, ErrorClass, FieldConflict, Fields, Parked, Reason, Rejection, Uuid,
    derived_id,
};
use innsync_protocol::{EntityRow, Op};
use serde::{Deserialize, Serialize};

use crate::commands::{Upon, check_size, nobody};
use crate::draft::{Draft, receipt};
use crate::outbox::{OpState, ParkReason, QueuedOp, Receipt};
use crate::output::Output;
use crate::predict::dispute_over;
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
        let refuse = |reason, message: &str| Ok(Err(Rejection::permanent(reason, message)));
        let Some(old) = self.parked(parked, id) else {
            return refuse(
                Reason::NotInConflict,
                "That change does not wait for a decision of yours any more.",
            );
        };
        let OpState::Parked { reason: ParkReason::Conflict { fields, current, .. } } = &old.state else {
            return refuse(Reason::NotInConflict, "The server refused that change; edit it, or discard it.");
        };
        let now = self.mirror_row(&old.op.command.primary())?;
        if now.as_ref().map(Entity::version) != seen {
            let message = "It was changed again meanwhile; look at it once more, then choose.";
            return refuse(Reason::ChangedMeanwhile, message);
        }
        let told = Parked {
            command: &old.op.command,
            base: &old.op.base,
            told: fields,
            then: current.as_ref().map(|EntityRow(then)| then),
        };
        let at = self.state.clock.guess(self.now);
        let dispute = dispute_over(&told, now.as_ref(), old.op.id, at, self.observer(), self)?;
        // The phone does not know its own person just now.
        let Some(dispute) = dispute else { return Ok(Err(nobody())) };
        match choice {
            Settlement::Theirs => self.give_up(&old, id, dispute),
            Settlement::Mine => self.replace(&old, id, as_edited(&old.op, &dispute), Upon::Shown),
            Settlement::Merged(values) => match merged(&old.op, &values, &dispute) {
                Ok(command) => self.replace(&old, id, command, Upon::Shown),
                Err(rejection) => Ok(Err(rejection)),
            },
        }
    }

    /// What others wrote stays. What is given up is kept as records, as far as there is anything to restore; the fields that
    /// nobody else changed are sent all the same.
    fn give_up(
        &mut self,
        old: &QueuedOp,
        id: Uuid,
        dispute: Dispute,
    ) -> Result<Result<Receipt, Rejection>, StoreError> {
        let names: Vec<&str> = dispute.fields.iter().map(|it| it.field.as_str()).collect();
        let rest = old.op.command.without_fields(&names).filter(|_| !names.is_empty());
        let sent = match rest {
            Some(rest) => match self.replace(old, derived_id(id, "rest"), rest, Upon::Then)? {
                Ok(_) => true,
                // Just now it cannot be told.
                Err(rejection) if rejection.class == ErrorClass::Transient => return Ok(Err(rejection)),
                // The rules do not allow it any more: then it is given up, too.
                Err(_) => false,
            },
            None => false,
        };
        let kept = self.keep_theirs(old, id, if sent { dispute.fields } else { dispute.wanted })?;
        if !sent {
            self.drop_parked(old);
        }
        Ok(Ok(kept.unwrap_or_else(|| Receipt { state: None, ..receipt(old) })))
    }

    fn drop_parked(&mut self, old: &QueuedOp) {
        self.forget(old);
        self.park_dependents(old.op.id);
    }

    /// Queues the records of what a person gave up. None where there is nothing to record (a deletion), or it has no room in
    /// an operation: the operation itself is among the discarded ones for 30 days.
    fn keep_theirs(
        &mut self,
        old: &QueuedOp,
        id: Uuid,
        fields: Vec<FieldConflict>,
    ) -> Result<Option<Receipt>, StoreError> {
        if fields.is_empty() || old.op.command.deletes() {
            return Ok(None);
        }
        let EntityRef { kind: entity_type, id: entity_id } = old.op.command.primary();
        let command = Command::KeepTheirs { operation: old.op.id, entity_type, entity_id, fields };
        let op = self.new_op(id, command, Vec::new());
        if check_size(&op).is_err() {
            return Ok(None);
        }
        Ok(self.enqueue(op)?.ok().map(|op| receipt(&op)))
    }
}

/// The command without the fields that it names as its author saw them, and that were no edit of theirs: what others made of
/// these since stays.
fn as_edited(op: &Op, dispute: &Dispute) -> Command {
    let in_dispute = |name: &String| dispute.fields.iter().any(|it| it.field == *name);
    let named = op.command.named_values();
    let untouched =
        named.iter().filter(|(name, value)| op.base.get(*name) == Some(value) && !in_dispute(name));
    let untouched: Vec<&str> = untouched.map(|(name, _)| name.as_str()).collect();
    let edited = if untouched.is_empty() { None } else { op.command.without_fields(&untouched) };
    edited.unwrap_or_else(|| op.command.clone())
}

/// The command with what a person made of both sides: a value for each field in dispute, and for no other than it edits.
fn merged(op: &Op, values: &Fields, dispute: &Dispute) -> Result<Command, Rejection> {
    let command = &op.command;
    let invalid = |message: String, field: &str| {
        Err(Rejection::permanent(Reason::InvalidField, message).about(command.primary()).field(field))
    };
    if let Some(missing) = dispute.fields.iter().find(|it| !values.contains_key(&it.field)) {
        return invalid(format!("Say what {} is to be, too.", missing.field), &missing.field);
    }
    let named = command.named_fields();
    if let Some(unknown) = values.keys().find(|name| !named.contains(*name)) {
        return invalid(format!("That change is not about {unknown}; leave it out."), unknown);
    }
    match as_edited(op, dispute).with_values(values) {
        Some(command) => Ok(command),
        None => invalid("These values are not possible; keep yours, or theirs.".to_owned(), "values"),
    }
}
