//! The other servers of a pool: who lives, in which incarnation, and what is known of their logs.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use transport_traits::Instant;

use super::change::Reason;
use super::log::Listed;
use super::origin::{Extent, Origin};
use super::repair::Pull;
use crate::wire::{Header, Member, entry_hash};

/// The other servers. Bounded in number; the recently dead are remembered for two timeouts, so that a late
/// frame does not raise them.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    peers: BTreeMap<Arc<str>, Peer>,
    bytes: usize,
    /// The sum of the hashes of the living, if it was asked for since they last changed.
    members: Option<u32>,
    /// Nothing expires and nobody is forgotten before this.
    next_expiry: Option<Instant>,
    /// Nothing is to be asked for before this.
    pub(super) next_pull: Option<Instant>,
}

#[derive(Debug)]
struct Peer {
    incarnation: u64,
    sequence: u64,
    /// Which frames came of those just before `sequence`: bit n is that of `sequence - 1 - n`.
    earlier: u64,
    heard: Instant,
    /// From when its silence counts: it was heard then, or everybody was given a full timeout.
    grace: Instant,
    /// How long it had been silent then: only what others say of a server has an age.
    age: Duration,
    /// The sequence that its frames had reached when others told of it, until it is heard itself. What they said
    /// holds until then.
    told: Option<u64>,
    /// The hash of whom it believes alive, and the one here at that time.
    believes: Option<(u32, u32)>,
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
    /// Overtaken by a newer one of its sender. What it says and asks still holds, but it is no sign of life.
    Late,
    /// It came before, or it is too late to tell. What it says of the log still holds.
    Repeated,
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

    /// The name of a server that is known, in the one piece of memory that all its entries share.
    pub(crate) fn name(&self, server: &str) -> Option<Arc<str>> {
        self.peers.get_key_value(server).map(|(name, _)| name.clone())
    }

    /// A living server's claim to a key: the stamp and the JSON text.
    pub(crate) fn claim(&self, server: &str, key: &str) -> Option<(u64, &str)> {
        self.peers.get(server)?.live()?.origin.claim(key)
    }

    /// Bytes that the entries of all servers take.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Corrects the sum of bytes after a log has changed.
    pub(crate) const fn resized(&mut self, before: usize, after: usize) {
        self.bytes = self.bytes - before + after;
    }

    /// Ends the life of a server whose later incarnation sent this frame, or of which others said what the frame
    /// does not confirm. Hands out its log, if so, and why.
    pub(crate) fn retire_older(&mut self, header: &Header) -> Option<(Origin, Reason)> {
        let peer = self.peers.get_mut(&header.server)?;
        if peer.incarnation < header.incarnation {
            return self.end(&header.server).map(|origin| (origin, Reason::Restarted));
        }
        let told = peer.told?;
        let same = peer.incarnation == header.incarnation;
        // A frame from before what was told proves nothing. One of an earlier life does: else a lie about an
        // incarnation would keep its server out.
        let is_late = same && header.sequence <= told;
        let confirms = same && peer.live().is_some_and(|live| live.origin.is_confirmed_by(header));
        if is_late || confirms {
            return None;
        }
        let origin = self.end(&header.server);
        self.peers.remove(&header.server);
        origin.map(|origin| (origin, Reason::Unconfirmed))
    }

    /// Whether a server was heard itself. `false` also of one that is not known.
    pub(crate) fn is_confirmed(&self, server: &str) -> bool {
        self.peers.get(server).is_some_and(|peer| peer.told.is_none())
    }

    /// Takes in what somebody else said of a server, `age` after that heard it last. It is not a sign of life: what
    /// is left of the timeout is all that the server has until it is heard itself. Whether the part of its log
    /// behind this header may be used.
    pub(crate) fn adopt(
        &mut self,
        header: &Header,
        now: Instant,
        max: usize,
        (age, timeout): (Duration, Duration),
    ) -> bool {
        if let Some(peer) = self.peers.get(&header.server) {
            let fits = |live: &Live| header.head <= live.origin.head().0;
            return peer.incarnation == header.incarnation && peer.live().is_some_and(fits);
        }
        let room = self.peers.len() < max && age < timeout;
        if room {
            let peer = Peer { age, told: Some(header.sequence), sequence: 0, ..Peer::new(header, now) };
            self.expect_expiry(peer.deadline(timeout));
            self.peers.insert(header.server.clone(), peer);
            self.members = None;
        }
        room
    }

    /// A hash of who lives, that every server computes alike: a sum, so that order does not matter. It does not
    /// include this server.
    pub(crate) fn members(&mut self) -> u32 {
        let sum = self.members.unwrap_or_else(|| {
            let living = self.peers.iter().filter(|(_, peer)| peer.live().is_some());
            living.fold(0, |sum, (server, peer)| sum.wrapping_add(entry_hash(server, peer.incarnation)))
        });
        self.members = Some(sum);
        sum
    }

    /// Takes in what a server believes of who lives, and says whether that stands: it differs from what is believed
    /// here, as it did at its heartbeat before, and neither has changed since.
    pub(crate) fn differs(&mut self, server: &str, theirs: u32, ours: u32) -> bool {
        let Some(peer) = self.peers.get_mut(server) else { return false };
        let before = peer.believes.replace((theirs, ours));
        theirs != ours && before == Some((theirs, ours))
    }

    /// Who lives, from a name on: what was said last, and for how long each has been silent.
    pub(crate) fn roster(&self, from: &str, now: Instant) -> impl Iterator<Item = Member> {
        let rest = self.peers.range::<str, _>((Bound::Included(from), Bound::Unbounded));
        rest.filter_map(move |(server, peer)| {
            let (head, hash) = peer.live()?.origin.head();
            let incarnation = peer.incarnation;
            let header = Header { server: server.clone(), incarnation, sequence: 0, head, pruned: 0, hash };
            Some(Member { header, age: now.since(peer.heard) + peer.age })
        })
    }

    /// What each living server's log is known to hold, if it is known exactly: its header, how long the server has
    /// been silent, and its items.
    pub(crate) fn listings(&self, now: Instant) -> impl Iterator<Item = (Header, Duration, Vec<Listed<'_>>)> {
        self.peers.iter().filter_map(move |(server, peer)| {
            let origin = &peer.live()?.origin;
            let (head, hash) = origin.head();
            let incarnation = peer.incarnation;
            let sequence = peer.told.unwrap_or(peer.sequence);
            let header = Header { server: server.clone(), incarnation, sequence, head, pruned: 0, hash };
            Some((header, now.since(peer.heard) + peer.age, origin.listing()?))
        })
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
            self.members = None;
            self.expect_expiry(now + timeout);
            return Admission::Newer;
        };
        let was_over = peer.live().is_none();
        let admission = peer.admit(header, now);
        if was_over {
            self.members = None;
        }
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
        let silent = |peer: &Peer| peer.live().is_some() && peer.deadline(timeout) <= now;
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

    /// Gives every living server a full timeout. To others its age is told as it is.
    pub(crate) fn renew(&mut self, now: Instant) {
        self.peers.values_mut().filter(|peer| peer.live().is_some()).for_each(|peer| peer.grace = now);
    }

    /// Asks for what a server's log misses when it is due; `before` is what was known before its last frame.
    pub(super) fn watch(&mut self, server: &str, before: Option<Extent>, due: Instant) {
        let Some(live) = self.live_mut(server) else { return };
        if live.origin.is_complete() {
            live.pull = Pull::default();
        } else if live.pull.due.is_none() || before != Some(live.origin.extent()) {
            live.pull.restart(due);
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
        self.members = None;
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
            earlier: 0,
            heard: now,
            grace: now,
            age: Duration::ZERO,
            told: None,
            believes: None,
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
        self.grace + if self.live().is_some() { timeout.saturating_sub(self.age) } else { 3 * timeout }
    }

    fn admit(&mut self, header: &Header, now: Instant) -> Admission {
        let newer = header.sequence > self.sequence;
        match (header.incarnation.cmp(&self.incarnation), &self.life) {
            (Ordering::Less, _) => Admission::Outdated,
            (Ordering::Equal, Life::Over) if !newer => Admission::Outdated,
            (Ordering::Equal, Life::Live(_)) if !newer => self.admit_late(header.sequence),
            (Ordering::Equal, Life::Live(_)) if self.told.is_some_and(|told| header.sequence <= told) => {
                Admission::Repeated
            }
            (Ordering::Equal, Life::Live(_)) => {
                self.told = None;
                self.advance(header.sequence);
                (self.heard, self.grace, self.age) = (now, now, Duration::ZERO);
                Admission::Newer
            }
            (Ordering::Equal, Life::Over) | (Ordering::Greater, _) => {
                *self = Self::new(header, now);
                Admission::Newer
            }
        }
    }
    /// Moves the window of frames that came to a newer one, as receivers of IPsec do (RFC 4303, §3.4.3).
    const fn advance(&mut self, sequence: u64) {
        let step = sequence - self.sequence;
        self.earlier = if step > 64 {
            0
        } else {
            // The former newest, with those before it, moves down by the step.
            let moved = if step == 64 { 0 } else { self.earlier << step };
            moved | (1 << (step - 1))
        };
        self.sequence = sequence;
    }

    const fn admit_late(&mut self, sequence: u64) -> Admission {
        let age = self.sequence - sequence;
        if age == 0 || age > 64 || self.earlier & (1 << (age - 1)) != 0 {
            return Admission::Repeated;
        }
        self.earlier |= 1 << (age - 1);
        Admission::Late
    }
}
