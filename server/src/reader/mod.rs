//! Everything that reads the ledger. Each call sees one state of it, whole, however many are written meanwhile.
//!
//! Whatever leaves here for a person has passed [`may_see`] and [`redact`], or [`innsync_domain::project`].

mod catch_up;
mod snapshot;

pub use catch_up::PageSize;

use innsync_domain::{Entity, EntityKind, Person, Timestamp, Uuid, may_see, redact};
use innsync_protocol::{Cursor, EntityRow, OpOutcome, OpResult, SnapshotRequest, SyncAnswer, limits};
use rusqlite::{Connection, Transaction};

use crate::ledger::entities::Which;
use crate::ledger::{Credentials, LedgerError, Property, RefreshToken};
use crate::ledger::{credentials, entities, outcomes, properties};

/// A connection that only reads.
pub struct Reader {
    connection: Connection,
    page_size: PageSize,
}

impl Reader {
    pub(crate) fn on(connection: Connection) -> Self {
        Self { connection, page_size: PageSize::default() }
    }

    pub(crate) fn set_page_size(&mut self, size: PageSize) {
        self.page_size = size;
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// One state of the ledger, for as long as the transaction lives.
    fn begin(&self) -> Result<Transaction<'_>, LedgerError> {
        Ok(self.connection.unchecked_transaction()?)
    }

    /// All properties, by their ids.
    pub fn properties(&self) -> Result<Vec<Property>, LedgerError> {
        properties::all(&self.connection)
    }

    /// One property.
    pub fn property(&self, id: &str) -> Result<Option<Property>, LedgerError> {
        properties::get(&self.connection, id)
    }

    /// Where the property's feed ends.
    pub fn head(&self, property: &str) -> Result<Cursor, LedgerError> {
        Ok(properties::head(&self.connection, property)?.cursor)
    }

    /// What somebody is and may do just now; `None`: not on the staff (any more).
    pub fn person(&self, property: &str, employee: Uuid) -> Result<Option<Person>, LedgerError> {
        person(&self.connection, property, employee)
    }

    /// How somebody signs in.
    pub fn credentials(&self, property: &str, login: &str) -> Result<Option<Credentials>, LedgerError> {
        credentials::get(&self.connection, property, login)
    }

    /// A refresh token by its hash, also one that was superseded.
    pub fn refresh_token(&self, token_hash: &[u8; 32]) -> Result<Option<RefreshToken>, LedgerError> {
        credentials::token(&self.connection, token_hash)
    }

    /// The sessions that were ended before their time, each with when: access tokens of theirs are not good.
    pub fn ended_sessions(&self) -> Result<Vec<(Uuid, Timestamp)>, LedgerError> {
        credentials::ended_sessions(&self.connection)
    }

    /// Everything of one kind that the viewer may see, in the order of ids.
    pub fn list(&self, property: &str, viewer: Uuid, kind: &EntityKind) -> Result<Vec<Entity>, LedgerError> {
        let transaction = self.begin()?;
        let viewer = viewer_of(&transaction, property, viewer)?;
        let which = match kind {
            EntityKind::Notification => Which::NotificationsOf(viewer.id),
            EntityKind::Conflict => Which::ConflictsOf(viewer.id),
            kind => Which::OfKind(kind),
        };
        let mut seen = Vec::new();
        entities::each(&transaction, property, which, &mut |entity| {
            seen.extend(as_seen(entity, &viewer));
            Ok(true)
        })?;
        Ok(seen)
    }

    /// One entity, if the viewer may see it.
    pub fn get(
        &self,
        property: &str,
        viewer: Uuid,
        kind: &EntityKind,
        id: Uuid,
    ) -> Result<Option<Entity>, LedgerError> {
        let transaction = self.begin()?;
        let viewer = viewer_of(&transaction, property, viewer)?;
        let entity = entities::get(&transaction, property, kind, id)?;
        Ok(entity.and_then(|entity| as_seen(entity, &viewer)))
    }

    /// What happened after the cursor, as the viewer may see it; or why that cannot be said.
    ///
    /// No more commits are looked at than a page holds ([`PageSize`]); `more` says that there are further ones. `results` are
    /// all of the viewer's own operations in that range and, as far as there is room, the known ones among `pending`.
    pub fn catch_up(
        &self,
        property: &str,
        viewer: Uuid,
        cursor: Cursor,
        pending: &[Uuid],
    ) -> Result<SyncAnswer, LedgerError> {
        let transaction = self.begin()?;
        catch_up::catch_up(&transaction, self.page_size, property, viewer, cursor, pending)
    }

    /// As [`Reader::catch_up`]; where the answer reaches the head, with a digest of all that the viewer may see there.
    pub fn catch_up_with_digest(
        &self,
        property: &str,
        viewer: Uuid,
        cursor: Cursor,
        pending: &[Uuid],
    ) -> Result<SyncAnswer, LedgerError> {
        let transaction = self.begin()?;
        let mut answer = catch_up::catch_up(&transaction, self.page_size, property, viewer, cursor, pending)?;
        if let SyncAnswer::Delta(delta) = &mut answer
            && !delta.more
        {
            delta.digest = Some(snapshot::digest(&transaction, property, viewer)?);
        }
        Ok(answer)
    }

    /// All that the viewer may see, line by line (without the line's end), until `sink` answers `false`.
    ///
    /// Sections: SUITES, STAFF, MINE (tasks assigned to the viewer, their notifications), ALERTS, REST. `id`: what it is
    /// called, where it can be gone on with after a cut.
    pub fn snapshot(
        &self,
        property: &str,
        viewer: Uuid,
        request: &SnapshotRequest,
        id: Option<Uuid>,
        sink: &mut dyn FnMut(String) -> bool,
    ) -> Result<(), LedgerError> {
        let transaction = self.begin()?;
        snapshot::snapshot(&transaction, property, viewer, request, id, sink)
    }

    /// How many operations took effect in all; for figures and tests.
    pub fn operations(&self, property: &str) -> Result<u64, LedgerError> {
        outcomes::effective(&self.connection, property)
    }
}

/// What somebody is and may do just now.
pub(crate) fn person(
    connection: &Connection,
    property: &str,
    employee: Uuid,
) -> Result<Option<Person>, LedgerError> {
    Ok(match entities::get(connection, property, &EntityKind::Employee, employee)? {
        Some(Entity::Employee(employee)) => Some(Person::from(&employee)),
        _ => None,
    })
}

fn viewer_of(connection: &Connection, property: &str, viewer: Uuid) -> Result<Person, LedgerError> {
    person(connection, property, viewer)?.ok_or(LedgerError::NoSuchPerson(viewer))
}

/// The entity as the viewer may see it.
pub(crate) fn as_seen(entity: Entity, viewer: &Person) -> Option<Entity> {
    may_see(&entity, viewer).then(|| redact(entity, viewer))
}

/// The stored outcomes of the viewer's operations named in `pending`.
fn outcomes_of(
    connection: &Connection,
    property: &str,
    viewer: Uuid,
    pending: &[Uuid],
) -> Result<Vec<OpResult>, LedgerError> {
    let mut results = Vec::new();
    for id in pending.iter().take(limits::PENDING_PER_RESUME) {
        if let Some(stored) = outcomes::get(connection, property, viewer, *id)? {
            let result = told_again(connection, property, viewer, stored.outcome)?;
            results.push(OpResult { id: *id, result });
        }
    }
    Ok(results)
}

/// A stored outcome as its author may hear it today: of a conflict about what has since gone out of their sight, no more
/// than that it was one.
pub(crate) fn told_again(
    connection: &Connection,
    property: &str,
    author: Uuid,
    outcome: OpOutcome,
) -> Result<OpOutcome, LedgerError> {
    let OpOutcome::Conflict { current: Some(EntityRow(then)), .. } = &outcome else { return Ok(outcome) };
    let entity = then.reference();
    let now = entities::get(connection, property, &entity.kind, entity.id)?;
    let author = person(connection, property, author)?;
    Ok(match (now, author) {
        (Some(now), Some(author)) if may_see(&now, &author) => outcome,
        _ => OpOutcome::bare_conflict(),
    })
}
