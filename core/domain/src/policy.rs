//! What becomes of two edits of one field that did not know of each other: a table, entity by entity and field by field.
//! A property may choose otherwise ([`Policies`]). docs/conflicts.md has an example for each row.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::entity::EntityKind;
use crate::vocabulary::closed_set;

closed_set!(
    /// What decides between two edits of one field that did not know of each other.
    Policy {
        /// The later one by the time of its intent, by the server's clock; see [`crate::Intent`].
        LastWriteWins = "LAST_WRITE_WINS",
        /// Both, word by word, where they change different places; else a person.
        MergeText = "MERGE_TEXT",
        /// What the life of the thing allows: a step forward stands over an earlier one, a step behind comes too late; where
        /// neither is ahead the later intent, or, where the rules forbid that, a person.
        Guarded = "GUARDED",
        /// What is on the server already.
        ServerWins = "SERVER_WINS",
        /// Both stay: it is only ever added to.
        AppendOnly = "APPEND_ONLY",
        /// The rules alone write it: never in conflict itself.
        Derived = "DERIVED",
        /// A person.
        Manual = "MANUAL",
    }
);

use EntityKind::{Alert, Employee, Note, Suite, Task};
use Policy::{AppendOnly, Derived, Guarded, LastWriteWins, Manual, MergeText, ServerWins};

/// What holds unless the property says otherwise.
const TABLE: &[(EntityKind, &str, Policy)] = &[
    (Suite, "suiteNumber", Manual),
    (Suite, "floor", LastWriteWins),
    (Suite, "status", Guarded),
    (Suite, "openCleaningTask", Derived),
    (Task, "title", MergeText),
    (Task, "description", MergeText),
    (Task, "type", Manual),
    (Task, "priority", LastWriteWins),
    (Task, "status", Guarded),
    (Task, "suiteId", Manual),
    (Task, "assignedTo", LastWriteWins),
    (Task, "department", Derived),
    (Task, "dueAt", LastWriteWins),
    (Note, "title", MergeText),
    (Note, "content", MergeText),
    (Note, "suiteId", LastWriteWins),
    (Note, "taskId", LastWriteWins),
    // Who may read it is never left to chance.
    (Note, "audience", Manual),
    (Note, "comments", AppendOnly),
    (Employee, "name", LastWriteWins),
    // Permissions never change by an edit that is late.
    (Employee, "role", ServerWins),
    (Employee, "department", ServerWins),
    (Employee, "status", LastWriteWins),
    (Employee, "isOnDuty", LastWriteWins),
    (Alert, "acknowledgements", AppendOnly),
    (Alert, "resolvedAt", ServerWins),
    (Alert, "resolvedBy", ServerWins),
];

/// Of a field that is not in the table: one of a newer release.
const ELSE: Policy = Manual;

/// The policies of one property: the table, and what it chose otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Policies {
    /// By `TASK.title`.
    chosen: BTreeMap<String, Policy>,
}

/// Why a policy cannot be chosen for a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// There is no such field in the table.
    #[error("there is no field {0}; fields are written TASK.title")]
    NoSuchField(String),
    /// The field can't have that policy.
    #[error("{field} can have {}, not {policy}", one_of(allowed))]
    NotAllowed {
        /// The field, `TASK.title`.
        field: String,
        /// What was asked for.
        policy: Policy,
        /// What it can have.
        allowed: Vec<Policy>,
    },
    /// The rules depend on it.
    #[error("{field} is always {policy}")]
    Fixed {
        /// The field, `NOTE.comments`.
        field: String,
        /// What it has.
        policy: Policy,
    },
}

impl Policies {
    /// The policy of a field.
    pub fn of(&self, kind: &EntityKind, field: &str) -> Policy {
        let chosen = self.chosen.get(&name(kind, field)).filter(|policy| policy.is_known());
        chosen.cloned().or_else(|| default_of(kind, field)).unwrap_or(ELSE)
    }

    /// Every field with its policy, and whether the property chose it: `("TASK.title", MERGE_TEXT, false)`.
    pub fn table(&self) -> impl Iterator<Item = (String, Policy, bool)> + '_ {
        TABLE.iter().map(|(kind, field, _)| {
            let name = name(kind, field);
            let chosen = self.chosen.contains_key(&name);
            (name, self.of(kind, field), chosen)
        })
    }

    /// Chooses a policy for a field, named as `TASK.title`; `None`: the table's again.
    pub fn choose(&mut self, field: &str, policy: Option<Policy>) -> Result<(), PolicyError> {
        let row = TABLE.iter().find(|(kind, of, _)| name(kind, of) == field);
        let (_, _, default) = row.ok_or_else(|| PolicyError::NoSuchField(field.to_owned()))?;
        let Some(policy) = policy.filter(|policy| policy != default) else {
            self.chosen.remove(field);
            return Ok(());
        };
        let allowed = alternatives(default);
        if allowed.is_empty() {
            return Err(PolicyError::Fixed { field: field.to_owned(), policy: default.clone() });
        }
        if !allowed.contains(&policy) {
            return Err(PolicyError::NotAllowed { field: field.to_owned(), policy, allowed });
        }
        self.chosen.insert(field.to_owned(), policy);
        Ok(())
    }
}

/// What a field with that default may have.
fn alternatives(default: &Policy) -> Vec<Policy> {
    match default {
        MergeText => vec![MergeText, LastWriteWins, ServerWins, Manual],
        Guarded => vec![Guarded, Manual],
        LastWriteWins | ServerWins | Manual => vec![LastWriteWins, ServerWins, Manual],
        AppendOnly | Derived | Policy::Other(_) => Vec::new(),
    }
}

fn name(kind: &EntityKind, field: &str) -> String {
    format!("{kind}.{field}")
}

fn default_of(kind: &EntityKind, field: &str) -> Option<Policy> {
    TABLE.iter().find(|(of, name, _)| of == kind && *name == field).map(|(_, _, policy)| policy.clone())
}

fn one_of(policies: &[Policy]) -> String {
    policies.iter().map(Policy::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity;

    #[test]
    fn every_field_that_commands_change_has_a_row_and_no_other_has() {
        let fields: [(EntityKind, &[&str]); 5] = [
            (Suite, entity::Suite::FIELDS),
            (Task, entity::Task::FIELDS),
            (Note, entity::Note::FIELDS),
            (Employee, entity::Employee::FIELDS),
            (Alert, entity::Alert::FIELDS),
        ];
        for (kind, fields) in &fields {
            for field in TABLE.iter().filter(|(of, _, _)| of == kind).map(|(_, field, _)| field) {
                assert!(fields.contains(field), "{kind}.{field}");
            }
        }
        let never_edited = ["createdBy", "createdAt"];
        for (kind, fields) in fields.iter().filter(|(kind, _)| *kind != Alert) {
            for field in fields.iter().filter(|field| !never_edited.contains(field)) {
                assert!(default_of(kind, field).is_some(), "{kind}.{field} has no policy");
            }
        }
    }

    #[test]
    fn a_property_may_choose_otherwise_where_it_makes_sense() {
        let mut policies = Policies::default();
        policies.choose("TASK.priority", Some(Manual)).unwrap();
        assert_eq!(policies.of(&Task, "priority"), Manual);
        assert_eq!(serde_json::to_string(&policies).unwrap(), r#"{"TASK.priority":"MANUAL"}"#);
        policies.choose("TASK.priority", None).unwrap();
        assert_eq!(policies, Policies::default());
        let error =
            |field: &str, policy| policies.clone().choose(field, Some(policy)).unwrap_err().to_string();
        assert_eq!(
            error("TASK.colour", Manual),
            "there is no field TASK.colour; fields are written TASK.title"
        );
        assert_eq!(
            error("TASK.status", LastWriteWins),
            "TASK.status can have GUARDED, MANUAL, not LAST_WRITE_WINS"
        );
        assert_eq!(error("NOTE.comments", Manual), "NOTE.comments is always APPEND_ONLY");
    }

    #[test]
    fn what_a_newer_release_chose_or_added_is_left_to_people() {
        let policies: Policies = serde_json::from_str(r#"{"TASK.title":"COIN_TOSS"}"#).unwrap();
        assert_eq!(policies.of(&Task, "title"), MergeText);
        assert_eq!(policies.of(&Task, "colour"), Manual);
    }
}
