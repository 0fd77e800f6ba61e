//! The topics that a bus knows.

use std::collections::HashMap;
use std::sync::Arc;

use transport_traits::{Instant, Topic};

use super::channel::Channel;
use super::stats::{BusStats, TopicStats};

/// So many topics are never too many to keep.
const ALWAYS_KEPT: usize = 1_024;

/// Topics by name. The order of the map is never looked at.
pub(super) struct Topics {
    channels: HashMap<Topic, Arc<Channel>>,
    /// At this number of topics those that are out of use are forgotten.
    sweep_at: usize,
    /// What happened on topics that are forgotten.
    forgotten: TopicStats,
}

impl Topics {
    pub(super) fn new() -> Self {
        Self { channels: HashMap::new(), sweep_at: ALWAYS_KEPT, forgotten: TopicStats::default() }
    }

    pub(super) fn get(&self, topic: &str) -> Option<Arc<Channel>> {
        self.channels.get(topic).cloned()
    }

    pub(super) fn get_or_insert(
        &mut self,
        topic: &Topic,
        now: Instant,
        new: impl FnOnce() -> Channel,
    ) -> Arc<Channel> {
        if let Some(channel) = self.get(topic) {
            return channel;
        }
        if self.channels.len() >= self.sweep_at {
            self.sweep(now);
        }
        let channel = Arc::new(new());
        self.channels.insert(topic.clone(), channel.clone());
        channel
    }

    /// Forgets topics that have no subscriber, no publish under way and an idle window. Doubling the
    /// threshold makes it cost a constant a new topic.
    fn sweep(&mut self, now: Instant) {
        let forgotten = &mut self.forgotten;
        self.channels.retain(|_, channel| {
            // Subscriptions and publishes own the channel too, and get it from here alone.
            let keep = Arc::strong_count(channel) > 1 || !channel.is_idle(now);
            if !keep {
                *forgotten += channel.counters.read();
            }
            keep
        });
        self.sweep_at = (2 * self.channels.len()).max(ALWAYS_KEPT);
    }

    /// The statistics, but for what was refused before it had a topic.
    pub(super) fn stats(&self) -> BusStats {
        let mut stats = BusStats { total: self.forgotten, ..BusStats::default() };
        for (topic, channel) in &self.channels {
            let counted = channel.counters.read();
            stats.total += counted;
            stats.topics.insert(topic.clone(), counted);
        }
        stats
    }
}
