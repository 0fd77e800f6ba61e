//! Which servers have an entry under a key.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;

/// The servers that have an entry under each key, without the keys: those are in the servers' logs, and kept
/// once. What is found here is asked of the logs, so neither the order of the table nor two keys with one hash
/// change any outcome.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    /// The hash of a key and a server, once for every entry of each server.
    table: HashTable<(u64, Arc<str>)>,
    /// Random in each process, so that nobody can choose keys that meet in the table.
    state: RandomState,
}

impl Holders {
    /// A server has an entry under the key that it did not have.
    pub(crate) fn add(&mut self, key: &str, server: &Arc<str>) {
        let hash = self.state.hash_one(key);
        self.table.insert_unique(hash, (hash, server.clone()), |(hash, _)| *hash);
    }

    /// A server has no entry under the key any more.
    pub(crate) fn remove(&mut self, key: &str, server: &str) {
        let hash = self.state.hash_one(key);
        let held = self.table.find_entry(hash, |(of, holder)| *of == hash && **holder == *server);
        assert!(held.map(|place| place.remove()).is_ok(), "every entry of a server was added");
    }

    /// The servers that may have an entry under the key: all that do, and hardly ever another.
    pub(crate) fn of(&self, key: &str) -> impl Iterator<Item = &Arc<str>> {
        let hash = self.state.hash_one(key);
        self.table.iter_hash(hash).filter(move |(of, _)| *of == hash).map(|(_, server)| server)
    }

    /// Gives memory back after many entries went away.
    pub(crate) fn shrink(&mut self) {
        if self.table.len() < self.table.capacity() / 4 {
            self.table.shrink_to(2 * self.table.len(), |(hash, _)| *hash);
        }
    }
}
