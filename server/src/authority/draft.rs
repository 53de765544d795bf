//! What a commit is going to change, before it is written: the rules read the ledger through it.

use std::cell::RefCell;

use innsync_domain::{
    Change, Command, Conflict, Context, Directory, Edit, Effects, Employee, Entity, EntityKind, EntityRef,
    FieldConflict, Lookup, Person, Read, ReadError, Rejection, Ruling, Skipped, Stop, Task, Timestamp, Uuid,
    against_deleted, decide, derived_id, execute, react,
};
use rusqlite::Connection;

use crate::ledger::LedgerError;
use crate::ledger::entities::{self, Which};

/// The changes so far, over the ledger.
pub(super) struct Draft<'a> {
    connection: &'a Connection,
    property: &'a str,
    changes: Vec<Change>,
    /// Why the ledger could not be read: the rules carry only its text.
    failure: RefCell<Option<LedgerError>>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(connection: &'a Connection, property: &'a str) -> Self {
        Self { connection, property, changes: Vec::new(), failure: RefCell::new(None) }
    }

    /// What is to be done with an operation, of which nothing is in the draft yet.
    pub(super) fn decide(&self, edit: &Edit<'_>) -> Result<Result<Ruling, Rejection>, LedgerError> {
        match decide(edit, self) {
            Ok(ruling) => Ok(Ok(ruling)),
            Err(stop) => self.stopped(stop).map(Err),
        }
    }

    /// What an edit wanted of something that is gone.
    pub(super) fn against_deleted(
        &self,
        edit: &Edit<'_>,
        last: &Entity,
    ) -> Result<Result<Vec<FieldConflict>, Rejection>, LedgerError> {
        match against_deleted(edit, last, self) {
            Ok(fields) => Ok(Ok(fields)),
            Err(stop) => self.stopped(stop).map(Err),
        }
    }

    /// Adds the record of a value that lost, where there is none yet. Another person's of that id, made by an operation of the
    /// same id, does not stand in its way.
    pub(super) fn record(&mut self, mut conflict: Conflict) -> Result<(), LedgerError> {
        let reference = EntityRef::new(EntityKind::Conflict, conflict.id);
        match self.get(&reference)? {
            Some(Entity::Conflict(there)) if there.lost_by == conflict.lost_by => return Ok(()),
            Some(_) => conflict.id = derived_id(conflict.id, &conflict.lost_by.to_string()),
            None => {}
        }
        self.changes.push(Change { before: None, after: Some(conflict.into()) });
        Ok(())
    }

    /// What happens so far.
    pub(super) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Adds what the command does and what follows from it, or says why it is refused.
    pub(super) fn run(
        &mut self,
        command: &Command,
        operation: Uuid,
        actor: &Person,
        at: Timestamp,
    ) -> Result<Result<Vec<Skipped>, Rejection>, LedgerError> {
        let context = Context { operation, actor, at };
        let effects = match execute(command, &context, self) {
            Ok(effects) => effects,
            Err(stop) => return self.stopped(stop).map(Err),
        };
        self.follow(command, &context, effects)
    }

    /// Adds what a command does, and what follows from it; the consequences that were left out.
    pub(super) fn follow(
        &mut self,
        command: &Command,
        context: &Context<'_>,
        effects: Effects,
    ) -> Result<Result<Vec<Skipped>, Rejection>, LedgerError> {
        let reactions = match react(command, context, &effects, self, self) {
            Ok(reactions) => reactions,
            Err(stop) => return self.stopped(stop).map(Err),
        };
        self.absorb(effects.changes);
        self.absorb(reactions);
        Ok(Ok(effects.skipped))
    }

    /// All changes, each entity's once, in the order of the first touch.
    pub(super) fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    /// The entity as the draft leaves it.
    pub(super) fn get(&self, entity: &EntityRef) -> Result<Option<Entity>, LedgerError> {
        match self.change_of(&entity.kind, entity.id) {
            Some(change) => Ok(change.after.clone()),
            None => entities::get(self.connection, self.property, &entity.kind, entity.id),
        }
    }

    fn stopped(&self, stop: Stop) -> Result<Rejection, LedgerError> {
        match stop {
            Stop::Rejected(rejection) => Ok(rejection),
            Stop::Failed(error) => Err(self.failure.take().unwrap_or(LedgerError::Corrupt(error.0))),
            Stop::Unknown(entity) => Err(LedgerError::Corrupt(format!(
                "{} {} is unknown to the server itself",
                entity.kind, entity.id
            ))),
        }
    }

    fn absorb(&mut self, changes: Vec<Change>) {
        for change in changes {
            let Some(entity) = change.reference() else { continue };
            match self.changes.iter_mut().find(|earlier| earlier.reference().as_ref() == Some(&entity)) {
                Some(earlier) => earlier.after = change.after,
                None => self.changes.push(change),
            }
        }
        self.changes.retain(|change| change.reference().is_some());
    }

    fn change_of(&self, kind: &EntityKind, id: Uuid) -> Option<&Change> {
        let is_it = |entity: &Entity| entity.id() == id && entity.kind() == *kind;
        self.changes.iter().find(|change| change.before.as_ref().or(change.after.as_ref()).is_some_and(is_it))
    }

    /// Those of the ledger that the draft leaves as they are, and those of the draft, as far as they belong.
    fn all(&self, which: Which<'_>, belongs: impl Fn(&Entity) -> bool) -> Result<Vec<Entity>, ReadError> {
        let kind = which.kind();
        let found =
            entities::all(self.connection, self.property, which).map_err(|error| self.failed(error))?;
        let untouched = found.into_iter().filter(|entity| self.change_of(&kind, entity.id()).is_none());
        let drafted = self.changes.iter().filter_map(|change| change.after.clone());
        Ok(untouched.chain(drafted.filter(|entity| entity.kind() == kind && belongs(entity))).collect())
    }

    fn failed(&self, error: LedgerError) -> ReadError {
        let text = error.to_string();
        self.failure.replace(Some(error));
        ReadError(text)
    }
}

impl Read for Draft<'_> {
    fn read(&self, kind: EntityKind, id: Uuid) -> Result<Lookup, ReadError> {
        let found = self.get(&EntityRef::new(kind, id)).map_err(|error| self.failed(error))?;
        Ok(found.map_or(Lookup::Absent, Lookup::Known))
    }
}

impl Directory for Draft<'_> {
    fn employees(&self) -> Result<Vec<Employee>, ReadError> {
        let all = self.all(Which::OfKind(&EntityKind::Employee), |_| true)?;
        Ok(all
            .into_iter()
            .filter_map(|it| if let Entity::Employee(it) = it { Some(it) } else { None })
            .collect())
    }

    fn open_emergencies(&self) -> Result<Vec<Entity>, ReadError> {
        use innsync_domain::TaskType::Emergency;
        let is_open = |it: &Entity| match it {
            Entity::Task(task) => task.task_type == Emergency && task.status.is_open(),
            Entity::Alert(alert) => alert.resolved_at.is_none(),
            _ => false,
        };
        let mut open = self.all(Which::OpenEmergencies, is_open)?;
        open.extend(self.all(Which::UnresolvedAlerts, is_open)?);
        Ok(open)
    }

    fn open_tasks_of(&self, employee: Uuid) -> Result<Vec<Task>, ReadError> {
        let theirs = |it: &Entity| matches!(it, Entity::Task(task) if task.assigned_to == Some(employee) && task.status.is_open());
        let all = self.all(Which::OpenTasksOf(employee), theirs)?;
        Ok(all.into_iter().filter_map(|it| if let Entity::Task(it) = it { Some(it) } else { None }).collect())
    }

    fn suite_number_taken(&self, number: &str, except: Uuid) -> Result<bool, ReadError> {
        let numbered = |it: &Entity| matches!(it, Entity::Suite(suite) if suite.suite_number == number);
        Ok(self.all(Which::SuitesNumbered(number), numbered)?.iter().any(|suite| suite.id() != except))
    }
}
