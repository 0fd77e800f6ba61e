//! Size limits, and the ways in which services count.

use crate::{Error, ErrorKind};

/// How a service counts the size of a text or a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counting {
    /// Its bytes (of text: its UTF-8 bytes).
    #[default]
    Bytes,
    /// Its Unicode scalar values. What is not UTF-8 counts by bytes.
    Chars,
    /// The bytes of its JSON form as a string: with two quotation marks around it and with escapes. See
    /// [`json_encoded_len`].
    JsonEncoded,
}

impl Counting {
    /// The size of `data` counted this way. Costs one pass at most.
    #[must_use]
    pub fn measure(self, data: &[u8]) -> usize {
        match self {
            Self::Bytes => data.len(),
            Self::Chars => std::str::from_utf8(data).map_or(data.len(), |text| text.chars().count()),
            Self::JsonEncoded => json_encoded_len(data),
        }
    }
}

/// A largest size and how it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeLimit {
    /// The largest size allowed.
    pub max: usize,
    /// How it is counted.
    pub counting: Counting,
}

impl SizeLimit {
    /// At most `max` bytes.
    #[must_use]
    pub const fn bytes(max: usize) -> Self {
        Self { max, counting: Counting::Bytes }
    }

    /// At most `max` Unicode scalar values.
    #[must_use]
    pub const fn chars(max: usize) -> Self {
        Self { max, counting: Counting::Chars }
    }

    /// At most `max` bytes after the data was JSON-encoded as a string.
    #[must_use]
    pub const fn json_encoded(max: usize) -> Self {
        Self { max, counting: Counting::JsonEncoded }
    }

    /// Checks `data`, which is a `what` ("body", "key") in the error's text.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] with both sizes.
    pub fn check(&self, what: &str, data: &[u8]) -> Result<(), Error> {
        let size = self.counting.measure(data);
        if size <= self.max {
            return Ok(());
        }
        Err(Error::new(ErrorKind::TooLarge { size, limit: self.max }, what))
    }
}

/// The length of `data` as a JSON string: its bytes, an escape where RFC 8259 §7 demands one, and the two
/// quotation marks. Escapes are the shortest there are: two characters for the quotation mark, the
/// backslash and `\b \t \n \f \r`, six for the other control characters.
#[must_use]
pub fn json_encoded_len(data: &[u8]) -> usize {
    2 + data.iter().map(|&byte| usize::from(ENCODED_LEN[usize::from(byte)])).sum::<usize>()
}

/// The bytes that each byte becomes inside a JSON string.
const ENCODED_LEN: [u8; 256] = {
    let mut table = [1; 256];
    let mut control = 0;
    while control < 0x20 {
        table[control] = 6;
        control += 1;
    }
    let short = [0x08, b'\t', b'\n', 0x0c, b'\r', b'"', b'\\'];
    let mut at = 0;
    while at < short.len() {
        table[short[at] as usize] = 2;
        at += 1;
    }
    table
};
