//! The bus: best-effort broadcast between servers of one process.

mod channel;
mod endpoint;
mod medium;
mod queue;
mod server;
mod stats;
mod topics;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use transport_traits::limits::Load;
use transport_traits::{BusLimits, Timer};

pub use endpoint::MemoryEndpoint;
use medium::Medium;
pub use stats::{BusAllowance, BusStats, TopicStats};

use crate::clock::Clock;

/// Messages that a subscriber may be behind, unless told otherwise: the figure of the NATS client
/// (async-nats, `subscription_capacity`).
const QUEUE_CAPACITY: usize = 65_536;

/// A bus in this process. Clones are the same bus.
///
/// [`join`](Self::join) it once for each server of the fleet.
#[derive(Clone)]
pub struct MemoryBus {
    medium: Arc<Medium>,
    queue_capacity: usize,
}

impl MemoryBus {
    /// A bus that enforces `limits` as they are for a fleet of `load.servers` servers with `load.players`
    /// players on each, on `timer`'s clock.
    #[must_use]
    pub fn new(limits: BusLimits, load: Load, timer: Arc<dyn Timer>) -> Self {
        Self::on(Medium::new(limits, load, Clock::Timer(timer)))
    }

    /// A bus without limits but for the queues of its subscribers.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::on(Medium::new(BusLimits::default(), Load::default(), Clock::system()))
    }

    fn on(medium: Medium) -> Self {
        Self { medium: Arc::new(medium), queue_capacity: QUEUE_CAPACITY }
    }

    /// The same bus; servers that join through this handle get queues of `deliveries` for each of their
    /// subscriptions. 65,536 if not told. A subscriber further behind misses what comes and reads a `Gap`
    /// in its place.
    ///
    /// # Panics
    /// If `deliveries` is 0.
    #[must_use]
    pub fn with_queue_capacity(mut self, deliveries: usize) -> Self {
        assert!(deliveries > 0, "a queue holds something");
        self.queue_capacity = deliveries;
        self
    }

    /// A new server on the bus, with nothing sent and nothing subscribed to.
    #[must_use]
    pub fn join(&self) -> MemoryEndpoint {
        MemoryEndpoint::new(self.medium.clone(), self.queue_capacity)
    }

    /// What the bus has carried so far. Costs one pass over the topics; numbers that are counted meanwhile
    /// may be in or not.
    #[must_use]
    pub fn stats(&self) -> BusStats {
        self.medium.stats()
    }

    /// What the limits allow in `elapsed` at an even pace, to set [`stats`](Self::stats) against.
    #[must_use]
    pub fn allowed(&self, elapsed: Duration) -> BusAllowance {
        BusAllowance::over(elapsed, &self.medium.limits, self.medium.load)
    }
}

impl fmt::Debug for MemoryBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBus").field("limits", &self.medium.limits).finish_non_exhaustive()
    }
}
