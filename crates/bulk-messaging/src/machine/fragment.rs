//! Messages that are longer than a frame, in fragments: how a fragment looks, how a message is split.
//!
//! The [crate's documentation](crate#fragments) describes them byte by byte.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Deserialize;

use crate::wire::Tariff;

const TEXT_MARK: &[u8] = b"{\"~\":\"";
const BYTES_MARK: &[u8] = b"~/";

/// Digits of the greatest number of fragments.
const MAX_DIGITS: usize = 10;

/// A fragment as it was received.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// From 1 to `count`.
    pub(crate) index: u32,
    pub(crate) count: u32,
    pub(crate) part: Bytes,
}

/// The one member of a fragment in the `Nexus` format.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    #[serde(rename = "~")]
    text: String,
}

/// Whether this message is a fragment, or would be taken for one.
pub(crate) fn is_marked(message: &[u8]) -> bool {
    message.starts_with(TEXT_MARK) || message.starts_with(BYTES_MARK)
}

impl Fragment {
    /// Reads a marked message; `None` if it breaks the rules.
    pub(crate) fn parse(message: &Bytes) -> Option<Self> {
        if message.starts_with(BYTES_MARK) {
            return Self::parse_numbered(&message.slice(BYTES_MARK.len()..));
        }
        let Envelope { text } = serde_json::from_slice(message).ok()?;
        Self::parse_numbered(&Bytes::from(text))
    }

    /// Reads `2/5:…`.
    fn parse_numbered(text: &Bytes) -> Option<Self> {
        let colon = text.iter().take(2 * MAX_DIGITS + 2).position(|&byte| byte == b':')?;
        let numbers = std::str::from_utf8(&text[..colon]).ok()?;
        let (index, count) = numbers.split_once('/')?;
        let number = |digits: &str| {
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|&number: &u32| plain && number > 0)
        };
        let (index, count) = (number(index)?, number(count)?);
        (index <= count).then(|| Self { index, count, part: text.slice(colon + 1..) })
    }
}

/// Splits a message into fragments that cost at most `limit` each. `None` if there is no room for parts.
///
/// Costs O(length · log of a fragment's length).
pub(crate) fn split(message: &Bytes, is_text: bool, tariff: Tariff, limit: usize) -> Option<Vec<Bytes>> {
    // No number is longer than the length of the message, so fragments with the real numbers fit too.
    let digits = message.len().to_string().len();
    let widest = "9".repeat(digits);
    let mut parts = Vec::new();
    let mut rest = message.clone();
    while !rest.is_empty() {
        let fits = |len: usize| {
            let part = &rest[..boundary(&rest, len, is_text)];
            tariff.body(&envelope(&widest, &widest, part, is_text)) <= limit
        };
        // A character has at most 4 bytes, and costs 1 at least.
        let len = longest(rest.len().min(limit.saturating_mul(4)), fits);
        let len = boundary(&rest, len, is_text);
        if len == 0 {
            return None;
        }
        parts.push(rest.split_to(len));
    }
    let count = u32::try_from(parts.len()).ok()?.to_string();
    let numbered = parts.iter().enumerate();
    Some(numbered.map(|(at, part)| envelope(&(at + 1).to_string(), &count, part, is_text)).collect())
}

/// A message as fragment 1 of 1.
pub(crate) fn wrap(message: &[u8], is_text: bool) -> Bytes {
    envelope("1", "1", message, is_text)
}

/// The greatest length up to `most` that fits, by bisection: what is longer fits no better.
fn longest(most: usize, fits: impl Fn(usize) -> bool) -> usize {
    let (mut good, mut bad) = (0, most + 1);
    while good + 1 < bad {
        let middle = good.midpoint(bad);
        if fits(middle) { good = middle } else { bad = middle }
    }
    good
}

/// The end of the last whole character up to `len`, where characters matter.
fn boundary(bytes: &[u8], len: usize, is_text: bool) -> usize {
    let begins = |&at: &usize| bytes.get(at).is_none_or(|byte| byte & 0xc0 != 0x80);
    if is_text { (0..=len).rev().find(begins).unwrap_or(0) } else { len }
}

fn envelope(index: &str, count: &str, part: &[u8], is_text: bool) -> Bytes {
    let mark = if is_text { TEXT_MARK } else { BYTES_MARK };
    let mut out = BytesMut::with_capacity(2 * part.len() + 2 * MAX_DIGITS + 16);
    out.put(mark);
    out.put(index.as_bytes());
    out.put_u8(b'/');
    out.put(count.as_bytes());
    out.put_u8(b':');
    if is_text {
        part.iter().for_each(|&byte| put_escaped(byte, &mut out));
        out.put(&b"\"}"[..]);
    } else {
        out.put(part);
    }
    out.freeze()
}

/// A byte of JSON text inside a JSON string. The only control characters of such a text are white space.
fn put_escaped(byte: u8, out: &mut BytesMut) {
    match byte {
        b'"' | b'\\' => out.put(&[b'\\', byte][..]),
        b'\n' => out.put(&b"\\n"[..]),
        b'\r' => out.put(&b"\\r"[..]),
        b'\t' => out.put(&b"\\t"[..]),
        _ => out.put_u8(byte),
    }
}
