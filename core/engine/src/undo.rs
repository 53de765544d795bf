//! Taking back what one did last: while it is on the phone alone, it is discarded; after that, by commands that do the
//! opposite.

use std::collections::BTreeMap;
use std::sync::Arc;

use innsync_domain::{Command, Entity, EntityRef, Person, Reason, Rejection, Uuid, derived_id, inverse};
use innsync_protocol::Op;

use crate::commands::Upon;
use crate::draft::{Draft, receipt};
use crate::outbox::{OpState, QueuedOp, Receipt, Undoable};
use crate::output::Output;
use crate::predict::{Outlook, Rows, predict};
use crate::replay::Over;
use crate::state::State;
use crate::store::StoreError;

/// What a person did last on this phone, since it was opened.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    operation: Uuid,
    command: Command,
    before: Option<Entity>,
    after: Option<Entity>,
    /// What makes it undone; empty: nothing does.
    inverse: Vec<Command>,
}

/// Whether a person means it when they say "undo": not what they read, and not how they settled a conflict.
fn is_deed(command: &Command) -> bool {
    let aside = matches!(command, Command::KeepTheirs { .. } | Command::DismissConflicts { .. });
    !command.is_cosmetic() && !aside
}

impl State {
    /// See [`crate::Engine::undoable`].
    pub(crate) fn undoable(&self) -> Option<Undoable> {
        let unsent = |op: &QueuedOp| op.may_be_discarded() && op.state == OpState::Queued;
        if let Some(deed) = &self.deed {
            let queued = self.outbox.get(deed.operation);
            let unsent = queued.is_some_and(|op| op.may_be_discarded());
            return (unsent || !deed.inverse.is_empty()).then(|| Undoable {
                operation: deed.operation,
                command: deed.command.name().to_owned(),
                entity: deed.command.primary(),
                unsent,
            });
        }
        // After a restart the outbox still says what was done last, as long as it has not left the phone.
        let last = self.outbox.iter().rev().find(|op| is_deed(&op.op.command)).filter(|op| unsent(op))?;
        // What undid something is not undone in turn, least of all the half of it.
        if self.undoing.contains(&last.op.id) || !last.op.depends_on.is_empty() {
            return None;
        }
        let (command, entity) = (last.op.command.name().to_owned(), last.op.command.primary());
        Some(Undoable { operation: last.op.id, command, entity, unsent: true })
    }
}

impl State {
    /// The operation is discarded: there is nothing of it to be undone.
    pub(crate) fn forget_deed(&mut self, operation: Uuid) {
        self.deed.take_if(|deed| deed.operation == operation);
    }

    /// Another operation took that one's place. Until it is sent it can be discarded; what would undo it after that was thought
    /// out for the first one.
    pub(crate) fn deed_is_now(&mut self, old: Uuid, new: &Op, upon: Upon) {
        if let Some(deed) = self.deed.as_ref().filter(|deed| deed.operation == old) {
            let same = deed.command == new.command && upon == Upon::Then;
            let inverse = if same { deed.inverse.clone() } else { Vec::new() };
            let (operation, command) = (new.id, new.command.clone());
            self.deed = Some(Arc::new(Deed { operation, command, inverse, ..Deed::clone(deed) }));
        }
    }
}

impl Draft<'_> {
    /// Remembers what was just queued, with the row that it was about `before`.
    pub(crate) fn remember_deed(&mut self, op: &QueuedOp, before: Option<Entity>) -> Result<(), StoreError> {
        let command = &op.op.command;
        if !is_deed(command) {
            return Ok(());
        }
        let after = self.screen().row(&command.primary())?;
        let me =
            self.screen().row(&EntityRef::new(innsync_domain::EntityKind::Employee, self.config.employee))?;
        let inverse = match &me {
            Some(Entity::Employee(me)) => {
                inverse(command, before.as_ref(), after.as_ref(), &Person::from(me)).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        let (operation, command) = (op.op.id, command.clone());
        self.state.deed = Some(Arc::new(Deed { operation, command, before, after, inverse }));
        Ok(())
    }

    /// See [`crate::Input::Undo`].
    pub(crate) fn undo(&mut self, request: u64, id: Uuid) -> Result<(), StoreError> {
        let result = self.undone(id)?;
        self.tell(Output::Executed { request, result });
        Ok(())
    }

    fn undone(&mut self, id: Uuid) -> Result<Result<Receipt, Rejection>, StoreError> {
        let refuse = |reason, message: &str| Ok(Err(Rejection::permanent(reason, message)));
        let Some(last) = self.state.undoable() else {
            let message = "There is nothing of yours that could be taken back.";
            return refuse(Reason::NothingToUndo, message);
        };
        if last.unsent
            && let Some(op) = self.state.outbox.get(last.operation).cloned()
        {
            self.state.deed = None;
            self.forget(&op);
            self.park_dependents(op.op.id);
            return Ok(Ok(Receipt { state: None, ..receipt(&op) }));
        }
        let Some(deed) = self.state.deed.clone() else {
            return refuse(Reason::NothingToUndo, "There is nothing of yours that could be taken back.");
        };
        let now = self.screen().row(&last.entity)?;
        if !is_as_left(&deed, now.as_ref(), self.config.employee) {
            let message = "Somebody has changed it since; look at it, then change it by hand.";
            return refuse(Reason::ChangedMeanwhile, message);
        }
        if let Some(rejection) = self.foresee_all(&deed.inverse, id)? {
            return Ok(Err(rejection));
        }
        self.state.deed = None;
        let mine = |index: usize| if index == 0 { id } else { derived_id(id, &format!("undo:{index}")) };
        let ids: Vec<Uuid> = (0..deed.inverse.len()).map(mine).collect();
        self.state.undoing.clone_from(&ids);
        self.queue_all(deed.inverse.iter().cloned().zip(ids).collect())
    }

    /// Why one of these commands, one after the other, is refused.
    fn foresee_all(&self, commands: &[Command], id: Uuid) -> Result<Option<Rejection>, StoreError> {
        let (screen, mut rows) = (self.screen(), BTreeMap::new());
        let at = self.state.clock.guess(self.now);
        for command in commands {
            match predict(command, id, at, self.observer(), &Over::new(&rows, &screen))? {
                Outlook::Foreseen(prediction) => rows.extend(prediction.rows),
                Outlook::Refused(rejection) => return Ok(Some(rejection)),
                Outlook::Unforeseen | Outlook::Nobody => {}
            }
        }
        Ok(None)
    }

    /// Each after the one before it; the receipt of the last.
    fn queue_all(
        &mut self,
        commands: Vec<(Command, Uuid)>,
    ) -> Result<Result<Receipt, Rejection>, StoreError> {
        let (mut depends_on, mut last) = (Vec::new(), None);
        for (command, id) in commands {
            let op = self.new_op(id, command, depends_on);
            match self.enqueue(op)? {
                Ok(op) => last = Some(receipt(&op)),
                Err(rejection) => return Ok(Err(rejection)),
            }
            depends_on = vec![id];
        }
        let message = "There is no way back from that; do the opposite by hand.";
        Ok(last.ok_or_else(|| Rejection::permanent(Reason::NothingToUndo, message)))
    }
}

/// Whether the thing is as the person left it, in what they changed.
fn is_as_left(deed: &Deed, now: Option<&Entity>, me: Uuid) -> bool {
    match (&deed.before, &deed.after, now) {
        (Some(before), Some(after), Some(now)) => {
            before.diff(after).1.into_iter().all(|(field, made)| now.field(&field) == Some(made))
        }
        (None, Some(after), Some(now)) => {
            // The server's clock, and what rules keep up.
            let own = ["createdAt", "department", "openCleaningTask"];
            let changed = after.diff(now).0;
            now.updated_by() == me && changed.into_iter().all(|(field, _)| own.contains(&field.as_str()))
        }
        _ => false,
    }
}
