//! What somebody holds, in a few bytes.

use innsync_domain::{EntityKind, Uuid};
use serde::{Deserialize, Serialize};

use crate::cursor::Mark;

/// How many entities there are, and a hash over kind, id and version of each that does not depend on their order. It finds
/// mistakes, not forgeries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Digest {
    /// How many.
    pub rows: u64,
    /// The sum, modulo 2^64, of a number for each; sixteen hexadecimal digits.
    pub hash: Mark,
}

impl Digest {
    /// Counts an entity in.
    pub fn add(&mut self, kind: &EntityKind, id: Uuid, version: u64) {
        self.rows += 1;
        self.hash.0 = self.hash.0.wrapping_add(fingerprint(kind, id, version));
    }
}

/// 64-bit FNV-1a over the kind's name, the id's sixteen bytes and the version's eight (big-endian), then mixed once more by
/// the finalizer of SplitMix64, so that sums of neighbours differ.
fn fingerprint(kind: &EntityKind, id: Uuid, version: u64) -> u64 {
    let version = version.to_be_bytes();
    let bytes = kind.as_str().bytes().chain(id.into_bytes()).chain(version);
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(rows: &[(EntityKind, u128, u64)]) -> Digest {
        let mut digest = Digest::default();
        rows.iter().for_each(|(kind, id, version)| digest.add(kind, Uuid::from_u128(*id), *version));
        digest
    }

    #[test]
    fn order_does_not_count_and_everything_else_does() {
        let (suite, task) = ((EntityKind::Suite, 101, 3), (EntityKind::Task, 7, 1));
        let both = digest(&[suite.clone(), task.clone()]);
        assert_eq!(both, digest(&[task.clone(), suite.clone()]));
        assert_ne!(both, digest(&[(EntityKind::Suite, 101, 4), task.clone()]));
        assert_ne!(both, digest(&[(EntityKind::Task, 101, 3), task]));
        assert_ne!(both, digest(&[suite]));
    }

    #[test]
    fn other_implementations_come_to_the_same() {
        let digest = digest(&[(EntityKind::Suite, 0x101, 3)]);
        assert_eq!(serde_json::to_string(&digest).unwrap(), r#"{"rows":1,"hash":"f8e88c115e34f509"}"#);
    }
}
