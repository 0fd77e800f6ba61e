//! Frames out: text of exactly known size.

use std::fmt::Write as _;

use bytes::Bytes;
use transport_traits::limits::{Counting, SizeLimit};

use super::{FORMAT, Header, Kind, MAX_INT, Member};

/// The largest frame made, in the unit in which the bus counts, however large its messages may be: a frame is
/// also the unit of loss.
const MAX_FRAME: usize = 64 * 1024;

/// The room that a frame has to leave for the smallest useful entry.
const MIN_ENTRY: usize = 32;

/// How large frames may be, and how large an entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameLimit {
    size: SizeLimit,
    entry: usize,
}

impl FrameLimit {
    /// The limit on a bus with this limit on bodies, for frames of this server. `None` if an entry would
    /// have no room.
    pub(crate) fn new(body: Option<SizeLimit>, server: &str) -> Option<Self> {
        let body = body.unwrap_or(SizeLimit::bytes(MAX_FRAME));
        let size = SizeLimit { max: body.max.min(MAX_FRAME), ..body };
        let widest = Header {
            server: server.into(),
            incarnation: MAX_INT,
            sequence: MAX_INT,
            head: MAX_INT,
            pruned: MAX_INT,
            hash: u32::MAX,
        };
        let frame = format!("{}{}]", lead(&widest, Kind::Delta), delta_lead(MAX_INT, MAX_INT, MAX_INT));
        let numbers = format!(",{MAX_INT},[-{MAX_INT}],,");
        let entry = size.max.checked_sub(size.counting.measure(frame.as_bytes()))?;
        let entry = entry.checked_sub(numbers.len())?;
        (entry >= MIN_ENTRY).then_some(Self { size, entry })
    }

    /// The limit of the parts of a checkpoint. Every entry that fits into a frame of a bus fits.
    pub(crate) const fn of_checkpoints() -> Self {
        Self { size: SizeLimit::bytes(2 * MAX_FRAME), entry: MAX_FRAME }
    }

    /// What key and value may take together at most, so that they fit into every frame.
    pub(crate) const fn entry(&self) -> usize {
        self.entry
    }

    /// What an entry takes of [`entry`](Self::entry).
    pub(crate) fn entry_size(&self, key: &str, value: &str) -> usize {
        self.cost(&json_text(key)) + self.cost(value)
    }

    /// What a text adds to the size of a frame that it is part of.
    fn cost(&self, text: &str) -> usize {
        let around = match self.size.counting {
            Counting::JsonEncoded => 2,
            Counting::Bytes | Counting::Chars => 0,
        };
        self.size.counting.measure(text.as_bytes()) - around
    }
}

/// Fills a frame with pieces up to the limit.
pub(crate) struct Packer<'a> {
    limit: &'a FrameLimit,
    room: usize,
    text: String,
}

impl<'a> Packer<'a> {
    /// A packer for a frame whose header and whose text behind it are at most as long as these.
    pub(crate) fn new(limit: &'a FrameLimit, kind: Kind, widest: &Header, widest_lead: &str) -> Self {
        let fixed = format!("{}{widest_lead}]", lead(widest, kind));
        let room = limit.size.max - limit.size.counting.measure(fixed.as_bytes()).min(limit.size.max);
        Self { limit, room, text: String::new() }
    }

    /// Adds a piece if it fits.
    pub(crate) fn push(&mut self, piece: &str) -> bool {
        let cost = self.limit.cost(piece);
        let fits = cost <= self.room;
        if fits {
            self.room -= cost;
            self.text.push_str(piece);
        }
        fits
    }

    /// Whether nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The frame.
    pub(crate) fn finish(self, kind: Kind, header: &Header, lead_text: &str) -> Bytes {
        let frame = format!("{}{lead_text}{}]", lead(header, kind), self.text);
        assert!(
            self.limit.size.counting.measure(frame.as_bytes()) <= self.limit.size.max,
            "no frame exceeds the limit"
        );
        Bytes::from(frame)
    }
}

/// A frame that has nothing but its header and a number.
pub(crate) fn with_number(kind: Kind, header: &Header, number: u32) -> Bytes {
    Bytes::from(format!("{},{number}]", lead(header, kind)))
}

/// A frame that has nothing but its header.
pub(crate) fn simple_frame(kind: Kind, header: &Header) -> Bytes {
    Bytes::from(lead(header, kind) + "]")
}

/// What stands between the header of a delta and its items.
pub(crate) fn delta_lead(from: u64, to: u64, base: u64) -> String {
    format!(",{from},{to},{base}")
}

/// Where the items of a delta stand. An item says only how it departs from the usual: the next version, and a
/// stamp one greater, as when many entries are contributed at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    pub(crate) version: u64,
    pub(crate) stamp: u64,
}

impl Steps {
    /// Before the first item of a delta that begins behind `from`.
    pub(crate) const fn new(from: u64, base: u64) -> Self {
        Self { version: from, stamp: base }
    }

    /// An entry as an item, and where it leaves the steps.
    pub(crate) fn entry(self, key: &str, version: u64, stamp: u64, value: &str) -> (String, Self) {
        let mut item = String::with_capacity(key.len() + value.len() + 16);
        if version != self.version + 1 {
            write!(item, ",{}", version - self.version).expect("a string takes any text");
        }
        if stamp != self.stamp + 1 {
            let step = i128::from(stamp) - i128::from(self.stamp);
            write!(item, ",[{step}]").expect("a string takes any text");
        }
        write!(item, ",{},{value}", json_text(key)).expect("a string takes any text");
        (item, Self { version, stamp })
    }

    /// A tombstone as an item, and where it leaves the steps.
    pub(crate) fn tombstone(self, key: &str, version: u64) -> (String, Self) {
        (format!(",-{},{}", version - self.version, json_text(key)), Self { version, ..self })
    }
}

/// The server asked in an ask.
pub(crate) fn name(server: &str) -> String {
    format!(",{}", json_text(server))
}

/// A server in a roster.
pub(crate) fn member(member: &Member) -> String {
    let Member { header: Header { server, incarnation, head, hash, .. }, age } = member;
    format!(",{},{incarnation},{head},{hash},{}", json_text(server), age.as_millis())
}

/// A request in a pull.
pub(crate) fn want(server: &str, incarnation: u64, from: u64, to: u64) -> String {
    format!(",{},{incarnation},{from},{to}", json_text(server))
}

fn lead(header: &Header, kind: Kind) -> String {
    let Header { server, incarnation, sequence, head, pruned, hash } = header;
    let mut text = format!("[{FORMAT},{},{}", kind as u8, json_text(server));
    write!(text, ",{incarnation},{sequence},{head},{pruned},{hash}").expect("a string takes any text");
    text
}

fn json_text(text: &str) -> String {
    serde_json::to_string(text).expect("a text always has a JSON form")
}
