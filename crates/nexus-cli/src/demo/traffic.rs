//! What went over the bus, by the bus's own count.

use std::time::Duration;

use transport_memory::MemoryBus;

use super::fleet::Fleet;
use super::server::TOPICS;

/// The window of the bus's limits.
const MINUTE: Duration = Duration::from_secs(60);

/// Requests and what they carried.
#[derive(Clone, Debug, Default)]
pub(super) struct Traffic {
    /// Publishes, all topics together.
    pub(super) requests_used: u64,
    /// Publishes that the limits of those topics allow in the time of the run, or in a minute if it was shorter:
    /// a window of the limits is a minute long.
    pub(super) requests_allowed: u64,
    pub(super) refused: u64,
    pub(super) dropped: u64,
    /// Frames that the servers sent, and what was in them.
    pub(super) frames: u64,
    pub(super) messages: u64,
    pub(super) frame_bytes: u64,
    pub(super) frame_limit: u64,
}

impl Traffic {
    /// What was counted until now, `elapsed` after the servers started.
    pub(super) fn read(bus: &MemoryBus, fleet: &Fleet, elapsed: Duration) -> Self {
        let stats = bus.stats();
        let allowance = bus.allowed(elapsed.max(MINUTE));
        let mut traffic = Self {
            requests_used: stats.total.published,
            requests_allowed: allowance.receives_per_topic.unwrap_or(0) * TOPICS.len() as u64,
            refused: stats.refused,
            dropped: stats.total.dropped(),
            ..Self::default()
        };
        for server in fleet.all() {
            server.bulk_stats().iter().for_each(|bulk| traffic.add(bulk));
        }
        traffic
    }

    fn add(&mut self, bulk: &bulk_messaging::Stats) {
        self.frames += bulk.frames;
        self.messages += bulk.messages;
        self.frame_bytes += bulk.frame_bytes;
        self.frame_limit = bulk.frame_limit;
    }

    /// Whether the bus let everything through.
    pub(super) fn is_within(&self) -> bool {
        self.requests_used <= self.requests_allowed && self.refused == 0 && self.dropped == 0
    }

    /// What exceeded the limits, in words.
    pub(super) fn excess(&self) -> String {
        let Self { requests_used, requests_allowed, refused, dropped, .. } = self;
        format!(
            "{requests_used} requests where {requests_allowed} are allowed, {refused} refused by the bus, \
             {dropped} deliveries dropped"
        )
    }
}
