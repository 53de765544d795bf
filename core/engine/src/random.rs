//! The engine's own randomness: for jitter alone, from a seed, so that a run replays to the byte.

use crate::limits::{BACKOFF_CAP_MS, BACKOFF_FIRST_MS};

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough to spread phones out in time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Milliseconds from 0 to below `bound`.
    pub(crate) fn within(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// Milliseconds to wait after so many failures in a row: full jitter under an exponential bound, from one millisecond.
    pub(crate) fn backoff(&mut self, failures: u32) -> u64 {
        1 + self.next() % backoff_bound(failures)
    }
}

/// Milliseconds that a phone waits at most after so many failures in a row: 1, 2, 4, … seconds up to the cap.
pub fn backoff_bound(failures: u32) -> u64 {
    let doublings = failures.saturating_sub(1).min(16);
    (BACKOFF_FIRST_MS << doublings).min(BACKOFF_CAP_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_the_cap() {
        let bounds: Vec<u64> = (0..9).map(backoff_bound).collect();
        assert_eq!(bounds, [1000, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
        assert_eq!(backoff_bound(u32::MAX), BACKOFF_CAP_MS);
    }

    #[test]
    fn waits_are_within_the_bound_spread_out_and_replay() {
        let (mut one, mut two) = (Random::new(7), Random::new(7));
        let waits: Vec<u64> = (0..1000).map(|_| one.backoff(3)).collect();
        assert!(waits.iter().all(|wait| (1..=4000).contains(wait)));
        let mean = waits.iter().sum::<u64>() / 1000;
        assert!((1700..2300).contains(&mean), "{mean}");
        assert_eq!(waits, (0..1000).map(|_| two.backoff(3)).collect::<Vec<_>>());
    }
}
