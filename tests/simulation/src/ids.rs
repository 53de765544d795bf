//! Ids that follow from the seed.

use innsync_domain::{Timestamp, Uuid};
use innsync_random::Random;

/// A UUID version 7 of that moment.
pub(crate) fn version_7(random: &mut Random, at: Timestamp) -> Uuid {
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&random.next().to_be_bytes());
    bytes[8..].copy_from_slice(&random.next().to_be_bytes()[..2]);
    uuid::Builder::from_unix_timestamp_millis(at.as_millis().unsigned_abs(), &bytes).into_uuid()
}
