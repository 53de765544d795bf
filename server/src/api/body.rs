//! Bodies, field by field: what is wrong is answered by the field's name.

use std::fmt::Display;

use innsync_domain::{Entity, Fields, Uuid};
use innsync_protocol::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;

use super::answer::invalid;

/// A JSON object, from which fields are taken.
pub(super) struct Body {
    left: Fields,
    /// What was taken, as the server writes it.
    taken: Fields,
}

/// Reads JSON of a known shape. Text that is no JSON is 400, JSON of another shape 422.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8], field: &str) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        Category::Data => invalid(field, format!("The body is not as it must be: {error}.")),
        Category::Syntax | Category::Eof | Category::Io => {
            Problem::new(400, "MALFORMED_JSON", format!("The body is not JSON: {error}."))
        }
    })
}

impl Body {
    /// Reads a body; an empty one is an empty object.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Problem> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self { left: Fields::new(), taken: Fields::new() });
        }
        match parse(bytes, "body")? {
            Value::Object(left) => Ok(Self { left, taken: Fields::new() }),
            _ => Err(Problem::new(
                400,
                "MALFORMED_JSON",
                "The body is JSON, but not an object at line 1 column 1.",
            )),
        }
    }

    /// A field that may be left out, and is never empty.
    pub(super) fn optional<T: DeserializeOwned + Serialize>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.left.remove(name) else { return Ok(None) };
        let parsed: T = serde_json::from_value(value)
            .map_err(|error| invalid(name, format!("{name} is not as it must be: {error}.")))?;
        self.taken.insert(name.to_owned(), serde_json::to_value(&parsed).unwrap_or_default());
        Ok(Some(parsed))
    }

    /// A field that must be there.
    pub(super) fn required<T: DeserializeOwned + Serialize>(&mut self, name: &str) -> Result<T, Problem> {
        self.optional(name)?.ok_or_else(|| invalid(name, format!("{name} is missing.")))
    }

    /// A field that may be left out; `null` is the same.
    pub(super) fn maybe<T: DeserializeOwned + Serialize>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, Problem> {
        Ok(self.optional::<Option<T>>(name)?.flatten())
    }

    /// A field that may be left out, and that `null` empties.
    pub(super) fn clearable<T: DeserializeOwned + Serialize>(
        &mut self,
        name: &str,
    ) -> Result<Option<Option<T>>, Problem> {
        self.optional::<Option<T>>(name)
    }

    /// A field of a closed set that may be left out.
    pub(super) fn choice<T>(&mut self, name: &str, known: &[T]) -> Result<Option<T>, Problem>
    where
        T: DeserializeOwned + Serialize + Display + PartialEq,
    {
        let Some(choice) = self.optional::<T>(name)? else { return Ok(None) };
        if known.contains(&choice) {
            return Ok(Some(choice));
        }
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        Err(invalid(name, format!("{name} must be one of {}.", known.join(", "))))
    }

    /// A field of a closed set that must be there.
    pub(super) fn required_choice<T>(&mut self, name: &str, known: &[T]) -> Result<T, Problem>
    where
        T: DeserializeOwned + Serialize + Display + PartialEq,
    {
        self.choice(name, known)?.ok_or_else(|| invalid(name, format!("{name} is missing.")))
    }

    /// What was taken so far.
    pub(super) fn taken(&self) -> &Fields {
        &self.taken
    }

    /// Takes fields that the server sets itself, or that the edge reads.
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
                None => return Err(invalid(name, format!("There is no field {name} to be set here."))),
            }
        }
        Ok(())
    }
}

/// Ids in capitals are the same ids.
fn same_id(one: &Value, other: &Value) -> bool {
    let id = |value: &Value| value.as_str().and_then(|text| Uuid::try_parse(text).ok());
    id(one).is_some() && id(one) == id(other)
}
