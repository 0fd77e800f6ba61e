//! What text costs in a frame, as the bus counts.

use transport_traits::limits::Counting;

/// The price list of one way of counting. Costs of pieces of text add up to the cost of the whole.
///
/// That holds for every [`Counting`]: bytes and characters add up, and JSON escapes depend on one character
/// each. The quotation marks of [`Counting::JsonEncoded`] are around the frame and not around each piece, so
/// they are in [`frame`](Self::frame) and not in [`text`](Self::text).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Costs(Counting);

impl Costs {
    pub(crate) const fn new(counting: Counting) -> Self {
        Self(counting)
    }

    pub(crate) const fn counting(self) -> Counting {
        self.0
    }

    /// What a piece of text adds to the size of a frame.
    pub(crate) fn text(self, text: &[u8]) -> usize {
        self.0.measure(text) - self.0.measure(b"")
    }

    /// What an empty body costs.
    pub(crate) fn frame(self) -> usize {
        self.0.measure(b"")
    }

    /// What so many bytes of any kind cost at most.
    pub(crate) fn bytes_at_most(self, len: usize) -> usize {
        if self.0 == Counting::JsonEncoded { 6 * len } else { len }
    }

    /// What the JSON form of a topic costs at most if that form is `len` bytes long: in text that is JSON
    /// already only quotation marks and backslashes need another escape, and each becomes two bytes.
    pub(crate) fn topic_at_most(self, len: usize) -> usize {
        if self.0 == Counting::JsonEncoded { 2 * len } else { len }
    }
}
