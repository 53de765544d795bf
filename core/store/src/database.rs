//! All that is read, from one connection. Rows that cannot be read are left out and reported beside the answer.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;

use innsync_domain::{Entity, EntityKind, EntityRef, Uuid};
use innsync_engine::{Digest, Discarded, Effect, Meta, QueuedOp};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, Statement, params, params_from_iter};

use crate::column::from_json;
use crate::quarantine::Quarantined;
use crate::query::Query;
use crate::table::{KINDS, TABLES, Table};

pub(crate) struct Database<'c> {
    pub(crate) connection: &'c Connection,
    /// What could not be read on the way.
    bad: RefCell<Vec<Quarantined>>,
    /// The statements that a step runs for every row, by kind: looked up once.
    get: RefCell<[Option<CachedStatement<'c>>; KINDS]>,
    /// Whether nothing is pending, as is usual: then no row has a base.
    no_bases: OnceCell<bool>,
}

const OUTBOX: &str = "SELECT id, doc FROM outbox ORDER BY ord, id";
const DISCARDED: &str = "SELECT id, doc FROM discarded ORDER BY at DESC, id DESC";
const EFFECTS: &str = "SELECT id, body FROM effects WHERE presented = 0 ORDER BY ord";
const META: &str = "SELECT doc FROM meta WHERE one = 1";
const BASES: &str = "SELECT kind, id, doc FROM base";

impl<'c> Database<'c> {
    /// How documents are read.
    pub(crate) const DOCUMENTS: [&'static str; 5] = [OUTBOX, DISCARDED, EFFECTS, META, BASES];

    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            bad: RefCell::default(),
            get: RefCell::new([const { None }; KINDS]),
            no_bases: OnceCell::new(),
        }
    }

    /// What could not be read on the way.
    pub(crate) fn into_bad(self) -> Vec<Quarantined> {
        self.bad.into_inner()
    }

    pub(crate) fn query(&self, query: &Query) -> rusqlite::Result<Vec<Entity>> {
        let Some(table) = Table::of(query.kind()) else {
            return Ok(Vec::new());
        };
        let (tail, values) = query.to_sql();
        self.entities(table, &[table.select, &tail].concat(), &values)
    }

    pub(crate) fn count(&self, query: &Query) -> rusqlite::Result<u64> {
        let Some(table) = Table::of(query.kind()) else {
            return Ok(0);
        };
        let (filter, values) = query.filter_sql();
        let sql = format!("SELECT count(*) FROM {}{filter}", table.name);
        let count: i64 =
            self.connection.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    pub(crate) fn shown(&self, kind: &EntityKind, id: Uuid) -> rusqlite::Result<Option<Entity>> {
        let Some(at) = TABLES.iter().position(|table| table.kind == *kind) else {
            return Ok(None);
        };
        let mut statements = self.get.borrow_mut();
        let statement = match &mut statements[at] {
            Some(statement) => statement,
            none => none.insert(self.connection.prepare_cached(TABLES[at].get)?),
        };
        self.one(&TABLES[at], TABLES[at].name, statement, id)
    }

    pub(crate) fn staged(&self, kind: &EntityKind, id: Uuid) -> rusqlite::Result<Option<Entity>> {
        let Some(table) = Table::of(kind) else {
            return Ok(None);
        };
        self.one(table, table.staging, &mut *self.connection.prepare_cached(table.get_staged)?, id)
    }

    pub(crate) fn mirror(&self, kind: &EntityKind, id: Uuid) -> rusqlite::Result<Option<Entity>> {
        if self.has_no_bases()? {
            return self.shown(kind, id);
        }
        let base: Option<Option<String>> = self
            .connection
            .prepare_cached("SELECT doc FROM base WHERE kind = ?1 AND id = ?2")?
            .query_row(params![kind.as_str(), id.as_bytes()], |row| row.get_ref(0).map(lossy))
            .optional()?;
        match base {
            None => self.shown(kind, id),
            Some(None) => Ok(None),
            Some(Some(doc)) => Ok(self.document("base", id.as_bytes(), &doc, |doc| {
                Entity::from_json(kind, doc).map_err(|error| error.to_string())
            })),
        }
    }

    pub(crate) fn has_base(&self, kind: &EntityKind, id: Uuid) -> rusqlite::Result<bool> {
        if self.has_no_bases()? {
            return Ok(false);
        }
        self.connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM base WHERE kind = ?1 AND id = ?2)")?
            .query_row(params![kind.as_str(), id.as_bytes()], |row| row.get(0))
    }

    fn has_no_bases(&self) -> rusqlite::Result<bool> {
        if let Some(none) = self.no_bases.get() {
            return Ok(*none);
        }
        let none = self
            .connection
            .prepare_cached("SELECT NOT EXISTS (SELECT 1 FROM base)")?
            .query_row([], |row| row.get(0))?;
        Ok(*self.no_bases.get_or_init(|| none))
    }

    pub(crate) fn bases(&self) -> rusqlite::Result<Vec<EntityRef>> {
        let mut statement = self.connection.prepare_cached(BASES)?;
        let mut rows = statement.query([])?;
        let mut bases = Vec::new();
        while let Some(row) = rows.next()? {
            let (kind, key) = (lossy(row.get_ref(0)?).unwrap_or_default(), row.get_ref(1)?.as_bytes()?);
            match Uuid::from_slice(key) {
                Ok(id) => bases.push(EntityRef::new(kind.as_str().into(), id)),
                Err(why) => {
                    let doc = lossy(row.get_ref(2)?).unwrap_or_default();
                    self.bad.borrow_mut().push(Quarantined::document("base", key, &doc, why.to_string()));
                }
            }
        }
        // Kinds have an order of their own, not that of their names.
        bases.sort();
        Ok(bases)
    }

    /// Over every row as the server had it at the cursor.
    pub(crate) fn digest(&self) -> rusqlite::Result<Digest> {
        let bases: BTreeSet<EntityRef> = self.bases()?.into_iter().collect();
        let mut digest = Digest::default();
        for table in &TABLES {
            // Read as for a screen: a row that cannot be read is not there, and so makes a difference.
            let rows = self.entities(table, &[table.select, " ORDER BY id"].concat(), &[])?;
            for row in rows.iter().filter(|row| bases.is_empty() || !bases.contains(&row.reference())) {
                digest.add(&table.kind, row.id(), row.version());
            }
        }
        for EntityRef { kind, id } in &bases {
            if let Some(row) = self.mirror(kind, *id)? {
                digest.add(kind, *id, row.version());
            }
        }
        Ok(digest)
    }

    pub(crate) fn outbox(&self) -> rusqlite::Result<Vec<QueuedOp>> {
        self.documents("outbox", OUTBOX, |op: &QueuedOp| op.op.id)
    }

    pub(crate) fn discarded(&self) -> rusqlite::Result<Vec<Discarded>> {
        self.documents("discarded", DISCARDED, |discarded: &Discarded| discarded.op.op.id)
    }

    pub(crate) fn effects(&self) -> rusqlite::Result<Vec<Effect>> {
        self.documents("effects", EFFECTS, |effect: &Effect| effect.id)
    }

    pub(crate) fn knows_effect(&self, id: Uuid) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM effects WHERE id = ?1)")?
            .query_row([id.as_bytes()], |row| row.get(0))
    }

    pub(crate) fn meta(&self) -> rusqlite::Result<Meta> {
        let doc: Option<String> = self
            .connection
            .prepare_cached(META)?
            .query_row([], |row| row.get_ref(0).map(lossy))
            .optional()?
            .flatten();
        if let Some(meta) = doc.and_then(|doc| self.document("meta", &[], &doc, from_json)) {
            return Ok(meta);
        }
        // Where the facts could not be read, the operations that are there still keep their places.
        let next_order: u64 = self
            .connection
            .prepare_cached("SELECT coalesce(max(ord) + 1, 0) FROM outbox")?
            .query_row([], |row| row.get::<_, i64>(0))?
            .cast_unsigned();
        Ok(Meta { next_order, ..Meta::default() })
    }

    fn one(
        &self,
        table: &Table,
        source: &str,
        statement: &mut Statement<'_>,
        id: Uuid,
    ) -> rusqlite::Result<Option<Entity>> {
        let mut rows = statement.query([id.as_bytes()])?;
        Ok(rows.next()?.and_then(|row| self.entity(table, source, row)))
    }

    fn entities(&self, table: &Table, sql: &str, values: &[Value]) -> rusqlite::Result<Vec<Entity>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut entities = Vec::new();
        while let Some(row) = rows.next()? {
            entities.extend(self.entity(table, table.name, row));
        }
        Ok(entities)
    }

    fn entity(&self, table: &Table, source: &str, row: &Row<'_>) -> Option<Entity> {
        match (table.read)(row) {
            Ok(entity) => Some(entity),
            Err(why) => {
                self.bad.borrow_mut().push(Quarantined::row(source, row, why));
                None
            }
        }
    }

    /// The JSON documents that `sql` selects with their ids. One under an id that is not its own could never be removed: it
    /// cannot be read either.
    fn documents<T: serde::de::DeserializeOwned>(
        &self,
        source: &str,
        sql: &str,
        id_of: impl Fn(&T) -> Uuid,
    ) -> rusqlite::Result<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let key = row.get_ref(0)?.as_bytes().unwrap_or_default();
            let doc = lossy(row.get_ref(1)?).unwrap_or_default();
            all.extend(self.document(source, key, &doc, |doc| match from_json(doc)? {
                it if id_of(&it).as_bytes() == key => Ok(it),
                it => Err(format!("it holds what has the id {}", id_of(&it))),
            }));
        }
        Ok(all)
    }

    fn document<T>(
        &self,
        source: &str,
        key: &[u8],
        doc: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match read(doc) {
            Ok(it) => Some(it),
            Err(why) => {
                self.bad.borrow_mut().push(Quarantined::document(source, key, doc, why));
                None
            }
        }
    }
}

/// A text, also where it is no UTF-8; `None`: NULL.
fn lossy(value: ValueRef<'_>) -> Option<String> {
    value.as_bytes_or_null().ok().flatten().map(|text| String::from_utf8_lossy(text).into_owned())
}
