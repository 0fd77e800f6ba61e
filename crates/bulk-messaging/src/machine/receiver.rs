//! The frames of all senders: each stream in its order, all of them within bounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use transport_traits::Instant;

use super::stream::{Arrival, Event, Patience, Stream};
use crate::wire::{Frame, Header};

/// A lane of one life of a sender.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamId {
    sender: Arc<str>,
    incarnation: u64,
    lane: u16,
}

/// How much a receiver keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) streams: usize,
    pub(crate) held_frames: usize,
    pub(crate) held_bytes: usize,
}

#[derive(Debug)]
pub(crate) struct Receiver {
    bounds: Bounds,
    patience: Patience,
    streams: BTreeMap<StreamId, Stream>,
    /// The streams with holes, and when the hole is given up.
    holes: BTreeMap<StreamId, Instant>,
    held_bytes: usize,
}

impl Receiver {
    pub(crate) fn new(bounds: Bounds, patience: Patience) -> Self {
        Self { bounds, patience, streams: BTreeMap::new(), holes: BTreeMap::new(), held_bytes: 0 }
    }

    pub(crate) fn streams(&self) -> usize {
        self.streams.len()
    }

    pub(crate) fn held_frames(&self) -> usize {
        self.holes.keys().map(|id| self.streams[id].held_frames()).sum()
    }

    /// A frame with our header arrived. What can be delivered now is appended to `events`, with its stream.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        header: &Header,
        frame: Frame,
        events: &mut Vec<(StreamId, Event)>,
    ) -> Arrival {
        let Header { incarnation, lane, sequence, head, .. } = *header;
        let id = StreamId { sender: header.sender.clone(), incarnation, lane };
        if !self.streams.contains_key(&id) {
            self.make_room(events);
            let after = sequence + u64::from(head);
            let mut first = Vec::new();
            self.streams.insert(id.clone(), Stream::first_heard(now, after, &mut first));
            events.extend(first.into_iter().map(|event| (id.clone(), event)));
        }
        let Bounds { held_frames, held_bytes, .. } = self.bounds;
        let others = self.held_bytes - self.streams[&id].held_bytes();
        self.change(&id, events, |stream, events| {
            let arrival = if head {
                stream.head(now, header);
                Arrival::Taken
            } else {
                stream.frame(now, header, frame, events)
            };
            stream.shrink(held_frames, held_bytes.saturating_sub(others), events);
            arrival
        })
    }

    /// When the next hole is given up.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.holes.values().min().copied()
    }

    /// Gives up the holes whose time is over.
    pub(crate) fn expire(&mut self, now: Instant, events: &mut Vec<(StreamId, Event)>) {
        let over = self.holes.iter().filter(|&(_, deadline)| *deadline <= now).map(|(id, _)| id.clone());
        for id in over.collect::<Vec<_>>() {
            let patience = self.patience;
            self.change(&id, events, |stream, events| stream.expire(now, patience, events));
        }
    }

    /// Changes a stream, and what is known of its holes.
    fn change<R>(
        &mut self,
        id: &StreamId,
        events: &mut Vec<(StreamId, Event)>,
        change: impl FnOnce(&mut Stream, &mut Vec<Event>) -> R,
    ) -> R {
        let stream = self.streams.get_mut(id).expect("only a stream that is followed is changed");
        self.held_bytes -= stream.held_bytes();
        let mut own = Vec::new();
        let result = change(stream, &mut own);
        events.extend(own.into_iter().map(|event| (id.clone(), event)));
        self.held_bytes += stream.held_bytes();
        match stream.deadline(self.patience) {
            Some(deadline) => {
                self.holes.insert(id.clone(), deadline);
            }
            None => {
                self.holes.remove(id);
            }
        }
        result
    }

    /// Forgets the stream that was not heard for longest, if there are as many as allowed. What it held is yielded,
    /// behind its gap.
    fn make_room(&mut self, events: &mut Vec<(StreamId, Event)>) {
        if self.streams.len() < self.bounds.streams {
            return;
        }
        let idlest = self.streams.iter().min_by_key(|(_, stream)| stream.heard).map(|(id, _)| id.clone());
        if let Some(id) = idlest {
            self.change(&id, events, |stream, events| stream.shrink(0, 0, events));
            self.streams.remove(&id);
        }
    }
}
