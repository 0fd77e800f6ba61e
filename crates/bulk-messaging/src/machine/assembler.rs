//! Puts fragments together again, within bounds: a message comes whole or not at all.

use std::collections::BTreeMap;

use bytes::Bytes;
use transport_traits::{Instant, Topic};

use super::fragment::Fragment;
use super::receiver::StreamId;
use crate::Fragmentation;

/// What a message that is not complete costs beside its bytes, near enough for a bound.
const OVERHEAD: usize = 256;

/// The beginnings of messages. Fragments come in the order of their stream, so each inner topic of a stream has one at
/// most.
#[derive(Debug)]
pub(crate) struct Assembler {
    /// `None` where fragmentation is off.
    bounds: Option<Fragmentation>,
    partial: BTreeMap<(StreamId, Topic), Partial>,
    bytes: usize,
}

#[derive(Debug)]
struct Partial {
    next: u32,
    count: u32,
    body: Vec<u8>,
    heard: Instant,
}

/// What a fragment leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It was the last one: here is the message.
    Whole(Bytes),
    /// More are to come.
    Begun,
    /// The message cannot be had.
    Lost,
    /// It belongs to a message of whose loss subscribers know.
    Orphan,
}

impl Assembler {
    pub(crate) fn new(bounds: Option<Fragmentation>) -> Self {
        Self { bounds, partial: BTreeMap::new(), bytes: 0 }
    }

    /// A fragment arrived.
    pub(crate) fn take(
        &mut self,
        now: Instant,
        stream: &StreamId,
        topic: &Topic,
        fragment: Fragment,
    ) -> Taken {
        let key = (stream.clone(), topic.clone());
        let former = self.remove(&key);
        let Fragment { index, count, part } = fragment;
        let partial = match former {
            // A first fragment begins anew, whatever was there.
            _ if index == 1 && count == 1 => return Taken::Whole(part),
            _ if index == 1 => Partial { next: 1, count, body: Vec::new(), heard: now },
            Some(partial) if (partial.next, partial.count) == (index, count) => partial,
            Some(_) => return Taken::Lost,
            None => return Taken::Orphan,
        };
        if !self.has_room(stream, &partial, part.len()) {
            return Taken::Lost;
        }
        let mut partial = Partial { next: index.saturating_add(1), heard: now, ..partial };
        partial.body.extend_from_slice(&part);
        if index == count {
            return Taken::Whole(partial.body.into());
        }
        self.bytes += partial.body.len() + OVERHEAD;
        self.partial.insert(key, partial);
        Taken::Begun
    }

    /// Whether `more` bytes may be added to this message.
    fn has_room(&self, stream: &StreamId, partial: &Partial, more: usize) -> bool {
        let Some(bounds) = self.bounds else { return false };
        let len = partial.body.len() + more;
        let of_stream = (stream.clone(), Topic::from(""))..;
        let others = self.partial.range(of_stream).take_while(|((other, _), _)| other == stream).count();
        len <= bounds.max_message_bytes
            && others < bounds.max_partial_messages
            && self.bytes + len + OVERHEAD <= bounds.max_partial_bytes
    }

    /// Frames of this stream are missing: nothing that it began will be complete. Says how many messages that were.
    pub(crate) fn broken(&mut self, stream: &StreamId) -> u64 {
        self.drop_all(|(other, _), _| other == stream)
    }

    /// Nobody subscribes to this inner topic any more.
    pub(crate) fn forget(&mut self, topic: &Topic) {
        self.drop_all(|(_, other), _| other == topic);
    }

    /// Drops what was not continued for too long. Says how many messages that were.
    pub(crate) fn expire(&mut self, now: Instant) -> u64 {
        let Some(bounds) = self.bounds else { return 0 };
        self.drop_all(|_, partial| partial.heard + bounds.timeout <= now)
    }

    /// When something is dropped next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let timeout = self.bounds?.timeout;
        self.partial.values().map(|partial| partial.heard + timeout).min()
    }

    fn remove(&mut self, key: &(StreamId, Topic)) -> Option<Partial> {
        let partial = self.partial.remove(key)?;
        self.bytes -= partial.body.len() + OVERHEAD;
        Some(partial)
    }

    fn drop_all(&mut self, which: impl Fn(&(StreamId, Topic), &Partial) -> bool) -> u64 {
        let dropped = self.partial.iter().filter(|(key, partial)| which(key, partial));
        let dropped: Vec<_> = dropped.map(|(key, _)| key.clone()).collect();
        dropped.iter().for_each(|key| drop(self.remove(key)));
        dropped.len() as u64
    }
}
