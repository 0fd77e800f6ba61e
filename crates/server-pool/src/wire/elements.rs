//! The elements of a JSON array one after another, without a list of them first.
//!
//! Every server of a fleet reads every frame, so this is where most of the time goes that pools take. Numbers and texts as
//! frames have them are read here; of everything else `serde_json` says what it is.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::MAX_INT;
use super::decode::Malformed;

/// What is left of an array.
#[derive(Debug)]
pub(super) struct Elements<'a> {
    text: &'a str,
    /// Where the next element begins, or what follows the array.
    at: usize,
    /// There is a next element.
    more: bool,
}

impl<'a> Elements<'a> {
    /// Those of an array that begins here.
    pub(super) fn new(text: &'a str) -> Result<Self, Malformed> {
        let mut elements = Self { text, at: 0, more: true };
        elements.skip_space();
        elements.expect(b'[')?;
        elements.skip_space();
        if elements.peek() == Some(b']') {
            (elements.at, elements.more) = (elements.at + 1, false);
        }
        Ok(elements)
    }

    pub(super) const fn is_empty(&self) -> bool {
        !self.more
    }

    /// The first byte of the next element, if there is one.
    pub(super) fn first(&self) -> Option<u8> {
        self.peek().filter(|_| self.more)
    }

    /// Reads what is left, and makes sure that nothing follows the array.
    pub(super) fn finish(mut self) -> Result<(), Malformed> {
        while self.more {
            self.raw()?;
        }
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(Malformed::NoArray) }
    }

    /// The next element as it is written.
    pub(super) fn raw(&mut self) -> Result<&'a str, Malformed> {
        let len = match self.begin()? {
            b'"' => self.plain_text().map(|text| text.len() + 2),
            b'0'..=b'9' => self.digits().map(str::len),
            _ => None,
        };
        let len = len.map_or_else(|| self.any(), Ok)?;
        let raw = &self.text[self.at..self.at + len];
        self.pass(len)?;
        Ok(raw)
    }

    /// The next element if it is a whole number from 0 to [`MAX_INT`].
    pub(super) fn number(&mut self) -> Result<u64, Malformed> {
        self.begin()?;
        let Some(digits) = self.digits() else {
            self.raw()?;
            return Err(Malformed::Number);
        };
        let number = digits.parse().map_err(|_| Malformed::Number)?;
        self.pass(digits.len())?;
        if number > MAX_INT { Err(Malformed::Number) } else { Ok(number) }
    }

    /// The next element if it is a whole number from −[`MAX_INT`] to [`MAX_INT`].
    pub(super) fn signed(&mut self) -> Result<i64, Malformed> {
        let number: i64 = self.raw()?.parse().map_err(|_| Malformed::Number)?;
        if number.unsigned_abs() > MAX_INT { Err(Malformed::Number) } else { Ok(number) }
    }

    /// The next element if it is a text.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, Malformed> {
        if self.begin()? == b'"'
            && let Some(text) = self.plain_text()
        {
            self.pass(text.len() + 2)?;
            return Ok(Cow::Borrowed(text));
        }
        serde_json::from_str(self.raw()?).map(Cow::Owned).map_err(|_| Malformed::Text)
    }

    fn begin(&self) -> Result<u8, Malformed> {
        if !self.more {
            return Err(Malformed::TooShort);
        }
        self.peek().ok_or(Malformed::NoArray)
    }

    /// The digits of the number that is next, if it is whole, not negative and in its usual form.
    fn digits(&self) -> Option<&'a str> {
        let rest = &self.text[self.at..];
        let len = rest.bytes().take_while(u8::is_ascii_digit).count();
        let ends = !matches!(rest.as_bytes().get(len), Some(b'.' | b'e' | b'E'));
        let usual = len == 1 || !rest.starts_with('0');
        (len > 0 && ends && usual).then(|| &rest[..len])
    }

    /// The text that is next, if it has no escapes.
    fn plain_text(&self) -> Option<&'a str> {
        let rest = self.text.get(self.at + 1..)?;
        let len = rest.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < b' ')?;
        (rest.as_bytes()[len] == b'"').then(|| &rest[..len])
    }

    /// How long the element is that is next, whatever it is.
    fn any(&self) -> Result<usize, Malformed> {
        let rest = serde_json::Deserializer::from_str(&self.text[self.at..]);
        let mut values = rest.into_iter::<&RawValue>();
        match values.next() {
            Some(Ok(value)) => Ok(value.get().len()),
            _ => Err(Malformed::NoArray),
        }
    }

    /// Goes on behind an element of this length.
    fn pass(&mut self, len: usize) -> Result<(), Malformed> {
        self.at += len;
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_space();
            }
            Some(b']') => (self.at, self.more) = (self.at + 1, false),
            _ => return Err(Malformed::NoArray),
        }
        Ok(())
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.peek() != Some(byte) {
            return Err(Malformed::NoArray);
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }
}
