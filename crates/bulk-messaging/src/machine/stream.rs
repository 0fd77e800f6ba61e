//! The frames of one sender's lane, put in their order.

use std::collections::BTreeMap;
use std::time::Duration;

use transport_traits::Instant;

use crate::wire::{Frame, Header};

/// A stream whose first frame heard has at most this number may only have been reordered: it begins with a hole
/// that may still fill. The greatest `max_in_flight` there is. Beyond, the beginning is reported as a gap at once.
const NEAR_START: u64 = 64;

/// What a stream yields.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Frame(Frame),
    /// Frames are missing here.
    Gap,
}

/// How long holes are left to fill.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// What was settled at the sender and has not arrived is probably lost.
    pub(crate) settled: Duration,
    /// What was not may still be repeated.
    pub(crate) pending: Duration,
}

/// Something heard from beyond a hole.
#[derive(Debug)]
struct Held {
    since: Instant,
    /// It says that all below this sequence is settled.
    settled: u64,
    /// `None` for a head.
    frame: Option<Frame>,
}

#[derive(Debug)]
pub(crate) struct Stream {
    /// The sequence that comes next; everything below is over.
    next: u64,
    /// By sequence, all above `next`. A head stands before the frame that will follow it: `(sequence + 1, false)`.
    held: BTreeMap<(u64, bool), Held>,
    /// The sizes of held frames together.
    held_bytes: usize,
    pub(super) heard: Instant,
}

/// What became of a frame that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    Taken,
    Duplicate,
}

impl Stream {
    /// A stream first heard of by a frame with this number, or by a head just below it.
    pub(crate) fn first_heard(now: Instant, sequence: u64, events: &mut Vec<Event>) -> Self {
        let near = sequence <= NEAR_START;
        if !near {
            events.push(Event::Gap);
        }
        let next = if near { 1 } else { sequence };
        Self { next, held: BTreeMap::new(), held_bytes: 0, heard: now }
    }

    /// A frame arrived.
    pub(crate) fn frame(
        &mut self,
        now: Instant,
        header: &Header,
        frame: Frame,
        events: &mut Vec<Event>,
    ) -> Arrival {
        self.heard = now;
        let place = (header.sequence, true);
        if header.sequence < self.next || self.held.contains_key(&place) {
            return Arrival::Duplicate;
        }
        self.held_bytes += frame.footprint();
        self.held.insert(place, Held { since: now, settled: header.settled(), frame: Some(frame) });
        self.release(events);
        Arrival::Taken
    }

    /// A head arrived.
    pub(crate) fn head(&mut self, now: Instant, header: &Header) {
        self.heard = now;
        let settled = header.settled();
        if settled > self.next {
            self.held.entry((settled, false)).or_insert(Held { since: now, settled, frame: None });
        }
    }

    /// When the hole that is there now, or a part of it, is given up.
    pub(crate) fn deadline(&self, patience: Patience) -> Option<Instant> {
        self.held.values().map(|held| self.patience_ends(held, patience)).min()
    }

    /// Gives up what is missing for too long.
    pub(crate) fn expire(&mut self, now: Instant, patience: Patience, events: &mut Vec<Event>) {
        while self.deadline(patience).is_some_and(|deadline| deadline <= now) {
            let lost = self.held.iter().filter_map(|(&(sequence, _), held)| {
                let settled = held.since + patience.settled <= now;
                let pending = held.since + patience.pending <= now;
                if pending { Some(sequence) } else { settled.then_some(held.settled) }
            });
            let lost_below = lost.max().unwrap_or(self.next);
            self.skip_to(lost_below, events);
        }
    }

    /// Gives up holes until at most so much is held.
    pub(crate) fn shrink(&mut self, max_frames: usize, max_bytes: usize, events: &mut Vec<Event>) {
        while self.held.len() > max_frames || self.held_bytes > max_bytes {
            self.skip_to(u64::MAX, events);
        }
    }

    pub(crate) fn held_frames(&self) -> usize {
        self.held.values().filter(|held| held.frame.is_some()).count()
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    fn patience_ends(&self, held: &Held, patience: Patience) -> Instant {
        let settled = held.settled > self.next;
        held.since + if settled { patience.settled.min(patience.pending) } else { patience.pending }
    }

    /// Gives up what is missing below `sequence`, as far as the hole that is first goes.
    fn skip_to(&mut self, sequence: u64, events: &mut Vec<Event>) {
        let Some((&(first, _), _)) = self.held.first_key_value() else { return };
        let next = first.min(sequence);
        assert!(next > self.next, "what is held is behind a hole");
        events.push(Event::Gap);
        self.next = next;
        self.release(events);
    }

    /// Yields what is no longer behind a hole.
    fn release(&mut self, events: &mut Vec<Event>) {
        while let Some(entry) = self.held.first_entry().filter(|entry| entry.key().0 <= self.next) {
            if let Some(frame) = entry.remove().frame {
                self.held_bytes -= frame.footprint();
                self.next += 1;
                events.push(Event::Frame(frame));
            }
        }
    }
}
