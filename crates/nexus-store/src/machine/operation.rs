//! Operations: changes accepted together, with the identity that makes them apply once.

use std::sync::Arc;
use std::time::Duration;

use transport_traits::Instant;

use super::table::Identity;
use crate::change::Change;

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

    /// Roughly the bytes it takes in memory, and a little more than on the bus.
    pub(crate) fn size(&self) -> usize {
        OVERHEAD + self.changes.iter().map(|(field, change)| change_size(field, change)).sum::<usize>()
    }
}

/// What an operation takes beside its changes: five numbers.
pub(crate) const OVERHEAD: usize = 64;

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
    pub(crate) size: usize,
}

impl Pending {
    pub(crate) fn new(op: Operation, own: bool, since: Instant) -> Self {
        let size = op.size();
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
        }
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
