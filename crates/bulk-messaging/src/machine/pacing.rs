//! When a frame may leave: the budget, the linger that grows as it runs low, and the pauses a service asks for.

use std::time::Duration;

use transport_traits::{Instant, TokenBucket};

/// While the bucket is fuller than this part, frames leave at once.
const AT_EASE: f64 = 0.5;

#[derive(Debug)]
pub(crate) struct Pacing {
    bucket: Option<TokenBucket>,
    linger: Duration,
    /// Nothing is published before, because the service said so.
    paused_until: Instant,
}

impl Pacing {
    pub(crate) fn new(bucket: Option<TokenBucket>, linger: Duration) -> Self {
        Self { bucket, linger, paused_until: Instant::ZERO }
    }

    /// Pays for one publish, if that is possible now.
    pub(crate) fn pay(&mut self, now: Instant) -> bool {
        now >= self.paused_until && self.bucket.as_mut().is_none_or(|bucket| bucket.take(now))
    }

    /// When one can pay next: `now` or earlier if that is possible already.
    pub(crate) fn next_payment(&self, now: Instant) -> Option<Instant> {
        let token = self.bucket.as_ref().map_or(Some(now), |bucket| bucket.next_token(now))?;
        Some(token.max(self.paused_until))
    }

    pub(crate) fn pause(&mut self, until: Instant) {
        self.paused_until = self.paused_until.max(until);
    }

    pub(crate) fn tokens(&self, now: Instant) -> Option<u32> {
        self.bucket.as_ref().map(|bucket| bucket.available(now))
    }

    /// How long a message waits for company: nothing down to half a bucket, from there growing evenly to the whole
    /// linger at an empty one.
    pub(crate) fn linger(&self, now: Instant) -> Duration {
        let fullness = self.bucket.as_ref().map_or(1.0, |bucket| bucket.fullness(now));
        self.linger.mul_f64((1.0 - fullness / AT_EASE).clamp(0.0, 1.0))
    }
}
