//! How one field is written to a column and read back.

use innsync_domain::{
    Acknowledgement, AnnouncementPriority, Audience, Comment, Department, EmployeeStatus, EntityKind, Fields,
    NotificationPriority, NotificationType, Policy, Priority, Role, Severity, SuiteStatus, TaskStatus,
    TaskType, Timestamp, Uuid,
};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a column could not be read.
pub(crate) type Unreadable = String;

/// A field that has a column.
pub(crate) trait Column: Sized {
    fn write(&self) -> rusqlite::Result<ToSqlOutput<'_>>;
    fn read(value: ValueRef<'_>) -> Result<Self, Unreadable>;
}

fn text(value: ValueRef<'_>) -> Result<&str, Unreadable> {
    match value {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).map_err(|error| error.to_string()),
        other => Err(unexpected("text", other)),
    }
}

fn integer(value: ValueRef<'_>) -> Result<i64, Unreadable> {
    match value {
        ValueRef::Integer(number) => Ok(number),
        other => Err(unexpected("an integer", other)),
    }
}

fn unexpected(wanted: &str, found: ValueRef<'_>) -> Unreadable {
    format!("{} where {wanted} was expected", found.data_type())
}

fn integer_output<'a>(number: i64) -> rusqlite::Result<ToSqlOutput<'a>> {
    Ok(ToSqlOutput::Owned(Value::Integer(number)))
}

impl Column for String {
    fn write(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.as_bytes())))
    }
    fn read(value: ValueRef<'_>) -> Result<Self, Unreadable> {
        text(value).map(str::to_owned)
    }
}

impl Column for Uuid {
    fn write(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.as_bytes())))
    }
    fn read(value: ValueRef<'_>) -> Result<Self, Unreadable> {
        match value {
            ValueRef::Blob(bytes) => Self::from_slice(bytes).map_err(|error| error.to_string()),
            other => Err(unexpected("16 bytes", other)),
        }
    }
}

impl Column for Timestamp {
    fn write(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        integer_output(self.as_millis())
    }
    fn read(value: ValueRef<'_>) -> Result<Self, Unreadable> {
        integer(value).map(Self::from_millis)
    }
}

impl Column for bool {
    fn write(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        integer_output(i64::from(*self))
    }
    fn read(value: ValueRef<'_>) -> Result<Self, Unreadable> {
        integer(value).map(|number| number != 0)
    }
}

impl Column for i32 {
    fn write(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        integer_output(i64::from(*self))
    }
    fn read(value: ValueRef<'_>) -> Result<Self, Unreadable> {
        Self::try_from(integer(value)?).map_err(|error| error.to_string())
    }
}

/// The same 64 bits: SQLite's integers are signed, and nothing is ordered by such a column but within 63 bits.
impl Column for u64 {
    fn write(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        integer_output(i64::from_ne_bytes(self.to_ne_bytes()))
    }
    fn read(value: ValueRef<'_>) -> Result<Self, Unreadable> {
        integer(value).map(|number| Self::from_ne_bytes(number.to_ne_bytes()))
    }
}

/// NULL: empty.
impl<T: Column> Column for Option<T> {
    fn write(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.as_ref().map_or(Ok(ToSqlOutput::Owned(Value::Null)), T::write)
    }
    fn read(value: ValueRef<'_>) -> Result<Self, Unreadable> {
        match value {
            ValueRef::Null => Ok(None),
            value => T::read(value).map(Some),
        }
    }
}

macro_rules! words {
    ($($name:ident),+ $(,)?) => {
        $(impl Column for $name {
            fn write(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.as_str().as_bytes())))
            }
            fn read(value: ValueRef<'_>) -> Result<Self, Unreadable> {
                text(value).map(Self::from)
            }
        })+
    };
}
words!(
    SuiteStatus,
    TaskType,
    TaskStatus,
    Priority,
    EmployeeStatus,
    Role,
    Department,
    Severity,
    AnnouncementPriority,
    NotificationPriority,
    NotificationType,
    EntityKind,
    Policy,
);

macro_rules! json {
    ($($name:ty),+ $(,)?) => {
        $(impl Column for $name {
            fn write(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                to_json(self).map(|text| ToSqlOutput::Owned(Value::Text(text)))
            }
            fn read(value: ValueRef<'_>) -> Result<Self, Unreadable> {
                from_json(text(value)?)
            }
        })+
    };
}
json!(Audience, Vec<Comment>, Vec<Acknowledgement>, Vec<Uuid>);

/// The value of a field of whatever kind. NULL: empty.
impl Column for serde_json::Value {
    fn write(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(if self.is_null() { Value::Null } else { Value::Text(to_json(self)?) }))
    }
    fn read(value: ValueRef<'_>) -> Result<Self, Unreadable> {
        match value {
            ValueRef::Null => Ok(Self::Null),
            value => from_json(text(value)?),
        }
    }
}

/// Fields of a newer release. NULL: none, as nearly always.
impl Column for Fields {
    fn write(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(if self.is_empty() { Value::Null } else { Value::Text(to_json(self)?) }))
    }
    fn read(value: ValueRef<'_>) -> Result<Self, Unreadable> {
        match value {
            ValueRef::Null => Ok(Self::new()),
            value => from_json(text(value)?),
        }
    }
}

/// The JSON text of `value`.
pub(crate) fn to_json<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// What the JSON `text` says.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}
