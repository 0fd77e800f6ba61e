//! What is to happen when: by time, and at equal times in the order in which it was entered.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use transport_traits::Instant;

/// The heap holds places and not things, since it moves what it holds about.
#[derive(Debug)]
pub(crate) struct Agenda<T> {
    heap: BinaryHeap<Reverse<(Instant, u64, usize)>>,
    things: Vec<Option<T>>,
    free: Vec<usize>,
    /// Turns taken: what is entered at equal times has the order of its turns.
    entered: u64,
}

impl<T> Agenda<T> {
    pub(crate) fn new() -> Self {
        Self { heap: BinaryHeap::new(), things: Vec::new(), free: Vec::new(), entered: 0 }
    }

    pub(crate) fn enter(&mut self, at: Instant, thing: T) {
        let turn = self.take_turns(1);
        self.enter_for(at, turn, thing);
    }

    /// Takes so many turns in a row, for things to be entered later as if they were now, and says the first.
    pub(crate) const fn take_turns(&mut self, count: usize) -> u64 {
        let first = self.entered;
        self.entered += count as u64;
        first
    }

    /// Enters a thing for a turn that was taken.
    pub(crate) fn enter_for(&mut self, at: Instant, turn: u64, thing: T) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.things.push(None);
            self.things.len() - 1
        });
        self.things[place] = Some(thing);
        self.heap.push(Reverse((at, turn, place)));
    }

    /// When the first thing is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// The first thing, if it is due by then.
    pub(crate) fn take_due(&mut self, by: Instant) -> Option<(Instant, T)> {
        self.next().filter(|at| *at <= by)?;
        let Reverse((at, _, place)) = self.heap.pop()?;
        self.free.push(place);
        let thing = self.things[place].take().expect("a place in the heap holds a thing until it is taken");
        Some((at, thing))
    }
}
