//! Flushes that wait for everything queued before them.

use std::collections::VecDeque;

#[cfg(test)]
mod tests;

#[derive(Debug, Default)]
pub(crate) struct Outstanding {
    /// Ids, and the order of the first message that the flush does not wait for. Orders never fall.
    flushes: VecDeque<(u64, u64)>,
}

impl Outstanding {
    pub(crate) fn flush(&mut self, id: u64, next_order: u64) {
        self.flushes.push_back((id, next_order));
    }

    /// Nobody waits for this one any more. The oldest are the first to be given up, where waiting has its time.
    pub(crate) fn withdraw(&mut self, id: u64) {
        if let Some(at) = self.flushes.iter().position(|&(waiting, _)| waiting == id) {
            self.flushes.remove(at);
        }
    }

    pub(crate) fn is_flushing(&self) -> bool {
        !self.flushes.is_empty()
    }

    /// Takes the flushes that are over out, given the oldest message not yet accepted by the bus.
    pub(crate) fn flushed(&mut self, oldest: Option<u64>) -> impl Iterator<Item = u64> {
        let over = self.flushes.partition_point(|&(_, until)| oldest.is_none_or(|oldest| until <= oldest));
        self.flushes.drain(..over).map(|(id, _)| id)
    }
}
