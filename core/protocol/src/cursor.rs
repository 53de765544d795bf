//! Where a phone stands in a property's feed.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The random number that the server gives each commit, so that a ledger copied back from a backup is noticed.
/// Sixteen hexadecimal digits on the wire. The mark of an empty feed is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mark(pub u64);

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl std::str::FromStr for Mark {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u64::from_str_radix(text, 16) {
            Ok(mark) if hex => Ok(Self(mark)),
            _ => Err("a mark is sixteen hexadecimal digits".to_owned()),
        }
    }
}

impl Serialize for Mark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A place in a property's feed: all commits up to `seq` are known. `{epoch, seq, mark}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Cursor {
    /// The feed's incarnation, from 1; another after a restore that the operator declared. 0: never synced.
    pub epoch: u64,
    /// The last commit known; 0: none.
    pub seq: u64,
    /// That commit's mark.
    pub mark: Mark,
}
