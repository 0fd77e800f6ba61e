//! The inner topics that have unsent messages, by name and by number.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::topic_queue::TopicQueue;

/// The place of a [`TopicQueue`] while it is open.
pub(crate) type TopicId = u32;

/// Where a topic is, if it is open, and the hash of its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) id: Option<TopicId>,
    pub(super) hash: u64,
}

#[derive(Debug, Default)]
pub(super) struct Topics {
    slots: Vec<Option<TopicQueue>>,
    free: Vec<TopicId>,
    hasher: RandomState,
    names: HashTable<TopicId>,
}

impl Topics {
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    #[inline]
    pub(super) fn get(&self, id: TopicId) -> &TopicQueue {
        self.slots[id as usize].as_ref().expect("an indexed topic is open")
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: TopicId) -> &mut TopicQueue {
        self.slots[id as usize].as_mut().expect("an indexed topic is open")
    }

    /// Whether a topic is open. One that is not may be another one soon.
    pub(super) fn is_open(&self, id: TopicId) -> bool {
        self.slots[id as usize].is_some()
    }

    /// All that have ever been open at a time.
    pub(super) fn ids(&self) -> std::ops::Range<TopicId> {
        0..self.slots.len() as TopicId
    }

    pub(super) fn find(&self, topic: &str) -> Found {
        let hash = self.hasher.hash_one(topic);
        let id = self.names.find(hash, |&id| *self.get(id).topic == *topic).copied();
        Found { id, hash }
    }

    /// Opens a topic that is not open.
    pub(super) fn open(&mut self, topic: TopicQueue) -> TopicId {
        let hash = topic.hash;
        let id = match self.free.pop() {
            Some(id) => {
                self.slots[id as usize] = Some(topic);
                id
            }
            None => {
                self.slots.push(Some(topic));
                TopicId::try_from(self.slots.len() - 1).expect("a queue has fewer topics than 2^32")
            }
        };
        let slots = &self.slots;
        let hash_of = |&id: &TopicId| slots[id as usize].as_ref().map_or(0, |topic| topic.hash);
        self.names.insert_unique(hash, id, hash_of);
        id
    }

    pub(super) fn close(&mut self, id: TopicId) -> TopicQueue {
        let closed = self.slots[id as usize].take().expect("only an open topic is closed");
        if let Ok(place) = self.names.find_entry(closed.hash, |&other| other == id) {
            place.remove();
        }
        self.free.push(id);
        closed
    }
}
