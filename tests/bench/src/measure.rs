//! Samples, and two things measured by turns.

use std::time::{Duration, Instant};

use crate::Result;

/// Measurements of one thing, in one unit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn push(&mut self, sample: f64) {
        self.0.push(sample);
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The smallest sample that at least that share of all samples does not exceed.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
        sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
    }
}

/// InnSync's measurements and the baseline's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pair {
    pub(crate) ours: Samples,
    pub(crate) baseline: Samples,
}

impl Pair {
    /// Runs both by turns, `rounds` times each, so that whatever else the machine does hits both alike. Which of them
    /// goes first changes with each round. The first round of each warms up and is not counted.
    pub(crate) fn interleave(
        rounds: usize,
        mut ours: impl FnMut(usize) -> Result<f64>,
        mut baseline: impl FnMut(usize) -> Result<f64>,
    ) -> Result<Self> {
        let mut pair = Self::default();
        for round in 0..=rounds {
            let (ours, baseline) = if round % 2 == 0 {
                let first = ours(round)?;
                (first, baseline(round)?)
            } else {
                let first = baseline(round)?;
                (ours(round)?, first)
            };
            if round > 0 {
                pair.ours.push(ours);
                pair.baseline.push(baseline);
            }
        }
        Ok(pair)
    }
}

/// What it gives, and how long it took.
pub(crate) fn timed<T>(what: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let started = Instant::now();
    let it = what()?;
    Ok((it, started.elapsed()))
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_samples() {
        let mut samples = Samples::default();
        (1..=100).rev().for_each(|sample| samples.push(f64::from(sample)));
        assert_eq!((samples.median(), samples.quantile(0.99), samples.quantile(1.0)), (50.0, 99.0, 100.0));
        assert!(Samples::default().median().is_nan());
    }

    #[test]
    fn both_sides_take_turns_and_the_first_round_is_not_counted() {
        let order = std::cell::RefCell::new(String::new());
        let side = |name| {
            let order = &order;
            move |round: usize| {
                order.borrow_mut().push(name);
                Ok(round as f64)
            }
        };
        let pair = Pair::interleave(2, side('a'), side('b')).unwrap();
        assert_eq!(order.into_inner(), "abbaab");
        assert_eq!((pair.ours.0, pair.baseline.0), (vec![1.0, 2.0], vec![1.0, 2.0]));
    }
}
