//! What docs/conflicts.md lists under "Not yet": each is one case that `losses.rs` passes over. Where one is mended, its
//! function goes.

/// A field that a command names with the value that its author saw (a form that sends all its fields) is not in `base`:
/// somebody else's newer value is put aside without a record.
pub(crate) fn named_as_seen() -> bool {
    false
}

/// Theirs gives up the whole operation, and there is a record of the fields in conflict alone.
pub(crate) fn given_up_whole() -> bool {
    false
}

/// A command that is no patch is dropped whole, and the record names the field that lost alone.
pub(crate) fn dropped_whole() -> bool {
    false
}

/// A step forward in a task's life stands over a later reopening or release without a record.
pub(crate) fn step_over_reopening() -> bool {
    false
}

/// What was changed since the sheet under a deletion is overwritten without a record.
pub(crate) fn changed_under_deletion() -> bool {
    false
}

// Found by the simulation, and not on that list.

/// An operation of somebody who has not heard the entity's version yet (they made it themself, and edit it before the server
/// has told them) carries no `baseVersion`: what it overwrites counts as seen, whatever is in `base`, and leaves no record.
pub(crate) fn version_not_known() -> bool {
    false
}

/// Where a command would be refused by now on what its author saw (they went off duty, others changed something else), the
/// record of what they wanted says `null`: restoring it would empty the field.
pub(crate) fn impossible_lost_as_null() -> bool {
    false
}
