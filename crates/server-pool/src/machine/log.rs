//! The log of this server's own contributions, as far as it was sent.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use transport_traits::Instant;

use crate::wire::entry_hash;

/// The most tombstones kept; the oldest are forgotten beyond.
const MAX_TOMBSTONES: usize = 16_384;

/// A value and the stamp under which it claims its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamped {
    pub(crate) stamp: u64,
    /// JSON text.
    pub(crate) value: Arc<str>,
}

impl Stamped {
    /// The stamp and the JSON text.
    pub(crate) fn parts(&self) -> (u64, &str) {
        (self.stamp, &self.value)
    }
}

/// What a version of the log is.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) key: Arc<str>,
    /// `None` for a tombstone.
    pub(crate) put: Option<Stamped>,
}

/// An item of a log: its version, its key, and the stamp and JSON text that it puts there; `None` for a tombstone.
pub(crate) type Listed<'a> = (u64, &'a str, Option<(u64, &'a str)>);

/// The latest item of each key, by version. Versions count from 1 and are given when an item is sent, so a
/// receiver knows what it misses by the numbers alone. The hash map is only looked up.
#[derive(Debug, Default)]
pub(crate) struct Log {
    head: u64,
    pruned: u64,
    hash: u32,
    items: BTreeMap<u64, Item>,
    keys: HashMap<Arc<str>, u64>,
    tombstones: VecDeque<(u64, Instant)>,
}

impl Log {
    /// The last version given.
    pub(crate) const fn head(&self) -> u64 {
        self.head
    }

    /// Up to which version tombstones may be missing.
    pub(crate) const fn pruned(&self) -> u64 {
        self.pruned
    }

    /// The sum of [`entry_hash`] over the live entries.
    pub(crate) const fn hash(&self) -> u32 {
        self.hash
    }

    /// Whether the log holds a live entry under the key.
    pub(crate) fn is_live(&self, key: &str) -> bool {
        self.keys.get(key).is_some_and(|version| self.items[version].put.is_some())
    }

    /// Gives the next version to an entry, or to the tombstone of one.
    pub(crate) fn append(&mut self, now: Instant, key: &Arc<str>, put: Option<Stamped>) -> u64 {
        self.head += 1;
        if let Some(version) = self.keys.insert(key.clone(), self.head) {
            let old = self.items.remove(&version).expect("each key's version has an item");
            if old.put.is_some() {
                self.hash = self.hash.wrapping_sub(entry_hash(key, version));
            }
        }
        if put.is_some() {
            self.hash = self.hash.wrapping_add(entry_hash(key, self.head));
        } else {
            self.tombstones.push_back((self.head, now));
        }
        self.items.insert(self.head, Item { key: key.clone(), put });
        self.head
    }

    /// The items of (from, to], ascending.
    pub(crate) fn list(&self, from: u64, to: u64) -> impl Iterator<Item = Listed<'_>> + Clone {
        let items = self.items.range(from + 1..=to);
        items.map(|(version, item)| (*version, &*item.key, item.put.as_ref().map(Stamped::parts)))
    }

    /// When [`prune`](Self::prune) has something to do next.
    pub(crate) fn next_prune(&self, life: Duration) -> Option<Instant> {
        self.tombstones.front().map(|(_, since)| *since + life)
    }

    /// Forgets tombstones older than `life`, and the oldest beyond what is kept.
    pub(crate) fn prune(&mut self, now: Instant, life: Duration) {
        while let Some(&(version, since)) = self.tombstones.front() {
            if since + life > now && self.tombstones.len() <= MAX_TOMBSTONES {
                break;
            }
            self.tombstones.pop_front();
            self.forget(version);
        }
    }

    fn forget(&mut self, version: u64) {
        if let Some(item) = self.items.remove(&version) {
            debug_assert!(item.put.is_none(), "the version of a tombstone stays one");
            self.keys.remove(&item.key);
            self.pruned = version;
        }
    }
}
