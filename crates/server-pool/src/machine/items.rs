//! The items of another server's log, each in little memory, for there are many.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::log::Listed;
use crate::wire::{Op, entry_hash, text_hash};

/// What an entry takes in memory beyond its key, the text of its value, and the value as decoded: what bounds on
/// memory reckon with, in bytes. With 10,000 entries of 40 bytes it was 70 in the machine and 130 in the handle;
/// the rest is for smaller entries, trees that grew item by item, and emptier tables.
pub const ENTRY_OVERHEAD: usize = 320;

/// The latest item of a key. Items are equal if their keys are, and ordered by a hash of them before anything else: it lies
/// in the item, and the key elsewhere in memory that is not looked at for each comparison.
#[derive(Debug)]
pub(crate) struct Item {
    /// The key and, behind it, the JSON text of the value: one allocation instead of two.
    text: Box<str>,
    pub(crate) version: u64,
    stamp: u64,
    key_len: u32,
    tag: u16,
    is_put: bool,
    /// Known before the sweep under way, and not listed since.
    pub(crate) is_doubtful: bool,
}

/// A claim's stamp and JSON text.
type Put<'a> = (u64, &'a str);

impl Item {
    fn new(op: &Op<'_>) -> Self {
        let (stamp, value) = op.put.unwrap_or_default();
        let text = [&*op.key, value].concat().into_boxed_str();
        let key_len = op.key.len().try_into().expect("bodies of 4 GiB are not read");
        let (version, is_put) = (op.version, op.put.is_some());
        Self { text, version, stamp, key_len, tag: tag(&op.key), is_put, is_doubtful: false }
    }

    pub(crate) fn key(&self) -> &str {
        &self.text[..self.key_len as usize]
    }

    /// `None` for a tombstone.
    pub(crate) fn put(&self) -> Option<Put<'_>> {
        self.is_put.then(|| (self.stamp, &self.text[self.key_len as usize..]))
    }

    /// The item for a list of the log.
    pub(crate) fn listed(&self) -> Listed<'_> {
        (self.version, self.key(), self.put())
    }

    /// What it counts against bounds on memory, in bytes.
    fn size(&self) -> usize {
        ENTRY_OVERHEAD + self.text.len()
    }

    /// What it adds to the hash of the log.
    fn hash(&self) -> u32 {
        if self.is_put { entry_hash(self.key(), self.version) } else { 0 }
    }
}

fn tag(key: &str) -> u16 {
    text_hash(key) as u16
}

/// What items are found by: the tag of a key, and the key.
trait Keyed {
    fn place(&self) -> (u16, &str);
}

impl Keyed for Item {
    fn place(&self) -> (u16, &str) {
        (self.tag, self.key())
    }
}

impl Keyed for (u16, &str) {
    fn place(&self) -> (u16, &str) {
        *self
    }
}

impl<'a> Borrow<dyn Keyed + 'a> for Item {
    fn borrow(&self) -> &(dyn Keyed + 'a) {
        self
    }
}

impl PartialEq for dyn Keyed + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for dyn Keyed + '_ {}

impl PartialOrd for dyn Keyed + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn Keyed + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Item {}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        self.tag.cmp(&other.tag).then_with(|| self.key().cmp(other.key()))
    }
}

/// Items, and sums over them.
#[derive(Debug, Default)]
pub(crate) struct Items {
    items: BTreeSet<Item>,
    hash: u32,
    tombstones: usize,
    bytes: usize,
}

impl Items {
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// What all of them count against bounds on memory.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The hash of the log, were these all its items.
    pub(crate) const fn hash(&self) -> u32 {
        self.hash
    }

    pub(crate) const fn has_tombstones(&self) -> bool {
        self.tombstones > 0
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Item> {
        self.items.get(&(tag(key), key) as &dyn Keyed)
    }

    /// In an order that depends on their keys alone.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Item> {
        self.items.iter()
    }

    /// How many items there would be with this one in the place of `old`, and what they would count against bounds.
    pub(crate) fn with(&self, op: &Op<'_>, old: Option<&Item>) -> (usize, usize) {
        let value = op.put.map_or(0, |(_, value)| value.len());
        let bytes = self.bytes - old.map_or(0, Item::size) + ENTRY_OVERHEAD + op.key.len() + value;
        (self.items.len() + usize::from(old.is_none()), bytes)
    }

    /// Puts an item in the place of its key's former one, which it hands out.
    pub(crate) fn replace(&mut self, op: &Op<'_>) -> Option<Item> {
        let item = Item::new(op);
        self.bytes += item.size();
        self.hash = self.hash.wrapping_add(item.hash());
        self.tombstones += usize::from(!item.is_put);
        self.items.replace(item).inspect(|old| self.count_out(old))
    }

    /// Takes out what is over.
    pub(crate) fn discard(&mut self, is_over: impl Fn(&Item) -> bool) -> Vec<Item> {
        let over: Vec<_> = self.items.extract_if(.., is_over).collect();
        over.iter().for_each(|item| self.count_out(item));
        over
    }

    /// The item of a key was listed again as it is.
    pub(crate) fn confirm(&mut self, key: &str) {
        if self.get(key).is_some_and(|item| item.is_doubtful)
            && let Some(item) = self.items.take(&(tag(key), key) as &dyn Keyed)
        {
            self.items.insert(Item { is_doubtful: false, ..item });
        }
    }

    /// All items are doubtful until they are listed again.
    pub(crate) fn doubt(&mut self) {
        let items = std::mem::take(&mut self.items).into_iter();
        self.items = items.map(|item| Item { is_doubtful: true, ..item }).collect();
    }

    /// Puts the items close together in memory: a tree that grew item by item has a third of its places empty.
    pub(crate) fn compact(&mut self) {
        self.items = std::mem::take(&mut self.items).into_iter().collect();
    }

    fn count_out(&mut self, item: &Item) {
        self.bytes -= item.size();
        self.hash = self.hash.wrapping_sub(item.hash());
        self.tombstones -= usize::from(!item.is_put);
    }
}
