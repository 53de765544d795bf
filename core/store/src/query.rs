//! What a screen asks for: which rows, in which order.
//!
//! A condition and an order are each said twice, side by side: in SQL, for the rows that are stored, and in Rust, so that
//! a live query can tell whether a changed row concerns it, and where it belongs.

mod condition;
mod order;

use std::cmp::Ordering;
use std::fmt::Write as _;

use innsync_domain::EmployeeStatus;
use innsync_domain::{
    AnnouncementPriority, Department, Entity, EntityKind, NotificationPriority, Priority, Severity,
    SuiteStatus, TaskStatus, Timestamp, Uuid,
};
use rusqlite::types::Value;

use condition::Condition;
pub use order::Order;

/// A query for shown rows of one kind. Conditions add up: a row must meet them all. One that a kind has no field for is
/// met by none of its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    kind: EntityKind,
    conditions: Vec<Condition>,
    order: Order,
    limit: Option<u32>,
    offset: u32,
}

/// A value of a closed set that rows are chosen by.
pub trait Word: sealed::Word {}

mod sealed {
    pub trait Word {
        fn word(&self) -> &str;
    }
}

macro_rules! words {
    ($($name:ident),+) => {
        $(impl Word for $name {}
        impl sealed::Word for $name {
            fn word(&self) -> &str {
                self.as_str()
            }
        })+
    };
}
words!(
    SuiteStatus,
    TaskStatus,
    EmployeeStatus,
    Priority,
    NotificationPriority,
    AnnouncementPriority,
    Severity
);

macro_rules! starts {
    ($($(#[$meta:meta])* $name:ident = $kind:ident),+ $(,)?) => {
        $($(#[$meta])* pub fn $name() -> Self {
            Self::of(EntityKind::$kind)
        })+
    };
}

impl Query {
    starts!(
        /// All suites.
        suites = Suite,
        /// All tasks.
        tasks = Task,
        /// All employees.
        employees = Employee,
        /// All notes.
        notes = Note,
        /// All notifications.
        notifications = Notification,
        /// All alerts.
        alerts = Alert,
        /// All announcements.
        announcements = Announcement,
        /// All changes of shift.
        shifts = Shift,
        /// All records of values of the person's that lost.
        conflicts = Conflict,
    );

    /// All rows of a kind; none of one of a newer release.
    pub fn of(kind: EntityKind) -> Self {
        Self { kind, conditions: Vec::new(), order: Order::Usual, limit: None, offset: 0 }
    }

    /// In one of these states (suites, tasks, employees).
    pub fn status(self, any_of: &[impl Word]) -> Self {
        self.and(Condition::Status(words(any_of)))
    }

    /// Of one of these priorities (tasks, notifications, announcements; an alert's severity).
    pub fn priority(self, any_of: &[impl Word]) -> Self {
        self.and(Condition::Priority(words(any_of)))
    }

    /// On that storey (suites).
    pub fn floor(self, floor: i32) -> Self {
        self.and(Condition::Floor(floor))
    }

    /// To be done by that person (tasks).
    pub fn assigned_to(self, employee: Uuid) -> Self {
        self.and(Condition::AssignedTo(employee))
    }

    /// To be done by whoever takes it (tasks).
    pub fn unassigned(self) -> Self {
        self.and(Condition::Unassigned)
    }

    /// About that suite (tasks, notes, alerts).
    pub fn suite(self, suite: Uuid) -> Self {
        self.and(Condition::Suite(suite))
    }

    /// About that task (notes, alerts, notifications).
    pub fn task(self, task: Uuid) -> Self {
        self.and(Condition::Task(task))
    }

    /// For that department or for all (tasks); of that department (employees).
    pub fn department(self, department: Department) -> Self {
        self.and(Condition::Department(department))
    }

    /// Not yet read (notifications).
    pub fn unread(self) -> Self {
        self.and(Condition::Unread)
    }

    /// Still to be done (tasks); not resolved (alerts).
    pub fn open(self) -> Self {
        self.and(Condition::Open)
    }

    /// At work (employees).
    pub fn on_duty(self) -> Self {
        self.and(Condition::OnDuty)
    }

    /// Due before that moment (tasks).
    pub fn due_before(self, moment: Timestamp) -> Self {
        self.and(Condition::DueBefore(moment))
    }

    /// Still of interest at that moment (announcements).
    pub fn unexpired_at(self, moment: Timestamp) -> Self {
        self.and(Condition::UnexpiredAt(moment))
    }

    /// In that order.
    pub fn order(self, order: Order) -> Self {
        Self { order, ..self }
    }

    /// At most so many rows.
    pub fn limit(self, rows: u32) -> Self {
        Self { limit: Some(rows), ..self }
    }

    /// Without the first so many.
    pub fn offset(self, rows: u32) -> Self {
        Self { offset: rows, ..self }
    }

    /// What kind of rows it asks for.
    pub fn kind(&self) -> &EntityKind {
        &self.kind
    }

    /// Whether the row meets all conditions. (Limit and offset are not looked at: they concern other rows too.)
    pub fn matches(&self, entity: &Entity) -> bool {
        entity.kind() == self.kind && self.conditions.iter().all(|condition| condition.matches(entity))
    }

    /// Which of two rows comes first; equal only for the same one.
    pub fn compare(&self, left: &Entity, right: &Entity) -> Ordering {
        self.order.compare(&self.kind, left, right)
    }

    fn and(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// The `WHERE` clause with its values.
    pub(crate) fn filter_sql(&self) -> (String, Vec<Value>) {
        let (mut sql, mut values) = (String::new(), Vec::new());
        for (at, condition) in self.conditions.iter().enumerate() {
            sql.push_str(if at == 0 { " WHERE " } else { " AND " });
            condition.sql(&self.kind, &mut sql, &mut values);
        }
        (sql, values)
    }

    /// What follows `SELECT … FROM …`, with its values.
    pub(crate) fn to_sql(&self) -> (String, Vec<Value>) {
        let (mut sql, mut values) = self.filter_sql();
        let _ = write!(sql, " ORDER BY {}", self.order.sql(&self.kind));
        if self.limit.is_some() || self.offset > 0 {
            sql.push_str(" LIMIT ? OFFSET ?");
            values.push(Value::Integer(self.limit.map_or(-1, i64::from)));
            values.push(Value::Integer(i64::from(self.offset)));
        }
        (sql, values)
    }
}

fn words(any_of: &[impl Word]) -> Vec<Box<str>> {
    any_of.iter().map(|it| it.word().into()).collect()
}
