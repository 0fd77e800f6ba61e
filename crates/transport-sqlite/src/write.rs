//! A write on its way to the writer's thread, and what became of it.

use futures::channel::oneshot;
use transport_traits::{Error, Precondition, Record, RecordKey};

/// A change of one record, with its condition.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) key: RecordKey,
    pub(crate) change: Change,
    pub(crate) precondition: Precondition,
}

#[derive(Debug)]
pub(crate) enum Change {
    Put(Record),
    Delete,
}

impl Write {
    /// About the bytes that it adds to the file.
    pub(crate) fn size(&self) -> usize {
        match &self.change {
            Change::Put(record) => record.value.len() + record.metadata.len(),
            Change::Delete => 0,
        }
    }
}

/// What a write came to, once its transaction is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The record is in this new state.
    Changed(i64),
    /// A deletion of what was not there.
    Unchanged,
    /// The precondition did not hold.
    Conflict,
}

/// A write and whom to answer. Who asked may be gone by then.
pub(crate) struct Job {
    pub(crate) write: Write,
    pub(crate) reply: oneshot::Sender<Result<Outcome, Error>>,
}

impl Job {
    pub(crate) fn answer(self, outcome: Result<Outcome, Error>) {
        let _nobody_waits = self.reply.send(outcome);
    }
}
