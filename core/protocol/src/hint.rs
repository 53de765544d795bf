//! What a push notification may say.

use serde::{Deserialize, Serialize};

use crate::cursor::{Cursor, Mark};

/// A place in the feed that a push notification tells of. A phone that is there already need not ask the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushHint {
    /// The epoch.
    pub epoch: u64,
    /// The commit.
    pub seq: u64,
    /// Its mark, where it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
}

impl PushHint {
    /// Reads a notification's payload. What is no such JSON object is no hint, and no error: whoever relays a push may have
    /// changed it.
    pub fn parse(payload: &str) -> Option<Self> {
        serde_json::from_str(payload).ok()
    }

    /// Whether a phone that stands there has what the notification tells of. Where a backup was restored and nobody said so,
    /// a phone that was further than the hint is takes itself to be there: it finds out when it asks the next time.
    pub fn is_reached_by(&self, cursor: &Cursor) -> bool {
        let is_same = self.mark.is_none_or(|mark| cursor.seq != self.seq || cursor.mark == mark);
        cursor.epoch == self.epoch && cursor.seq >= self.seq && is_same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_hint_is_none() {
        let hint = PushHint::parse(r#"{"epoch": 1, "seq": 43, "aps": {"content-available": 1}}"#).unwrap();
        assert_eq!(hint, PushHint { epoch: 1, seq: 43, mark: None });
        for payload in
            ["", "43", "[]", r#"{"epoch":1}"#, r#"{"epoch":1,"seq":-1}"#, r#"{"epoch":1,"seq":"43"}"#]
        {
            assert_eq!(PushHint::parse(payload), None, "{payload}");
        }
    }

    #[test]
    fn a_place_in_another_epoch_is_never_reached() {
        let hint = PushHint { epoch: 2, seq: 43, mark: None };
        let at = |epoch, seq| Cursor { epoch, seq, ..Cursor::default() };
        assert!(hint.is_reached_by(&at(2, 43)) && hint.is_reached_by(&at(2, 44)));
        assert!(
            !hint.is_reached_by(&at(2, 42))
                && !hint.is_reached_by(&at(1, 99))
                && !hint.is_reached_by(&at(3, 99))
        );
    }
    #[test]
    fn another_mark_at_the_same_place_is_another_history() {
        let hint = PushHint { epoch: 1, seq: 43, mark: Some(Mark(7)) };
        let at = |seq, mark| Cursor { epoch: 1, seq, mark: Mark(mark) };
        assert!(hint.is_reached_by(&at(43, 7)) && hint.is_reached_by(&at(44, 8)));
        assert!(!hint.is_reached_by(&at(43, 8)) && !hint.is_reached_by(&at(42, 7)));
    }
}
