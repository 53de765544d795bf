//! Operations from phones' outboxes: each takes effect exactly once, and a bad one fails alone.

use innsync_domain::mutant::{self, Mutant};
use innsync_domain::{
    Context, Edit, Entity, Intent, Person, Reason, Rejection, Ruling, Settles, Timestamp, Uuid, redact,
};
use innsync_protocol::{Deleted, EntityRow, Op, OpOutcome, OpResult, PushAnswer};
use serde_json::value::RawValue;

use super::draft::Draft;
use super::writer::{Origin, Writer};
use super::{Authority, Committed};
use super::{losses, operation};
use crate::ledger::{LedgerError, StoredOutcome};
use crate::ledger::{entities, feed, outcomes};
use crate::reader::{as_seen, person, told_again};

/// Milliseconds until an operation is tried again that came before one it depends on.
const RETRY_DEPENDENCY_MS: u64 = 1_000;
/// Milliseconds until an operation is tried again at which the server itself failed.
const RETRY_FAILED_MS: u64 = 30_000;

impl Authority {
    /// Takes a batch of operations, in one transaction: a result for each, in order. Of somebody who is not on the staff
    /// nothing is taken, so that their outbox is still whole should they come back.
    pub fn push(
        &mut self,
        now: Timestamp,
        property: &str,
        author: Uuid,
        ops: &[Box<RawValue>],
    ) -> Result<(PushAnswer, Vec<Committed>), LedgerError> {
        let Self { ledger, random } = self;
        let transaction = ledger.begin()?;
        let mut writer = Writer::open(&transaction, random, property, now)?;
        if person(&transaction, property, author)?.is_none() {
            return Err(LedgerError::NoSuchPerson(author));
        }
        let mut results = Vec::with_capacity(ops.len());
        for op in ops {
            results.push(take(&mut writer, author, op.get())?);
        }
        let committed = writer.finish()?;
        transaction.commit()?;
        Ok((PushAnswer { results }, committed))
    }
}

fn take(writer: &mut Writer<'_>, caller: Uuid, text: &str) -> Result<OpResult, LedgerError> {
    let op = match operation::read(text) {
        Ok(op) => op,
        Err(answer) => return Ok(*answer),
    };
    let id = op.id;
    if op.author != caller {
        let message = "This operation is by somebody else; it is sent when they sign in.";
        let result = OpOutcome::rejected(Rejection::permanent(Reason::WrongAuthor, message));
        return Ok(OpResult { id, result });
    }
    let result = match writer.in_savepoint(|writer| decide_once(writer, &op)) {
        Ok(outcome) => outcome,
        // Something that this operation touches cannot be read. The others go on; this one waits for an operator.
        Err(LedgerError::Corrupt(why)) => {
            tracing::error!(operation = %id, why, "an operation could not be decided");
            OpOutcome::Retry { after: RETRY_FAILED_MS }
        }
        Err(error) => return Err(error),
    };
    Ok(OpResult { id, result })
}

/// Answers from what is stored, or decides and stores.
fn decide_once(writer: &mut Writer<'_>, op: &Op) -> Result<OpOutcome, LedgerError> {
    let hash = operation::hash(&op.command);
    let (connection, property) = (writer.connection(), writer.property());
    let known = outcomes::get(connection, &property, op.author, op.id)?;
    match known.filter(|_| !mutant::is(Mutant::DedupeForgotten)) {
        Some(StoredOutcome { hash: known, outcome }) if known == hash => {
            let of = Box::new(told_again(connection, &property, op.author, outcome)?);
            return Ok(OpOutcome::Duplicate { of });
        }
        Some(_) => {
            let message = "This operation's id was used for another command; send it again under a new id.";
            return Ok(OpOutcome::rejected(Rejection::permanent(Reason::IdReused, message)));
        }
        None => {}
    }
    // They have left by an operation of this batch; the next batch is refused as a whole.
    let Some(actor) = person(connection, &property, op.author)? else {
        return Ok(OpOutcome::Retry { after: RETRY_FAILED_MS });
    };
    let outcome = match waits_for(writer, op)? {
        Some(Waits::Unknown) => return Ok(OpOutcome::Retry { after: RETRY_DEPENDENCY_MS }),
        Some(Waits::Failed(rejection)) => OpOutcome::rejected(rejection),
        None => decide(writer, op, &actor)?,
    };
    let result = OpResult { id: op.id, result: outcome };
    outcomes::insert(connection, &property, op.author, &hash, writer.now(), &result)?;
    if result.result.seq().is_some()
        && let Some(committed) = writer.last_mut()
    {
        committed.result = Some((op.author, result.clone()));
    }
    Ok(result.result)
}

/// What keeps an operation from being decided.
enum Waits {
    /// One that it depends on has not come yet.
    Unknown,
    /// One that it depends on did not succeed.
    Failed(Rejection),
}

fn waits_for(writer: &Writer<'_>, op: &Op) -> Result<Option<Waits>, LedgerError> {
    let failed = |message: String| Waits::Failed(Rejection::permanent(Reason::DependencyFailed, message));
    let mut waits = None;
    for id in &op.depends_on {
        if *id == op.id {
            return Ok(Some(failed("This operation depends on itself; discard it.".to_owned())));
        }
        match outcomes::get(writer.connection(), &writer.property(), op.author, *id)? {
            Some(stored) if stored.outcome.seq().is_some() => {}
            Some(_) => {
                let message = format!("Operation {id}, on which this one depends, did not succeed.");
                return Ok(Some(failed(message)));
            }
            None => waits = Some(Waits::Unknown),
        }
    }
    Ok(waits)
}

fn decide(writer: &mut Writer<'_>, op: &Op, actor: &Person) -> Result<OpOutcome, LedgerError> {
    let (connection, property) = (writer.connection(), writer.property());
    let primary = op.command.primary();
    let context = Context { operation: op.id, actor, at: op.intent.best().min(writer.now()) };
    let settles = settled_by(writer, op)?;
    let stamps = entities::stamps(connection, &property, &primary)?;
    let edit = Edit {
        command: &op.command,
        context: &context,
        intent: intent_of(op, writer.now()),
        base: &op.base,
        base_version: op.base_version,
        force: op.force,
        settles: &settles,
        policies: &writer.policies(),
        stamps: &stamps,
    };
    let mut draft = Draft::new(connection, &property);
    let found = version_of(&draft, op, actor)?;
    let taken = match draft.decide(&edit)? {
        Ok(Ruling::Taken(taken)) => taken,
        Ok(Ruling::Person { fields, rejection }) => {
            let current = draft.get(&primary)?.and_then(|entity| as_seen(entity, actor)).map(EntityRow);
            return Ok(OpOutcome::Conflict { current, fields, rejection, deleted: None });
        }
        Err(rejection) => return refused(writer, &draft, &edit, rejection),
    };
    let skipped = match &taken.command {
        None => Vec::new(),
        Some(command) => match draft.follow(command, &context, taken.effects)? {
            Ok(skipped) => skipped,
            Err(rejection) => return Ok(OpOutcome::rejected(rejection)),
        },
    };
    losses::record(&mut draft, connection, &property, op.id, &primary, taken.lost, writer.now())?;
    let origin = Origin { by: op.author, forced: op.force, operation: op.id, intent: edit.intent };
    let seq = writer.commit(origin, draft.into_changes())?;
    let version = version_of(&Draft::new(connection, &property), op, actor)?;
    let moved_on = op.base_version.is_some_and(|base| base != found);
    Ok(match moved_on || taken.contested {
        true => OpOutcome::Merged { seq, version, skipped },
        false => OpOutcome::Applied { seq, version, skipped },
    })
}

/// When it was meant, never after now. What was not measured counts from its arrival.
fn intent_of(op: &Op, now: Timestamp) -> Intent {
    let wall = mutant::is(Mutant::LastByWallClock).then_some(op.intent.wall);
    let measured = wall.or(op.intent.corrected);
    Intent { at: measured.map_or(now, |at| at.min(now)), certain: measured.is_some() }
}

/// The conflict that the operation settles, as its author was told of it.
fn settled_by(writer: &Writer<'_>, op: &Op) -> Result<Settles, LedgerError> {
    let Some(earlier) = op.supersedes.filter(|_| op.force) else { return Ok(Settles::default()) };
    let stored = outcomes::get(writer.connection(), &writer.property(), op.author, earlier)?;
    Ok(match stored.map(|stored| stored.outcome) {
        Some(OpOutcome::Conflict { fields, current, .. }) => {
            Settles { fields, version: current.map(|EntityRow(then)| Entity::version(&then)) }
        }
        _ => Settles::default(),
    })
}

/// The rules refuse it. Where that is because somebody deleted what it is about, that is told as the conflict that it is.
fn refused(
    writer: &Writer<'_>,
    draft: &Draft<'_>,
    edit: &Edit<'_>,
    rejection: Rejection,
) -> Result<OpOutcome, LedgerError> {
    let primary = edit.command.primary();
    if rejection.reason == Reason::NotFound && draft.get(&primary)?.is_none() {
        let deletion = feed::deletion(writer.connection(), &writer.property(), &primary)?;
        if let Some((commit, last)) = deletion
            && let Ok(fields) = draft.against_deleted(edit, &last)?
            && !fields.is_empty()
        {
            let deleted = Some(Deleted { by: commit.by, at: commit.at });
            return Ok(OpOutcome::Conflict { current: None, fields, rejection: Some(rejection), deleted });
        }
    }
    Ok(OpOutcome::rejected(rejection))
}

/// The version of the primary entity, as its author sees it; 0 where there is none.
fn version_of(draft: &Draft<'_>, op: &Op, actor: &Person) -> Result<u64, LedgerError> {
    Ok(draft.get(&op.command.primary())?.map_or(0, |entity| redact(entity, actor).version()))
}
