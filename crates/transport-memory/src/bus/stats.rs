//! What a bus has carried, and what its limits would have let it carry.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use transport_traits::limits::{FleetRate, Load};
use transport_traits::{BusLimits, Topic};

/// What a bus has carried since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BusStats {
    /// All topics together.
    pub total: TopicStats,
    /// Publishes that failed with an error: too large, not text, over the send rate.
    pub refused: u64,
    /// Each topic by itself. Beyond a thousand topics those out of use are forgotten, and count in `total`
    /// alone.
    pub topics: BTreeMap<Topic, TopicStats>,
}

/// What a topic has carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicStats {
    /// Publishes that the bus accepted: the requests that it counts.
    pub published: u64,
    /// Messages put into a subscriber's queue.
    pub delivered: u64,
    /// Messages that a subscriber missed because its queue was full.
    pub overflowed: u64,
    /// Messages that a subscriber missed because a receive limit was reached.
    pub over_limit: u64,
}

impl TopicStats {
    /// Messages that a subscriber missed, whatever the reason.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.overflowed + self.over_limit
    }
}

impl AddAssign for TopicStats {
    fn add_assign(&mut self, other: Self) {
        self.published += other.published;
        self.delivered += other.delivered;
        self.overflowed += other.overflowed;
        self.over_limit += other.over_limit;
    }
}

/// A [`TopicStats`] that grows.
#[derive(Default)]
pub(super) struct Counters {
    published: AtomicU64,
    delivered: AtomicU64,
    overflowed: AtomicU64,
    over_limit: AtomicU64,
}

impl Counters {
    /// Counts one publish and what became of it.
    pub(super) fn count(&self, delivered: u64, overflowed: u64, over_limit: u64) {
        self.published.fetch_add(1, Ordering::Relaxed);
        self.delivered.fetch_add(delivered, Ordering::Relaxed);
        self.overflowed.fetch_add(overflowed, Ordering::Relaxed);
        self.over_limit.fetch_add(over_limit, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> TopicStats {
        TopicStats {
            published: self.published.load(Ordering::Relaxed),
            delivered: self.delivered.load(Ordering::Relaxed),
            overflowed: self.overflowed.load(Ordering::Relaxed),
            over_limit: self.over_limit.load(Ordering::Relaxed),
        }
    }
}

/// What the limits of a bus allow in a stretch of time at an even pace: the limit of a window times the
/// number of windows, rounded down. `None` where there is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BusAllowance {
    /// Publishes of one server.
    pub sends_per_server: Option<u64>,
    /// Receives of the fleet on one topic, counted as the limits say.
    pub receives_per_topic: Option<u64>,
    /// Receives of the fleet on all topics together, counted as the limits say.
    pub receives_total: Option<u64>,
}

impl BusAllowance {
    pub(super) fn over(elapsed: Duration, limits: &BusLimits, load: Load) -> Self {
        let even = |rate: Option<FleetRate>| rate.and_then(|rate| at_even_pace(rate, load, elapsed));
        Self {
            sends_per_server: even(limits.send),
            receives_per_topic: even(limits.receive_topic),
            receives_total: even(limits.receive_total),
        }
    }
}

/// `None` for a window without a length, in which a rate limits nothing.
fn at_even_pace(rate: FleetRate, load: Load, elapsed: Duration) -> Option<u64> {
    let requests = u128::from(rate.allowed(load)).saturating_mul(elapsed.as_micros());
    let whole = requests.checked_div(rate.window.as_micros())?;
    Some(u64::try_from(whole).unwrap_or(u64::MAX))
}
