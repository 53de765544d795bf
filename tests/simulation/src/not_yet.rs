//! What docs/conflicts.md lists under "Not yet": each is one case that `losses.rs` passes over. Where one is mended, its
//! function goes.

/// A field that a command names with the value that its author saw (a form that sends all its fields) is not in `base`:
/// somebody else's newer value is put aside without a record.
pub(crate) fn named_as_seen() -> bool {
    true
}

/// `retry` and `edit` of an operation in conflict overwrite what is there without a record.
pub(crate) fn retried_without_record() -> bool {
    true
}

/// Theirs gives up the whole operation, and there is a record of the fields in conflict alone.
pub(crate) fn given_up_whole() -> bool {
    true
}

/// A command that is no patch is dropped whole, and the record names the field that lost alone.
pub(crate) fn dropped_whole() -> bool {
    true
}

/// A step forward in a task's life stands over a later reopening or release without a record.
pub(crate) fn step_over_reopening() -> bool {
    true
}

/// What was changed since the sheet under a deletion is overwritten without a record.
pub(crate) fn changed_under_deletion() -> bool {
    true
}
