//! Unsent messages in a slab, chained by inner topic.

use std::sync::Arc;

use transport_traits::{Instant, Priority};

use super::ConfirmId;
use super::arena::Place;
use super::topics::TopicId;
use super::wholes::WholeId;

/// The place of a message in the slab.
pub(crate) type EntryId = u32;

/// No message.
pub(super) const NONE: EntryId = EntryId::MAX;

/// A message that waits.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its place in the order in which messages were accepted.
    pub(crate) order: u64,
    pub(crate) accepted: Instant,
    /// What its body adds to a frame.
    pub(crate) cost: usize,
    pub(super) place: Place,
    pub(super) priority: Priority,
    pub(super) topic: TopicId,
    /// The next message of its topic; of a free entry the next free one.
    pub(super) next: EntryId,
    pub(super) extra: Option<Box<Extra>>,
}

/// What few messages have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extra {
    pub(crate) key: Option<Arc<str>>,
    /// Who wants to know what became of the message, or of one that it replaced.
    pub(crate) confirms: Vec<ConfirmId>,
    /// The message of which it is a fragment.
    pub(crate) whole: Option<WholeId>,
}

impl Entry {
    #[inline]
    pub(super) fn key(&self) -> Option<&Arc<str>> {
        self.extra.as_ref()?.key.as_ref()
    }
}

#[derive(Debug)]
pub(super) struct Slab {
    entries: Vec<Entry>,
    free: EntryId,
}

impl Default for Slab {
    fn default() -> Self {
        Self { entries: Vec::new(), free: NONE }
    }
}

impl Slab {
    /// Places, free ones included.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    #[inline]
    pub(super) fn get(&self, id: EntryId) -> &Entry {
        &self.entries[id as usize]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: EntryId) -> &mut Entry {
        &mut self.entries[id as usize]
    }

    #[inline]
    pub(super) fn insert(&mut self, entry: Entry) -> EntryId {
        let id = self.free;
        if id == NONE {
            self.entries.push(entry);
            return EntryId::try_from(self.entries.len() - 1).expect("a queue is shorter than 2^32");
        }
        let place = &mut self.entries[id as usize];
        self.free = place.next;
        *place = entry;
        id
    }

    /// Gives a place back. What few messages have is yielded.
    #[inline]
    pub(super) fn remove(&mut self, id: EntryId) -> Option<Box<Extra>> {
        let entry = &mut self.entries[id as usize];
        entry.next = std::mem::replace(&mut self.free, id);
        entry.place = Place::EMPTY;
        entry.extra.take()
    }

    /// Where all bodies lie; those of free entries are empty.
    pub(super) fn places(&mut self) -> impl Iterator<Item = &mut Place> {
        self.entries.iter_mut().map(|entry| &mut entry.place)
    }
}
