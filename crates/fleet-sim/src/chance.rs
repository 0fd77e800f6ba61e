//! Randomness from a seed: whether something happens, and how long it takes.

use std::time::Duration;

/// How long things take.
///
/// Drawn with additions, multiplications, divisions and square roots alone, which every machine rounds alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delay {
    /// Always the same.
    Fixed(Duration),
    /// Anything between the two, each time alike likely.
    Between(Duration, Duration),
    /// Half of the times shorter than `median`, one time in a hundred longer than about 10 × `median`, never longer than
    /// `most`. (The log-logistic distribution with shape 2.)
    LongTail {
        /// The middle one.
        median: Duration,
        /// The longest.
        most: Duration,
    },
}

impl Default for Delay {
    /// 10 ms, always.
    fn default() -> Self {
        Self::Fixed(Duration::from_millis(10))
    }
}

impl Delay {
    pub(crate) fn draw(self, rng: &mut fastrand::Rng) -> Duration {
        match self {
            Self::Fixed(delay) => delay,
            Self::Between(least, most) => least + most.saturating_sub(least).mul_f64(rng.f64()),
            Self::LongTail { median, most } => {
                // Below 1, so the quotient is finite.
                let share = rng.f64();
                let times = (share / (1.0 - share)).sqrt();
                let capped = times.min(most.as_secs_f64() / median.as_secs_f64().max(1e-6));
                median.mul_f64(capped)
            }
        }
    }
}

/// Whether something happens that has this chance, from 0 (never) to 1 (always).
pub(crate) fn happens(rng: &mut fastrand::Rng, chance: f64) -> bool {
    chance > 0.0 && rng.f64() < chance
}
