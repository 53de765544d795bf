//! What a push notification may say.

use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;

/// A place in the feed that a push notification tells of. A phone that is there already need not ask the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushHint {
    /// The epoch.
    pub epoch: u64,
    /// The commit.
    pub seq: u64,
}

impl PushHint {
    /// Reads a notification's payload. What is no such JSON object is no hint, and no error: whoever relays a push may have
    /// changed it.
    pub fn parse(payload: &str) -> Option<Self> {
        serde_json::from_str(payload).ok()
    }

    /// Whether a phone that stands there has what the notification tells of.
    pub fn is_reached_by(&self, cursor: &Cursor) -> bool {
        cursor.epoch == self.epoch && cursor.seq >= self.seq
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_hint_is_none() {
        let hint = PushHint::parse(r#"{"epoch": 1, "seq": 43, "aps": {"content-available": 1}}"#).unwrap();
        assert_eq!(hint, PushHint { epoch: 1, seq: 43 });
        for payload in
            ["", "43", "[]", r#"{"epoch":1}"#, r#"{"epoch":1,"seq":-1}"#, r#"{"epoch":1,"seq":"43"}"#]
        {
            assert_eq!(PushHint::parse(payload), None, "{payload}");
        }
    }

    #[test]
    fn a_place_in_another_epoch_is_never_reached() {
        let hint = PushHint { epoch: 2, seq: 43 };
        let at = |epoch, seq| Cursor { epoch, seq, ..Cursor::default() };
        assert!(hint.is_reached_by(&at(2, 43)) && hint.is_reached_by(&at(2, 44)));
        assert!(
            !hint.is_reached_by(&at(2, 42))
                && !hint.is_reached_by(&at(1, 99))
                && !hint.is_reached_by(&at(3, 99))
        );
    }
}
