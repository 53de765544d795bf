//! A batch, applied within a transaction.

use std::collections::BTreeMap;

use innsync_domain::{Entity, EntityKind, EntityRef, Uuid};
use innsync_engine::{Batch, Discarded, Effect, Meta, OpState, QueuedOp, Write, limits};
use rusqlite::{CachedStatement, Connection, params};

use crate::column::{Column, to_json};
use crate::store::WriteSet;
use crate::table::{KINDS, TABLES, Table, bind};

/// Applies the writes in order and says what they concern.
pub(crate) fn apply(connection: &Connection, batch: &Batch) -> rusqlite::Result<WriteSet> {
    let mut writer = Writer {
        connection,
        show: [const { None }; KINDS],
        stage: [const { None }; KINDS],
        rows: BTreeMap::new(),
        everything: false,
        outbox: false,
        effects: false,
    };
    for write in &batch.writes {
        writer.write(write)?;
    }
    Ok(WriteSet {
        rows: writer.rows.into_iter().map(|(reference, row)| (reference, row.cloned())).collect(),
        everything: writer.everything,
        outbox: writer.outbox,
        effects: writer.effects,
    })
}

/// Empties every table, those of SQLite's own that count rows with them.
#[cfg(feature = "simulation")]
pub(crate) fn clear(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let mut statement = connection.prepare_cached(sql)?;
    let tables: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for table in tables {
        connection.prepare_cached(&format!("DELETE FROM {table}"))?.execute([])?;
    }
    Ok(())
}

struct Writer<'c, 'b> {
    connection: &'c Connection,
    /// The statements that a snapshot runs for every row, by kind: looked up once for a batch.
    show: [Option<CachedStatement<'c>>; KINDS],
    stage: [Option<CachedStatement<'c>>; KINDS],
    rows: BTreeMap<EntityRef, Option<&'b Entity>>,
    everything: bool,
    outbox: bool,
    effects: bool,
}

impl<'b> Writer<'_, 'b> {
    fn write(&mut self, write: &'b Write) -> rusqlite::Result<()> {
        match write {
            Write::Show(entity) => self.show(entity),
            Write::Hide(reference) => self.hide(reference),
            Write::PutBase(reference, entity) => self.put_base(reference, entity.as_ref()),
            Write::DropBase(reference) => self
                .run(
                    "DELETE FROM base WHERE kind = ?1 AND id = ?2",
                    params![reference.kind.as_str(), reference.id.as_bytes()],
                )
                .map(drop),
            Write::PutOp(op) => self.put_op(op),
            Write::DeleteOp(id) => {
                self.outbox |= self.run("DELETE FROM outbox WHERE id = ?1", [id.as_bytes()])?;
                Ok(())
            }
            Write::PutDiscarded(discarded) => self.put_discarded(discarded),
            Write::ForgetDiscarded { before } => {
                self.run("DELETE FROM discarded WHERE at < ?1", [before.write()?]).map(drop)
            }
            Write::PutMeta(meta) => self.put_meta(meta),
            Write::PutEffect(effect) => self.put_effect(effect),
            Write::EffectPresented(id) => self.effect_presented(*id),
            Write::ClearStage => self.each(|table| table.clear_stage),
            Write::Stage(entity) => run_row(self.connection, &mut self.stage, |table| table.stage, entity),
            Write::SwapStage => self.swap_stage(),
            Write::ClearMirror => self.clear_mirror(),
            Write::ClearKind(kind) => self.clear_kind(kind),
        }
    }

    fn show(&mut self, entity: &'b Entity) -> rusqlite::Result<()> {
        run_row(self.connection, &mut self.show, |table| table.show, entity)?;
        if !self.everything {
            self.rows.insert(entity.reference(), Some(entity));
        }
        Ok(())
    }

    fn hide(&mut self, reference: &EntityRef) -> rusqlite::Result<()> {
        let Some(table) = Table::of(&reference.kind) else {
            return Ok(());
        };
        if self.run(table.hide, [reference.id.as_bytes()])? && !self.everything {
            self.rows.insert(reference.clone(), None);
        }
        Ok(())
    }

    fn put_base(&self, reference: &EntityRef, entity: Option<&Entity>) -> rusqlite::Result<()> {
        let doc = entity.map(to_json).transpose()?;
        self.run(
            "INSERT INTO base (kind, id, doc) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET doc = excluded.doc",
            params![reference.kind.as_str(), reference.id.as_bytes(), doc],
        )
        .map(drop)
    }

    fn put_op(&mut self, op: &QueuedOp) -> rusqlite::Result<()> {
        let state = match op.state {
            OpState::Queued => "QUEUED",
            OpState::Sent => "SENT",
            OpState::Applied { .. } => "APPLIED",
            OpState::Parked { .. } => "PARKED",
        };
        self.outbox = true;
        self.run(
            "INSERT INTO outbox (id, ord, state, doc) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET ord = excluded.ord, state = excluded.state, doc = excluded.doc",
            params![op.op.id.as_bytes(), op.order.write()?, state, to_json(op)?],
        )
        .map(drop)
    }

    fn put_discarded(&self, discarded: &Discarded) -> rusqlite::Result<()> {
        self.run(
            "REPLACE INTO discarded (id, at, doc) VALUES (?1, ?2, ?3)",
            params![discarded.op.op.id.as_bytes(), discarded.at.write()?, to_json(discarded)?],
        )
        .map(drop)
    }

    fn put_meta(&self, meta: &Meta) -> rusqlite::Result<()> {
        let sql =
            "INSERT INTO meta (one, doc) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET doc = excluded.doc";
        self.run(sql, [to_json(meta)?]).map(drop)
    }

    /// One that was recorded before, presented or not, is not recorded again.
    fn put_effect(&mut self, effect: &Effect) -> rusqlite::Result<()> {
        self.effects |= self.run(
            "INSERT INTO effects (id, at, body) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING",
            params![effect.id.as_bytes(), effect.at.as_millis(), to_json(effect)?],
        )?;
        Ok(())
    }

    fn effect_presented(&mut self, id: Uuid) -> rusqlite::Result<()> {
        let was_waiting = self.run(
            "UPDATE effects SET presented = 1, body = '' WHERE id = ?1 AND presented = 0",
            [id.as_bytes()],
        )?;
        if was_waiting {
            self.effects = true;
            self.run(
                "DELETE FROM effects WHERE presented = 1 AND ord <=
                 (SELECT ord FROM effects WHERE presented = 1 ORDER BY ord DESC LIMIT 1 OFFSET ?1)",
                [limits::EFFECTS_REMEMBERED as i64],
            )?;
        }
        Ok(())
    }

    fn swap_stage(&mut self) -> rusqlite::Result<()> {
        self.each(|table| table.clear)?;
        self.each(|table| table.swap)?;
        self.each(|table| table.clear_stage)?;
        self.forget_bases()
    }

    fn clear_mirror(&mut self) -> rusqlite::Result<()> {
        self.each(|table| table.clear)?;
        self.each(|table| table.clear_stage)?;
        self.forget_bases()
    }

    fn clear_kind(&mut self, kind: &EntityKind) -> rusqlite::Result<()> {
        if let Some(table) = Table::of(kind) {
            self.run(table.clear, [])?;
        }
        self.everything_is_other();
        self.run("DELETE FROM base WHERE kind = ?1", [kind.as_str()]).map(drop)
    }

    fn forget_bases(&mut self) -> rusqlite::Result<()> {
        self.everything_is_other();
        self.run("DELETE FROM base", []).map(drop)
    }

    fn everything_is_other(&mut self) {
        self.everything = true;
        self.rows.clear();
    }

    fn each(&self, sql: impl Fn(&Table) -> &'static str) -> rusqlite::Result<()> {
        TABLES.iter().try_for_each(|table| self.run(sql(table), []).map(drop))
    }

    /// Whether the statement changed a row.
    fn run(&self, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<bool> {
        self.connection.prepare_cached(sql)?.execute(values).map(|rows| rows > 0)
    }
}

fn run_row<'c>(
    connection: &'c Connection,
    statements: &mut [Option<CachedStatement<'c>>; KINDS],
    sql: impl Fn(&Table) -> &'static str,
    entity: &Entity,
) -> rusqlite::Result<()> {
    let kind = Table::index_of(entity);
    let statement = match &mut statements[kind] {
        Some(statement) => statement,
        none => none.insert(connection.prepare_cached(sql(&TABLES[kind]))?),
    };
    bind(entity, statement)?;
    statement.raw_execute().map(drop)
}
