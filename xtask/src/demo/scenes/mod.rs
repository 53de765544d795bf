//! The scenes of the story, each with its verdicts.

mod basement;
mod conflict;
mod daily;
mod edits;
mod emergency;

pub(crate) use basement::basement;
pub(crate) use conflict::{agreement, conflict};
pub(crate) use daily::{assignment, checkout, completion, opening};
pub(crate) use edits::edits;
pub(crate) use emergency::emergency;
