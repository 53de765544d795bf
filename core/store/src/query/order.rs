//! The orders that rows come in, in SQL and in Rust. All are total: they end with the id.

use std::cmp::Ordering;

use innsync_domain::{Entity, EntityKind, Priority, Timestamp};

/// In which order rows come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As a person looks for them. Suites: floor, then number (9 before 10). Tasks: the most urgent first, then by when
    /// they are due (without a time: last), then the oldest. Employees: by name. All else: the newest first.
    #[default]
    Usual,
    /// The newest first, by when they came about (suites, employees, notifications: by when they last changed).
    Newest,
    /// The oldest first, by the same.
    Oldest,
    /// By id.
    Id,
}

/// What a row is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Floor,
    Door,
    SuiteNumber,
    MostUrgent,
    Due,
    Oldest,
    Newest,
    Name,
}

impl Order {
    fn keys(self, kind: &EntityKind) -> &'static [Key] {
        match (self, kind) {
            (Self::Id, _) => &[],
            (Self::Newest, _) => &[Key::Newest],
            (Self::Oldest, _) => &[Key::Oldest],
            (Self::Usual, EntityKind::Suite) => &[Key::Floor, Key::Door, Key::SuiteNumber],
            (Self::Usual, EntityKind::Task) => &[Key::MostUrgent, Key::Due, Key::Oldest],
            (Self::Usual, EntityKind::Employee) => &[Key::Name],
            (Self::Usual, _) => &[Key::Newest],
        }
    }

    /// What follows `ORDER BY`.
    pub(super) fn sql(self, kind: &EntityKind) -> String {
        self.keys(kind).iter().map(|key| key.sql(kind)).chain(["id"]).collect::<Vec<_>>().join(", ")
    }

    /// Which of two rows of that kind comes first.
    pub(super) fn compare(self, kind: &EntityKind, left: &Entity, right: &Entity) -> Ordering {
        self.keys(kind)
            .iter()
            .fold(Ordering::Equal, |order, key| order.then_with(|| key.compare(left, right)))
            .then_with(|| left.id().cmp(&right.id()))
    }
}

impl Key {
    fn sql(self, kind: &EntityKind) -> &'static str {
        let created = match kind {
            EntityKind::Suite | EntityKind::Employee | EntityKind::Notification => false,
            EntityKind::Alert => return if self == Self::Newest { "raised_at DESC" } else { "raised_at" },
            EntityKind::Conflict => {
                return if self == Self::Newest { "decided_at DESC" } else { "decided_at" };
            }
            _ => true,
        };
        match self {
            Self::Floor => "floor",
            Self::Door => "CAST(suite_number AS INTEGER)",
            Self::SuiteNumber => "suite_number",
            // The order of the closed set; a value of a newer release is looked at first.
            Self::MostUrgent => {
                "CASE priority WHEN 'LOW' THEN 0 WHEN 'NORMAL' THEN 1 WHEN 'HIGH' THEN 2 WHEN 'URGENT' THEN 3 \
                 WHEN 'EMERGENCY' THEN 4 ELSE 5 END DESC, priority DESC"
            }
            Self::Due => "due_at NULLS LAST",
            Self::Oldest if created => "created_at",
            Self::Oldest => "updated_at",
            Self::Newest if created => "created_at DESC",
            Self::Newest => "updated_at DESC",
            Self::Name => "name",
        }
    }

    fn compare(self, left: &Entity, right: &Entity) -> Ordering {
        match (self, left, right) {
            (Self::Oldest, _, _) => came_about(left).cmp(&came_about(right)),
            (Self::Newest, _, _) => came_about(right).cmp(&came_about(left)),
            (Self::Floor, Entity::Suite(left), Entity::Suite(right)) => left.floor.cmp(&right.floor),
            (Self::Door, Entity::Suite(left), Entity::Suite(right)) => {
                leading_number(&left.suite_number).cmp(&leading_number(&right.suite_number))
            }
            (Self::SuiteNumber, Entity::Suite(left), Entity::Suite(right)) => {
                left.suite_number.cmp(&right.suite_number)
            }
            (Self::MostUrgent, Entity::Task(left), Entity::Task(right)) => {
                urgency(&right.priority).cmp(&urgency(&left.priority))
            }
            (Self::Due, Entity::Task(left), Entity::Task(right)) => {
                left.due_at.is_none().cmp(&right.due_at.is_none()).then(left.due_at.cmp(&right.due_at))
            }
            (Self::Name, Entity::Employee(left), Entity::Employee(right)) => left.name.cmp(&right.name),
            _ => Ordering::Equal,
        }
    }
}

fn came_about(entity: &Entity) -> Timestamp {
    match entity {
        Entity::Suite(it) => it.updated_at,
        Entity::Employee(it) => it.updated_at,
        Entity::Notification(it) => it.updated_at,
        Entity::Alert(it) => it.raised_at,
        Entity::Task(it) => it.created_at,
        Entity::Note(it) => it.created_at,
        Entity::Announcement(it) => it.created_at,
        Entity::Shift(it) => it.created_at,
        Entity::Conflict(it) => it.decided_at,
    }
}

fn urgency(priority: &Priority) -> (usize, &str) {
    let known = Priority::KNOWN.iter().position(|one| one == priority);
    (known.unwrap_or(Priority::KNOWN.len()), priority.as_str())
}

/// The number that a text starts with, as SQLite's `CAST … AS INTEGER` reads it: 0 without one, clamped to 64 bits.
fn leading_number(text: &str) -> i64 {
    let text = text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let magnitude = digits
        .bytes()
        .take_while(u8::is_ascii_digit)
        .fold(0i128, |number, digit| (number * 10 + i128::from(digit - b'0')).min(i128::from(i64::MAX) + 1));
    let number = if negative { -magnitude } else { magnitude };
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_urgency_in_sql_is_that_of_the_closed_set() {
        for (rank, priority) in Priority::KNOWN.iter().enumerate() {
            assert!(
                Key::MostUrgent.sql(&EntityKind::Task).contains(&format!("WHEN '{priority}' THEN {rank} "))
            );
        }
    }

    #[test]
    fn leading_numbers_are_read_as_sqlite_reads_them() {
        let sqlite = rusqlite::Connection::open_in_memory().unwrap();
        for text in [
            "101",
            "9",
            "12A",
            "A12",
            "",
            " 7",
            "\t8",
            "-3",
            "+4",
            "--5",
            "- 6",
            "007",
            "1e3",
            "0x10",
            "\u{a0}1",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "99999999999999999999",
            "-99999999999999999999",
        ] {
            let cast: i64 = sqlite.query_row("SELECT CAST(?1 AS INTEGER)", [text], |row| row.get(0)).unwrap();
            assert_eq!(leading_number(text), cast, "{text:?}");
        }
    }
}
