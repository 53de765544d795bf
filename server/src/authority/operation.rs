//! Reading an operation off the wire.

use innsync_domain::{Command, Reason, Rejection, Uuid};
use innsync_protocol::{Op, OpOutcome, OpResult, SCHEMA, limits};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The operation; or, where it cannot be used, what its author is told.
pub(super) fn read(text: &str) -> Result<Op, Box<OpResult>> {
    if text.len() > limits::OP_BYTES {
        let message = format!(
            "An operation has at most {} bytes, this one {}; write less, or in several steps.",
            limits::OP_BYTES,
            text.len()
        );
        let result = OpOutcome::rejected(Rejection::permanent(Reason::InvalidField, message));
        return Err(Box::new(OpResult { id: id_of(text), result }));
    }
    let unreadable = |why: String| {
        let message =
            format!("The server cannot read this operation ({why}); update the app, then try again.");
        Box::new(OpResult { id: id_of(text), result: OpOutcome::incompatible(message) })
    };
    match serde_json::from_str::<Op>(text) {
        Ok(op) if op.schema > SCHEMA => Err(unreadable(format!("its schema is {}", op.schema))),
        Ok(op) => Ok(op),
        Err(error) => Err(unreadable(error.to_string())),
    }
}

/// The id alone, of an operation whose rest cannot be read; nil where that cannot be read either.
fn id_of(text: &str) -> Uuid {
    #[derive(Deserialize)]
    struct Head {
        id: Uuid,
    }
    serde_json::from_str::<Head>(text).map_or(Uuid::nil(), |head| head.id)
}

/// What tells an operation sent twice from an id used twice: the SHA-256 of the command as this server writes it.
pub(super) fn hash(command: &Command) -> [u8; 32] {
    Sha256::digest(serde_json::to_vec(command).unwrap_or_default()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_command_stays_the_same_over_releases() {
        let command = Command::CompleteTask { task_id: Uuid::nil() };
        let text = br#"{"type":"COMPLETE_TASK","taskId":"00000000-0000-0000-0000-000000000000"}"#;
        assert_eq!(hash(&command), <[u8; 32]>::from(Sha256::digest(text)));
    }

    #[test]
    fn an_operation_that_cannot_be_read_is_answered_by_its_id() {
        let id = Uuid::from_u128(7);
        for text in [
            format!(r#"{{"id":"{id}"}}"#),
            format!(r#"{{"id":"{id}","command":{{"type":"DANCE"}}}}"#),
            format!(r#"{{"id":"{id}","filler":"{}"}}"#, "x".repeat(limits::OP_BYTES)),
        ] {
            assert_eq!(read(&text).unwrap_err().id, id);
        }
        for text in ["7", "null", "{}", r#"{"id":7}"#] {
            assert_eq!(read(text).unwrap_err().id, Uuid::nil(), "{text}");
        }
    }
}
