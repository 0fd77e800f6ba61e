//! Texts as tokens, and the tokens that a dense frame has seen.

/// A token is no longer than this.
const MAX_WORD: usize = 64;

/// So many tokens of a frame are remembered.
pub(super) const MAX_WORDS: usize = 4_096;

/// Numbers are tokens of their own up to this many digits; longer ones are words.
const MAX_DIGITS: usize = 18;

/// What a text begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A number in its shortest form.
    Number(u64, usize),
    /// Letters and bytes of other alphabets, digits, or other characters; never mixed.
    Word(&'a [u8]),
    End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Digit,
    Letter,
    Other,
}

fn class(byte: u8) -> Class {
    match byte {
        b'0'..=b'9' => Class::Digit,
        b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => Class::Letter,
        _ => Class::Other,
    }
}

/// Whether a word is of letters, so that it may be a name.
pub(super) fn is_name(word: &[u8]) -> bool {
    word.first().is_some_and(|&byte| class(byte) == Class::Letter)
}

impl<'a> Piece<'a> {
    pub(super) fn first(text: &'a [u8]) -> Self {
        let Some(&first) = text.first() else { return Self::End };
        let kind = class(first);
        let len = text.iter().take(MAX_WORD).take_while(|&&byte| class(byte) == kind).count();
        let word = &text[..len];
        let short = len <= MAX_DIGITS && (first != b'0' || len == 1);
        if kind == Class::Digit && short {
            let number = word.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
            return Self::Number(number, len);
        }
        Self::Word(word)
    }
}

/// The tokens of a frame, numbered as they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Words {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn get(&self, number: usize) -> Option<&[u8]> {
        let end = *self.ends.get(number)?;
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        Some(&self.text[start..end])
    }

    /// Remembers a word, if there is room, and says its number.
    pub(super) fn push(&mut self, word: &[u8]) -> Option<usize> {
        if self.ends.len() == MAX_WORDS {
            return None;
        }
        self.text.extend_from_slice(word);
        self.ends.push(self.text.len());
        Some(self.ends.len() - 1)
    }

    fn truncate(&mut self, len: usize) {
        self.ends.truncate(len);
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
    }
}

/// The same with a way back from a word to its number.
#[derive(Clone, Debug)]
pub(super) struct Index {
    pub(super) words: Words,
    /// Numbers and one, by hash; 0 where there is none. Collisions go to the next place.
    places: Vec<u16>,
    /// The place of each word.
    taken: Vec<usize>,
}

impl Default for Index {
    /// With room for all words that a reader remembers: both have to know the same. Half of the places stay free, so that
    /// looking for a word that is not there ends soon.
    fn default() -> Self {
        Self { words: Words::default(), places: vec![0; 2 * MAX_WORDS], taken: Vec::new() }
    }
}

impl Index {
    /// The number of a word.
    pub(super) fn find(&self, word: &[u8]) -> Option<usize> {
        match self.places[self.place(word)] {
            0 => None,
            number => Some(usize::from(number) - 1),
        }
    }

    /// Remembers a word that is not there, if there is room, and says its number.
    pub(super) fn push(&mut self, word: &[u8]) -> Option<usize> {
        let place = self.place(word);
        let number = self.words.push(word)?;
        self.places[place] = number as u16 + 1;
        self.taken.push(place);
        Some(number)
    }

    /// Forgets the words from this number on. What came last goes first, so no search misses its word.
    pub(super) fn truncate(&mut self, len: usize) {
        self.taken.drain(len..).rev().for_each(|place| self.places[place] = 0);
        self.words.truncate(len);
    }

    /// Where a word is, or would be.
    fn place(&self, word: &[u8]) -> usize {
        let mask = self.places.len() - 1;
        let mut place = hash(word) as usize & mask;
        loop {
            let number = self.places[place];
            if number == 0 || self.words.get(usize::from(number) - 1) == Some(word) {
                return place;
            }
            place = (place + 1) & mask;
        }
    }
}

/// FNV-1a (Fowler, Noll and Vo). A sender's own affair: receivers need no hash of words.
fn hash(word: &[u8]) -> u32 {
    let mixed =
        word.iter().fold(0x811c_9dc5_u32, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    mixed ^ mixed >> 15
}
