//! Checks of what people write, and the refusals that several commands share. Messages say what to do about it.

use crate::Uuid;
use crate::entity::{Audience, EntityRef, Suite, Task};
use crate::execute::Stop;
use crate::execute::scratch::{Found, Scratch};
use crate::limits;
use crate::rejection::{Reason, Rejection};

/// A heading or name: not blank and not too long.
pub(super) fn title(field: &str, text: &str) -> Result<(), Rejection> {
    filled(field, text, limits::TITLE_CHARS)
}

/// What is written on a door: not blank and short.
pub(super) fn suite_number(text: &str) -> Result<(), Rejection> {
    filled("suiteNumber", text, limits::SUITE_NUMBER_CHARS)
}

/// A text that must say something.
pub(super) fn filled(field: &str, text: &str, most: usize) -> Result<(), Rejection> {
    if text.trim().is_empty() {
        return Err(invalid(field, format!("{field} is empty; write something.")));
    }
    length(field, text, most)
}

/// A text that may be empty.
pub(super) fn length(field: &str, text: &str, most: usize) -> Result<(), Rejection> {
    // Bytes are never fewer than characters: the usual text needs no counting.
    if text.len() > most && text.chars().count() > most {
        return Err(invalid(field, format!("{field} is too long; shorten it to {most} characters.")));
    }
    Ok(())
}

/// A list that must not be too long.
pub(super) fn count(field: &str, items: usize, most: usize) -> Result<(), Rejection> {
    if items > most {
        return Err(invalid(field, format!("{field} has {items} entries; at most {most} are possible.")));
    }
    Ok(())
}

/// A storey that a building may have.
pub(super) fn floor(floor: i32) -> Result<(), Rejection> {
    let (lowest, highest) = (limits::FLOOR_MIN, limits::FLOOR_MAX);
    if !(lowest..=highest).contains(&floor) {
        return Err(invalid(
            "floor",
            format!("There is no floor {floor}; give one from {lowest} to {highest}."),
        ));
    }
    Ok(())
}

/// Who may see a note: a known kind of audience, of a known department, of not too many.
pub(super) fn audience(audience: &Audience) -> Result<(), Rejection> {
    match audience {
        Audience::AllStaff | Audience::Managers => Ok(()),
        Audience::Department { department } => known("audience", department.as_str(), department.is_known()),
        Audience::People { people } => count("audience", people.len(), limits::PEOPLE),
        Audience::Other(_) => known("audience", "of a newer kind", false),
    }
}

/// A value of a closed set that this release knows.
pub(super) fn known(field: &str, value: &str, is_known: bool) -> Result<(), Rejection> {
    if is_known {
        return Ok(());
    }
    let value: String = value.chars().take(40).collect();
    let message = format!("{field} is {value}, which this release does not know; update it.");
    Err(Rejection::permanent(Reason::UnknownCommand, message).field(field))
}

/// A suite that something shall refer to: it must not be missing for certain.
pub(super) fn suite_exists(s: &mut Scratch<'_>, id: Uuid) -> Result<(), Stop> {
    match s.find::<Suite>(id)? {
        Found::Absent => Err(invalid("suiteId", "There is no such suite; choose another.").into()),
        Found::Known(_) | Found::Unknown => Ok(()),
    }
}

/// A task that something shall refer to: it must not be missing for certain.
pub(super) fn task_exists(s: &mut Scratch<'_>, id: Uuid) -> Result<(), Stop> {
    match s.find::<Task>(id)? {
        Found::Absent => Err(invalid("taskId", "There is no such task; choose another.").into()),
        Found::Known(_) | Found::Unknown => Ok(()),
    }
}

pub(super) fn invalid(field: &str, message: impl Into<String>) -> Rejection {
    Rejection::permanent(Reason::InvalidField, message).field(field)
}

pub(super) fn not_found(reference: EntityRef) -> Rejection {
    let what = match reference.kind.as_str() {
        "EMPLOYEE" => "person".to_owned(),
        kind => kind.to_lowercase(),
    };
    Rejection::permanent(Reason::NotFound, format!("There is no such {what}, or it is not yours to see."))
        .about(reference)
}

/// `allowed`, or FORBIDDEN with who may do it.
pub(super) fn permitted(allowed: bool, reference: EntityRef, message: &str) -> Result<(), Rejection> {
    if allowed { Ok(()) } else { Err(Rejection::permanent(Reason::Forbidden, message).about(reference)) }
}

pub(super) fn illegal(reference: EntityRef, message: impl Into<String>) -> Rejection {
    Rejection::permanent(Reason::IllegalTransition, message).about(reference)
}

pub(super) fn not_on_duty(reference: EntityRef, message: &str) -> Rejection {
    Rejection::permanent(Reason::NotOnDuty, message).about(reference)
}
