//! The unsent messages of one inner topic, in their order.

use transport_traits::{Priority, Topic};

use super::entries::{EntryId, NONE};
use super::line::Head;

/// The index of a class in arrays: urgent first.
pub(super) fn class_of(priority: Priority) -> usize {
    match priority {
        Priority::Urgent => 0,
        Priority::Normal => 1,
        Priority::Background => 2,
    }
}

/// A chain of messages. It stays open until the frame that takes its last one is written.
#[derive(Debug)]
pub(crate) struct TopicQueue {
    pub(crate) topic: Topic,
    pub(super) hash: u64,
    pub(super) lane: usize,
    /// What it adds to a frame beside its messages.
    pub(crate) cost: usize,
    /// The group of the frame being filled that holds this topic: the frame's number and the group's index.
    pub(super) group: (u64, usize),
    /// The head that is indexed, and its class.
    pub(super) indexed: Option<(usize, Head)>,
    pub(super) first: EntryId,
    pub(super) last: EntryId,
    /// Messages of each class.
    classes: [u32; 3],
}

impl TopicQueue {
    pub(super) fn new(topic: Topic, hash: u64, lane: usize, cost: usize) -> Self {
        let (group, indexed, classes) = ((0, 0), None, [0; 3]);
        Self { topic, hash, lane, cost, group, indexed, first: NONE, last: NONE, classes }
    }

    /// The class of the most urgent message: an urgent one pulls along whatever must go before it.
    pub(super) fn class(&self) -> usize {
        self.classes.iter().position(|&count| count > 0).unwrap_or(self.classes.len() - 1)
    }

    pub(super) fn count(&mut self, priority: Priority) {
        self.classes[class_of(priority)] += 1;
    }

    pub(super) fn discount(&mut self, priority: Priority) {
        self.classes[class_of(priority)] -= 1;
    }
}
