//! Who sent a frame and which one it is, as a short text without anything that JSON escapes.

use std::sync::Arc;

/// The version that this release writes, and the only one that it reads.
const VERSION: u8 = b'1';

/// Ends a header that announces a head instead of numbering its own frame.
const HEAD_MARK: char = '+';

/// The greatest sequence: whole numbers up to here are exact in every JSON reader. At a thousand frames a
/// second it lasts 285,000 years.
pub(crate) const MAX_SEQUENCE: u64 = (1 << 53) - 1;

/// The greatest incarnation. Microseconds since 1970 fit until the year 2255.
pub(crate) const MAX_INCARNATION: u64 = (1 << 53) - 1;

/// The greatest length of a sender's name.
const MAX_SENDER_LEN: usize = 32;

/// Digits of [`MAX_SEQUENCE`] in base 36.
const MAX_DIGITS: usize = 11;

/// What a frame says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) sender: Arc<str>,
    pub(crate) incarnation: u64,
    pub(crate) lane: u16,
    /// From 1. Of a frame: its number. Of a head: the number of the last frame before it.
    pub(crate) sequence: u64,
    /// How far below its own number the oldest sequence lies whose publish was still under way when this frame was
    /// sealed. Everything below that is settled: accepted by the bus, or given up.
    pub(crate) pending: u64,
    /// This frame is not one of the sequence; it tells how far the sequence has come.
    pub(crate) head: bool,
}

impl Header {
    /// The header as text.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.sender.len() + 2 * MAX_DIGITS);
        text.push(char::from(VERSION));
        text.push_str(&self.sender);
        for number in [self.incarnation, self.lane.into(), self.sequence] {
            text.push('.');
            push_base36(number, &mut text);
        }
        if self.pending > 0 {
            text.push('.');
            push_base36(self.pending, &mut text);
        }
        if self.head {
            text.push(HEAD_MARK);
        }
        text
    }

    /// Reads a header of the version that this release knows; `None` if it breaks the rules.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(char::from(VERSION))?;
        let (rest, head) = rest.strip_suffix(HEAD_MARK).map_or((rest, false), |rest| (rest, true));
        let mut parts = rest.split('.');
        let sender = parts.next().filter(|sender| check_sender(sender))?;
        let incarnation = parse_base36(parts.next()?)?;
        let lane = u16::try_from(parse_base36(parts.next()?)?).ok()?;
        let sequence = parse_base36(parts.next()?).filter(|&sequence| sequence > 0)?;
        let pending = match parts.next() {
            Some(digits) => {
                parse_base36(digits).filter(|&pending| pending > 0 && pending < sequence && !head)?
            }
            None => 0,
        };
        let ends = parts.next().is_none();
        ends.then(|| Self { sender: sender.into(), incarnation, lane, sequence, pending, head })
    }

    /// All below this sequence is settled.
    pub(crate) fn settled(&self) -> u64 {
        if self.head { self.sequence + 1 } else { self.sequence - self.pending }
    }

    /// Whether this text is a header of another version.
    pub(crate) fn is_other_version(text: &str) -> bool {
        text.as_bytes().first().is_some_and(|&version| version.is_ascii_alphanumeric() && version != VERSION)
    }
}

/// Whether a sender may have this name.
pub(crate) fn check_sender(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !name.is_empty() && name.len() <= MAX_SENDER_LEN && name.bytes().all(plain)
}

/// Writes nothing for zero.
fn push_base36(mut number: u64, text: &mut String) {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let start = text.len();
    while number > 0 {
        text.insert(start, char::from(DIGITS[(number % 36) as usize]));
        number /= 36;
    }
}

/// Reads what [`push_base36`] writes, and nothing else: each number has one form.
fn parse_base36(digits: &str) -> Option<u64> {
    if digits.is_empty() {
        return Some(0);
    }
    let canonical = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    if digits.starts_with('0') || digits.len() > MAX_DIGITS || !digits.bytes().all(canonical) {
        return None;
    }
    u64::from_str_radix(digits, 36).ok().filter(|&number| number <= MAX_SEQUENCE)
}
