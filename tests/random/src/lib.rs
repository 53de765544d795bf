//! Draws that follow from a seed: SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
//!
//! Saved plans of the simulation and rounds of chaos replay by these numbers: what a seed gives must never change.

/// A generator.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The generator of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// One of its own for each `purpose`, so that one more draw here changes nothing there.
    pub fn of(seed: u64, purpose: &str) -> Self {
        let purpose = purpose.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(seed ^ purpose)
    }

    /// The next number.
    // Not an iterator: it has no end, and is drawn from in the middle of other things.
    #[expect(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to `end`, exclusive; 0 where `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    /// From 0 up to `end`, inclusive.
    pub fn up_to(&mut self, end: usize) -> usize {
        self.below(end as u64 + 1) as usize
    }

    /// From `low` to `high`, inclusive.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True half of the time.
    pub fn coin(&mut self) -> bool {
        self.next() & 1 == 1
    }

    /// True `per_mille` times of a thousand; where that is 0, nothing is drawn.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        per_mille > 0 && self.below(1000) < u64::from(per_mille)
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len() as u64) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference implementation's first numbers for seed 1234567 (Vigna, `splitmix64.c`).
    #[test]
    fn the_numbers_are_those_of_the_paper() {
        let mut random = Random::new(1_234_567);
        let first: [u64; 3] = std::array::from_fn(|_| random.next());
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn each_purpose_has_its_own() {
        assert_ne!(Random::of(7, "ids").next(), Random::of(7, "network").next());
        assert_eq!(Random::of(7, "ids").next(), Random::of(7, "ids").next());
    }

    #[test]
    fn draws_stay_in_their_bounds() {
        let mut random = Random::new(1);
        assert_eq!((random.below(0), random.pick::<u8>(&[])), (0, None));
        for _ in 0..1000 {
            assert!((3..=5).contains(&random.between(3, 5)));
            assert!(random.up_to(2) <= 2);
            assert!(random.below(7) < 7);
        }
        let true_ones = (0..10_000).filter(|_| random.chance(100)).count();
        assert!((800..1200).contains(&true_ones), "{true_ones}");
    }
}
