//! Changes of one record that wait to be written, and what they take in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::operation::operation_memory;
use crate::change::Change;

/// A change of a field that is to be written.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) field: Arc<str>,
    pub(crate) change: Change,
    /// Made here, and not only heard of.
    pub(crate) own: bool,
    /// Bytes in memory.
    memory: usize,
}

/// Changes in their order. What they take is kept count of, so that adding one costs the same however many there are.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    list: Vec<Pending>,
    /// Where the last change of a field is.
    last: BTreeMap<Arc<str>, usize>,
    own_bytes: usize,
    heard_bytes: usize,
}

impl Changes {
    /// Adds a change behind all: to the last one of its field, where the two can be one.
    pub(crate) fn add(&mut self, field: Arc<str>, change: Change, own: bool) {
        let at = self.last.get(&field).copied();
        let merged = at.and_then(|at| Some((at, self.list[at].change.then(&change)?)));
        let Some((at, change)) = merged else {
            let memory = operation_memory(&field, &change);
            *self.bytes(own) += memory;
            self.last.insert(Arc::clone(&field), self.list.len());
            return self.list.push(Pending { field, change, own, memory });
        };
        let before = (self.list[at].own, self.list[at].memory);
        *self.bytes(before.0) -= before.1;
        let last = &mut self.list[at];
        last.memory = operation_memory(&last.field, &change);
        last.change = change;
        last.own |= own;
        let (own, memory) = (last.own, last.memory);
        *self.bytes(own) += memory;
    }

    /// Adds what came later.
    pub(crate) fn append(&mut self, later: Self) {
        for Pending { field, change, own, .. } in later.list {
            self.add(field, change, own);
        }
    }

    fn bytes(&mut self, own: bool) -> &mut usize {
        if own { &mut self.own_bytes } else { &mut self.heard_bytes }
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Pending> {
        self.list.iter()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether one of them was made here.
    pub(crate) const fn has_own(&self) -> bool {
        self.own_bytes > 0
    }

    /// Bytes that those made here take.
    pub(crate) const fn own_bytes(&self) -> usize {
        self.own_bytes
    }

    /// Bytes that those only heard of take, but for the last one of this field.
    pub(crate) fn heard_bytes_but(&self, field: &str) -> usize {
        let last = self.last.get(field).map(|&at| &self.list[at]).filter(|last| !last.own);
        self.heard_bytes - last.map_or(0, |last| last.memory)
    }
}
