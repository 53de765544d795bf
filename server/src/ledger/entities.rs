//! Everything as it is now.

use innsync_domain::{Entity, EntityKind, EntityRef, Stamps, Timestamp, Uuid};
use rusqlite::{Connection, OptionalExtension, Params, params};

use super::LedgerError;

pub(crate) fn get(
    connection: &Connection,
    property: &str,
    kind: &EntityKind,
    id: Uuid,
) -> Result<Option<Entity>, LedgerError> {
    let mut statement = connection
        .prepare_cached("SELECT doc FROM entities WHERE property = ?1 AND kind = ?2 AND id = ?3")?;
    let doc = statement.query_row(params![property, kind.as_str(), id.as_bytes()], |row| {
        Ok(parse(kind, row.get_ref(0)?.as_str()?))
    });
    doc.optional()?.transpose()
}

/// Writes an entity, and who wrote which of its fields just now.
pub(crate) fn put(
    connection: &Connection,
    property: &str,
    entity: &Entity,
    stamps: &Stamps,
) -> Result<(), LedgerError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO entities (property, kind, id, version, doc, stamps) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (property, kind, id) DO UPDATE SET version = excluded.version, doc = excluded.doc,
           stamps = json_patch(stamps, excluded.stamps)",
    )?;
    let (kind, id, version) = (entity.kind(), entity.id(), entity.version().cast_signed());
    let stamps = serde_json::to_string(stamps).map_err(|error| LedgerError::Io(error.to_string()))?;
    statement.execute(params![property, kind.as_str(), id.as_bytes(), version, entity.to_json(), stamps])?;
    Ok(())
}

/// Who wrote which field of an entity; nothing where there is no such entity.
pub(crate) fn stamps(
    connection: &Connection,
    property: &str,
    entity: &EntityRef,
) -> Result<Stamps, LedgerError> {
    let mut statement = connection
        .prepare_cached("SELECT stamps FROM entities WHERE property = ?1 AND kind = ?2 AND id = ?3")?;
    let with = params![property, entity.kind.as_str(), entity.id.as_bytes()];
    let stamps = statement.query_row(with, |row| {
        let stamps = serde_json::from_str(row.get_ref(0)?.as_str()?);
        Ok(stamps.map_err(|error| LedgerError::unreadable("the stamps of an entity", error)))
    });
    stamps.optional()?.transpose().map(Option::unwrap_or_default)
}

pub(crate) fn delete(connection: &Connection, property: &str, entity: &EntityRef) -> Result<(), LedgerError> {
    let mut statement =
        connection.prepare_cached("DELETE FROM entities WHERE property = ?1 AND kind = ?2 AND id = ?3")?;
    statement.execute(params![property, entity.kind.as_str(), entity.id.as_bytes()])?;
    Ok(())
}

/// Which entities, each answered by an index.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which<'a> {
    /// All of one kind.
    OfKind(&'a EntityKind),
    /// One person's notifications.
    NotificationsOf(Uuid),
    /// The tasks assigned to one person, open or not.
    TasksOf(Uuid),
    /// The open ones of them.
    OpenTasksOf(Uuid),
    /// Open tasks of type EMERGENCY.
    OpenEmergencies,
    /// Alerts not resolved.
    UnresolvedAlerts,
    /// Suites of that number.
    SuitesNumbered(&'a str),
    /// The records of one person's values that lost.
    ConflictsOf(Uuid),
    /// Those of anybody's that were decided before then.
    ConflictsBefore(Timestamp),
}

impl Which<'_> {
    pub(crate) fn kind(&self) -> EntityKind {
        match self {
            Self::OfKind(kind) => (*kind).clone(),
            Self::NotificationsOf(_) => EntityKind::Notification,
            Self::TasksOf(_) | Self::OpenTasksOf(_) | Self::OpenEmergencies => EntityKind::Task,
            Self::UnresolvedAlerts => EntityKind::Alert,
            Self::SuitesNumbered(_) => EntityKind::Suite,
            Self::ConflictsOf(_) | Self::ConflictsBefore(_) => EntityKind::Conflict,
        }
    }
}

/// Calls `visit` with each of them, in the order of their ids, until it answers `false`.
pub(crate) fn each(
    connection: &Connection,
    property: &str,
    which: Which<'_>,
    visit: &mut dyn FnMut(Entity) -> Result<bool, LedgerError>,
) -> Result<(), LedgerError> {
    const NOTIFICATIONS_OF: &str = "SELECT doc FROM entities
        WHERE property = ?1 AND kind = 'NOTIFICATION' AND doc ->> '$.recipientId' = ?2 ORDER BY id";
    const TASKS_OF: &str = "SELECT doc FROM entities
        WHERE property = ?1 AND kind = 'TASK' AND doc ->> '$.assignedTo' = ?2 ORDER BY id";
    const OPEN_TASKS_OF: &str = "SELECT doc FROM entities
        WHERE property = ?1 AND kind = 'TASK' AND doc ->> '$.assignedTo' = ?2
          AND doc ->> '$.status' IN ('PENDING', 'IN_PROGRESS') ORDER BY id";
    const OPEN_EMERGENCIES: &str = "SELECT doc FROM entities
        WHERE property = ?1 AND kind = 'TASK' AND doc ->> '$.type' = 'EMERGENCY'
          AND doc ->> '$.status' IN ('PENDING', 'IN_PROGRESS') ORDER BY id";
    const UNRESOLVED_ALERTS: &str = "SELECT doc FROM entities
        WHERE property = ?1 AND kind = 'ALERT' AND doc ->> '$.resolvedAt' IS NULL ORDER BY id";
    const SUITES_NUMBERED: &str = "SELECT doc FROM entities
        WHERE property = ?1 AND kind = 'SUITE' AND doc ->> '$.suiteNumber' = ?2 ORDER BY id";
    const CONFLICTS_OF: &str = "SELECT doc FROM entities
        WHERE property = ?1 AND kind = 'CONFLICT' AND doc ->> '$.lostBy' = ?2 ORDER BY id";
    const CONFLICTS_BEFORE: &str = "SELECT doc FROM entities
        WHERE property = ?1 AND kind = 'CONFLICT' AND doc ->> '$.decidedAt' < ?2 ORDER BY id";
    const OF_KIND: &str = "SELECT doc FROM entities WHERE property = ?1 AND kind = ?2 ORDER BY id";

    let kind = which.kind();
    let mut run = |sql, with: &[&dyn rusqlite::ToSql]| visit_rows(connection, sql, with, &kind, visit);
    match which {
        Which::OfKind(kind) => run(OF_KIND, params![property, kind.as_str()]),
        Which::NotificationsOf(person) => run(NOTIFICATIONS_OF, params![property, person.to_string()]),
        Which::TasksOf(person) => run(TASKS_OF, params![property, person.to_string()]),
        Which::OpenTasksOf(person) => run(OPEN_TASKS_OF, params![property, person.to_string()]),
        Which::OpenEmergencies => run(OPEN_EMERGENCIES, params![property]),
        Which::UnresolvedAlerts => run(UNRESOLVED_ALERTS, params![property]),
        Which::SuitesNumbered(number) => run(SUITES_NUMBERED, params![property, number]),
        Which::ConflictsOf(person) => run(CONFLICTS_OF, params![property, person.to_string()]),
        Which::ConflictsBefore(moment) => run(CONFLICTS_BEFORE, params![property, moment.to_string()]),
    }
}

fn visit_rows(
    connection: &Connection,
    sql: &str,
    with: impl Params,
    kind: &EntityKind,
    visit: &mut dyn FnMut(Entity) -> Result<bool, LedgerError>,
) -> Result<(), LedgerError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(with)?;
    while let Some(row) = rows.next()? {
        let doc = row.get_ref(0)?.as_str().map_err(|error| LedgerError::unreadable("an entity", error))?;
        if !visit(parse(kind, doc)?)? {
            return Ok(());
        }
    }
    Ok(())
}

/// All of them.
pub(crate) fn all(
    connection: &Connection,
    property: &str,
    which: Which<'_>,
) -> Result<Vec<Entity>, LedgerError> {
    let mut found = Vec::new();
    each(connection, property, which, &mut |entity| {
        found.push(entity);
        Ok(true)
    })?;
    Ok(found)
}

fn parse(kind: &EntityKind, doc: &str) -> Result<Entity, LedgerError> {
    Entity::from_json(kind, doc).map_err(|error| LedgerError::unreadable(kind.as_str(), error))
}
