//! JSON text: where a value ends and whether it is one, and texts as JSON strings. Nothing is built but bytes.

use transport_traits::limits::json_encoded_len;

/// Reads JSON (RFC 8259) from the front. Every method is `None` where the text breaks the grammar.
///
/// Depth costs a byte a level and no stack, so nesting is bounded by the length of the text alone. The bytes of
/// strings are not checked to be UTF-8: whoever takes bytes from outside does that for the whole.
pub(super) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

/// A string as it stands in the text.
pub(super) struct RawString {
    /// Where it begins, without the quotation mark.
    pub(super) start: usize,
    /// Where it ends, without the quotation mark.
    pub(super) end: usize,
    pub(super) escaped: bool,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Takes white space and then this byte, if it is there.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// Whether nothing but white space is left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.skip_space();
        self.at == self.text.len()
    }

    /// Takes a string.
    pub(super) fn string(&mut self) -> Option<RawString> {
        if !self.take(b'"') {
            return None;
        }
        let start = self.at;
        let escaped = self.finish_string()?;
        Some(RawString { start, end: self.at - 1, escaped })
    }

    /// Takes a value of any kind, and says where it begins and ends.
    pub(super) fn value(&mut self) -> Option<(usize, usize)> {
        self.skip_space();
        let start = self.at;
        match self.peek()? {
            b'"' => {
                self.at += 1;
                self.finish_string()?;
            }
            b'[' | b'{' => self.nested()?,
            _ => self.scalar()?,
        }
        Some((start, self.at))
    }

    /// Takes an array or object. `open` holds what closes each level that is open.
    fn nested(&mut self) -> Option<()> {
        let mut open = Vec::new();
        loop {
            match self.peek()? {
                b'[' | b'{' => {
                    let close = if self.next() == Some(b'[') { b']' } else { b'}' };
                    if !self.take(close) {
                        open.push(close);
                        self.name(close)?;
                        continue;
                    }
                }
                b'"' => self.string().map(|_| ())?,
                _ => self.scalar()?,
            }
            // A value is complete: close what it completes, or go on behind the comma.
            loop {
                let Some(&close) = open.last() else { return Some(()) };
                if self.take(b',') {
                    self.name(close)?;
                    break;
                }
                if !self.take(close) {
                    return None;
                }
                open.pop();
            }
        }
    }

    /// Takes the name of a member, if this level is an object, and what is before the value.
    fn name(&mut self, close: u8) -> Option<()> {
        if close == b'}' {
            self.string()?;
            if !self.take(b':') {
                return None;
            }
        }
        self.skip_space();
        Some(())
    }

    fn scalar(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let there = self.text[self.at..].starts_with(word);
        self.at += word.len();
        there.then_some(())
    }

    fn number(&mut self) -> Option<()> {
        self.accept(b"-");
        if !self.accept(b"0") {
            self.digits()?;
        }
        if self.accept(b".") {
            self.digits()?;
        }
        if self.accept(b"eE") {
            self.accept(b"+-");
            self.digits()?;
        }
        Some(())
    }

    /// Takes one digit or more.
    fn digits(&mut self) -> Option<()> {
        let digits = self.text[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        (digits > 0).then_some(())
    }

    fn accept(&mut self, any_of: &[u8]) -> bool {
        let there = self.peek().is_some_and(|byte| any_of.contains(&byte));
        self.at += usize::from(there);
        there
    }

    /// Takes the rest of a string behind its quotation mark. Says whether it has escapes.
    fn finish_string(&mut self) -> Option<bool> {
        let mut escaped = false;
        loop {
            self.at += plain_prefix(&self.text[self.at..]);
            match self.next()? {
                b'"' => return Some(escaped),
                b'\\' => self.escape()?,
                _ => return None,
            }
            escaped = true;
        }
    }

    fn escape(&mut self) -> Option<()> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.text.get(self.at..self.at + 4)?;
                self.at += 4;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())
            }
            _ => None,
        }
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }
}

/// Every byte is 1.
const ONES: u64 = u64::MAX / 255;

/// The high bit of every byte.
const HIGHS: u64 = ONES << 7;

/// How many bytes come before the first quotation mark, backslash or control character; all if there is none.
///
/// Eight bytes at a time: `x - 1` borrows into the high bit of a byte exactly where `x` is 0, up to the first such
/// byte, which is all that is asked. (Mycroft's test; Warren, *Hacker's Delight*, 2nd ed., §6-1.)
fn plain_prefix(text: &[u8]) -> usize {
    let (chunks, rest) = text.as_chunks::<8>();
    for (number, chunk) in chunks.iter().enumerate() {
        let special = specials(u64::from_le_bytes(*chunk));
        if special != 0 {
            return 8 * number + special.trailing_zeros() as usize / 8;
        }
    }
    let special = |&byte: &u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    8 * chunks.len() + rest.iter().position(special).unwrap_or(rest.len())
}

/// The high bit of the first byte that is special is set, and no bit before it.
const fn specials(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let zeros = (quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash);
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (zeros | controls) & HIGHS
}

/// The one JSON value that a text is, without the white space around it, as where it begins and ends.
pub(super) fn only_value(text: &[u8]) -> Option<(usize, usize)> {
    std::str::from_utf8(text).ok()?;
    let mut scanner = Scanner::new(text);
    let value = scanner.value()?;
    scanner.is_at_end().then_some(value)
}

/// Whether a text is the same as a JSON string, apart from the quotation marks around it.
pub(super) fn is_plain(text: &str) -> bool {
    plain_prefix(text.as_bytes()) == text.len()
}

/// How long a text is as a JSON string.
pub(crate) fn json_len(text: &str) -> usize {
    if is_plain(text) { text.len() + 2 } else { json_encoded_len(text.as_bytes()) }
}

/// A text as a JSON string, with the shortest escapes there are.
pub(crate) fn escape(text: &str) -> Vec<u8> {
    let mut out = vec![0; escaped_at_most(text)];
    let len = escape_into(text, &mut out);
    out.truncate(len);
    out
}

/// How long a buffer has to be for [`escape_into`].
pub(crate) fn escaped_at_most(text: &str) -> usize {
    const LONG: usize = 1 << 12;
    let at_most = if text.len() < LONG { 6 * text.len() } else { json_encoded_len(text.as_bytes()) };
    at_most + 2 + STEP
}

/// Each step of [`escape_into`] writes so many bytes, of which it keeps one to eight.
const STEP: usize = 8;

/// Writes a text as a JSON string, with the shortest escapes there are, and says how long that is. Behind it the buffer is
/// overwritten.
pub(crate) fn escape_into(text: &str, out: &mut [u8]) -> usize {
    let (chunks, rest) = text.as_bytes().as_chunks::<STEP>();
    out[0] = b'"';
    let mut end = 1;
    for chunk in chunks {
        if specials(u64::from_le_bytes(*chunk)) == 0 {
            out[end..end + STEP].copy_from_slice(chunk);
            end += STEP;
        } else {
            end = escape_bytes(chunk, out, end);
        }
    }
    end = escape_bytes(rest, out, end);
    out[end] = b'"';
    end + 1
}

/// Writes bytes of a string from `end` on, and says where they end. All of the longest escape is written and as much kept
/// as there is: a branch would be mispredicted at every other quotation mark.
#[inline]
fn escape_bytes(bytes: &[u8], out: &mut [u8], mut end: usize) -> usize {
    for &byte in bytes {
        let escaped = &ESCAPED[usize::from(byte)];
        out[end..end + STEP].copy_from_slice(escaped);
        end += usize::from(escaped[STEP - 1]);
    }
    end
}

/// What each byte becomes in a string: at most six bytes, and in the last place how many.
static ESCAPED: [[u8; STEP]; 256] = {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut escaped = [[0; STEP]; 256];
    let mut byte = 0;
    while byte < 256 {
        let short = match byte as u8 {
            b'"' => b'"',
            b'\\' => b'\\',
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0c => b'f',
            b'\r' => b'r',
            _ => 0,
        };
        escaped[byte] = if short > 0 {
            [b'\\', short, 0, 0, 0, 0, 0, 2]
        } else if byte < 0x20 {
            [b'\\', b'u', b'0', b'0', HEX[byte >> 4], HEX[byte & 15], 0, 6]
        } else {
            [byte as u8, 0, 0, 0, 0, 0, 0, 1]
        };
        byte += 1;
    }
    escaped
};
