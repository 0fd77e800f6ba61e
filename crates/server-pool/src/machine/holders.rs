//! Which servers have an entry under a key.

use hashbrown::HashTable;

use crate::key_hash::{KeyHash, KeyHasher};
use crate::places::Place;

/// A server that has an entry: another one, or this one (`None`).
pub(crate) type Holder = Option<Place>;

/// The servers that have an entry under each key, without the keys: those are in the servers' logs, and kept
/// once. What is found here is asked of the logs, so neither the order of the table nor two keys with one hash
/// change any outcome.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    /// The hash of a key and a server, once for every entry of each server.
    table: HashTable<(KeyHash, Holder)>,
    hasher: KeyHasher,
}

impl Holders {
    pub(crate) fn hash(&self, key: &str) -> KeyHash {
        self.hasher.hash(key)
    }

    /// A server has an entry under the key that it did not have.
    pub(crate) fn add(&mut self, hash: KeyHash, holder: Holder) {
        self.table.insert_unique(hash.spread(), (hash, holder), |(hash, _)| hash.spread());
    }

    /// A server has no entry under the key any more.
    pub(crate) fn remove(&mut self, hash: KeyHash, holder: Holder) {
        let held = self.table.find_entry(hash.spread(), |of| *of == (hash, holder));
        assert!(held.map(|place| place.remove()).is_ok(), "every entry of a server was added");
    }

    /// The servers that may have an entry under the key: all that do, and hardly ever another.
    pub(crate) fn of(&self, hash: KeyHash) -> impl Iterator<Item = Holder> {
        self.table.iter_hash(hash.spread()).filter(move |(of, _)| *of == hash).map(|(_, holder)| *holder)
    }

    /// Gives memory back after many entries went away.
    pub(crate) fn shrink(&mut self) {
        if self.table.len() < self.table.capacity() / 4 {
            self.table.shrink_to(2 * self.table.len(), |(hash, _)| hash.spread());
        }
    }
}
