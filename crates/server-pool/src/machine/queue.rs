//! Keys that wait to be sent, each once and in the place where it first came.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use transport_traits::Instant;

/// Places kept for keys while none wait.
const KEPT: usize = 256;

/// A queue in which a key that is there already keeps its place, so that neither frequent changes of one key
/// nor those of others can keep it from being sent. The hash map is only looked up.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    next: u64,
    places: BTreeMap<u64, (Arc<str>, Instant)>,
    keys: HashMap<Arc<str>, u64>,
}

impl Queue {
    /// How many keys wait.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Puts a key at the end, if it does not wait already.
    pub(crate) fn push(&mut self, key: &Arc<str>, now: Instant) {
        if !self.keys.contains_key(key) {
            self.keys.insert(key.clone(), self.next);
            self.places.insert(self.next, (key.clone(), now));
            self.next += 1;
        }
    }

    /// The key that waits longest, and since when.
    pub(crate) fn front(&self) -> Option<&(Arc<str>, Instant)> {
        self.places.values().next()
    }

    /// The keys in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        self.places.values().map(|(key, _)| key)
    }

    /// Takes the front away.
    pub(crate) fn pop(&mut self) {
        if let Some((_, (key, _))) = self.places.pop_first() {
            self.keys.remove(&key);
        }
        self.shrink();
    }

    /// Takes a key away, wherever it waits.
    pub(crate) fn remove(&mut self, key: &str) {
        if let Some(place) = self.keys.remove(key) {
            self.places.remove(&place);
        }
        self.shrink();
    }

    fn shrink(&mut self) {
        if self.places.is_empty() && self.keys.capacity() > KEPT {
            self.keys = HashMap::new();
        }
    }
}
