//! The text of a [`Table`]: what stands in a record's metadata.
//!
//! Printable ASCII without quotes and backslashes, over the alphabet of base64url. `N1` says what it is and
//! which version; then come the epoch (8 characters) and numbers: commits, and as distances back from
//! commits the fence, the aged commit and the mark's commit; the mark's time in seconds since 2020; the
//! count of writers; and of each the writer (8 characters), its last sequence and how many commits ago it
//! moved. A number is written in groups of five bits, low first, a sixth bit saying that more follow.
//!
//! With a process's sequence under 2²⁰ an entry takes 13 characters, so 20 writers fit into 300.
//! Whatever follows, if it begins with `~`, is a later minor version's and is kept as it is; a later major
//! version has another digit, and is refused. Everything else is not ours.

use std::str::Bytes;
use std::sync::Arc;

use litemap::LiteMap;

use super::table::{Entry, Mark, Table};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const MAGIC: &str = "N1";
/// 2020-01-01 00:00 UTC.
const SECONDS_AT_ZERO: u64 = 1_577_836_800;
/// Sequences and commits stay below 2⁵³, so that any JSON reader keeps them exactly.
pub(crate) const MAX_NUMBER: u64 = 1 << 53;
/// Writers, epochs: 48 bits.
pub(crate) const MAX_ID: u64 = 1 << 48;

/// Characters of an entry: a writer and two numbers of one character.
const SHORTEST_ENTRY: usize = 10;

/// Why a text is no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is not of this crate: absent, another program's, damaged.
    Foreign,
    /// It is of a later version of this crate, which only that can keep.
    Newer,
}

impl Table {
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::from(MAGIC);
        put_id(&mut text, self.epoch);
        let back = |commit: u64| self.commits - commit;
        for number in [self.commits, back(self.fence), back(self.aged), back(self.mark.commit)] {
            put_number(&mut text, number);
        }
        put_number(&mut text, self.mark.at.saturating_sub(SECONDS_AT_ZERO));
        put_number(&mut text, self.writers.len() as u64);
        for (&writer, entry) in &self.writers {
            put_id(&mut text, writer);
            put_number(&mut text, entry.last);
            put_number(&mut text, back(entry.moved));
        }
        text.push_str(&self.extension);
        text
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Unreadable> {
        let body = match text.strip_prefix(MAGIC) {
            Some(body) => body,
            None if is_newer(text) => return Err(Unreadable::Newer),
            None => return Err(Unreadable::Foreign),
        };
        Reader { bytes: body.bytes(), read: 0 }.table(body).ok_or(Unreadable::Foreign)
    }
}

/// Whether the text begins as a later version's does: our letter, and the alphabet throughout.
fn is_newer(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next() == Some(b'N')
        && bytes.next().is_some_and(|digit| digit.is_ascii_digit())
        && text.len() >= 10
        && bytes.take(8).all(|byte| ALPHABET.contains(&byte))
}

fn put_id(text: &mut String, id: u64) {
    text.extend((0..8).map(|at| symbol(id >> (6 * at))));
}

fn put_number(text: &mut String, mut number: u64) {
    while number >= 32 {
        text.push(symbol(number | 32));
        number >>= 5;
    }
    text.push(symbol(number));
}

fn symbol(bits: u64) -> char {
    char::from(ALPHABET[(bits & 63) as usize])
}

struct Reader<'a> {
    bytes: Bytes<'a>,
    read: usize,
}

impl Reader<'_> {
    fn table(mut self, body: &str) -> Option<Table> {
        let epoch = self.id()?;
        let commits = self.number()?;
        let fence = commits.checked_sub(self.number()?)?;
        let aged = commits.checked_sub(self.number()?)?;
        let commit = commits.checked_sub(self.number()?)?;
        let at = self.number()? + SECONDS_AT_ZERO;
        let count = self.number()?;
        // No more are to come than there is text for.
        let room = self.bytes.len() / SHORTEST_ENTRY;
        let mut writers =
            LiteMap::with_capacity(usize::try_from(count).map_or(room, |count| count.min(room)));
        for _ in 0..count {
            let (writer, last) = (self.id()?, self.number()?);
            let moved = commits.checked_sub(self.number()?)?;
            if writers.insert(writer, Entry { last, moved }).is_some() {
                return None;
            }
        }
        let extension = &body[self.read..];
        let complete = extension.is_empty() || extension.starts_with('~');
        let extension = if extension.is_empty() { Arc::default() } else { extension.into() };
        complete.then_some(Table {
            epoch,
            commits,
            fence,
            aged,
            mark: Mark { commit, at },
            writers,
            extension,
        })
    }

    fn symbol(&mut self) -> Option<u64> {
        let byte = self.bytes.next()?;
        let bits = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        self.read += 1;
        Some(u64::from(bits))
    }

    fn id(&mut self) -> Option<u64> {
        (0..8).try_fold(0, |id, at| Some(id | self.symbol()? << (6 * at)))
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..55).step_by(5) {
            let bits = self.symbol()?;
            number |= (bits & 31) << shift;
            if bits < 32 {
                return (number < MAX_NUMBER).then_some(number);
            }
        }
        None
    }
}
