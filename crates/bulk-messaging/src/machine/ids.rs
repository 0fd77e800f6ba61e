//! How publishes, confirmations and flushes are named.

/// Names a publish to whoever carries it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublishId {
    pub(super) lane: usize,
    /// From 1; of a head 0.
    pub(super) sequence: u64,
}

impl PublishId {
    pub(super) const fn head(lane: usize) -> Self {
        Self { lane, sequence: 0 }
    }

    pub(super) const fn frame(lane: usize, sequence: u64) -> Self {
        Self { lane, sequence }
    }

    pub(super) fn sequence(self) -> Option<u64> {
        (self.sequence > 0).then_some(self.sequence)
    }
}

/// Names somebody who waits for the outcome of a message. The caller chooses it.
pub type ConfirmId = u64;

/// Names a flush. The caller chooses it.
pub type FlushId = u64;
