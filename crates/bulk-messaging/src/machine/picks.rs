//! What a frame that is being filled has taken.

use smallvec::SmallVec;

use super::entries::EntryId;
use super::queue::Queue;
use super::topics::TopicId;

/// Messages of one inner topic: the first ones of its chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pick {
    pub(super) topic: TopicId,
    pub(super) first: EntryId,
    pub(super) count: usize,
}

/// Messages by inner topic, in the order in which topics came.
#[derive(Debug)]
pub(super) struct Picks {
    /// The frame's number.
    number: u64,
    groups: SmallVec<[Pick; 16]>,
    len: usize,
}

impl Picks {
    /// Nothing yet, for the frame of this number.
    pub(super) fn new(number: u64) -> Self {
        Self { number, groups: SmallVec::new(), len: 0 }
    }

    /// The number of messages.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn groups(&self) -> &[Pick] {
        &self.groups
    }

    /// The head of a topic, for no frame.
    pub(super) fn one(queue: &mut Queue, topic: TopicId) -> Self {
        let first = queue.take(topic);
        Self { number: 0, groups: [Pick { topic, first, count: 1 }].into_iter().collect(), len: 1 }
    }

    /// Takes the head of a topic. Where heads are indexed the topic stays with that one until the end, or until the queue is
    /// [told](Queue::reindex_picked).
    #[inline]
    pub(super) fn take(&mut self, queue: &mut Queue, id: TopicId) {
        self.len += 1;
        let first = queue.take(id);
        let topic = queue.topic_mut(id);
        if topic.group.0 == self.number {
            self.groups[topic.group.1].count += 1;
            return;
        }
        topic.group = (self.number, self.groups.len());
        self.groups.push(Pick { topic: id, first, count: 1 });
    }

    /// Which group of the frame a topic has, if it has one.
    pub(super) fn group(&self, queue: &Queue, id: TopicId) -> Option<usize> {
        let (number, group) = queue.topic(id).group;
        (number == self.number).then_some(group)
    }

    /// What the head of a topic would add to the frame.
    #[inline]
    pub(super) fn cost(&self, queue: &Queue, id: TopicId) -> usize {
        let topic = queue.topic(id);
        let head = queue.head(id).map_or(0, |head| head.cost);
        // The group is there already: a comma. Otherwise all that is around its messages.
        if topic.group.0 == self.number { head + 1 } else { head + topic.cost }
    }
}
