//! Hashes of keys for tables of many entries, in half the memory of usual ones.

#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, RandomState};

/// Makes the hashes of one table. Random in each process, so that nobody can choose keys that meet in the table.
#[derive(Debug, Default)]
pub(crate) struct KeyHasher(RandomState);

/// The hash of a key, alike in one table only. Of 100,000 keys one pair has the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyHash(u32);

impl KeyHasher {
    pub(crate) fn hash(&self, key: &str) -> KeyHash {
        KeyHash(self.0.hash_one(key) as u32)
    }
}

impl KeyHash {
    /// As tables want it, which take the place of an entry from the lowest bits and a mark from the highest.
    pub(crate) fn spread(self) -> u64 {
        u64::from(self.0) << 32 | u64::from(self.0)
    }
}
