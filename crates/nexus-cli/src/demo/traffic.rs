//! What went over the bus.

use std::time::Duration;

use super::fleet::Fleet;
use super::ground::{BusCounts, Ground};

/// Requests and what they carried.
#[derive(Clone, Debug, Default)]
pub(super) struct Traffic {
    /// Publishes, all topics together.
    pub(super) requests_used: u64,
    /// By the bus's own count, if it keeps one, and then what its limits allow.
    pub(super) bus: Option<BusCounts>,
    /// Frames that the servers sent, and what was in them.
    pub(super) frames: u64,
    pub(super) messages: u64,
    pub(super) frame_bytes: u64,
    /// The room in these frames, had all been full.
    pub(super) room: u64,
}

impl Traffic {
    /// What was counted until now, `elapsed` after the servers started.
    pub(super) fn read(ground: &Ground, fleet: &Fleet, elapsed: Duration) -> Self {
        let mut traffic = Self::default();
        for counts in fleet.all().iter().map(|server| server.counts()) {
            traffic.requests_used += counts.publishes;
            traffic.frames += counts.frames;
            traffic.messages += counts.messages;
            traffic.frame_bytes += counts.frame_bytes;
            traffic.room += counts.frames * counts.frame_limit;
        }
        traffic.bus = ground.bus_counts(elapsed);
        traffic.requests_used = traffic.bus.map_or(traffic.requests_used, |bus| bus.used);
        traffic
    }

    /// What exceeded the limits of the bus, in words.
    pub(super) fn excess(&self) -> Option<String> {
        let BusCounts { used, allowed, refused, dropped } = self.bus?;
        let is_within = used <= allowed && refused == 0 && dropped == 0;
        (!is_within).then(|| {
            format!(
                "{used} requests where {allowed} are allowed, {refused} refused by the bus, {dropped} deliveries \
                 dropped"
            )
        })
    }
}
