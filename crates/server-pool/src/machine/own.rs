//! This server's contributions: what is accepted, what waits to be sent, what was sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use transport_traits::Instant;

use super::log::{Listed, Log, Stamped};
use super::queue::Queue;
use crate::wire::{FrameLimit, Header, Kind, Packer, Steps, delta_lead};

/// Contributions of this server to one pool.
#[derive(Debug, Default)]
pub(crate) struct Own {
    /// What this server contributes now.
    pub(crate) claims: BTreeMap<Arc<str>, Stamped>,
    /// Keys whose latest state was not sent yet: each is claimed, or the log holds it live. So they are no more than
    /// those, however long nothing can be sent.
    pub(crate) queue: Queue,
    /// What was sent.
    pub(crate) log: Log,
}

/// A packed part of the log: its items in (from, to].
pub(crate) struct Part {
    pub(crate) frame: bytes::Bytes,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Own {
    /// Accepts a contribution.
    pub(crate) fn put(&mut self, now: Instant, key: &Arc<str>, put: Stamped) {
        self.claims.insert(key.clone(), put);
        self.queue.push(key, now);
    }

    /// Takes a contribution back. Whether there was one. Of one that was never sent nobody has to be told.
    pub(crate) fn take(&mut self, now: Instant, key: &str) -> bool {
        let Some((key, _)) = self.claims.remove_entry(key) else { return false };
        if self.log.is_live(&key) {
            self.queue.push(&key, now);
        } else {
            self.queue.remove(&key);
        }
        true
    }

    /// Gives versions to the keys that wait longest, as many as a frame holds, and packs them. `None` if
    /// nothing waits. `header` is the one for the present head.
    pub(crate) fn pack_queue(
        &mut self,
        now: Instant,
        limit: &FrameLimit,
        mut header: Header,
    ) -> Option<Part> {
        let from = self.log.head();
        let first = self.queue.iter().find_map(|key| self.claims.get(key));
        let base = base(first.map(Stamped::parts));
        header.head = from + self.queue.len() as u64;
        header.hash = u32::MAX;
        let mut packer = Packer::new(limit, Kind::Delta, &header, &delta_lead(from, header.head, base));
        let mut steps = Steps::new(from, base);
        while let Some((key, _)) = self.queue.front() {
            let put = self.claims.get(key);
            assert!(put.is_some() || self.log.is_live(key), "what waits is claimed, or was sent");
            let (item, after) = item(steps, key, self.log.head() + 1, put.map(Stamped::parts));
            if !packer.push(&item) {
                assert!(!packer.is_empty(), "an accepted entry fits into a frame");
                break;
            }
            steps = after;
            self.log.append(now, key, put.cloned());
            self.queue.pop();
        }
        let to = self.log.head();
        header.head = to;
        header.hash = self.log.hash();
        let lead = delta_lead(from, to, base);
        (!packer.is_empty()).then(|| Part { frame: packer.finish(Kind::Delta, &header, &lead), from, to })
    }

    /// Packs what the log holds from `from` on, as much as a frame holds and at most up to `to`.
    pub(crate) fn pack_log(&self, limit: &FrameLimit, header: &Header, from: u64, to: u64) -> Part {
        pack(limit, header, (from, to), self.log.list(from, to))
    }
}

/// Packs the items that a log holds in a range, ascending, as many as a frame holds.
pub(crate) fn pack<'a>(
    limit: &FrameLimit,
    header: &Header,
    (from, to): (u64, u64),
    items: impl Iterator<Item = Listed<'a>> + Clone,
) -> Part {
    let base = base(items.clone().find_map(|(.., put)| put));
    let mut packer = Packer::new(limit, Kind::Delta, header, &delta_lead(from, to, base));
    let (mut reached, mut steps) = (to, Steps::new(from, base));
    for (version, key, put) in items {
        let (item, after) = item(steps, key, version, put);
        if !packer.push(&item) {
            assert!(!packer.is_empty(), "a sent entry fits into a frame");
            reached = version - 1;
            break;
        }
        steps = after;
    }
    let frame = packer.finish(Kind::Delta, header, &delta_lead(from, reached, base));
    Part { frame, from, to: reached }
}

/// What the stamps of a part count from, if this is its first entry.
fn base(first: Option<(u64, &str)>) -> u64 {
    first.map_or(0, |(stamp, _)| stamp.saturating_sub(1))
}

fn item(steps: Steps, key: &str, version: u64, put: Option<(u64, &str)>) -> (String, Steps) {
    match put {
        Some((stamp, value)) => steps.entry(key, version, stamp, value),
        None => steps.tombstone(key, version),
    }
}
