//! What a pool holds, decoded and found by key, each row in little memory.

#[cfg(test)]
mod tests;

use std::mem;
use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::key_hash::KeyHash;
use crate::places::{Place, Places};

/// A row: 32 bytes. The hash is kept so that the table grows without a look at the keys, for look-ups wait meanwhile.
#[derive(Debug)]
pub(crate) struct Row<T> {
    pub(crate) key: Arc<str>,
    pub(crate) value: Arc<T>,
    pub(crate) hash: KeyHash,
    pub(crate) owner: Place,
}

/// Rows by key, in no order.
#[derive(Debug)]
pub(crate) struct Rows<T>(HashTable<Row<T>>);

/// The servers that own rows, each name once.
#[derive(Debug, Default)]
pub(crate) struct Owners(Places<usize>);

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self(HashTable::new())
    }
}

impl<T> Rows<T> {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn get(&self, hash: KeyHash, key: &str) -> Option<&Row<T>> {
        self.0.find(hash.spread(), |row| row.is_of(hash, key))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Row<T>> {
        self.0.iter()
    }

    /// Puts a row in the place of its key's former one, which it hands out.
    pub(crate) fn replace(&mut self, row: Row<T>) -> Option<Row<T>> {
        let is_it = |other: &Row<T>| other.is_of(row.hash, &row.key);
        match self.0.entry(row.hash.spread(), is_it, |row| row.hash.spread()) {
            Entry::Occupied(mut entry) => Some(mem::replace(entry.get_mut(), row)),
            Entry::Vacant(entry) => {
                entry.insert(row);
                None
            }
        }
    }

    /// Takes a row out, and gives memory back after many went.
    pub(crate) fn take(&mut self, hash: KeyHash, key: &str) -> Option<Row<T>> {
        let (row, _) = self.0.find_entry(hash.spread(), |row| row.is_of(hash, key)).ok()?.remove();
        if self.0.len() < self.0.capacity() / 4 {
            self.0.shrink_to(2 * self.0.len(), |row| row.hash.spread());
        }
        Some(row)
    }
}

impl<T> Row<T> {
    fn is_of(&self, hash: KeyHash, key: &str) -> bool {
        self.hash == hash && *self.key == *key
    }
}

impl Owners {
    /// A server owns one row more.
    pub(crate) fn add(&mut self, server: &Arc<str>) -> Place {
        let place = self.0.find(server).unwrap_or_else(|| self.0.insert(server.clone(), 0));
        *self.0.get_mut(place).expect("it was found, or put there") += 1;
        place
    }

    /// The owner of a row that is there.
    pub(crate) fn name(&self, place: Place) -> &Arc<str> {
        self.0.name(place).expect("who owns a row is kept")
    }

    /// A server owns one row less. Says which it was.
    pub(crate) fn remove(&mut self, place: Place) -> Arc<str> {
        let (name, rows) = (self.name(place).clone(), self.0.get_mut(place).expect("who owns a row is kept"));
        *rows -= 1;
        if *rows == 0 {
            self.0.remove(place);
        }
        name
    }
}
