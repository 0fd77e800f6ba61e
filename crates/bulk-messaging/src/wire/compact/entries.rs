//! Messages one after another, each without the beginning that it shares with the one before.

use super::super::frame::Frame;
use super::super::{Costs, Header, WireError};
use super::header::{Reader, write_varint};
use super::unfolded::{MESSAGE, Unfolded, bound};

/// The topic: that of the message before, one that was named before, or a new one.
const SAME_TOPIC: u8 = 0;
const KNOWN_TOPIC: u8 = 1;
const NEW_TOPIC: u8 = 2;

/// The part of the first byte that says how the topic is told; above it stands the shared prefix of the body.
const TOPIC_BITS: u32 = 2;

/// The first shared prefix that has no room in the first byte.
const LONG_PREFIX: usize = (1 << (8 - TOPIC_BITS)) - 1;

/// What a topic and a body cost at most beside their own bytes: the first byte and four numbers.
pub(super) const MAX_OVERHEAD: usize = 1 + 4 * 5;

/// Shorter common beginnings than this are not worth their number.
const MIN_SHARED: usize = 3;

/// A frame whose messages are added one after another.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(super) out: Vec<u8>,
    costs: Costs,
    /// What the frame may still cost.
    left: usize,
    /// How many topics were named.
    topics: usize,
    /// The topic of the message before.
    current: Option<usize>,
    /// The topic that was named last; empty before the first.
    named: Vec<u8>,
    /// The body of the message before.
    body: Vec<u8>,
    /// What the messages unfold to.
    unfolded: usize,
}

impl Writer {
    /// A frame with this header, which may cost `limit` in all.
    pub(super) fn new(out: Vec<u8>, costs: Costs, limit: usize) -> Self {
        let left = limit - costs.frame() - costs.text(&out);
        // What most topics and bodies fit into.
        let (named, body) = (Vec::with_capacity(64), Vec::with_capacity(256));
        Self { out, costs, left, topics: 0, current: None, named, body, unfolded: 0 }
    }

    /// Adds a message, if there is room. `known` is the topic's number, if it was named before.
    pub(super) fn add(&mut self, known: Option<usize>, topic: &str, body: &[u8]) -> bool {
        let start = self.out.len();
        let prefix = shared(&self.body, body);
        let rest = &body[prefix..];
        // No byte costs less than one, so most of what does not fit is found out before it is written.
        if rest.len() > self.left {
            return false;
        }
        self.topic(known, topic, prefix);
        write_varint(rest.len() as u64, &mut self.out);
        self.out.extend_from_slice(rest);
        let unfolded = self.unfolded + topic.len() + body.len() + 3 * MESSAGE;
        let cost = self.costs.text(&self.out[start..]);
        if cost > self.left || unfolded > bound(self.out.len()) {
            self.out.truncate(start);
            return false;
        }
        self.left -= cost;
        self.unfolded = unfolded;
        self.body.clear();
        self.body.extend_from_slice(body);
        self.current = Some(known.unwrap_or(self.topics));
        if known.is_none() {
            self.topics += 1;
            self.named.clear();
            self.named.extend_from_slice(topic.as_bytes());
        }
        true
    }

    /// Writes the first byte and the topic.
    fn topic(&mut self, known: Option<usize>, topic: &str, prefix: usize) {
        let kind = match known {
            None => NEW_TOPIC,
            known if known == self.current => SAME_TOPIC,
            Some(_) => KNOWN_TOPIC,
        };
        let short = prefix.min(LONG_PREFIX);
        self.out.push(kind | (short as u8) << TOPIC_BITS);
        if short == LONG_PREFIX {
            write_varint((prefix - LONG_PREFIX) as u64, &mut self.out);
        }
        match (kind, known) {
            (KNOWN_TOPIC, Some(number)) => write_varint(number as u64, &mut self.out),
            (NEW_TOPIC, _) => {
                let prefix = shared(&self.named, topic.as_bytes());
                write_varint(prefix as u64, &mut self.out);
                write_varint((topic.len() - prefix) as u64, &mut self.out);
                self.out.extend_from_slice(&topic.as_bytes()[prefix..]);
            }
            _ => {}
        }
    }
}

/// How long the common beginning is that is worth its number.
fn shared(before: &[u8], now: &[u8]) -> usize {
    let (words, others) = (before.as_chunks::<8>().0, now.as_chunks::<8>().0);
    let mut at = 0;
    for (word, other) in words.iter().zip(others) {
        let difference = u64::from_le_bytes(*word) ^ u64::from_le_bytes(*other);
        if difference != 0 {
            at += difference.trailing_zeros() as usize / 8;
            return if at < MIN_SHARED { 0 } else { at };
        }
        at += 8;
    }
    at += before[at..].iter().zip(&now[at..]).take_while(|(a, b)| a == b).count();
    if at < MIN_SHARED { 0 } else { at }
}

/// Reads the messages of a frame of `size` bytes.
pub(super) fn read(header: Header, mut reader: Reader<'_>, size: usize) -> Result<Frame, WireError> {
    let mut unfolded = Unfolded::new(size);
    while !reader.rest().is_empty() {
        read_message(&mut reader, &mut unfolded)?;
    }
    unfolded.into_frame(header)
}

fn read_message(reader: &mut Reader<'_>, unfolded: &mut Unfolded) -> Result<(), WireError> {
    const BROKEN: WireError = WireError::NotAFrame;
    let first = reader.byte().ok_or(BROKEN)?;
    let mut prefix = usize::from(first >> TOPIC_BITS);
    if prefix == LONG_PREFIX {
        prefix = reader.size().and_then(|more| more.checked_add(prefix)).ok_or(BROKEN)?;
    }
    match first & ((1 << TOPIC_BITS) - 1) {
        SAME_TOPIC => {}
        KNOWN_TOPIC => unfolded.known_topic(reader.size().ok_or(BROKEN)?)?,
        NEW_TOPIC => {
            let prefix = reader.size().ok_or(BROKEN)?;
            unfolded.new_topic(prefix, read_rest(reader)?)?;
        }
        _ => return Err(BROKEN),
    }
    unfolded.message(prefix, read_rest(reader)?)
}

/// Takes a length and so many bytes.
fn read_rest<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], WireError> {
    reader.size().and_then(|len| reader.take(len)).ok_or(WireError::NotAFrame)
}
