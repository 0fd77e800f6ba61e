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
    entered: u64,
}

impl<T> Agenda<T> {
    pub(crate) fn new() -> Self {
        Self { heap: BinaryHeap::new(), things: Vec::new(), free: Vec::new(), entered: 0 }
    }

    pub(crate) fn enter(&mut self, at: Instant, thing: T) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.things.push(None);
            self.things.len() - 1
        });
        self.things[place] = Some(thing);
        self.entered += 1;
        self.heap.push(Reverse((at, self.entered, place)));
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
