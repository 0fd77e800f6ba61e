//! The unsent messages of one inner topic, in their order.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use transport_traits::{Instant, Outgoing, Priority, Topic};

use super::ConfirmId;
use super::wholes::WholeId;

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Its place in the order in which messages were accepted.
    pub(crate) order: u64,
    pub(crate) accepted: Instant,
    /// What its body adds to a frame.
    pub(crate) cost: usize,
    pub(crate) body: Bytes,
    pub(crate) priority: Priority,
    pub(crate) key: Option<Arc<str>>,
    /// Who wants to know what became of it, or of a message that it replaced.
    pub(crate) confirms: Vec<ConfirmId>,
    /// The message of which it is a fragment.
    pub(crate) whole: Option<WholeId>,
}

impl Message {
    /// The message as it was published.
    pub(crate) fn into_outgoing(self, topic: Topic) -> Outgoing {
        let mut message = Outgoing::new(topic, self.body).with_priority(self.priority);
        message.conflation_key = self.key;
        message
    }
}

/// The index of a class in arrays: urgent first.
pub(super) fn class_of(priority: Priority) -> usize {
    match priority {
        Priority::Urgent => 0,
        Priority::Normal => 1,
        Priority::Background => 2,
    }
}

#[derive(Debug)]
pub(crate) struct TopicQueue {
    pub(crate) topic: Topic,
    pub(super) lane: usize,
    /// What it adds to a frame beside its messages.
    pub(crate) cost: usize,
    /// The group of the frame being filled that holds this topic: the frame's number and the group's index.
    pub(super) group: (u64, usize),
    /// Under which class and order the head is indexed now; `None` before the first message.
    pub(super) indexed: Option<(usize, u64)>,
    messages: VecDeque<Message>,
    /// How many messages have left; the position of a message is this and its index together.
    left: u64,
    /// The positions of the messages that have a key.
    keys: HashMap<Arc<str>, u64>,
    /// Messages of each class.
    classes: [u32; 3],
}

impl TopicQueue {
    pub(super) fn new(topic: Topic, lane: usize, cost: usize) -> Self {
        Self {
            topic,
            lane,
            cost,
            group: (0, 0),
            indexed: None,
            messages: VecDeque::new(),
            left: 0,
            keys: HashMap::new(),
            classes: [0; 3],
        }
    }

    pub(crate) fn head(&self) -> Option<&Message> {
        self.messages.front()
    }

    /// The class of the most urgent message: an urgent one pulls along whatever must go before it.
    pub(super) fn class(&self) -> usize {
        self.classes.iter().position(|&count| count > 0).unwrap_or(self.classes.len() - 1)
    }

    /// The unsent message under this key.
    pub(super) fn keyed(&self, key: &str) -> Option<&Message> {
        let position = self.keys.get(key)?;
        self.messages.get((position - self.left) as usize)
    }

    pub(super) fn push(&mut self, message: Message) {
        if let Some(key) = &message.key {
            let position = self.left + self.messages.len() as u64;
            let former = self.keys.insert(key.clone(), position);
            assert!(former.is_none(), "a key has one unsent message");
        }
        self.classes[class_of(message.priority)] += 1;
        self.messages.push_back(message);
    }

    /// Puts a message into the place of the one with its key. Returns false, and nothing happens, if there is none.
    /// The place keeps its order, the greater urgency and everybody who waits.
    pub(super) fn replace(&mut self, message: &Message) -> bool {
        let Some(key) = &message.key else { return false };
        let Some(&position) = self.keys.get(key) else { return false };
        let old = &mut self.messages[(position - self.left) as usize];
        self.classes[class_of(old.priority)] -= 1;
        old.priority = old.priority.min(message.priority);
        self.classes[class_of(old.priority)] += 1;
        old.body = message.body.clone();
        old.cost = message.cost;
        old.confirms.extend_from_slice(&message.confirms);
        true
    }

    /// From now on the message with this key keeps its place and its body.
    pub(super) fn forget_key(&mut self, key: &str) {
        if let Some(position) = self.keys.remove(key) {
            self.messages[(position - self.left) as usize].key = None;
        }
    }

    pub(super) fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.left += 1;
        self.classes[class_of(message.priority)] -= 1;
        if let Some(key) = &message.key {
            self.keys.remove(key);
        }
        Some(message)
    }
}
