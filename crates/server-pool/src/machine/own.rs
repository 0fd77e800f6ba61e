//! This server's contributions: what is accepted, what waits to be sent, what was sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use transport_traits::Instant;

use super::log::{Log, Stamped};
use super::queue::Queue;
use crate::wire::{FrameLimit, Header, Kind, Packer, delta_lead, entry, tombstone};

/// Contributions of this server to one pool.
#[derive(Debug, Default)]
pub(crate) struct Own {
    /// What this server contributes now.
    pub(crate) claims: BTreeMap<Arc<str>, Stamped>,
    /// Keys whose latest state was not sent yet.
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

    /// Takes a contribution back. Whether there was one.
    pub(crate) fn take(&mut self, now: Instant, key: &str) -> bool {
        let Some((key, _)) = self.claims.remove_entry(key) else { return false };
        self.queue.push(&key, now);
        true
    }

    /// Gives versions to the keys that wait longest, as many as a frame holds, and packs them. `None` if
    /// nothing that waits needs to be sent. `header` is the one for the present head.
    pub(crate) fn pack_queue(
        &mut self,
        now: Instant,
        limit: &FrameLimit,
        mut header: Header,
        base: u64,
    ) -> Option<Part> {
        let from = self.log.head();
        header.head = from + self.queue.len() as u64;
        header.hash = u32::MAX;
        let mut packer = Packer::new(limit, Kind::Delta, &header, &delta_lead(from, header.head, base));
        while let Some((key, _)) = self.queue.front() {
            let put = self.claims.get(key);
            if put.is_some() || self.log.is_live(key) {
                let version = self.log.head() + 1 - from;
                if !packer.push(&piece(key, version, base, put)) {
                    assert!(!packer.is_empty(), "an accepted entry fits into a frame");
                    break;
                }
                self.log.append(now, key, put.cloned());
            }
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
        let first = self.log.list(from, to).find_map(|(_, item)| item.put.as_ref());
        let base = first.map_or(0, |put| put.stamp);
        let mut packer = Packer::new(limit, Kind::Delta, header, &delta_lead(from, to, base));
        let mut reached = to;
        for (version, item) in self.log.list(from, to) {
            if !packer.push(&piece(&item.key, version - from, base, item.put.as_ref())) {
                assert!(!packer.is_empty(), "a sent entry fits into a frame");
                reached = version - 1;
                break;
            }
        }
        let frame = packer.finish(Kind::Delta, header, &delta_lead(from, reached, base));
        Part { frame, from, to: reached }
    }
}

fn piece(key: &str, version: u64, base: u64, put: Option<&Stamped>) -> String {
    match put {
        Some(put) => entry(key, version, put.stamp, base, &put.value),
        None => tombstone(key, version),
    }
}
