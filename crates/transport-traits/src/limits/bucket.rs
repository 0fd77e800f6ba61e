//! A token bucket that never exceeds its share in any window.

use std::time::Duration;

use crate::Instant;

/// A budget of requests: `capacity` at once, refilled at an even rate.
///
/// In a window of length `w` a bucket gives out at most `capacity + rate × w`: what it held when the
/// window began and what flowed in meanwhile. [`TokenBucket::for_share`] chooses both so that this sum is
/// the share, whichever window one looks at. (The bucket as a meter: ITU-T I.371, annex A.)
#[derive(Clone, Debug)]
pub struct TokenBucket {
    capacity: u64,
    /// Tokens that flow in during `window`.
    refill: u64,
    window: Duration,
    /// Tokens held at `at`, times the window's microseconds, so that refilling never rounds.
    level: u128,
    at: Instant,
}

impl TokenBucket {
    /// A bucket, full at `now`, that holds `capacity` tokens and gets `refill` more, evenly, in each
    /// `window`. It gives out at most `capacity + refill` in any such window.
    ///
    /// # Panics
    /// If `window` is shorter than a microsecond.
    #[must_use]
    pub fn new(capacity: u32, refill: u32, window: Duration, now: Instant) -> Self {
        assert!(window >= Duration::from_micros(1), "a window has a length");
        let mut bucket = Self { capacity: capacity.into(), refill: refill.into(), window, level: 0, at: now };
        bucket.level = bucket.full();
        bucket
    }

    /// A bucket that gives out at most `share` tokens in any `window`: an eighth of it (at least one)
    /// at once, the rest as a flow. A share of 80 a minute becomes 10 at once and 70 a minute. Of a share
    /// of one nothing is left to flow, so that token comes back when the window is just over.
    ///
    /// # Panics
    /// As [`TokenBucket::new`].
    #[must_use]
    pub fn for_share(share: u32, window: Duration, now: Instant) -> Self {
        if share == 1 {
            return Self::new(1, 1, window.saturating_add(Duration::from_micros(1)), now);
        }
        let capacity = (share / 8).max(1).min(share);
        Self::new(capacity, share - capacity, window, now)
    }

    /// Takes a token if there is one.
    pub fn take(&mut self, now: Instant) -> bool {
        self.refill(now);
        let one = self.unit();
        if self.level < one {
            return false;
        }
        self.level -= one;
        true
    }

    /// Whole tokens there are at `now`.
    #[must_use]
    pub fn available(&self, now: Instant) -> u32 {
        u32::try_from(self.level_at(now) / self.unit()).unwrap_or(u32::MAX)
    }

    /// The part of its capacity that the bucket holds at `now`: 1 full, 0 empty.
    #[must_use]
    pub fn fullness(&self, now: Instant) -> f64 {
        if self.capacity == 0 { 0.0 } else { self.level_at(now) as f64 / self.full() as f64 }
    }

    /// When there is a token next: `now` or earlier if there is one already, `None` if there never is.
    #[must_use]
    pub fn next_token(&self, now: Instant) -> Option<Instant> {
        let missing = self.unit().saturating_sub(self.level_at(now));
        if missing == 0 {
            return Some(now);
        }
        if self.refill == 0 || self.capacity == 0 {
            return None;
        }
        let micros = missing.div_ceil(self.refill.into());
        // Tokens flow from `at` on, also where `now` lies before it.
        Some(self.at.max(now) + Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)))
    }

    fn refill(&mut self, now: Instant) {
        self.level = self.level_at(now);
        self.at = self.at.max(now);
    }

    fn level_at(&self, now: Instant) -> u128 {
        let flowed = u128::from(self.refill) * now.since(self.at).as_micros();
        self.level.saturating_add(flowed).min(self.full())
    }

    fn unit(&self) -> u128 {
        self.window.as_micros()
    }

    fn full(&self) -> u128 {
        u128::from(self.capacity) * self.unit()
    }
}
