//! Which messages go into the next frame of a format whose frames show what a message costs only when it is added.
//!
//! Heads of the topics' queues are added in the packer's order: the most urgent class first, of every four frames one by
//! age alone. One that does not fit is passed over, with its topic, and so are at most [`MISFITS`] of them: first fit over
//! a bounded look-ahead (Johnson, *Near-optimal bin packing algorithms*, 1973).

use super::packer::{Blocked, Load, is_by_age, open_heads};
use super::queue::{Queue, TopicId};
use crate::wire::Draft;

/// A frame is full when so many messages did not fit.
const MISFITS: usize = 8;

/// Moves messages of a lane out of the queue into the draft. `number` counts the lane's frames, from 1.
pub(super) fn fill(
    queue: &mut Queue,
    lane: usize,
    draft: &mut Draft,
    number: u64,
    blocked: &Blocked,
) -> Load {
    let mut load = Load::default();
    let mut misfits = Vec::new();
    while misfits.len() < MISFITS
        && let Some(id) = next(queue, lane, number, blocked, &misfits)
    {
        let topic = queue.topic(id);
        let known = (topic.group.0 == number).then_some(topic.group.1);
        let head = topic.head().expect("an indexed topic has messages");
        if draft.add(known, &topic.topic, &head.body) {
            load.take(queue, id, number);
        } else {
            misfits.push(id);
        }
    }
    assert!(load.len() > 0, "an accepted message fits into a frame of its own");
    load
}

/// The first head in order that was not passed over.
fn next(queue: &Queue, lane: usize, number: u64, blocked: &Blocked, misfits: &[TopicId]) -> Option<TopicId> {
    let first = |class| open_heads(queue, lane, blocked, class).find(|(_, id)| !misfits.contains(id));
    let mut firsts = (0..3).filter_map(first);
    let first = if is_by_age(number) { firsts.min() } else { firsts.next() };
    first.map(|(_, id)| id)
}

/// What messages cost in a frame, of what they may cost at most: an average over the last frames, for the guess whether
/// those that wait fill one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folding {
    /// In parts of [`WHOLE`](Self::WHOLE).
    part: usize,
}

impl Default for Folding {
    fn default() -> Self {
        Self { part: Self::WHOLE }
    }
}

impl Folding {
    const WHOLE: usize = 1 << 10;

    /// A frame cost so much, and its bodies may have cost so much.
    pub(super) fn learn(&mut self, frame: usize, bodies: usize) {
        let part = (frame * Self::WHOLE / bodies.max(1)).min(4 * Self::WHOLE);
        self.part = (3 * self.part + part) / 4;
    }

    /// What bodies will cost that may cost so much.
    pub(super) const fn cost(self, bodies: usize) -> usize {
        bodies * self.part / Self::WHOLE
    }
}
