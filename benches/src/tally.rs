//! How many messages went into how many frames, and how full those were.

use bulk_messaging::wire::Frame;
use bytes::Bytes;
use transport_traits::limits::SizeLimit;

use crate::Packer;

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
    pub fn of<M>(packer: &mut impl Packer<M>, messages: &[M], limit: SizeLimit) -> Self {
        let mut tally = Self { messages: messages.len(), ..Self::default() };
        pack(packer, messages, &mut |frame| tally.add(limit.counting.measure(frame)));
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

/// Packs all messages, and shows every frame.
pub fn pack<M>(packer: &mut impl Packer<M>, messages: &[M], sealed: &mut dyn FnMut(&[u8])) {
    messages.iter().for_each(|message| packer.push(message, sealed));
    packer.finish(sealed);
}

/// The frames of all messages.
pub fn frames<M>(packer: &mut impl Packer<M>, messages: &[M]) -> Vec<Bytes> {
    let mut frames = Vec::new();
    pack(packer, messages, &mut |frame| frames.push(Bytes::copy_from_slice(frame)));
    frames
}

/// Messages in a full frame on average. Full are those that left because of a push. Those at the end, which have to take what
/// is left, are not counted.
///
/// # Panics
/// If a frame cannot be read.
pub fn per_full_frame<M>(packer: &mut impl Packer<M>, messages: &[M]) -> f64 {
    let (mut full, mut inside) = (0, 0);
    let mut sealed = |frame: &[u8]| {
        let frame = Frame::decode(Bytes::copy_from_slice(frame)).expect("frames of JSON or ours can be read");
        full += 1;
        inside += frame.messages().count();
    };
    messages.iter().for_each(|message| packer.push(message, &mut sealed));
    packer.finish(&mut |_| ());
    inside as f64 / f64::from(full)
}
