//! What is timed of a packer and of its frames.

use std::hint::black_box;

use bulk_messaging::wire::Frame;
use bytes::Bytes;
use transport_traits::limits::SizeLimit;

use crate::measure::{Subject, interleaved_on_this_thread};
use crate::models::{Bare, Copy, Original};
use crate::ours::Ours;
use crate::tally::pack;
use crate::workloads::{Message, Update};
use crate::{Figure, Packer, compare};

/// A packer that is timed while it packs all messages.
#[derive(Debug)]
pub struct Packing<'a, P, M = Message> {
    /// The packer, which goes on from round to round.
    pub packer: P,
    /// What it packs each round.
    pub messages: &'a [M],
}

impl<M, P: Packer<M>> Subject for Packing<'_, P, M> {
    fn run(&mut self) {
        let mut sealed = |frame: &[u8]| {
            black_box(frame);
        };
        pack(&mut self.packer, self.messages, &mut sealed);
    }
}

/// Finds all messages of frames of ours.
///
/// # Panics
/// If one cannot be read.
pub fn read_all(frames: &[Bytes]) {
    for frame in frames {
        let frame = Frame::decode(frame.clone()).expect("frames of ours can be read");
        frame.messages().for_each(|message| {
            black_box(message);
        });
    }
}

/// The texts as messages that go as they are: what is pushed as a text to JSON is pushed as bytes to the other formats.
#[must_use]
pub fn as_bytes(texts: &[Message]) -> Vec<Update> {
    let bytes = |text: &Message| Update { topic: text.topic.clone(), body: text.text.clone().into() };
    texts.iter().map(bytes).collect()
}

/// The time from a push to a sealed frame, in JSON: ours beside the original's model, a bare packer and a plain copy.
#[must_use]
pub fn pushes(rounds: usize, limit: SizeLimit, name: &str, messages: &[Message]) -> [Figure; 3] {
    let samples = interleaved_on_this_thread(
        rounds,
        &mut [
            &mut Packing { packer: Ours::new(limit, Ours::BACKLOG), messages },
            &mut Packing { packer: Original::new(Original::LIMIT), messages },
            &mut Packing { packer: Bare::new(limit.max), messages },
            &mut Packing { packer: Copy::new(limit.max), messages },
        ],
    );
    let beside = |peer: &str, other| {
        compare::times(format!("push, JSON, {name}, beside {peer}"), &samples, [0, other], messages.len())
    };
    [beside("the original's model", 1), beside("a bare packer", 2), beside("a plain copy", 3)]
}
