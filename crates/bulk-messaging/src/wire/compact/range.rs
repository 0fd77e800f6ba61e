//! A range coder: bits in as much space as their probability leaves them.
//!
//! The arithmetic is that of Martin, *Range encoding*, 1979, with carries resolved in what is written already. Coding and
//! decoding are one trait, so that a model is written once: a coder is handed the value that it shall code and returns
//! it; a decoder ignores what it is handed and returns what was coded.

/// Below this a range is widened by a byte.
const NARROW: u32 = 1 << 24;

/// Probabilities have so many bits.
pub(super) const PROBABILITY_BITS: u32 = 12;

pub(super) trait Coder {
    /// One bit, which is 1 with this probability: above 0 and below 2¹².
    fn bit(&mut self, one: u32, bit: bool) -> bool;

    /// The lowest `count` bits of a number, at most 16, each as probable as not.
    fn few(&mut self, count: u32, value: u32) -> u32;

    /// The same of up to 64 bits, the highest ones first.
    fn raw(&mut self, count: u32, value: u64) -> u64 {
        let mut left = count;
        let mut coded = 0;
        while left > 0 {
            let now = left.min(16);
            left -= now;
            coded = coded << now | u64::from(self.few(now, (value >> left) as u32 & ((1 << now) - 1)));
        }
        coded
    }
}

/// Writes behind what is there already.
#[derive(Clone, Debug)]
pub(super) struct Encoder {
    pub(super) out: Vec<u8>,
    low: u32,
    range: u32,
    /// Bytes that a carry has changed, for [`rewind`](Self::rewind): where and what they were.
    carried: Vec<(usize, u8)>,
}

/// A state of an encoder.
pub(super) struct Mark {
    len: usize,
    low: u32,
    range: u32,
}

impl Encoder {
    pub(super) const fn new(out: Vec<u8>) -> Self {
        Self { out, low: 0, range: u32::MAX, carried: Vec::new() }
    }

    /// Remembers the state. There is one mark at a time.
    pub(super) fn mark(&mut self) -> Mark {
        self.carried.clear();
        Mark { len: self.out.len(), low: self.low, range: self.range }
    }

    /// Goes back to the state of a mark.
    pub(super) fn rewind(&mut self, mark: &Mark) {
        for (at, byte) in self.carried.drain(..).rev() {
            if at < mark.len {
                self.out[at] = byte;
            }
        }
        self.out.truncate(mark.len);
        (self.low, self.range) = (mark.low, mark.range);
    }

    /// The length of the whole once it is finished.
    pub(super) fn finished_len(&self) -> usize {
        self.out.len() + 1
    }

    /// Writes the last byte: readers take zeros for what comes behind it.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.add(NARROW - 1);
        self.out.push((self.low >> 24) as u8);
        self.out
    }

    fn add(&mut self, amount: u32) {
        let (low, carry) = self.low.overflowing_add(amount);
        self.low = low;
        let mut at = self.out.len();
        let mut carry = carry;
        while carry {
            at -= 1;
            self.carried.push((at, self.out[at]));
            self.out[at] = self.out[at].wrapping_add(1);
            carry = self.out[at] == 0;
        }
    }

    fn widen(&mut self) {
        while self.range < NARROW {
            self.out.push((self.low >> 24) as u8);
            self.low <<= 8;
            self.range <<= 8;
        }
    }
}

impl Coder for Encoder {
    fn bit(&mut self, one: u32, bit: bool) -> bool {
        let bound = (self.range >> PROBABILITY_BITS) * one;
        if bit {
            self.range = bound;
        } else {
            self.add(bound);
            self.range -= bound;
        }
        self.widen();
        bit
    }

    fn few(&mut self, count: u32, value: u32) -> u32 {
        self.range >>= count;
        self.add(self.range * value);
        self.widen();
        value
    }
}

/// Reads what an encoder wrote.
pub(super) struct Decoder<'a> {
    bytes: &'a [u8],
    /// How many bytes were taken, zeros behind the end included.
    taken: usize,
    code: u32,
    range: u32,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Self { bytes, taken: 0, code: 0, range: u32::MAX };
        (0..4).for_each(|_| decoder.take());
        decoder
    }

    /// Whether exactly these bytes were needed for what was read.
    pub(super) fn is_at_end(&self) -> bool {
        self.taken == self.bytes.len() + 3
    }

    /// Whether more was read than can be there.
    pub(super) fn is_beyond_end(&self) -> bool {
        self.taken > self.bytes.len() + 3
    }

    fn take(&mut self) {
        let byte = self.bytes.get(self.taken).copied().unwrap_or(0);
        self.taken += 1;
        self.code = self.code << 8 | u32::from(byte);
    }

    fn widen(&mut self) {
        while self.range < NARROW {
            self.take();
            self.range <<= 8;
        }
    }
}

impl Coder for Decoder<'_> {
    fn bit(&mut self, one: u32, _: bool) -> bool {
        let bound = (self.range >> PROBABILITY_BITS) * one;
        let bit = self.code < bound;
        if bit {
            self.range = bound;
        } else {
            self.code -= bound;
            self.range -= bound;
        }
        self.widen();
        bit
    }

    fn few(&mut self, count: u32, _: u32) -> u32 {
        self.range >>= count;
        let value = (self.code / self.range).min((1 << count) - 1);
        self.code -= value * self.range;
        self.widen();
        value
    }
}
