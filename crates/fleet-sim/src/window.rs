//! Counts what happened in the last window of time, by a log of it.

use std::collections::VecDeque;
use std::time::Duration;

use transport_traits::Instant;

/// How much happened in the half-open window `(now − length, now]`, exactly. Times given must not go back.
///
/// Limits are enforced by it, and a checker can count budgets with it independently of any token bucket.
#[derive(Clone, Debug)]
pub struct SlidingWindow {
    length: Duration,
    log: VecDeque<Instant>,
}

impl SlidingWindow {
    /// An empty window of this length.
    #[must_use]
    pub const fn new(length: Duration) -> Self {
        Self { length, log: VecDeque::new() }
    }

    /// How much is in the window that ends at `now`.
    pub fn count(&mut self, now: Instant) -> usize {
        while self.log.front().is_some_and(|at| *at + self.length <= now) {
            self.log.pop_front();
        }
        self.log.len()
    }

    /// Counts one more at `now`, and says how much is in the window then.
    pub fn record(&mut self, now: Instant) -> usize {
        self.log.push_back(now);
        self.count(now)
    }
}
