//! How many messages went into how many frames, and how full those were.

use transport_traits::limits::SizeLimit;

use crate::Packer;
use crate::workloads::Message;

/// The count of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages pushed.
    pub messages: usize,
    /// Frames sealed.
    pub frames: usize,
    /// The size of all frames together, as counted.
    pub size: usize,
    /// The size of the largest frame.
    pub largest: usize,
}

impl Tally {
    /// Packs all messages; frames are counted as `limit` counts.
    pub fn of(packer: &mut impl Packer, messages: &[Message], limit: SizeLimit) -> Self {
        let mut tally = Self { messages: messages.len(), ..Self::default() };
        let mut sealed = |frame: &[u8]| tally.add(limit.counting.measure(frame));
        messages.iter().for_each(|message| packer.push(message, &mut sealed));
        packer.finish(&mut sealed);
        tally
    }

    fn add(&mut self, size: usize) {
        self.frames += 1;
        self.size += size;
        self.largest = self.largest.max(size);
    }

    /// The part of `max` that a frame fills on average.
    #[must_use]
    pub fn fill(&self, max: usize) -> f64 {
        self.size as f64 / (self.frames * max) as f64
    }

    /// Messages in a frame on average.
    #[must_use]
    pub fn per_frame(&self) -> f64 {
        self.messages as f64 / self.frames as f64
    }
}
