//! Commands as the wire writes them: for logs, links and tests.

use innsync_client::Error;

use crate::commands::Command;
use crate::errors::{InnSyncError, caught};
use crate::mirror::{ToCore, ToShell};

/// A command as JSON, `{"type":"ASSIGN_TASK","taskId":…,"assignee":…}`.
#[uniffi::export]
pub fn command_to_json(command: Command) -> Result<String, InnSyncError> {
    caught(|| {
        serde_json::to_string(&command.to_core()).map_err(|error| Error::bug("a command is not JSON", &error))
    })
}

/// A command from JSON. Errors: `InvalidInput`, which says where the text is wrong.
#[uniffi::export]
pub fn command_from_json(json: String) -> Result<Command, InnSyncError> {
    caught(|| {
        let command: innsync_client::Command =
            serde_json::from_str(&json).map_err(|error| Error::InvalidInput(error.to_string()))?;
        Ok(command.to_shell())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    /// The vectors that Kotlin and Swift read, too: whatever crosses the border comes back the same.
    #[test]
    fn every_command_is_the_same_on_both_sides() {
        let text = include_str!("../../tests/vectors/commands.json");
        let vectors: Vec<Value> = serde_json::from_str(text).unwrap();
        let mut names = BTreeSet::new();
        for vector in vectors {
            let command = command_from_json(vector.to_string()).unwrap();
            let back: Value = serde_json::from_str(&command_to_json(command).unwrap()).unwrap();
            assert_eq!(back, vector);
            names.insert(vector["type"].as_str().unwrap().to_owned());
        }
        assert_eq!(names.len(), 32, "each command has a vector: {names:?}");
    }

    #[test]
    fn what_is_no_command_says_where() {
        let error = command_from_json(r#"{"type":"TAKE_TASK"}"#.to_owned()).unwrap_err();
        assert!(
            matches!(&error, InnSyncError::InvalidInput { detail } if detail.contains("taskId")),
            "{error}"
        );
    }
}
