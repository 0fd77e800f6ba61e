//! What a `Compact` frame unfolds to, within bounds.

use bytes::Bytes;
use smallvec::SmallVec;

use super::super::frame::{Entry, Frame, Span};
use super::super::{Header, WireError};

/// A frame unfolds to at most so many times its own size. Senders keep to it, so whoever exceeds it is up to no good.
pub(super) const MAX_RATIO: usize = 16;

/// What a message weighs beside its bytes.
pub(super) const MESSAGE: usize = 16;

/// What so many bytes of a frame may unfold to.
pub(super) const fn bound(frame: usize) -> usize {
    MAX_RATIO.saturating_mul(frame)
}

/// Topics and messages, as they are read one after another.
pub(super) struct Unfolded {
    /// The messages.
    pub(super) text: Vec<u8>,
    /// The topics.
    names: Vec<u8>,
    topics: SmallVec<[Span; 32]>,
    entries: Vec<Entry>,
    spans: Vec<Span>,
    /// What may still be added.
    left: usize,
}

impl Unfolded {
    /// Nothing yet, from a frame of so many bytes.
    pub(super) fn new(frame: usize) -> Self {
        // A message takes some 32 bytes of a frame at the least where it says anything new.
        let messages = frame / 32;
        Self {
            text: Vec::with_capacity(2 * frame),
            names: Vec::with_capacity(frame / 2),
            topics: SmallVec::new(),
            entries: Vec::with_capacity(messages),
            spans: Vec::with_capacity(messages),
            left: bound(frame),
        }
    }

    /// Makes sure that so many bytes more are within the bound.
    pub(super) fn reserve(&mut self, bytes: usize) -> Result<(), WireError> {
        self.left = self.left.checked_sub(bytes).ok_or(WireError::Inflated)?;
        Ok(())
    }

    /// How many topics were named.
    pub(super) fn topics(&self) -> usize {
        self.topics.len()
    }

    /// Names a topic: a beginning of the one named last and what follows that. Messages that follow belong to it.
    pub(super) fn new_topic(&mut self, shared: usize, rest: &[u8]) -> Result<(), WireError> {
        self.reserve((2 * MESSAGE).saturating_add(shared).saturating_add(rest.len()))?;
        let start = self.names.len();
        repeat(&mut self.names, self.topics.last(), shared)?;
        self.names.extend_from_slice(rest);
        let topic = Span::new(start, self.names.len());
        self.topics.push(topic);
        self.open(topic);
        Ok(())
    }

    /// The same where the topic was written behind `start` of the text, and its bytes reserved.
    pub(super) fn topic_behind(&mut self, start: usize) -> Result<(), WireError> {
        let name = self.text.split_off(start);
        self.left += name.len();
        self.new_topic(0, &name)
    }

    /// Messages that follow belong to this topic.
    pub(super) fn known_topic(&mut self, topic: usize) -> Result<(), WireError> {
        let &topic = self.topics.get(topic).ok_or(WireError::NotAFrame)?;
        self.reserve(MESSAGE)?;
        self.open(topic);
        Ok(())
    }

    fn open(&mut self, topic: Span) {
        let at = self.spans.len() as u32;
        self.entries.push(Entry { topic, spans: at..at });
    }

    /// Adds a message: a beginning of the one before and what follows that.
    pub(super) fn message(&mut self, shared: usize, rest: &[u8]) -> Result<(), WireError> {
        self.reserve(MESSAGE.saturating_add(shared).saturating_add(rest.len()))?;
        let start = self.text.len();
        repeat(&mut self.text, self.spans.last(), shared)?;
        self.text.extend_from_slice(rest);
        self.close(start)
    }

    /// The same where the message was written behind `start` of the text, and its bytes reserved.
    pub(super) fn message_behind(&mut self, start: usize) -> Result<(), WireError> {
        self.reserve(MESSAGE)?;
        self.close(start)
    }

    fn close(&mut self, start: usize) -> Result<(), WireError> {
        let entry = self.entries.last_mut().ok_or(WireError::NotAFrame)?;
        self.spans.push(Span::new(start, self.text.len()));
        entry.spans.end = self.spans.len() as u32;
        Ok(())
    }

    pub(super) fn into_frame(self, header: Header) -> Result<Frame, WireError> {
        let names = String::from_utf8(self.names).map_err(|_| WireError::NotAFrame)?;
        if !self.topics.iter().all(|topic| names.is_char_boundary(topic.range().start)) {
            return Err(WireError::NotAFrame);
        }
        let (entries, spans) = (self.entries, self.spans);
        Ok(Frame { header: Some(header), names, entries, spans, text: Bytes::from(self.text) })
    }
}

/// Appends the beginning of what lies there already.
fn repeat(buffer: &mut Vec<u8>, from: Option<&Span>, len: usize) -> Result<(), WireError> {
    if len == 0 {
        return Ok(());
    }
    let from = from.map(|from| from.range()).filter(|from| from.len() >= len).ok_or(WireError::NotAFrame)?;
    buffer.extend_from_within(from.start..from.start + len);
    Ok(())
}
