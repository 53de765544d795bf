//! Where the product does not keep yet what docs/conflicts.md says: each is one case that `losses.rs` passes over. Where one is
//! mended, its function goes.

use innsync_domain::{Command, Conflict};
use innsync_protocol::Op;

/// What is restored by a command that is no patch (a task's status or assignee) changes other fields, too. Where one of those
/// lost, the restoring is dropped whole, and there is a record of that field alone, none of what was to be restored.
pub(crate) fn restoring_is_dropped_whole(op: &Op, records: &[&Conflict]) -> bool {
    let mut others = records.iter().filter(|it| it.lost_by == op.author);
    match &op.command {
        Command::RestoreValue { field, .. } => others.any(|it| it.field != *field),
        _ => false,
    }
}
