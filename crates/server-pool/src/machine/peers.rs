//! The other servers of a pool: who lives, in which incarnation, and what is known of their logs.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use transport_traits::Instant;

use super::origin::{Extent, Origin};
use super::repair::Pull;
use crate::wire::Header;

/// The other servers. Bounded in number; the recently dead are remembered for two timeouts, so that a late
/// frame does not raise them.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    peers: BTreeMap<Arc<str>, Peer>,
    bytes: usize,
    /// Nothing expires and nobody is forgotten before this.
    next_expiry: Option<Instant>,
    /// Nothing is to be asked for before this.
    pub(super) next_pull: Option<Instant>,
}

#[derive(Debug)]
struct Peer {
    incarnation: u64,
    sequence: u64,
    heard: Instant,
    life: Life,
}

#[derive(Debug)]
enum Life {
    Live(Box<Live>),
    /// Silent since too long, or it said good-bye; a newer frame raises it.
    Over,
}

/// What is kept of a living server.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) origin: Origin,
    pub(crate) pull: Pull,
    /// When the log was last known anew because its hash was wrong.
    pub(crate) mismatch: Option<Instant>,
}

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// The newest of its sender: a sign of life.
    Newer,
    /// A duplicate, or overtaken by a newer one. What it says of the log still holds.
    Late,
    /// Of an incarnation or a life that is over.
    Outdated,
    /// There is no room for another server.
    Refused,
}

impl Peers {
    /// The living ones by name.
    pub(crate) fn live(&self) -> impl Iterator<Item = (&Arc<str>, &Live)> {
        self.peers.iter().filter_map(|(server, peer)| Some((server, peer.live()?)))
    }

    /// A living one's log and what belongs to it.
    pub(crate) fn live_mut(&mut self, server: &str) -> Option<&mut Live> {
        match &mut self.peers.get_mut(server)?.life {
            Life::Live(live) => Some(live),
            Life::Over => None,
        }
    }

    /// The living ones to ask for what is missing, with their incarnations.
    pub(super) fn live_pulls(&mut self) -> impl Iterator<Item = (&Arc<str>, u64, &mut Live)> {
        self.peers.iter_mut().filter_map(|(server, peer)| match &mut peer.life {
            Life::Live(live) => Some((server, peer.incarnation, &mut **live)),
            Life::Over => None,
        })
    }

    /// The incarnation of a server that is known.
    pub(super) fn incarnation(&self, server: &str) -> Option<u64> {
        self.peers.get(server).map(|peer| peer.incarnation)
    }

    /// The value that a living server has under a key.
    pub(crate) fn value(&self, server: &str, key: &str) -> Option<&Arc<str>> {
        self.peers.get(server)?.live()?.origin.value(key)
    }

    /// Bytes that the entries of all servers take.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Corrects the sum of bytes after a log has changed.
    pub(crate) const fn resized(&mut self, before: usize, after: usize) {
        self.bytes = self.bytes - before + after;
    }

    /// Ends the life of a server whose later incarnation sent this frame, and hands out its log.
    pub(crate) fn retire_older(&mut self, header: &Header) -> Option<Origin> {
        let older = self.incarnation(&header.server)? < header.incarnation;
        if older { self.end(&header.server) } else { None }
    }

    /// Takes in who sent a frame, and when.
    pub(crate) fn admit(
        &mut self,
        header: &Header,
        now: Instant,
        max: usize,
        timeout: Duration,
    ) -> Admission {
        let Some(peer) = self.peers.get_mut(&header.server) else {
            if self.peers.len() >= max && !self.forget_one() {
                return Admission::Refused;
            }
            self.peers.insert(header.server.clone(), Peer::new(header, now));
            self.expect_expiry(now + timeout);
            return Admission::Newer;
        };
        let admission = peer.admit(header, now);
        if admission == Admission::Newer {
            self.expect_expiry(now + timeout);
        }
        admission
    }

    /// When [`expire`](Self::expire) has something to do, at the earliest.
    pub(crate) const fn next_expiry(&self) -> Option<Instant> {
        self.next_expiry
    }

    /// Ends the lives of those who were silent for the timeout, and hands out their logs; forgets those who
    /// have been dead for two.
    pub(crate) fn expire(&mut self, now: Instant, timeout: Duration) -> Vec<(Arc<str>, Origin)> {
        if self.next_expiry.is_none_or(|at| at > now) {
            return Vec::new();
        }
        let silent = |peer: &Peer| peer.live().is_some() && peer.heard + timeout <= now;
        let silent: Vec<_> =
            self.peers.iter().filter(|(_, peer)| silent(peer)).map(|(server, _)| server.clone()).collect();
        let ended = silent.into_iter().filter_map(|server| {
            let origin = self.end(&server)?;
            Some((server, origin))
        });
        let ended = ended.collect();
        self.peers.retain(|_, peer| peer.deadline(timeout) > now);
        self.next_expiry = self.peers.values().map(|peer| peer.deadline(timeout)).min();
        ended
    }

    /// Gives every living server a full timeout.
    pub(crate) fn renew(&mut self, now: Instant) {
        self.peers.values_mut().filter(|peer| peer.live().is_some()).for_each(|peer| peer.heard = now);
    }

    /// Asks for what a server's log misses when it is due; `before` is what was known before its last frame.
    pub(super) fn watch(&mut self, server: &str, before: Option<Extent>, due: Instant) {
        let Some(live) = self.live_mut(server) else { return };
        if live.origin.is_complete() {
            live.pull = Pull::default();
        } else if live.pull.due.is_none() || before != Some(live.origin.extent()) {
            live.pull = Pull::at(due);
            self.expect_pull(due);
        }
    }

    pub(super) fn expect_pull(&mut self, due: Instant) {
        self.next_pull = Some(self.next_pull.map_or(due, |at| at.min(due)));
    }

    fn expect_expiry(&mut self, at: Instant) {
        self.next_expiry = Some(self.next_expiry.map_or(at, |next| next.min(at)));
    }

    /// Ends the life of a server, and hands out its log.
    pub(crate) fn end(&mut self, server: &str) -> Option<Origin> {
        let peer = self.peers.get_mut(server)?;
        let Life::Live(live) = std::mem::replace(&mut peer.life, Life::Over) else { return None };
        self.bytes -= live.origin.bytes();
        Some(live.origin)
    }

    /// Forgets the one of the dead who was heard first. `false` if all live.
    fn forget_one(&mut self) -> bool {
        let dead = self.peers.iter().filter(|(_, peer)| peer.live().is_none());
        let first = dead.min_by_key(|(_, peer)| peer.heard).map(|(server, _)| server.clone());
        first.is_some_and(|server| self.peers.remove(&server).is_some())
    }
}

impl Peer {
    fn new(header: &Header, now: Instant) -> Self {
        let live = Live { origin: Origin::new(header), pull: Pull::default(), mismatch: None };
        Self {
            incarnation: header.incarnation,
            sequence: header.sequence,
            heard: now,
            life: Life::Live(Box::new(live)),
        }
    }

    fn live(&self) -> Option<&Live> {
        match &self.life {
            Life::Live(live) => Some(live),
            Life::Over => None,
        }
    }

    /// When it expires, or is forgotten.
    fn deadline(&self, timeout: Duration) -> Instant {
        self.heard + if self.live().is_some() { timeout } else { 3 * timeout }
    }

    fn admit(&mut self, header: &Header, now: Instant) -> Admission {
        let newer = header.sequence > self.sequence;
        match (header.incarnation.cmp(&self.incarnation), &self.life) {
            (Ordering::Less, _) => Admission::Outdated,
            (Ordering::Equal, Life::Over) if !newer => Admission::Outdated,
            (Ordering::Equal, Life::Live(_)) if !newer => Admission::Late,
            (Ordering::Equal, Life::Live(_)) => {
                (self.sequence, self.heard) = (header.sequence, now);
                Admission::Newer
            }
            (Ordering::Equal, Life::Over) | (Ordering::Greater, _) => {
                *self = Self::new(header, now);
                Admission::Newer
            }
        }
    }
}
