//! All that a person may see, in sections, the most urgent first.
//!
//! The ledger is read twice: once to count, once to send. So a snapshot takes no memory to speak of, however large the
//! property is.

use innsync_domain::{Entity, EntityKind, Person, Uuid};
use innsync_protocol::{Digest, SnapshotLine, SnapshotRequest, SnapshotStart};
use rusqlite::Connection;

use super::{as_seen, outcomes_of, viewer_of};
use crate::ledger::LedgerError;
use crate::ledger::entities::{self, Which};
use crate::ledger::properties;

pub(super) fn snapshot(
    connection: &Connection,
    property: &str,
    viewer: Uuid,
    request: &SnapshotRequest,
    id: Option<Uuid>,
    sink: &mut dyn FnMut(String) -> bool,
) -> Result<(), LedgerError> {
    let head = properties::head(connection, property)?;
    let info = properties::get(connection, property)?
        .ok_or_else(|| LedgerError::NoSuchProperty(property.to_owned()))?;
    let viewer = viewer_of(connection, property, viewer)?;
    let view = View { connection, property, viewer: &viewer };

    let mut rows = 0;
    for section in &SECTIONS {
        view.each(section, &mut |_| {
            rows += 1;
            true
        })?;
    }
    let start = SnapshotStart { cursor: head.cursor, rows, id, from: 0, property: info.into() };
    if !sink(SnapshotLine::Start(start).to_json()) {
        return Ok(());
    }
    for section in &SECTIONS {
        let mut rows = 0;
        let whole = view.each(section, &mut |entity| {
            rows += 1;
            sink(SnapshotLine::Row(entity).to_json())
        })?;
        let name = section.name.to_owned();
        if !whole || !sink(SnapshotLine::Section { name, rows }.to_json()) {
            return Ok(());
        }
    }
    let results = outcomes_of(connection, property, viewer.id, &request.pending)?;
    sink(SnapshotLine::End { results }.to_json());
    Ok(())
}

/// Over all that the viewer may see.
pub(super) fn digest(connection: &Connection, property: &str, viewer: Uuid) -> Result<Digest, LedgerError> {
    let viewer = viewer_of(connection, property, viewer)?;
    let view = View { connection, property, viewer: &viewer };
    let mut digest = Digest::default();
    for section in &SECTIONS {
        view.each(section, &mut |entity| {
            digest.add(&entity.kind(), entity.id(), entity.version());
            true
        })?;
    }
    Ok(digest)
}

struct Section {
    name: &'static str,
    parts: &'static [Part],
}

enum Part {
    All(EntityKind),
    MyTasks,
    MyNotifications,
    MyConflicts,
    OthersTasks,
}

const SECTIONS: [Section; 5] = [
    Section { name: "SUITES", parts: &[Part::All(EntityKind::Suite)] },
    Section { name: "STAFF", parts: &[Part::All(EntityKind::Employee)] },
    Section { name: "MINE", parts: &[Part::MyTasks, Part::MyNotifications, Part::MyConflicts] },
    Section { name: "ALERTS", parts: &[Part::All(EntityKind::Alert)] },
    Section {
        name: "REST",
        parts: &[
            Part::OthersTasks,
            Part::All(EntityKind::Note),
            Part::All(EntityKind::Announcement),
            Part::All(EntityKind::Shift),
        ],
    },
];

struct View<'a> {
    connection: &'a Connection,
    property: &'a str,
    viewer: &'a Person,
}

impl View<'_> {
    /// Calls `visit` with each entity of the section that the viewer may see; `false` if it had enough.
    fn each(&self, section: &Section, visit: &mut dyn FnMut(Entity) -> bool) -> Result<bool, LedgerError> {
        let me = self.viewer.id;
        let mut go_on = true;
        for part in section.parts {
            let which = match part {
                Part::All(kind) => Which::OfKind(kind),
                Part::MyTasks => Which::TasksOf(me),
                Part::MyNotifications => Which::NotificationsOf(me),
                Part::MyConflicts => Which::ConflictsOf(me),
                Part::OthersTasks => Which::OfKind(&EntityKind::Task),
            };
            let others_only = matches!(part, Part::OthersTasks);
            entities::each(self.connection, self.property, which, &mut |entity| {
                let mine = matches!(&entity, Entity::Task(task) if task.assigned_to == Some(me));
                if !(others_only && mine)
                    && let Some(entity) = as_seen(entity, self.viewer)
                {
                    go_on = visit(entity);
                }
                Ok(go_on)
            })?;
            if !go_on {
                break;
            }
        }
        Ok(go_on)
    }
}
