//! A commit as one person sees it: the same for live frames and for catching up.

use std::sync::Arc;

use innsync_domain::mutant::{self, Mutant};
use innsync_domain::{Change, Entity, Person, Timestamp, Uuid, ViewChange, project};
use innsync_protocol::{Commit, Mark, OpResult};

/// What the [`Authority`](crate::authority::Authority) has taken, on its way to everybody who may see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// Where.
    pub property: Arc<str>,
    /// Its number in the property's feed.
    pub seq: u64,
    /// Its mark.
    pub mark: Mark,
    /// When the server took it.
    pub at: Timestamp,
    /// Who did it.
    pub by: Uuid,
    /// What it changed, whole: for [`view_commit`] alone, never for the wire.
    pub changes: Arc<[Change]>,
    /// Where it was an operation: its author, and what they are told.
    pub result: Option<(Uuid, OpResult)>,
}

/// What `viewer_before` sees of the commit, who they are after it, and whether it changed what they may see at all (role,
/// department, no longer on the staff): then they see nothing more of this history and are told RESET SCOPE.
pub fn view_commit(committed: &Committed, viewer_before: &Person) -> (Option<Commit>, Person, bool) {
    let (seq, at, by) = (committed.seq, committed.at, committed.by);
    view(&committed.changes, viewer_before, |changes| Commit { seq, at, by, changes })
}

/// The same for a commit from the log.
pub(crate) fn view(
    changes: &[Change],
    before: &Person,
    commit: impl FnOnce(Vec<innsync_domain::ViewChange>) -> Commit,
) -> (Option<Commit>, Person, bool) {
    let (after, scope_changed) = person_after(changes, before);
    if scope_changed {
        return (None, after, true);
    }
    let leaks = |seen: &ViewChange| {
        mutant::is(Mutant::LeakOnReassignment) && matches!(seen, ViewChange::Remove { deleted: false, .. })
    };
    let seen = changes.iter().filter_map(|change| project(change, before, &after));
    let seen: Vec<_> = seen.filter(|seen| !leaks(seen)).collect();
    ((!seen.is_empty()).then(|| commit(seen)), after, false)
}

/// The viewer after the changes, and whether their scope is another.
fn person_after(changes: &[Change], before: &Person) -> (Person, bool) {
    for change in changes {
        match change {
            Change { after: Some(Entity::Employee(employee)), .. } if employee.id == before.id => {
                let after = Person::from(employee);
                let scope_changed = scope_differs(before, &after);
                return (after, scope_changed);
            }
            Change { before: Some(Entity::Employee(employee)), after: None } if employee.id == before.id => {
                return (Person { is_on_duty: false, ..before.clone() }, true);
            }
            _ => {}
        }
    }
    (before.clone(), false)
}

/// Whether two states of a person differ in what their picture is cut by. Duty is not: the emergencies that come into
/// sight and leave it are in the commit that changes it.
pub(crate) fn scope_differs(one: &Person, other: &Person) -> bool {
    one.role != other.role || one.department != other.department
}
