//! Writing commits, within one transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use innsync_domain::{Change, Entity, Intent, Policies, Stamp, Stamps, Timestamp, Uuid, stamps_of};
use innsync_protocol::Mark;
use rusqlite::Connection;

use super::Committed;
use crate::ledger::{CommitRow, LedgerError};
use crate::ledger::{credentials, entities, feed, properties};
use crate::random::SeededRandom;

/// Who a commit is by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) by: Uuid,
    /// Over values that they had not seen, or knew to be others'.
    pub(super) forced: bool,
    /// The operation.
    pub(super) operation: Uuid,
    /// When they meant it.
    pub(super) intent: Intent,
}

/// The property's feed, open at its end. The transaction below holds the write lock since before the head was read, so
/// nobody else takes a number meanwhile.
pub(super) struct Writer<'a> {
    connection: &'a Connection,
    random: &'a mut SeededRandom,
    property: Arc<str>,
    now: Timestamp,
    policies: Rc<Policies>,
    seq: u64,
    committed: Vec<Committed>,
}

impl<'a> Writer<'a> {
    pub(super) fn open(
        connection: &'a Connection,
        random: &'a mut SeededRandom,
        property: &str,
        now: Timestamp,
    ) -> Result<Self, LedgerError> {
        let seq = properties::head(connection, property)?.cursor.seq;
        let policies = Rc::new(properties::policies(connection, property)?);
        Ok(Self { connection, random, property: property.into(), now, policies, seq, committed: Vec::new() })
    }

    pub(super) fn connection(&self) -> &'a Connection {
        self.connection
    }

    pub(super) fn property(&self) -> Arc<str> {
        self.property.clone()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// How the property decides between edits that did not know of each other.
    pub(super) fn policies(&self) -> Rc<Policies> {
        Rc::clone(&self.policies)
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut Committed> {
        self.committed.last_mut()
    }

    /// Writes one commit, also one that changes nothing.
    pub(super) fn commit(&mut self, origin: Origin, mut changes: Vec<Change>) -> Result<u64, LedgerError> {
        let (at, by) = (self.now, origin.by);
        for change in &mut changes {
            change.stamp(at, by);
            self.write(change, &origin)?;
        }
        let row = CommitRow { seq: self.seq + 1, mark: self.new_mark(), at, by };
        feed::insert(self.connection, &self.property, row, origin.forced, &changes)?;
        self.seq = row.seq;
        self.committed.push(Committed {
            property: self.property.clone(),
            seq: row.seq,
            mark: row.mark,
            at,
            by,
            changes: changes.into(),
            result: None,
        });
        Ok(row.seq)
    }

    fn write(&self, change: &Change, origin: &Origin) -> Result<(), LedgerError> {
        match (&change.before, &change.after) {
            (before, Some(after)) if before.as_ref() != Some(after) => {
                let stamps = self.stamps(change, after, origin)?;
                entities::put(self.connection, &self.property, after, &stamps)
            }
            (Some(before), None) => {
                if let innsync_domain::Entity::Employee(employee) = before {
                    credentials::leave(self.connection, self.now, &self.property, employee.id)?;
                }
                entities::delete(self.connection, &self.property, &before.reference())
            }
            _ => Ok(()),
        }
    }

    fn stamps(&self, change: &Change, after: &Entity, origin: &Origin) -> Result<Stamps, LedgerError> {
        if change.before.is_none() {
            return Ok(Stamps::default());
        }
        let earlier = entities::stamps(self.connection, &self.property, &after.reference())?;
        let written = Stamp {
            seq: self.seq + 1,
            version: after.version(),
            at: origin.intent.at,
            certain: origin.intent.certain,
            by: origin.by,
            operation: origin.operation,
        };
        Ok(stamps_of(change, &written, &earlier))
    }

    /// Not zero: that is the mark of an empty feed.
    fn new_mark(&mut self) -> Mark {
        Mark(self.random.next_u64().max(1))
    }

    /// Runs `step`; if it fails or panics, everything is as it was before it.
    pub(super) fn in_savepoint<T>(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let (seq, committed) = (self.seq, self.committed.len());
        self.statement("SAVEPOINT operation")?;
        // What a step leaves half done is here and in the savepoint alone, and both are put back.
        let done = catch_unwind(AssertUnwindSafe(|| step(self)));
        let result = done.unwrap_or_else(|_| Err(LedgerError::Corrupt("deciding it panicked".to_owned())));
        if let Err(error) = result {
            self.seq = seq;
            self.committed.truncate(committed);
            // A full disk may already have undone the whole transaction; what matters is why.
            let undone =
                self.statement("ROLLBACK TO operation").and_then(|()| self.statement("RELEASE operation"));
            return Err(undone.err().filter(|_| matches!(error, LedgerError::Corrupt(_))).unwrap_or(error));
        }
        self.statement("RELEASE operation")?;
        result
    }

    fn statement(&self, sql: &str) -> Result<(), LedgerError> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Moves the head to the last commit. The transaction can now be committed.
    pub(super) fn finish(self) -> Result<Vec<Committed>, LedgerError> {
        if let Some(last) = self.committed.last() {
            properties::set_head(self.connection, &self.property, last.seq, last.mark)?;
        }
        Ok(self.committed)
    }
}
