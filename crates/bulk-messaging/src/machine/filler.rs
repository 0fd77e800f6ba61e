//! Which messages go into the next frame of a format whose frames show what a message costs only when it is added.
//!
//! Heads of the topics' queues are added in the packer's order: the most urgent class first, of every four frames one by
//! age alone. One that does not fit is passed over, with its topic, and so are at most [`MISFITS`] of them: first fit over
//! a bounded look-ahead (Johnson, *Near-optimal bin packing algorithms*, 1973).

use smallvec::SmallVec;

use super::packer::Blocked;
use super::picks::Picks;
use super::queue::Queue;
use super::window::Window;
use crate::wire::Draft;

/// A frame is full when so many messages did not fit.
const MISFITS: usize = 8;

/// Moves messages of a lane out of the queue into the draft. `number` counts the lane's frames, from 1. Says what the bodies
/// cost at most.
pub(super) fn fill(
    queue: &mut Queue,
    lane: usize,
    draft: &mut Draft,
    number: u64,
    blocked: &Blocked,
) -> (Picks, usize) {
    let (mut picks, mut cost) = (Picks::new(number), 0);
    let mut misfits = SmallVec::<[_; MISFITS]>::new();
    let mut window = Window::new(lane, number);
    window.gather(queue, &picks, blocked, &misfits);
    while misfits.len() < MISFITS
        && let Some(&candidate) = window.candidates().first()
    {
        let topic = &queue.topic(candidate.id).topic;
        let head = queue.head(candidate.id).expect("an indexed topic has messages");
        if !draft.add(picks.group(queue, candidate.id), topic, queue.body(head)) {
            misfits.push(candidate.id);
            window.skip(0);
            continue;
        }
        cost += head.cost;
        picks.take(queue, candidate.id);
        if window.taken(queue, &picks, 0) {
            queue.reindex_picked(&picks);
            window.gather(queue, &picks, blocked, &misfits);
        }
    }
    assert!(picks.len() > 0, "an accepted message fits into a frame of its own");
    (picks, cost)
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
