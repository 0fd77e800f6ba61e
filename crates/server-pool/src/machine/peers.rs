//! The other servers of a pool: who lives, and from when on that is to be looked at again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use transport_traits::Instant;

use super::change::Reason;
use super::log::Listed;
use super::origin::{Extent, Origin};
use super::peer::{Admission, Live, Peer, Rejection};
use crate::places::{Place, Places};
use crate::wire::{Header, Member, digest, entry_hash};

/// The other servers. Bounded in number; the recently dead are remembered for two timeouts, so that a late
/// frame does not raise them.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    peers: Places<Peer>,
    living: usize,
    bytes: usize,
    /// The sum of the hashes of the living, if it was asked for since they last changed.
    members: Option<u32>,
    /// Nothing expires and nobody is forgotten before this.
    next_expiry: Option<Instant>,
    /// Nothing is to be asked for before this.
    pub(super) next_pull: Option<Instant>,
    /// Where something is to be asked for, and where that is over, but nobody looked since.
    wanting: BTreeSet<Place>,
    /// One of which not everything was known when it was last looked at.
    incomplete: Option<Place>,
}

/// A server whose life is over: its place, which it may have left, its name and its log.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) place: Place,
    pub(crate) server: Arc<str>,
    pub(crate) origin: Origin,
}

impl Peers {
    /// How many live.
    pub(crate) const fn living(&self) -> usize {
        self.living
    }

    /// The names of the living.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.peers.iter().filter(|(.., peer)| peer.live.is_some()).map(|(_, name, _)| name)
    }

    /// Whether everything is known that the living have. It is looked at first where it was not so the last time, since
    /// there it takes longest: else every frame would cost a look at all of them.
    pub(crate) fn is_complete(&mut self) -> bool {
        self.incomplete = self.peers.find_from(self.incomplete, Peer::is_incomplete);
        self.incomplete.is_none()
    }

    /// Where a server is that is known.
    pub(crate) fn find(&self, server: &str) -> Option<Place> {
        self.peers.find(server)
    }

    /// A living one's log and what belongs to it.
    pub(crate) fn live_mut(&mut self, place: Place) -> Option<&mut Live> {
        self.peers.get_mut(place)?.live.as_mut()
    }

    /// A living one with its name and incarnation.
    pub(super) fn live_at(&mut self, place: Place) -> Option<(Arc<str>, u64, &mut Live)> {
        let server = self.peers.name(place)?.clone();
        let peer = self.peers.get_mut(place)?;
        Some((server, peer.incarnation, peer.live.as_mut()?))
    }

    /// Where a server is that is known to be in this life.
    pub(super) fn find_life(&self, server: &str, incarnation: u64) -> Option<Place> {
        self.find(server)
            .filter(|place| self.peers.get(*place).is_some_and(|peer| peer.incarnation == incarnation))
    }

    /// Those of which something is to be asked for, and when.
    pub(super) fn wanting(&mut self) -> Vec<(Place, Instant)> {
        let due = |place: &Place| self.peers.get(*place)?.live.as_ref()?.pull.due;
        let wanting: Vec<_> = self.wanting.iter().filter_map(|place| Some((*place, due(place)?))).collect();
        self.wanting = wanting.iter().map(|(place, _)| *place).collect();
        wanting
    }

    /// The incarnation of a server that is known.
    pub(super) fn incarnation(&self, server: &str) -> Option<u64> {
        self.peers.get(self.find(server)?).map(|peer| peer.incarnation)
    }

    /// The name of a server that is known, in the one piece of memory that all its entries share.
    pub(crate) fn name(&self, place: Place) -> Option<&Arc<str>> {
        self.peers.name(place)
    }

    /// A living server's claim to a key: the stamp and the JSON text.
    pub(crate) fn claim(&self, place: Place, key: &str) -> Option<(u64, &str)> {
        self.peers.get(place)?.live.as_ref()?.origin.claim(key)
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
    pub(crate) fn retire_older(&mut self, place: Place, header: &Header) -> Option<(Ended, Reason)> {
        let peer = self.peers.get(place)?;
        if peer.incarnation < header.incarnation {
            return self.end(place).map(|ended| (ended, Reason::Restarted));
        }
        let told = peer.told?;
        let same = peer.incarnation == header.incarnation;
        // A frame from before what was told proves nothing. One of an earlier life does: else a lie about an
        // incarnation would keep its server out.
        let is_late = same && header.sequence <= told;
        let confirms = same && peer.live.as_ref().is_some_and(|live| live.origin.is_confirmed_by(header));
        if is_late || confirms {
            return None;
        }
        let ended = self.end(place);
        self.peers.remove(place);
        ended.map(|ended| (ended, Reason::Unconfirmed))
    }

    /// Whether a server was heard itself. `false` also of one that is not known.
    pub(crate) fn is_confirmed(&self, place: Place) -> bool {
        self.peers.get(place).is_some_and(|peer| peer.told.is_none())
    }

    /// Takes in what somebody else said of a server, `age` after that heard it last. It is not a sign of life: what
    /// is left of the timeout is all that the server has until it is heard itself. Where it is, if the part of its log
    /// behind this header may be used.
    pub(crate) fn adopt(
        &mut self,
        header: &Header,
        now: Instant,
        max: usize,
        (age, timeout): (Duration, Duration),
    ) -> Option<Place> {
        if let Some(place) = self.find(&header.server) {
            let peer = self.peers.get(place).filter(|peer| peer.incarnation == header.incarnation)?;
            return (header.head <= peer.live.as_ref()?.origin.head().0).then_some(place);
        }
        if self.peers.len() >= max || age >= timeout {
            return None;
        }
        let peer = Peer::told(header, now, age);
        self.expect_expiry(peer.deadline(timeout));
        Some(self.insert(header, peer))
    }

    fn insert(&mut self, header: &Header, peer: Peer) -> Place {
        self.members = None;
        self.living += 1;
        self.peers.insert(header.server.clone(), peer)
    }

    /// A hash of who lives, that every server computes alike: a sum, so that order does not matter. It does not
    /// include this server.
    pub(crate) fn members(&mut self) -> u32 {
        let sum = self.members.unwrap_or_else(|| {
            let living = self.peers.iter().filter(|(.., peer)| peer.live.is_some());
            living.fold(0, |sum, (_, server, peer)| sum.wrapping_add(entry_hash(server, peer.incarnation)))
        });
        self.members = Some(sum);
        sum
    }

    /// What each of the living adds to a digest of what is known.
    pub(crate) fn digests(&self) -> impl Iterator<Item = u64> {
        self.peers.iter().filter_map(|(_, server, peer)| {
            let (version, hash) = peer.live.as_ref()?.origin.known();
            Some(digest(server, peer.incarnation, version, hash))
        })
    }

    /// Takes in what a server believes of who lives, and says whether that stands: it differs from what is believed
    /// here, as it did at its heartbeat before, and neither has changed since.
    pub(crate) fn differs(&mut self, place: Place, theirs: u32, ours: u32) -> bool {
        let Some(peer) = self.peers.get_mut(place) else { return false };
        let before = peer.believes.replace((theirs, ours));
        theirs != ours && before == Some((theirs, ours))
    }

    /// Who lives, from a name on: what was said last, and for how long each has been silent.
    pub(crate) fn roster(&self, from: &str, now: Instant) -> impl Iterator<Item = Member> {
        let all = self.peers.sorted();
        let start = all.partition_point(|(server, _)| ***server < *from);
        all.into_iter().skip(start).filter_map(move |(server, peer)| {
            let (head, hash) = peer.live.as_ref()?.origin.head();
            let incarnation = peer.incarnation;
            let header = Header { server: server.clone(), incarnation, sequence: 0, head, pruned: 0, hash };
            Some(Member { header, age: now.since(peer.heard) + peer.age })
        })
    }

    /// What each living server's log is known to hold, if it is known exactly: its header, how long the server has
    /// been silent, and its items.
    pub(crate) fn listings(&self, now: Instant) -> impl Iterator<Item = (Header, Duration, Vec<Listed<'_>>)> {
        self.peers.sorted().into_iter().filter_map(move |(server, peer)| {
            let origin = &peer.live.as_ref()?.origin;
            let (head, hash) = origin.head();
            let incarnation = peer.incarnation;
            let sequence = peer.told.unwrap_or(peer.sequence);
            let header = Header { server: server.clone(), incarnation, sequence, head, pruned: 0, hash };
            Some((header, now.since(peer.heard) + peer.age, origin.listing()?))
        })
    }

    /// Takes in who sent a frame, and when, and says where its sender is; that is at `found` if it was known.
    pub(crate) fn admit(
        &mut self,
        found: Option<Place>,
        header: &Header,
        now: Instant,
        (max, timeout): (usize, Duration),
    ) -> Result<(Admission, Place), Rejection> {
        let (admission, place) = match found {
            Some(place) => (self.admit_known(place, header, now)?, place),
            None if self.peers.len() >= max && !self.forget_one() => return Err(Rejection::Refused),
            None => (Admission::Newer, self.insert(header, Peer::new(header, now))),
        };
        if admission == Admission::Newer {
            self.expect_expiry(now + timeout);
        }
        Ok((admission, place))
    }

    fn admit_known(&mut self, place: Place, header: &Header, now: Instant) -> Result<Admission, Rejection> {
        let peer = self.peers.get_mut(place).expect("a server that was found is there");
        let was_over = peer.live.is_none();
        let admission = peer.admit(header, now)?;
        if was_over {
            self.living += 1;
            self.members = None;
        }
        Ok(admission)
    }

    /// When [`expire`](Self::expire) has something to do, at the earliest.
    pub(crate) const fn next_expiry(&self) -> Option<Instant> {
        self.next_expiry
    }

    /// Ends the lives of those who were silent for the timeout, and hands out their logs; forgets those who
    /// have been dead for two.
    pub(crate) fn expire(&mut self, now: Instant, timeout: Duration) -> Vec<Ended> {
        if self.next_expiry.is_none_or(|at| at > now) {
            return Vec::new();
        }
        let over = self.peers.iter().filter(|(.., peer)| peer.deadline(timeout) <= now);
        let over: Vec<_> = over.map(|(place, _, peer)| (place, peer.live.is_some())).collect();
        let mut ended = Vec::new();
        for (place, lives) in over {
            if lives {
                ended.extend(self.end(place));
            }
            // One that was silent for all that time is forgotten as well.
            if self.peers.get(place).is_some_and(|peer| peer.deadline(timeout) <= now) {
                self.peers.remove(place);
            }
        }
        self.next_expiry = self.peers.iter().map(|(.., peer)| peer.deadline(timeout)).min();
        ended
    }

    /// Gives every living server a full timeout. To others its age is told as it is.
    pub(crate) fn renew(&mut self, now: Instant) {
        let living = self.peers.iter_mut().filter(|(.., peer)| peer.live.is_some());
        living.for_each(|(.., peer)| peer.grace = now);
    }

    /// Does not count that much of the time until now as silence of the living. To others their age is told as it is.
    pub(crate) fn excuse(&mut self, silent: Duration, now: Instant) {
        let living = self.peers.iter_mut().filter(|(.., peer)| peer.live.is_some());
        living.for_each(|(.., peer)| peer.grace = (peer.grace + silent).min(now));
    }

    /// Asks for what a server's log misses when it is due; `before` is what was known before its last frame.
    pub(super) fn watch(&mut self, place: Place, before: Option<Extent>, due: Instant) {
        let Some(live) = self.live_mut(place) else { return };
        if live.origin.is_complete() {
            live.pull.rest();
        } else if live.pull.due.is_none() || before != Some(live.origin.extent()) {
            live.pull.restart(due);
            self.wanting.insert(place);
            self.next_pull = Some(self.next_pull.map_or(due, |at| at.min(due)));
        }
    }

    fn expect_expiry(&mut self, at: Instant) {
        self.next_expiry = Some(self.next_expiry.map_or(at, |next| next.min(at)));
    }

    /// Ends the life of a server, and hands out its log.
    pub(crate) fn end(&mut self, place: Place) -> Option<Ended> {
        let live = self.peers.get_mut(place)?.live.take()?;
        self.members = None;
        self.living -= 1;
        self.bytes -= live.origin.bytes();
        let server = self.peers.name(place).expect("a server that lives has a name").clone();
        Some(Ended { place, server, origin: live.origin })
    }

    /// Forgets the one of the dead who was heard first. `false` if all live.
    fn forget_one(&mut self) -> bool {
        let dead = self.peers.iter().filter(|(.., peer)| peer.live.is_none());
        let first = dead.min_by_key(|(_, server, peer)| (peer.heard, *server)).map(|(place, ..)| place);
        first.is_some_and(|place| self.peers.remove(place).is_some())
    }
}
