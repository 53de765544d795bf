//! Bodies, field by field: what is wrong is answered by the field's name.

use std::fmt::Display;

use innsync_domain::{Audience, Entity, Fields, Timestamp, Uuid};
use innsync_protocol::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

use super::answer::invalid;

/// A JSON object, from which fields are taken. What stands in one is never quoted: it may be a secret.
pub(crate) struct Body {
    left: Fields,
    /// What was taken, as the server writes it.
    taken: Fields,
    /// The fields that were asked for.
    asked: Vec<&'static str>,
}

/// What a field holds, as it is told to somebody who sent something else.
pub(crate) trait Expected: DeserializeOwned + Serialize {
    /// Behind "must be".
    const EXPECTED: &'static str;
}

impl Expected for String {
    const EXPECTED: &'static str = "text";
}
impl Expected for bool {
    const EXPECTED: &'static str = "true or false";
}
impl Expected for i32 {
    const EXPECTED: &'static str = "a whole number, not too large";
}
impl Expected for u64 {
    const EXPECTED: &'static str = "a whole number, not below 0";
}
impl Expected for Uuid {
    const EXPECTED: &'static str = "an id (a UUID)";
}
impl Expected for Vec<Uuid> {
    const EXPECTED: &'static str = "a list of ids (UUIDs)";
}
impl Expected for Timestamp {
    const EXPECTED: &'static str = "a time, as 2026-11-22T08:00:00Z";
}
impl Expected for Audience {
    const EXPECTED: &'static str = "{\"kind\": …} of ALL_STAFF, MANAGERS, DEPARTMENT with a department, or PEOPLE with \
                                    people, a list of ids";
}
impl<T: Expected> Expected for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
}

/// Reads JSON of a known shape. Text that is no JSON is 400, JSON of another shape 422.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8], field: &str, expected: &str) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        Category::Data => invalid(field, format!("{field} must be {expected}: {error}.")),
        Category::Syntax | Category::Eof | Category::Io => {
            Problem::new(400, "MALFORMED_JSON", format!("The body is not JSON: {error}."))
        }
    })
}

impl Body {
    /// Reads a body; an empty one is an empty object.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Problem> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::of(Fields::new()));
        }
        match parse(bytes, "body", "an object")? {
            Value::Object(left) => Ok(Self::of(left)),
            _ => Err(Problem::new(
                400,
                "MALFORMED_JSON",
                "The body is JSON, but not an object at line 1 column 1.",
            )),
        }
    }

    fn of(left: Fields) -> Self {
        Self { left, taken: Fields::new(), asked: Vec::new() }
    }

    /// A field's value as it was sent.
    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.asked.push(name);
        self.left.remove(name)
    }

    fn took<T: Serialize>(&mut self, name: &str, value: T) -> T {
        self.taken.insert(name.to_owned(), serde_json::to_value(&value).unwrap_or_default());
        value
    }

    /// Text that must be there and say something, in at most `most` characters; `what` it says.
    pub(crate) fn filled(&mut self, name: &'static str, most: usize, what: &str) -> Result<String, Problem> {
        match self.take(name) {
            Some(Value::String(text)) if !text.is_empty() && text.chars().count() <= most => Ok(text),
            None => Err(invalid(name, format!("{name} is missing; it must be {what}."))),
            Some(_) => Err(invalid(name, format!("{name} must be {what}."))),
        }
    }

    /// A field that may be left out, and is never empty.
    pub(super) fn optional<T: Expected>(&mut self, name: &'static str) -> Result<Option<T>, Problem> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let parsed: T = serde_json::from_value(value)
            .map_err(|_| invalid(name, format!("{name} must be {}.", T::EXPECTED)))?;
        Ok(Some(self.took(name, parsed)))
    }

    /// A field that must be there.
    pub(super) fn required<T: Expected>(&mut self, name: &'static str) -> Result<T, Problem> {
        let missing = || invalid(name, format!("{name} is missing; it must be {}.", T::EXPECTED));
        self.optional(name)?.ok_or_else(missing)
    }

    /// A field that may be left out; `null` is the same.
    pub(crate) fn maybe<T: Expected>(&mut self, name: &'static str) -> Result<Option<T>, Problem> {
        Ok(self.optional::<Option<T>>(name)?.flatten())
    }

    /// A field that may be left out, and that `null` empties.
    pub(super) fn clearable<T: Expected>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Option<T>>, Problem> {
        self.optional::<Option<T>>(name)
    }

    /// A field of a closed set that may be left out.
    pub(super) fn choice<T>(&mut self, name: &'static str, known: &[T]) -> Result<Option<T>, Problem>
    where
        T: DeserializeOwned + Serialize + Display + PartialEq,
    {
        let Some(value) = self.take(name) else { return Ok(None) };
        match serde_json::from_value::<T>(value) {
            Ok(choice) if known.contains(&choice) => Ok(Some(self.took(name, choice))),
            _ => Err(invalid(name, format!("{name} must be {}.", one_of(known)))),
        }
    }

    /// A field of a closed set that must be there.
    pub(super) fn required_choice<T>(&mut self, name: &'static str, known: &[T]) -> Result<T, Problem>
    where
        T: DeserializeOwned + Serialize + Display + PartialEq,
    {
        let missing = || invalid(name, format!("{name} is missing; it must be {}.", one_of(known)));
        self.choice(name, known)?.ok_or_else(missing)
    }

    /// What was taken so far.
    pub(super) fn taken(&self) -> &Fields {
        &self.taken
    }

    /// Fields that the edge has read.
    pub(super) fn has_read(&mut self, names: &[&'static str]) {
        self.asked.extend(names);
        self.ignore(names);
    }

    /// Takes fields that the server sets itself.
    pub(super) fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.left.remove(*name);
        }
    }

    /// Nothing must be left but what `current` has just so: clients may send whole entities back. A field that would be
    /// passed over would be an edit lost in silence.
    pub(super) fn finish(mut self, current: Option<&Entity>) -> Result<(), Problem> {
        self.ignore(&["version", "updatedAt", "updatedBy"]);
        for (name, value) in &self.left {
            let there = current.and_then(|entity| match name.as_str() {
                "id" => Some(Value::from(entity.id().to_string())),
                name => entity.field(name),
            });
            match there {
                Some(there) if there == *value || same_id(&there, value) => {}
                Some(_) => return Err(invalid(name, format!("{name} cannot be changed this way."))),
                None => {
                    let fields = match self.asked.as_slice() {
                        [] => "none".to_owned(),
                        asked => asked.join(", "),
                    };
                    let detail = format!("There is no field {name} to be set here; there is {fields}.");
                    return Err(invalid(name, detail));
                }
            }
        }
        Ok(())
    }
}

fn one_of<T: Display>(known: &[T]) -> String {
    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
    format!("one of {}", known.join(", "))
}

/// Ids in capitals are the same ids.
fn same_id(one: &Value, other: &Value) -> bool {
    let id = |value: &Value| value.as_str().and_then(|text| Uuid::try_parse(text).ok());
    id(one).is_some() && id(one) == id(other)
}
