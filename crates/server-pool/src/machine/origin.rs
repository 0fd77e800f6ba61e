//! The log of another server, as far as it is known here.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::log::{Listed, Stamped};
use super::ranges::Ranges;
use crate::wire::{Delta, Header, Op, entry_hash};

/// What an entry takes in memory beyond its key and value, roughly, in bytes: what bounds on memory reckon
/// with.
pub const ENTRY_OVERHEAD: usize = 160;

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
    items: BTreeMap<Arc<str>, Item>,
    /// The hash of the live items here.
    own_hash: u32,
    /// Tombstones among the items: those beyond a hole.
    tombstones: usize,
    bytes: usize,
    sweep: Option<Sweep>,
    /// Something was dropped for want of room, so the hash says nothing any more.
    truncated: bool,
}

#[derive(Debug)]
struct Item {
    version: u64,
    /// `None` for a tombstone.
    put: Option<Stamped>,
    /// Known before the sweep under way, and not listed since.
    doubtful: bool,
}

#[derive(Debug)]
struct Sweep {
    /// The head when it began: it ends when everything up to here is known.
    target: u64,
    /// The oldest part used.
    oldest: u64,
}

/// What a part of a log changed of the server's claims, by key.
pub(crate) type Effects = BTreeMap<Arc<str>, Effect>;

/// What changed of a claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The server claims the key; `same` if it did so before with an equal value.
    Put { stamp: u64, same: bool },
    /// The server claims the key no more.
    Drop,
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
            items: BTreeMap::new(),
            own_hash: 0,
            tombstones: 0,
            bytes: 0,
            sweep: (header.head > 0).then_some(Sweep { target: header.head, oldest: u64::MAX }),
            truncated: false,
        }
    }

    /// Bytes that its items take.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// What it has under a key.
    pub(crate) fn value(&self, key: &str) -> Option<&Arc<str>> {
        self.items.get(key)?.put.as_ref().map(|put| &put.value)
    }

    /// Its live items by version, if all of it is known and right: what a checkpoint says of it.
    pub(crate) fn listing(&self) -> Option<Vec<Listed<'_>>> {
        let exact = self.is_complete() && !self.truncated && self.hash == self.own_hash;
        let live = self.items.iter().filter(|(_, item)| item.put.is_some());
        let mut items: Vec<_> = live.map(|(key, item)| (item.version, key, item.put.as_ref())).collect();
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

    /// The keys that it claims.
    pub(crate) fn into_keys(self) -> impl Iterator<Item = Arc<str>> {
        self.items.into_iter().filter(|(_, item)| item.put.is_some()).map(|(key, _)| key)
    }

    /// Everything up to here is known.
    fn watermark(&self) -> u64 {
        self.known.prefix()
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
    pub(crate) fn apply(&mut self, asof: u64, delta: &Delta<'_>, room: Room, effects: &mut Effects) -> u64 {
        if asof < self.pruned || self.known.contains(delta.from, delta.to) {
            return 0;
        }
        let mut refused = 0;
        for op in &delta.ops {
            // No honest part lists a key twice; of others the first item stands.
            if !effects.contains_key(&*op.key) {
                refused += u64::from(!self.apply_op(op, room, effects));
            }
        }
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
        comparable && self.watermark() == self.head && self.hash != self.own_hash
    }

    /// Whether something was dropped for want of bytes, and the log has not as many items as it may.
    pub(crate) fn wants_room(&self, items: usize) -> bool {
        self.truncated && self.items.len() < items
    }

    /// Begins to know the log anew, while all that was known stays visible.
    pub(crate) fn begin_sweep(&mut self) {
        self.truncated = false;
        self.known = Ranges::default();
        self.items.values_mut().for_each(|item| item.doubtful = true);
        self.sweep = Some(Sweep { target: self.head, oldest: u64::MAX });
    }

    /// `false` if there is no room for it.
    fn apply_op(&mut self, op: &Op<'_>, room: Room, effects: &mut Effects) -> bool {
        let item = self.items.get_mut(&*op.key);
        if let Some(item) = item.filter(|item| item.version >= op.version) {
            item.doubtful &= item.version > op.version;
            return true;
        }
        if !self.has_room(op, room) {
            return false;
        }
        self.replace(op, effects);
        true
    }

    fn has_room(&self, op: &Op<'_>, room: Room) -> bool {
        let old = self.items.get_key_value(&*op.key).map(|(key, item)| size(key, item.put.as_ref()));
        let value = op.put.map_or(0, |(_, value)| value.len());
        let bytes = self.bytes - old.unwrap_or(0) + ENTRY_OVERHEAD + op.key.len() + value;
        bytes <= room.bytes && self.items.len() + usize::from(old.is_none()) <= room.items
    }

    fn replace(&mut self, op: &Op<'_>, effects: &mut Effects) {
        let old = self.items.remove_entry(&*op.key);
        let key = old.as_ref().map_or_else(|| Arc::from(&*op.key), |(key, _)| key.clone());
        let old = old.and_then(|(key, item)| self.forget(&key, item));
        let put = op.put.map(|(stamp, value)| {
            let same = old.as_ref().filter(|old| *old.value == *value);
            Stamped { stamp, value: same.map_or_else(|| value.into(), |same| same.value.clone()) }
        });
        if let Some(put) = &put {
            let same = old.is_some_and(|old| old.value == put.value);
            effects.insert(key.clone(), Effect::Put { stamp: put.stamp, same });
        } else if old.is_some() {
            effects.insert(key.clone(), Effect::Drop);
        }
        self.keep(key, Item { version: op.version, put, doubtful: false });
    }

    fn keep(&mut self, key: Arc<str>, item: Item) {
        self.bytes += size(&key, item.put.as_ref());
        if item.put.is_some() {
            self.own_hash = self.own_hash.wrapping_add(entry_hash(&key, item.version));
        } else {
            self.tombstones += 1;
        }
        self.items.insert(key, item);
    }

    /// Undoes [`keep`](Self::keep) for an item already taken out.
    fn forget(&mut self, key: &str, item: Item) -> Option<Stamped> {
        self.bytes -= size(key, item.put.as_ref());
        if item.put.is_some() {
            self.own_hash = self.own_hash.wrapping_sub(entry_hash(key, item.version));
        } else {
            self.tombstones -= 1;
        }
        item.put
    }

    fn cover(&mut self, from: u64, to: u64) {
        let touches = from <= self.watermark();
        if touches || self.known.len() < MAX_RANGES {
            self.known.insert(from, to);
        }
    }

    /// Draws the conclusions of what is known now.
    fn settle(&mut self, effects: &mut Effects) {
        let known = self.watermark();
        if let Some(target) = self.sweep.as_ref().map(|sweep| sweep.target).filter(|target| known >= *target)
        {
            self.sweep = None;
            self.discard(effects, |item| item.doubtful && item.version <= target);
        }
        if self.tombstones > 0 {
            self.discard(effects, |item| item.put.is_none() && item.version <= known);
        }
    }

    fn discard(&mut self, effects: &mut Effects, is_over: impl Fn(&Item) -> bool) {
        let over: Vec<_> = self.items.extract_if(.., |_, item| is_over(item)).collect();
        for (key, item) in over {
            if self.forget(&key, item).is_some() {
                effects.insert(key, Effect::Drop);
            }
        }
    }
}

fn size(key: &str, put: Option<&Stamped>) -> usize {
    ENTRY_OVERHEAD + key.len() + put.map_or(0, |put| put.value.len())
}
