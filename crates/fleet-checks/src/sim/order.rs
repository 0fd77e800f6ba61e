//! Checks the order of messages on a topic of numbered ones.

use std::collections::BTreeMap;

use bytes::Bytes;
use transport_traits::Topic;

/// Reads `[sender, number, padding]` of a topic, and remembers whether each sender's numbers rise.
#[derive(Debug)]
pub struct Order {
    topic: Topic,
    last: BTreeMap<u64, u64>,
    /// The first message that came late or twice: sender, the number before, the number.
    pub broken: Option<(u64, u64, u64)>,
    /// How many messages came.
    pub heard: u64,
}

impl Order {
    pub(super) fn new(topic: Topic) -> Self {
        Self { topic, last: BTreeMap::new(), broken: None, heard: 0 }
    }

    pub(super) const fn topic(&self) -> &Topic {
        &self.topic
    }

    pub(super) fn receive(&mut self, topic: &Topic, body: &Bytes) {
        if *topic != self.topic {
            return;
        }
        let (sender, number, _): (u64, u64, &str) =
            serde_json::from_slice(body).expect("nobody else sends on this topic");
        self.heard += 1;
        let before = self.last.insert(sender, number).unwrap_or(0);
        if number <= before && self.broken.is_none() {
            self.broken = Some((sender, before, number));
        }
    }
}
