//! Which messages go into the next frame.
//!
//! Order matters within an inner topic only, so the packer may choose among the heads of the topics' queues:
//!
//! 1. The first message is the oldest of the most urgent class. Of every four frames one ignores classes and goes by
//!    age alone, so nothing starves: the oldest message of all leaves with the fourth frame at the latest.
//! 2. While there is room for two of the largest messages queued, heads follow in that same order.
//! 3. Then, among the [`LOOK`] first heads, the one that fits best: the dearest that still fits, of the most urgent
//!    class that has one. This goes on until none fits.
//!
//! This is best fit over a bounded look-ahead ("next-k"), as bin packing knows it: Johnson, *Near-optimal bin
//! packing algorithms*, 1973.

use std::collections::BTreeMap;

use bytes::Bytes;
use smallvec::SmallVec;
use transport_traits::Topic;

use super::ConfirmId;
use super::queue::{Queue, TopicId};
use super::topic_queue::Message;

/// How many heads of each class the search for the best fit looks at.
const LOOK: usize = 32;

/// Every so many frames one goes by age alone.
const FAIR_EVERY: u64 = 4;

/// Messages of one inner topic in one frame.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) topic: Topic,
    pub(crate) messages: SmallVec<[Message; 1]>,
}

/// The contents of a frame.
#[derive(Debug, Default)]
pub(crate) struct Load {
    pub(crate) groups: Vec<Group>,
    /// What they cost together.
    pub(crate) cost: usize,
}

impl Group {
    pub(crate) fn bodies(&self) -> impl Iterator<Item = &Bytes> {
        self.messages.iter().map(|message| &message.body)
    }
}

impl Load {
    /// The number of messages.
    pub(crate) fn len(&self) -> usize {
        self.groups.iter().map(|group| group.messages.len()).sum()
    }

    /// Takes the head of a topic into the frame of this number.
    pub(super) fn take(&mut self, queue: &mut Queue, id: TopicId, number: u64) {
        let topic = queue.topic_mut(id);
        if topic.group.0 != number {
            topic.group = (number, self.groups.len());
            self.groups.push(Group { topic: topic.topic.clone(), messages: SmallVec::new() });
        }
        let group = topic.group.1;
        self.groups[group].messages.push(queue.pop(id));
    }

    /// What the bodies cost together, as they were measured.
    pub(super) fn bodies_cost(&self) -> usize {
        self.groups.iter().flat_map(|group| &group.messages).map(|message| message.cost).sum()
    }

    /// Everybody who waits for one of the messages.
    pub(crate) fn confirms(&self) -> Vec<ConfirmId> {
        let messages = self.groups.iter().flat_map(|group| &group.messages);
        messages.flat_map(|message| &message.confirms).copied().collect()
    }

    pub(crate) fn into_messages(self) -> impl Iterator<Item = (Topic, Message)> {
        self.groups.into_iter().flat_map(|Group { topic, messages, .. }| {
            messages.into_iter().map(move |message| (topic.clone(), message))
        })
    }
}

/// Inner topics that must wait, and for how many frames.
pub(crate) type Blocked = BTreeMap<Topic, u32>;

/// Takes messages of a lane that cost at most `room` out of the queue. `number` counts the lane's frames, from 1.
pub(crate) fn pack(queue: &mut Queue, lane: usize, room: usize, number: u64, blocked: &Blocked) -> Load {
    let mut packer = Packer { queue, lane, room, number, blocked, load: Load::default() };
    while let Some(id) = packer.next() {
        packer.take(id);
    }
    let load = packer.load;
    assert!(load.cost <= room, "a frame is never over its limit");
    load
}

/// Takes the messages of a lane out that come before the one of this order, whatever they cost.
pub(crate) fn pack_until(queue: &mut Queue, lane: usize, number: u64, end: u64) -> Load {
    let blocked = &Blocked::new();
    let mut packer = Packer { queue, lane, room: usize::MAX, number, blocked, load: Load::default() };
    while let Some((_, id)) = packer.oldest().filter(|&(order, _)| order < end) {
        packer.take(id);
    }
    packer.load
}

/// Whether a frame packed now would have a message.
pub(crate) fn can_pack(queue: &Queue, lane: usize, blocked: &Blocked) -> bool {
    (0..3).any(|class| open_heads(queue, lane, blocked, class).next().is_some())
}

/// The first heads of a class that need not wait.
pub(super) fn open_heads<'a>(
    queue: &'a Queue,
    lane: usize,
    blocked: &'a Blocked,
    class: usize,
) -> impl Iterator<Item = (u64, TopicId)> + use<'a> {
    let open = move |id| blocked.is_empty() || !blocked.contains_key(&queue.topic(id).topic);
    queue.heads(lane, class).take(LOOK).filter(move |&(_, id)| open(id))
}

/// Whether the frame of this number goes by age alone.
pub(crate) fn is_by_age(number: u64) -> bool {
    number.is_multiple_of(FAIR_EVERY)
}

struct Packer<'a> {
    queue: &'a mut Queue,
    lane: usize,
    room: usize,
    number: u64,
    blocked: &'a Blocked,
    load: Load,
}

impl Packer<'_> {
    fn next(&self) -> Option<TopicId> {
        let left = self.room - self.load.cost;
        let roomy = self.load.groups.is_empty() || left >= 2 * self.queue.largest(self.lane);
        if roomy {
            return self.first();
        }
        if self.by_age() {
            return best((0..3).flat_map(|class| self.candidates(class)), left);
        }
        (0..3).find_map(|class| best(self.candidates(class), left))
    }

    fn by_age(&self) -> bool {
        is_by_age(self.number)
    }

    /// The head that is first in order.
    fn first(&self) -> Option<TopicId> {
        let mut firsts = (0..3).filter_map(|class| self.open_heads(class).next());
        let first = if self.by_age() { self.oldest() } else { firsts.next() };
        first.map(|(_, id)| id)
    }

    /// The oldest of all heads.
    fn oldest(&self) -> Option<(u64, TopicId)> {
        (0..3).filter_map(|class| self.open_heads(class).next()).min()
    }

    fn open_heads(&self, class: usize) -> impl Iterator<Item = (u64, TopicId)> {
        open_heads(self.queue, self.lane, self.blocked, class)
    }

    /// What the first heads of a class would add to this frame.
    fn candidates(&self, class: usize) -> impl Iterator<Item = (usize, TopicId)> {
        self.open_heads(class).map(|(_, id)| (self.cost(id), id))
    }

    /// What the head of a topic would add to this frame.
    fn cost(&self, id: TopicId) -> usize {
        let topic = self.queue.topic(id);
        let head = topic.head().map_or(0, |head| head.cost);
        // The group is there already: a comma. Otherwise all that is around its messages.
        if topic.group.0 == self.number { head + 1 } else { head + topic.cost }
    }

    fn take(&mut self, id: TopicId) {
        self.load.cost += self.cost(id);
        self.load.take(self.queue, id, self.number);
    }
}

/// The dearest candidate that fits; of equal ones the first.
fn best(candidates: impl Iterator<Item = (usize, TopicId)>, left: usize) -> Option<TopicId> {
    let fitting = candidates.filter(|&(cost, _)| cost <= left);
    fitting.reduce(|best, other| if other.0 > best.0 { other } else { best }).map(|(_, id)| id)
}
