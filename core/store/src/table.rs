//! The tables of shown rows: which field is in which column. A field that the domain adds does not compile here until
//! it has its column, and its migration (`migrations/README.md`).

use innsync_domain::{
    Alert, Announcement, Conflict, Employee, Entity, EntityKind, Note, Notification, Shift, Suite, Task,
};
use rusqlite::{Row, Statement};

use crate::column::{Column, Unreadable};

/// One kind's table and its statements.
pub(crate) struct Table {
    pub(crate) kind: EntityKind,
    pub(crate) name: &'static str,
    /// The name of the table beside it for staged rows.
    pub(crate) staging: &'static str,
    /// `SELECT` all columns, from the shown rows.
    pub(crate) select: &'static str,
    pub(crate) get: &'static str,
    /// As [`Table::get`], from the staged rows.
    pub(crate) get_staged: &'static str,
    pub(crate) show: &'static str,
    pub(crate) hide: &'static str,
    pub(crate) clear: &'static str,
    pub(crate) stage: &'static str,
    pub(crate) clear_stage: &'static str,
    /// Copies the staged rows to the shown ones.
    pub(crate) swap: &'static str,
    /// Reads a row of [`Table::select`].
    pub(crate) read: fn(&Row<'_>) -> Result<Entity, Unreadable>,
}

/// How many kinds have tables.
pub(crate) const KINDS: usize = 9;

macro_rules! tables {
    ($($index:literal: $entity:ident in $table:literal { $($field:ident),+ $(,)? })+) => {
        /// All of them.
        pub(crate) static TABLES: [Table; KINDS] = [$(Table {
            kind: EntityKind::$entity,
            name: $table,
            select: concat!("SELECT ", columns!($($field),+), " FROM ", $table),
            get: concat!("SELECT ", columns!($($field),+), " FROM ", $table, " WHERE id = ?1"),
            get_staged: concat!("SELECT ", columns!($($field),+), " FROM stage_", $table, " WHERE id = ?1"),
            staging: concat!("stage_", $table),
            show: concat!("REPLACE INTO ", $table, " (", columns!($($field),+), ") VALUES (", marks!($($field),+), ")"),
            hide: concat!("DELETE FROM ", $table, " WHERE id = ?1"),
            clear: concat!("DELETE FROM ", $table),
            stage: concat!(
                "REPLACE INTO stage_", $table, " (", columns!($($field),+), ") VALUES (", marks!($($field),+), ")"
            ),
            clear_stage: concat!("DELETE FROM stage_", $table),
            swap: concat!(
                "INSERT INTO ", $table, " (", columns!($($field),+), ") SELECT ", columns!($($field),+),
                " FROM stage_", $table, " ORDER BY id"
            ),
            read: |row| {
                let mut row = Cells { row, at: 0 };
                Ok(Entity::$entity($entity {
                    id: row.take("id")?,
                    $($field: row.take(stringify!($field))?,)+
                    version: row.take("version")?,
                    updated_at: row.take("updated_at")?,
                    updated_by: row.take("updated_by")?,
                    extra: row.take("extra")?,
                }))
            },
        }),+];

        impl Table {
            /// The place of an entity's table in [`TABLES`].
            pub(crate) fn index_of(entity: &Entity) -> usize {
                match entity { $(Entity::$entity(_) => $index),+ }
            }
        }

        /// Binds all columns of `entity` to [`Table::show`] or [`Table::stage`].
        pub(crate) fn bind(entity: &Entity, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
            let mut cells = Marks { statement, at: 0 };
            match entity {
                $(Entity::$entity(it) => {
                    cells.put(&it.id)?;
                    $(cells.put(&it.$field)?;)+
                    cells.put(&it.version)?;
                    cells.put(&it.updated_at)?;
                    cells.put(&it.updated_by)?;
                    cells.put(&it.extra)
                })+
            }
        }
    };
}

macro_rules! columns {
    ($($field:ident),+) => {
        concat!("id, ", $(stringify!($field), ", ",)+ "version, updated_at, updated_by, extra")
    };
}

macro_rules! marks {
    ($($field:ident),+) => { concat!($(marks!(@ $field),)+ "?, ?, ?, ?, ?") };
    (@ $field:ident) => { "?, " };
}

tables! {
    0: Suite in "suites" { suite_number, floor, status, open_cleaning_task }
    1: Task in "tasks" {
        title, description, task_type, priority, status, suite_id, assigned_to, department, due_at, created_by,
        created_at,
    }
    2: Employee in "employees" { name, role, department, status, is_on_duty }
    3: Note in "notes" { title, content, suite_id, task_id, audience, created_by, created_at, comments }
    4: Notification in "notifications" {
        recipient_id, notification_type, title, message, priority, related_entity_id, read_at,
    }
    5: Alert in "alerts" {
        title, message, severity, related_task_id, related_suite_id, raised_by, raised_at, acknowledgements,
        resolved_at, resolved_by,
    }
    6: Announcement in "announcements" { title, message, priority, expires_at, created_by, created_at }
    7: Shift in "shifts" { old_shift, new_shift, on_duty_employees, created_by, created_at }
    8: Conflict in "conflicts" {
        entity_type, entity_id, field, base, lost, kept, lost_by, kept_by, meant_at, decided_at, policy, certain,
        seen_at, restored_at,
    }
}

impl Table {
    /// The table of a kind; a kind of a newer release has none.
    pub(crate) fn of(kind: &EntityKind) -> Option<&'static Self> {
        TABLES.iter().find(|table| table.kind == *kind)
    }
}

struct Marks<'a, 'c> {
    statement: &'a mut Statement<'c>,
    at: usize,
}

impl Marks<'_, '_> {
    fn put(&mut self, field: &impl Column) -> rusqlite::Result<()> {
        self.at += 1;
        self.statement.raw_bind_parameter(self.at, field.write()?)
    }
}

struct Cells<'a, 'r> {
    row: &'a Row<'r>,
    at: usize,
}

impl Cells<'_, '_> {
    fn take<T: Column>(&mut self, name: &str) -> Result<T, Unreadable> {
        let value = self.row.get_ref(self.at).map_err(|error| error.to_string())?;
        self.at += 1;
        T::read(value).map_err(|why| format!("{name}: {why}"))
    }
}
