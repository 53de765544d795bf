//! A small deterministic generator, so that a run of the server can be replayed from its seed.

use innsync_domain::{Timestamp, Uuid};

/// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
///
/// For marks and ids, which must be unique and need not be secret. Never for tokens.
#[derive(Debug, Clone)]
pub struct SeededRandom(u64);

impl SeededRandom {
    /// A generator whose numbers follow from the seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A UUID version 7 (RFC 9562 §5.7) of that moment.
    pub fn uuid_v7(&mut self, now: Timestamp) -> Uuid {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.next_u64().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next_u64().to_be_bytes()[..2]);
        let millis = u64::try_from(now.as_millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let mut random = SeededRandom::new(0);
        // The reference implementation's first numbers for seed 0.
        assert_eq!(random.next_u64(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(random.next_u64(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn ids_are_of_version_7_and_sort_by_time() {
        let mut random = SeededRandom::new(1);
        let earlier = random.uuid_v7(Timestamp::from_millis(1_000));
        let later = random.uuid_v7(Timestamp::from_millis(2_000));
        assert_eq!(earlier.get_version_num(), 7);
        assert!(earlier < later);
    }
}
