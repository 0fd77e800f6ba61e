//! What all servers on a bus share: the topics, the fleet's receive limits, the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use transport_traits::limits::{Load, ReceiveCounting};
use transport_traits::{BusLimits, Instant, Outgoing, Topic};

use super::channel::Channel;
use super::stats::BusStats;
use super::topics::Topics;
use crate::clock::Clock;
use crate::window::Window;

pub(super) struct Medium {
    pub(super) limits: BusLimits,
    pub(super) load: Load,
    pub(super) clock: Clock,
    topics: RwLock<Topics>,
    /// What `receive_total` allows.
    total: Option<Mutex<Window>>,
    refused: AtomicU64,
}

impl Medium {
    pub(super) fn new(limits: BusLimits, load: Load, clock: Clock) -> Self {
        let total = limits.receive_total.map(|rate| Mutex::new(Window::of_rate(rate, load)));
        Self { limits, load, clock, topics: RwLock::new(Topics::new()), total, refused: AtomicU64::new(0) }
    }

    /// The topic of this name, which is new if nobody used it yet.
    pub(super) fn channel(&self, topic: &Topic, now: Instant) -> Arc<Channel> {
        let known = self.topics.read().get(topic);
        known.unwrap_or_else(|| self.topics.write().get_or_insert(topic, now, || self.new_channel()))
    }

    fn new_channel(&self) -> Channel {
        Channel::new(self.limits.receive_topic.map(|rate| Window::of_rate(rate, self.load)))
    }

    /// Gives a message to the topic's subscribers, as far as the receive limits go.
    pub(super) fn broadcast(&self, message: &Outgoing, now: Instant) {
        let channel = self.channel(&message.topic, now);
        let subscribers = channel.subscribers();
        let admitted = self.admit(&channel, subscribers.len(), now);
        channel.deliver(&message.topic, &message.body, &subscribers, admitted);
    }

    /// How many of so many subscribers may receive one more message now. They are charged for.
    fn admit(&self, channel: &Channel, subscribers: usize, now: Instant) -> usize {
        // Always in this order, so that two publishes cannot wait for each other.
        let mut topic = channel.window.as_ref().map(Mutex::lock);
        let mut total = self.total.as_ref().map(Mutex::lock);
        let mut windows = [topic.as_deref_mut(), total.as_deref_mut()];
        let room = windows.iter_mut().flatten().map(|window| window.room(now)).min().unwrap_or(u64::MAX);
        let wanted = match self.limits.receive_counting {
            ReceiveCounting::PerPublish => 1,
            ReceiveCounting::PerDelivery => subscribers as u64,
        };
        let granted = wanted.min(room);
        windows.iter_mut().flatten().for_each(|window| window.record(now, granted));
        match self.limits.receive_counting {
            ReceiveCounting::PerPublish if granted == 0 => 0,
            ReceiveCounting::PerPublish => subscribers,
            ReceiveCounting::PerDelivery => subscribers.min(granted as usize),
        }
    }

    pub(super) fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn stats(&self) -> BusStats {
        let mut stats = self.topics.read().stats();
        stats.refused = self.refused.load(Ordering::Relaxed);
        stats
    }
}
