//! What a dense frame has taught so far: how probable bits are, which token follows which, what numbers to expect.

use super::range::{Coder, PROBABILITY_BITS};

/// Inner topics and bodies are learned apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Topic,
    Body,
}

/// Numbers of one text that are learned apart: the sixteenth and all behind it are one.
const COLUMNS: usize = 16;

/// Bits that say how long a number is; numbers have at most 63.
const LENGTH_BITS: u32 = 6;

/// Cells of one column: expected, absolute, negative, then a tree of lengths for each of absolute and difference.
const COLUMN_CELLS: usize = 4 + 2 * (1 << LENGTH_BITS);

/// Where the parts begin in the cells.
pub(super) mod part {
    use super::{COLUMN_CELLS, COLUMNS};

    /// Whether the first and the second guess are right: eight each, by confidence.
    pub(in super::super) const GUESS: usize = 0;
    /// What a token is that was not guessed: eight of a topic, eight of a body.
    pub(in super::super) const TOKEN: usize = GUESS + 16;
    /// Whether the topic is another one, a new one, and whether a body is raw.
    pub(in super::super) const MESSAGE: usize = TOKEN + 16;
    /// The length of a new token.
    pub(in super::super) const LENGTH: usize = MESSAGE + 8;
    /// The bytes of new tokens.
    pub(in super::super) const BYTE: usize = LENGTH + 64;
    /// Lengths of raw bodies.
    pub(in super::super) const RAW: usize = BYTE + 256;
    /// The columns of topics, then those of bodies.
    pub(in super::super) const COLUMN: usize = RAW + 64;
    /// What followed which two tokens, then which one.
    pub(in super::super) const FOLLOWER: usize = COLUMN + 2 * COLUMNS * COLUMN_CELLS;
    pub(super) const END: usize = FOLLOWER + 2 * (1 << super::FOLLOWER_BITS);
}

/// Each table of followers has 2 to this many places.
pub(super) const FOLLOWER_BITS: u32 = 10;

/// A probability of a half of which nothing was seen: twelve bits of probability, four of how much was seen.
const UNKNOWN: u16 = 1 << 15;

/// A bit moves its probability by one part in 2 to this many, once this many were seen.
const SLOWEST: u16 = 4;

/// The last number of a column and how far it was from the one before.
#[derive(Clone, Copy, Debug, Default)]
struct Column {
    last: u64,
    step: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Model {
    cells: Vec<u16>,
    columns: [[Column; COLUMNS]; 2],
    /// What cells were before they changed, since the last mark.
    undo: Vec<(u16, u16)>,
    marked: Option<[[Column; COLUMNS]; 2]>,
}

impl Model {
    pub(super) fn new() -> Self {
        let mut cells = vec![UNKNOWN; part::END];
        cells[part::FOLLOWER..].fill(0);
        Self { cells, columns: Default::default(), undo: Vec::new(), marked: None }
    }

    /// Remembers the state. There is one mark at a time.
    pub(super) fn mark(&mut self) {
        self.undo.clear();
        self.marked = Some(self.columns);
    }

    /// Goes back to the state of the last mark.
    pub(super) fn rewind(&mut self) {
        for (at, cell) in self.undo.drain(..).rev() {
            self.cells[usize::from(at)] = cell;
        }
        self.columns = self.marked.take().unwrap_or(self.columns);
    }

    pub(super) fn cell(&self, at: usize) -> u16 {
        self.cells[at]
    }

    pub(super) fn set(&mut self, at: usize, cell: u16) {
        if self.marked.is_some() {
            self.undo.push((at as u16, self.cells[at]));
        }
        self.cells[at] = cell;
    }

    /// Codes a bit with the probability in a cell, and learns from it.
    pub(super) fn bit(&mut self, coder: &mut impl Coder, at: usize, bit: bool) -> bool {
        let cell = self.cells[at];
        let (one, seen) = (cell >> 4, cell & 15);
        let bit = coder.bit(one.into(), bit);
        let rate = seen + 1;
        let one = if bit { one + (((1 << PROBABILITY_BITS) - 1 - one) >> rate) } else { one - (one >> rate) };
        self.set(at, one << 4 | rate.min(SLOWEST - 1));
        bit
    }

    /// Codes a number of so many bits, highest first, each in a cell of its own that the bits before it choose.
    pub(super) fn tree(&mut self, coder: &mut impl Coder, at: usize, bits: u32, value: u32) -> u32 {
        let mut node = 1;
        for left in (0..bits).rev() {
            let bit = self.bit(coder, at + node, value >> left & 1 == 1);
            node = node << 1 | usize::from(bit);
        }
        node as u32 - (1 << bits)
    }

    /// Codes a number below 2⁶³ by its length, in a tree at `at`, and the bits below the highest.
    pub(super) fn sized(&mut self, coder: &mut impl Coder, at: usize, number: u64) -> u64 {
        let len = self.tree(coder, at, LENGTH_BITS, 64 - number.leading_zeros());
        if len < 2 {
            return len.into();
        }
        let rest = coder.raw(len - 1, number & !(1 << (len - 1)));
        1 << (len - 1) | rest
    }

    /// Codes the number of a column, below 2⁶².
    pub(super) fn number(&mut self, coder: &mut impl Coder, kind: Kind, column: usize, number: u64) -> u64 {
        let column = column.min(COLUMNS - 1);
        let Column { last, step } = self.columns[kind as usize][column];
        let at = part::COLUMN + (kind as usize * COLUMNS + column) * COLUMN_CELLS;
        let expected = last.wrapping_add(step) & NUMBER;
        let number = if self.bit(coder, at, number == expected) {
            expected
        } else {
            self.surprise(coder, at, last, number)
        };
        self.columns[kind as usize][column] =
            Column { last: number, step: number.wrapping_sub(last) & NUMBER };
        number
    }

    /// Codes a number that was not expected: as it is, or as its difference to the last one.
    fn surprise(&mut self, coder: &mut impl Coder, at: usize, last: u64, number: u64) -> u64 {
        let difference = number.abs_diff(last);
        let absolute = number.leading_zeros() >= difference.leading_zeros();
        if self.bit(coder, at + 1, absolute) {
            return self.sized(coder, at + 4, number) & NUMBER;
        }
        let negative = self.bit(coder, at + 2, number < last);
        let difference = self.sized(coder, at + 4 + (1 << LENGTH_BITS), difference);
        let number = if negative { last.wrapping_sub(difference) } else { last.wrapping_add(difference) };
        number & NUMBER
    }
}

/// Numbers are modulo this and one.
pub(super) const NUMBER: u64 = (1 << 62) - 1;
