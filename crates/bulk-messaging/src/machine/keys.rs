//! Which unsent message has which conflation key.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::entries::{Entry, EntryId, Slab};
use super::topics::TopicId;

/// Messages that have a key, by it and their topic.
#[derive(Debug, Default)]
pub(super) struct Keys {
    table: HashTable<EntryId>,
    hasher: RandomState,
}

impl Keys {
    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// The message of a topic under this key.
    pub(super) fn find(&self, entries: &Slab, topic: TopicId, key: &str) -> Option<EntryId> {
        let same = |&id: &EntryId| {
            let entry = entries.get(id);
            entry.topic == topic && entry.key().is_some_and(|other| **other == *key)
        };
        self.table.find(self.hasher.hash_one((topic, key)), same).copied()
    }

    /// Remembers a message, if it has a key. No other has the same.
    pub(super) fn insert(&mut self, entries: &Slab, id: EntryId) {
        let hash = |&id: &EntryId| hash(&self.hasher, entries.get(id)).unwrap_or(0);
        if entries.get(id).key().is_some() {
            self.table.insert_unique(hash(&id), id, hash);
        }
    }

    /// Forgets a message, if it has a key.
    pub(super) fn remove(&mut self, entries: &Slab, id: EntryId) {
        if let Some(hash) = hash(&self.hasher, entries.get(id))
            && let Ok(place) = self.table.find_entry(hash, |&other| other == id)
        {
            place.remove();
        }
    }
}

fn hash(hasher: &RandomState, entry: &Entry) -> Option<u64> {
    entry.key().map(|key| hasher.hash_one((entry.topic, &**key)))
}
