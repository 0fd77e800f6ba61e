//! When a frame may leave: the budgets, the linger that grows as they run low, and the pauses a service asks for.

use std::time::Duration;

use transport_traits::{Instant, TokenBucket};

/// While the bucket is fuller than this part, frames leave at once.
const AT_EASE: f64 = 0.5;

/// What this server may publish: a publish pays to its lane's bucket and to every shared one.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    /// Of each real topic; empty where topics have no limit of their own.
    pub(crate) lanes: Vec<TokenBucket>,
    /// Of all real topics together.
    pub(crate) shared: Vec<TokenBucket>,
}

impl Buckets {
    fn of(&self, lane: usize) -> impl Iterator<Item = &TokenBucket> {
        self.lanes.get(lane).into_iter().chain(&self.shared)
    }

    fn take(&mut self, lane: usize, now: Instant) -> bool {
        let paid = self.of(lane).all(|bucket| bucket.available(now) > 0);
        if paid {
            for bucket in self.lanes.get_mut(lane).into_iter().chain(&mut self.shared) {
                assert!(bucket.take(now), "a bucket with a token gives it");
            }
        }
        paid
    }

    /// Publishes that are possible at once, whatever their lanes; `None` without any bucket.
    fn available(&self, now: Instant) -> Option<u32> {
        let of_lanes = self.lanes.iter().map(|bucket| bucket.available(now)).reduce(u32::saturating_add);
        let shared = self.shared.iter().map(|bucket| bucket.available(now));
        shared.chain(of_lanes).min()
    }
}

#[derive(Debug)]
pub(crate) struct Pacing {
    buckets: Buckets,
    linger: Duration,
    /// Nothing is published before, because the service said so.
    paused_until: Instant,
}

impl Pacing {
    pub(crate) fn new(buckets: Buckets, linger: Duration) -> Self {
        Self { buckets, linger, paused_until: Instant::ZERO }
    }

    /// Pays for one publish of a lane, if that is possible now.
    pub(crate) fn pay(&mut self, lane: usize, now: Instant) -> bool {
        now >= self.paused_until && self.buckets.take(lane, now)
    }

    /// When a lane can pay next: `now` or earlier if that is possible already.
    pub(crate) fn next_payment(&self, lane: usize, now: Instant) -> Option<Instant> {
        let tokens = self.buckets.of(lane).map(|bucket| bucket.next_token(now));
        tokens.chain([Some(self.paused_until)]).try_fold(now, |latest, token| Some(latest.max(token?)))
    }

    pub(crate) fn pause(&mut self, until: Instant) {
        self.paused_until = self.paused_until.max(until);
    }

    pub(crate) fn tokens(&self, now: Instant) -> Option<u32> {
        self.buckets.available(now)
    }

    /// How long a message of a lane waits for company: nothing down to half a bucket, from there growing evenly to the
    /// whole linger at an empty one. The emptiest of the lane's buckets counts.
    pub(crate) fn linger(&self, lane: usize, now: Instant) -> Duration {
        let fullness = self.buckets.of(lane).map(|bucket| bucket.fullness(now)).fold(1.0, f64::min);
        part_of(self.linger, (1.0 - fullness / AT_EASE).clamp(0.0, 1.0))
    }
}

/// A part of a wait, in whole microseconds. Other than `Duration::mul_f64` it takes waits of any length.
pub(crate) fn part_of(wait: Duration, part: f64) -> Duration {
    let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros((micros as f64 * part) as u64)
}
