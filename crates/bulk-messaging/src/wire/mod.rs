//! Frames as bytes: the formats, what they cost, and what can be wrong with them.

mod cost;
mod header;
mod nexus;

pub(crate) use cost::Costs;
pub(crate) use header::{Header, MAX_INCARNATION, MAX_SEQUENCE, check_sender};
pub(crate) use nexus::{HEADER_TOPIC, encode, opening, value};

use bytes::Bytes;

/// Why a received frame was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// It is not a JSON object of arrays.
    #[error("not a frame")]
    NotAFrame,
    /// It has a header that breaks the rules of its version.
    #[error("malformed header")]
    Header,
    /// It has a header of a version that this release does not know.
    #[error("unknown version")]
    Version,
    /// It is larger than a frame can be (4 GiB).
    #[error("frame too large")]
    TooLarge,
}

/// A received frame: what its header says and where its messages are. Holds no copy of any message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// `None` for a frame of a server that knows nothing of ours.
    pub(crate) header: Option<Header>,
    pub(crate) entries: Vec<Entry>,
    bytes: Bytes,
}

/// One inner topic of a frame, and the places of its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) topic: String,
    pub(crate) messages: Vec<Span>,
}

/// Where in a frame a message lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

/// A message that is a smaller part of its frame than one in so many is copied out, so that whoever keeps
/// messages keeps at most so many times their size alive.
const COPY_BELOW: usize = 8;

impl Frame {
    /// Reads a frame of any known format.
    pub(crate) fn decode(bytes: Bytes) -> Result<Self, WireError> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(WireError::TooLarge);
        }
        let (header, entries) = nexus::decode(&bytes)?;
        Ok(Self { header, entries, bytes })
    }

    /// The bytes of one message.
    pub(crate) fn message(&self, span: Span) -> Bytes {
        let range = span.start as usize..span.end as usize;
        if range.len() * COPY_BELOW < self.bytes.len() {
            return Bytes::copy_from_slice(&self.bytes[range]);
        }
        self.bytes.slice(range)
    }

    /// The frame's size in memory, near enough for a bound.
    pub(crate) fn footprint(&self) -> usize {
        let spans: usize =
            self.entries.iter().map(|entry| entry.topic.len() + 8 * entry.messages.len()).sum();
        self.bytes.len() + size_of::<Entry>() * self.entries.len() + spans
    }
}
