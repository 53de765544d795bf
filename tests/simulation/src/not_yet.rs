//! Where the product does not keep yet what docs/conflicts.md says: each is one case that `losses.rs` passes over. Where one is
//! mended, its function goes.

use innsync_protocol::Op;

/// A step that was none on what its author saw (ana completes what she has completed) says nothing of the status in `base`.
/// Where somebody reopened the task meanwhile, it completes it once more, as a step forward, and leaves no record.
pub(crate) fn stepped_without_a_step(op: &Op, field: &str) -> bool {
    !op.base.contains_key(field)
}
