//! How often something went wrong, and when to say so in the log.

/// Counts what may go wrong again and again: a flood of it must not flood the log.
#[derive(Debug, Default)]
pub(crate) struct Tally(u64);

impl Tally {
    /// Counts once more. Says how often by now if that belongs in the log: the 1st, 2nd, 4th, 8th … time.
    pub(crate) fn count(&mut self) -> Option<u64> {
        self.0 += 1;
        self.0.is_power_of_two().then_some(self.0)
    }
}
