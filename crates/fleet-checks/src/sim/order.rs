//! Checks the order of messages on a topic of numbered ones, and that none is missing without a word.

use std::collections::BTreeMap;

use bytes::Bytes;
use transport_traits::Topic;

/// Reads `[sender, number, padding]` of a topic, where each sender counts from 1, and remembers whether the numbers rise,
/// and whether it was told of a gap wherever some are missing.
#[derive(Debug)]
pub struct Order {
    topic: Topic,
    last: BTreeMap<u64, Heard>,
    /// How often it was told that something may be missing.
    pub gaps: u64,
    /// The first message that came late or twice: sender, the number before, the number.
    pub broken: Option<(u64, u64, u64)>,
    /// The first message before which others are missing without a gap: as above.
    pub missing: Option<(u64, u64, u64)>,
}

/// What was heard of a sender last.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    number: u64,
    /// How many gaps there had been.
    gaps: u64,
}

impl Order {
    pub(super) fn new(topic: Topic) -> Self {
        Self { topic, last: BTreeMap::new(), gaps: 0, broken: None, missing: None }
    }

    pub(super) const fn topic(&self) -> &Topic {
        &self.topic
    }

    /// Something may be missing here.
    pub(super) const fn gap(&mut self) {
        self.gaps += 1;
    }

    /// Whether messages of a sender up to this number are missing, and no gap was told since the last one that came.
    pub(super) fn is_short_of(&self, sender: u64, number: u64) -> bool {
        let heard = self.last.get(&sender).copied().unwrap_or_default();
        heard.number < number && heard.gaps == self.gaps
    }

    pub(super) fn receive(&mut self, topic: &Topic, body: &Bytes) {
        if *topic != self.topic {
            return;
        }
        let (sender, number, _): (u64, u64, &str) =
            serde_json::from_slice(body).expect("nobody else sends on this topic");
        if self.is_short_of(sender, number.saturating_sub(1)) && self.missing.is_none() {
            self.missing = Some((sender, self.last.get(&sender).map_or(0, |heard| heard.number), number));
        }
        let before = self.last.insert(sender, Heard { number, gaps: self.gaps });
        let before = before.map_or(0, |heard| heard.number);
        if number <= before && self.broken.is_none() {
            self.broken = Some((sender, before, number));
        }
    }
}
