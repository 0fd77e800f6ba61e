//! The bodies of unsent messages, one behind another in one buffer: a push allocates nothing and a frame copies once.

use crate::wire::{escape_into, escaped_at_most};

/// Where a body lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    start: usize,
    len: usize,
}

impl Place {
    pub(super) const EMPTY: Self = Self { start: 0, len: 0 };

    pub(super) const fn len(self) -> usize {
        self.len
    }
}

/// Holes that are smaller than this together are not worth closing.
const SLACK: usize = 64 << 10;

/// A buffer that is filled from the front. Bodies leave holes; [`compact`](Self::compact) closes them when there is more of
/// them than of bodies, so that each byte is moved once for each byte pushed, and memory is bounded by what is queued.
#[derive(Debug, Default)]
pub(super) struct Arena {
    /// Written up to `end`; whatever lies behind is rubbish, so that nothing is cleared before it is written.
    bytes: Vec<u8>,
    /// The buffer before the last compaction, for the next one: what is written over need not be cleared.
    spare: Vec<u8>,
    end: usize,
    live: usize,
}

impl Arena {
    /// The buffers, bytes.
    #[cfg(test)]
    pub(super) const fn memory(&self) -> usize {
        self.bytes.len() + self.spare.len()
    }

    /// The bodies, bytes.
    pub(super) const fn live(&self) -> usize {
        self.live
    }

    #[inline]
    pub(super) fn get(&self, place: Place) -> &[u8] {
        &self.bytes[place.start..place.start + place.len]
    }

    /// Writes a body behind all others. Unless it is [kept](Self::keep), the next one overwrites it.
    pub(super) fn stage(&mut self, body: &[u8]) -> Place {
        self.room(body.len())[..body.len()].copy_from_slice(body);
        Place { start: self.end, len: body.len() }
    }

    /// The same with the JSON string of a text.
    #[inline]
    pub(super) fn stage_text(&mut self, text: &str) -> Place {
        let len = escape_into(text, self.room(escaped_at_most(text)));
        Place { start: self.end, len }
    }

    /// Keeps what was staged last.
    #[inline]
    pub(super) fn keep(&mut self, place: Place) {
        debug_assert_eq!(place.start, self.end, "only what was staged last is kept");
        self.end += place.len;
        self.live += place.len;
    }

    /// A body is no longer needed.
    #[inline]
    pub(super) fn free(&mut self, place: Place) {
        self.live -= place.len;
        if self.live == 0 {
            self.end = 0;
        }
    }

    /// Whether [`compact`](Self::compact) is worth its time, which is that of the bodies and of `places` places.
    pub(super) const fn is_sparse(&self, places: usize) -> bool {
        self.end - self.live > SLACK + self.live + 16 * places
    }

    /// Moves all bodies together. These are their places.
    pub(super) fn compact<'a>(&mut self, places: impl Iterator<Item = &'a mut Place>) {
        let (mut bytes, mut end) = (self.spare(2 * (self.live + SLACK)), 0);
        for place in places {
            let body = self.get(*place);
            bytes[end..end + body.len()].copy_from_slice(body);
            place.start = end;
            end += place.len;
        }
        assert!(end == self.live, "every body has its place");
        self.spare = std::mem::replace(&mut self.bytes, bytes);
        self.end = end;
    }

    /// A buffer of about this length: the spare one, unless that is too small or a waste.
    fn spare(&mut self, len: usize) -> Vec<u8> {
        let spare = std::mem::take(&mut self.spare);
        if (len..=4 * len).contains(&spare.len()) { spare } else { vec![0; len] }
    }

    /// At least so many bytes behind the end.
    #[inline]
    fn room(&mut self, len: usize) -> &mut [u8] {
        let needed = self.end + len;
        if self.bytes.len() < needed {
            // Doubled, so that the whole is cleared once.
            self.bytes.resize(needed.max(2 * self.bytes.len()), 0);
        }
        &mut self.bytes[self.end..]
    }
}
