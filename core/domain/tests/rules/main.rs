//! The rules of the house, told as what happens to people: ana and ben clean, miguel repairs, lucia is at the front desk,
//! sam supervises, maria and paula manage.

#![allow(clippy::unwrap_used, clippy::result_large_err, clippy::type_complexity)]

mod cleaning;
mod conflicts;
mod emergencies;
mod employees;
mod events;
mod news;
mod notes;
mod notifications;
mod permissions;
mod properties;
mod suites;
mod tasks;
mod text;
mod undo;
mod validation;
mod visibility;
mod world;
