//! A received frame of any format: who sent it, and where its messages are.

use std::ops::Range;

use bytes::Bytes;

use super::{Header, WireError, compact, nexus};

/// A received frame: what its header says and where its messages are. One buffer holds all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub(crate) header: Option<Header>,
    /// The inner topics one after another.
    pub(super) names: String,
    pub(super) entries: Vec<Entry>,
    pub(super) spans: Vec<Span>,
    /// What spans of messages point into: the frame itself, or what it unfolds to.
    pub(super) text: Bytes,
}

/// Messages in a row of one inner topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where its name is among the frame's names.
    pub(super) topic: Span,
    /// Which of the frame's spans.
    pub(super) spans: Range<u32>,
}

/// Where in a buffer something lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Buffers are shorter than 4 GiB: frames are checked for it, and what they unfold to is bounded.
    pub(super) fn new(start: usize, end: usize) -> Self {
        debug_assert!(u32::try_from(end).is_ok(), "a buffer is shorter than 4 GiB");
        Self { start: start as u32, end: end as u32 }
    }

    pub(super) const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A message that is a smaller part of a large buffer than one in so many is copied out, so that whoever keeps
/// messages keeps at most so many times their size alive.
const COPY_BELOW: usize = 8;

/// A buffer up to this size is shared as it is: one message kept keeps no more than this alive.
const SMALL: usize = 2_048;

impl Frame {
    /// Reads a frame of any known format.
    ///
    /// Allocates at most some 30 times the frame's size and 70 KiB, however it was made.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode(bytes: Bytes) -> Result<Self, WireError> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(WireError::TooLarge);
        }
        match bytes.first() {
            Some(&compact::TEXT_MARK) => compact::decode_text(&bytes),
            Some(0x80..) => compact::decode_binary(&bytes),
            _ => nexus::decode(bytes),
        }
    }

    /// The sender, incarnation, lane and sequence in the header; `None` for a frame of a server that knows nothing of
    /// ours.
    #[must_use]
    pub fn origin(&self) -> Option<(&str, u64, u16, u64)> {
        self.header.as_ref().map(|header| (&*header.sender, header.incarnation, header.lane, header.sequence))
    }

    /// The messages with their inner topics, in their order.
    pub fn messages(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.entries.iter().flat_map(move |entry| {
            let topic = self.topic(entry);
            self.spans(entry).iter().map(move |span| (topic, &self.text[span.range()]))
        })
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The inner topic of an entry.
    pub(crate) fn topic(&self, entry: &Entry) -> &str {
        &self.names[entry.topic.range()]
    }

    /// Where the messages of an entry are.
    pub(crate) fn spans(&self, entry: &Entry) -> &[Span] {
        &self.spans[entry.spans.start as usize..entry.spans.end as usize]
    }

    /// The bytes of one message.
    pub(crate) fn message(&self, span: Span) -> Bytes {
        let range = span.range();
        if self.text.len() > SMALL && range.len() * COPY_BELOW < self.text.len() {
            return Bytes::copy_from_slice(&self.text[range]);
        }
        self.text.slice(range)
    }

    /// The frame's size in memory, near enough for a bound.
    pub(crate) fn footprint(&self) -> usize {
        let entries = size_of::<Entry>() * self.entries.capacity();
        self.text.len() + self.names.capacity() + entries + size_of::<Span>() * self.spans.capacity()
    }
}
