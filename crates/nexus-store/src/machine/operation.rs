//! Operations: changes accepted together, with the identity that makes them apply once.

use std::sync::Arc;
use std::time::Duration;

use transport_traits::Instant;

use super::table::Identity;
use crate::change::Change;
use crate::json;

/// Changes of one record that travel and are applied together.
///
/// Writes that one process accepts in a row are merged into one operation until it is first published or
/// attempted; from then on it never changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Who made it: 48 bits a process.
    pub writer: u64,
    /// Its number there, rising over all records.
    pub sequence: u64,
    /// The sequence of the writer's previous unconfirmed operation on the record, or 0.
    pub pred: u64,
    /// The epoch of the base it was made on.
    pub epoch: u64,
    /// The commit of the base it was made on.
    pub commit: u64,
    /// When it was made, by a hybrid logical clock in microseconds.
    pub stamp: u64,
    /// What it does, in order; a field may occur more than once.
    pub changes: Vec<(Arc<str>, Change)>,
}

/// A place in view order.
pub(crate) type Place = (u64, u64, u64);

impl Operation {
    pub(crate) fn place(&self) -> Place {
        (self.stamp, self.writer, self.sequence)
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity {
            writer: self.writer,
            sequence: self.sequence,
            pred: self.pred,
            epoch: self.epoch,
            commit: self.commit,
        }
    }

    /// About the bytes it takes in a journal.
    pub(crate) fn memory(&self) -> usize {
        ENTRY + self.changes.iter().map(|(field, change)| change_memory(field, change)).sum::<usize>()
    }

    /// A little more than the bytes it takes on the bus.
    pub(crate) fn size(&self) -> usize {
        OVERHEAD + self.changes.iter().map(|(field, change)| change_size(field, change)).sum::<usize>()
    }
}

/// What an operation takes on the bus beside its changes: five numbers.
const OVERHEAD: usize = 64;

/// What an operation takes in a journal beside its changes: its place in a vector that is about two thirds full.
const ENTRY: usize = size_of::<Pending>() * 3 / 2;

/// About the bytes that an operation of one change takes in a journal.
pub(crate) fn operation_memory(field: &str, change: &Change) -> usize {
    ENTRY + change_memory(field, change)
}

/// The change's place in a vector, the allocation of the field's name, and that of the value.
fn change_memory(field: &str, change: &Change) -> usize {
    size_of::<(Arc<str>, Change)>() + 2 * size_of::<usize>() + field.len() + value_memory(change)
}

/// The allocation of the value that the change holds.
fn value_memory(change: &Change) -> usize {
    match change {
        Change::Set(value) => 2 * size_of::<usize>() + json::memory(value),
        _ => 0,
    }
}

pub(crate) fn change_size(field: &str, change: &Change) -> usize {
    field.len() + change.text_len() + 8
}

/// An operation that is not yet known to be stored.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) op: Operation,
    /// Made by this process.
    pub(crate) own: bool,
    /// Has its final identity: was published or attempted.
    pub(crate) sealed: bool,
    /// Others may know it.
    pub(crate) shared: bool,
    /// The bus took it: no need to send it again.
    pub(crate) announced: bool,
    /// Is part of a write that may have happened.
    pub(crate) attempted: bool,
    /// Of another server, and the store was looked at for it.
    pub(crate) checked: bool,
    /// Of another server, and to be written by us.
    pub(crate) adopted: bool,
    pub(crate) since: Instant,
    /// A third of the delay at most, by chance.
    pub(crate) adoption_jitter: Duration,
    /// Bytes on the bus.
    pub(crate) size: usize,
    /// Bytes in memory.
    pub(crate) memory: usize,
}

impl Pending {
    pub(crate) fn new(op: Operation, own: bool, since: Instant) -> Self {
        let (size, memory) = (op.size(), op.memory());
        Self {
            op,
            own,
            sealed: !own,
            shared: !own,
            announced: !own,
            attempted: false,
            checked: false,
            adopted: false,
            since,
            adoption_jitter: Duration::ZERO,
            size,
            memory,
        }
    }

    /// Adds a change: to the last one of the same field where the two can be one, else behind all.
    pub(crate) fn add(&mut self, field: &str, name: impl FnOnce() -> Arc<str>, change: Change) {
        let last = self.op.changes.iter_mut().rev().find(|(name, _)| **name == *field);
        if let Some((_, last)) = last
            && let Some(merged) = last.then(&change)
        {
            self.size = self.size + merged.text_len() - last.text_len();
            self.memory = self.memory + value_memory(&merged) - value_memory(last);
            *last = merged;
            return;
        }
        self.size += change_size(field, &change);
        self.memory += change_memory(field, &change);
        self.op.changes.push((name(), change));
    }

    /// When this server has to do something about another's operation.
    pub(crate) fn next_look(&self, adopt_after: Duration, withdraw_after: Duration) -> Instant {
        if self.checked {
            self.since + withdraw_after
        } else {
            self.since + adopt_after + self.adoption_jitter
        }
    }
}
