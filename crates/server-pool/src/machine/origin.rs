//! The log of another server, as far as it is known here.

use std::borrow::Cow;

use super::items::{Item, Items};
use super::log::Listed;
use super::ranges::Ranges;
use crate::wire::{Delta, Header, Op};

/// The most ranges known beyond a hole. Further ones are asked for again.
const MAX_RANGES: usize = 64;

/// Another server's log.
///
/// What is known is a set of version ranges. A part of a log lists *everything* that the log held in its
/// range at the time (its head then: `asof`), so parts of different times can be combined, as long as
/// none is older than a tombstone that was forgotten since: whatever moved or went away afterwards is
/// listed by a later part.
///
/// Where that does not hold (what is known ends before the last tombstone forgotten, or the hash tells
/// that something is wrong) the log is *swept*: known anew from version 0, while everything that was
/// known stays visible but doubtful; what no part lists by then is removed.
#[derive(Debug)]
pub(crate) struct Origin {
    head: u64,
    pruned: u64,
    /// What the sender says the hash is at `head`.
    hash: u32,
    known: Ranges,
    /// Tombstones among them are those beyond a hole.
    items: Items,
    sweep: Option<Sweep>,
    /// Something was dropped for want of room, so the hash says nothing any more.
    truncated: bool,
}

#[derive(Debug)]
struct Sweep {
    /// The head when it began: it ends when everything up to here is known.
    target: u64,
    /// The oldest part used.
    oldest: u64,
}

/// What a part of a log changed of the server's claims: each key once.
pub(crate) type Effects<'a> = Vec<(Cow<'a, str>, Effect<'a>)>;

/// What changed of a claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Effect<'a> {
    /// The stamp under which the server claimed the key before, if it did.
    pub(crate) before: Option<u64>,
    /// The stamp under which it claims the key now and the JSON text, if it does.
    pub(crate) after: Option<(u64, &'a str)>,
    /// Both claims have an equal value.
    pub(crate) same: bool,
}

/// How much may be added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Items that one server may have.
    pub(crate) items: usize,
    /// Bytes that this server may have in all.
    pub(crate) bytes: usize,
}

/// How much of a log is known: the watermark, and how many ranges. It changes with every step forward.
pub(crate) type Extent = (u64, usize);

impl Origin {
    /// The log of a server that was just met.
    pub(crate) fn new(header: &Header) -> Self {
        Self {
            head: header.head,
            pruned: header.pruned,
            hash: header.hash,
            known: Ranges::default(),
            items: Items::default(),
            sweep: (header.head > 0).then_some(Sweep { target: header.head, oldest: u64::MAX }),
            truncated: false,
        }
    }

    /// What its items count against bounds on memory, in bytes.
    pub(crate) const fn bytes(&self) -> usize {
        self.items.bytes()
    }

    /// Its claim to a key: the stamp and the JSON text.
    pub(crate) fn claim(&self, key: &str) -> Option<(u64, &str)> {
        self.items.get(key)?.put()
    }

    /// The keys that it claims, and under which stamps.
    pub(crate) fn claims(&self) -> impl Iterator<Item = (&str, u64)> {
        self.items.iter().filter_map(|item| Some((item.key(), item.put()?.0)))
    }

    /// Its live items by version, if all of it is known and right: what a checkpoint says of it.
    pub(crate) fn listing(&self) -> Option<Vec<Listed<'_>>> {
        let exact = self.is_complete() && !self.truncated && self.hash == self.items.hash();
        let live = self.items.iter().filter(|item| item.put().is_some());
        let mut items: Vec<_> = live.map(Item::listed).collect();
        items.sort_unstable_by_key(|(version, ..)| *version);
        exact.then_some(items)
    }

    /// Whether its own server says the same of it, or more: nobody else can be believed.
    pub(crate) fn is_confirmed_by(&self, header: &Header) -> bool {
        header.head > self.head || (header.head == self.head && header.hash == self.hash)
    }

    /// The last version announced, and the hash there.
    pub(crate) const fn head(&self) -> (u64, u32) {
        (self.head, self.hash)
    }

    /// Everything up to here is known.
    fn watermark(&self) -> u64 {
        self.known.prefix()
    }

    /// Up to which version everything is known, and the hash of the items that are.
    pub(crate) fn known(&self) -> (u64, u32) {
        (self.watermark(), self.items.hash())
    }

    /// How much is known.
    pub(crate) fn extent(&self) -> Extent {
        (self.watermark(), self.known.len())
    }

    /// Whether everything that the sender has is known.
    pub(crate) fn is_complete(&self) -> bool {
        self.sweep.is_none() && self.watermark() >= self.head
    }

    /// What is missing, the oldest first.
    pub(crate) fn missing(&self) -> impl Iterator<Item = (u64, u64)> {
        self.known.gaps(self.head)
    }

    /// Takes in what a frame says about the log. It comes before the frame's content.
    pub(crate) fn announce(&mut self, header: &Header) {
        if header.head > self.head {
            (self.head, self.hash) = (header.head, header.hash);
        }
        self.pruned = self.pruned.max(header.pruned);
        let oldest = self.sweep.as_ref().map_or_else(|| self.watermark(), |sweep| sweep.oldest);
        if oldest < self.pruned {
            self.begin_sweep();
        }
    }

    /// Takes in a part of the log, and says how many items had no room.
    pub(crate) fn apply<'a>(
        &mut self,
        asof: u64,
        delta: &'a Delta<'_>,
        room: Room,
        effects: &mut Effects<'a>,
    ) -> u64 {
        if asof < self.pruned || self.known.contains(delta.from, delta.to) {
            return 0;
        }
        let refused = delta.ops.iter().filter(|op| !self.apply_op(delta, op, room, effects)).count() as u64;
        self.truncated |= refused > 0;
        self.cover(delta.from, delta.to);
        if let Some(sweep) = &mut self.sweep {
            sweep.oldest = sweep.oldest.min(asof);
        }
        self.settle(effects);
        refused
    }

    /// Whether everything is known and yet the hash is another than the sender's.
    pub(crate) fn is_wrong(&self) -> bool {
        let comparable = self.head > 0 && self.is_complete() && !self.truncated;
        comparable && self.watermark() == self.head && self.hash != self.items.hash()
    }

    /// Whether something was dropped for want of bytes, and the log has not as many items as it may.
    pub(crate) fn wants_room(&self, items: usize) -> bool {
        self.truncated && self.items.len() < items
    }

    /// Begins to know the log anew, while all that was known stays visible.
    pub(crate) fn begin_sweep(&mut self) {
        self.truncated = false;
        self.known = Ranges::default();
        self.items.doubt();
        self.sweep = Some(Sweep { target: self.head, oldest: u64::MAX });
    }

    /// `false` if there is no room for it.
    fn apply_op<'a>(
        &mut self,
        delta: &Delta<'_>,
        op: &'a Op<'_>,
        room: Room,
        effects: &mut Effects<'a>,
    ) -> bool {
        let old = self.items.get(&op.key);
        let known = old.map_or(0, |item| item.version);
        if known >= op.version {
            if known == op.version {
                self.items.confirm(&op.key);
            }
            return true;
        }
        // No honest part lists a key twice; of others the first item stands.
        if known > delta.from && delta.lists(known, &op.key) {
            return true;
        }
        let (items, bytes) = self.items.with(op, old);
        let fits = items <= room.items && bytes <= room.bytes;
        if fits {
            self.replace(op, effects);
        }
        fits
    }

    fn replace<'a>(&mut self, op: &'a Op<'_>, effects: &mut Effects<'a>) {
        let old = self.items.replace(op);
        let old = old.as_ref().and_then(Item::put);
        if old.is_some() || op.put.is_some() {
            let same = old.map(|(_, value)| value) == op.put.map(|(_, value)| value);
            let effect = Effect { before: old.map(|(stamp, _)| stamp), after: op.put, same };
            effects.push((Cow::Borrowed(&op.key), effect));
        }
    }

    fn cover(&mut self, from: u64, to: u64) {
        let touches = from <= self.watermark();
        if touches || self.known.len() < MAX_RANGES {
            self.known.insert(from, to);
        }
    }

    /// Draws the conclusions of what is known now.
    fn settle(&mut self, effects: &mut Effects<'_>) {
        let known = self.watermark();
        if let Some(target) = self.sweep.as_ref().map(|sweep| sweep.target).filter(|target| known >= *target)
        {
            self.sweep = None;
            self.discard(effects, |item| item.is_doubtful && item.version <= target);
            // It is known as a whole now; what changes later replaces items more than it adds any.
            self.items.compact();
        }
        if self.items.has_tombstones() {
            self.discard(effects, |item| item.put().is_none() && item.version <= known);
        }
    }

    fn discard(&mut self, effects: &mut Effects<'_>, is_over: impl Fn(&Item) -> bool) {
        for item in self.items.discard(is_over) {
            if let Some((stamp, _)) = item.put() {
                let effect = Effect { before: Some(stamp), after: None, same: false };
                effects.push((Cow::Owned(item.key().to_owned()), effect));
            }
        }
    }
}
