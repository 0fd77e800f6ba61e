//! Who knows whom: where two servers lastingly believe different servers alive, one tells the other.
//!
//! A heartbeat carries one hash of all whom its sender believes alive, so agreement costs nothing, however many
//! there are. (Comparing a hash before any list: Demers and others, Epidemic algorithms for replicated database
//! maintenance, 1987, §1.3.) Where the hashes differ unchanged for two heartbeats, the list is asked for.

use std::sync::Arc;

use transport_traits::{Instant, Priority};

use super::send::{Parcel, Sent};
use super::{Context, Pool, Settings};
use crate::machine::repair;
use crate::places::Place;
use crate::stats::count;
use crate::wire::{Header, Kind, Member, Packer, digest, entry_hash, member, name};

/// What is to be asked and told of who lives.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// When to ask, and whom.
    ask: Option<(Instant, Arc<str>)>,
    /// What was believed there and here when we last asked, and when: asked again only when that has changed, and
    /// not before half a timeout is over, so that servers that never agree do not argue.
    asked: Option<((u32, u32), Instant)>,
    /// When to tell our list, and from which name on.
    tell: Option<(Instant, Arc<str>)>,
}

impl Members {
    pub(super) fn ask_due(&self) -> Option<Instant> {
        self.ask.as_ref().map(|(at, _)| *at)
    }

    pub(super) fn tell_due(&self) -> Option<Instant> {
        self.tell.as_ref().map(|(at, _)| *at)
    }
}

impl Pool {
    /// A hash of whom this server believes alive, itself included.
    pub(super) fn membership(&mut self, context: &Context<'_>) -> u32 {
        let settings = context.settings;
        self.peers.members().wrapping_add(entry_hash(&settings.config.server, settings.incarnation))
    }

    /// A hash of whom this server believes alive and of what it knows of their logs, its own included, with what still waits
    /// to get there: nobody else knows as high a version.
    pub(crate) fn digest(&self, settings: &Settings) -> u64 {
        let (log, waiting) = (&self.own.log, self.own.queue.len() as u64);
        let own = digest(&settings.config.server, settings.incarnation, log.head() + waiting, log.hash());
        self.peers.digests().fold(own, u64::wrapping_add)
    }

    /// Compares what a heartbeat says of who lives, and plans to ask where that lastingly differs.
    pub(super) fn compare_members(&mut self, context: &mut Context<'_>, place: Place, theirs: u32) {
        let ours = self.membership(context);
        let lasting = self.peers.differs(place, theirs, ours);
        let (now, pause) = (context.now, context.settings.config.timeout / 2);
        let asked = &self.members.asked;
        let again = asked.is_none_or(|(what, at)| what != (theirs, ours) && at + pause <= now);
        if lasting && self.members.ask.is_none() && again {
            self.members.asked = Some(((theirs, ours), now));
            let server = self.peers.name(place).cloned();
            self.members.ask = server.map(|server| (context.now + repair::delay(context, 0), server));
        }
    }

    /// Somebody asked whom a server believes alive: this one tells, or waits for the answer of that one.
    pub(super) fn take_ask(&mut self, context: &mut Context<'_>, asked: &str) {
        if *asked != *context.settings.config.server {
            let same = self.members.ask.as_ref().is_some_and(|(_, server)| **server == *asked);
            self.members.ask = self.members.ask.take().filter(|_| !same);
        } else if self.members.tell.is_none() {
            self.members.tell = Some((context.now + context.settings.config.coalesce, "".into()));
        }
    }

    /// Adds the servers that are not known here. It is no sign of life of any: each has what is left of its
    /// timeout to be heard itself. What is told of this server itself may be a later life.
    pub(super) fn take_roster(&mut self, context: &mut Context<'_>, members: &[Member]) {
        let config = &context.settings.config;
        for Member { header, age } in members {
            if header.server == config.server {
                context.lives.claim(context.now, header.incarnation, context.settings, context.stats);
                continue;
            }
            self.leave_refutation(header);
            let unknown = self.peers.find(&header.server).is_none();
            let life = (*age, config.timeout);
            if unknown && let Some(place) = self.peers.adopt(header, context.now, config.max_origins, life) {
                let due = context.now + repair::delay(context, 0);
                self.peers.watch(place, None, due);
            }
        }
    }

    pub(super) fn build_ask(&mut self, context: &Context<'_>, header: &Header) -> Option<Parcel> {
        let (_, server) = self.members.ask.take()?;
        let mut packer = Packer::new(&context.settings.limit, Kind::Ask, header, "");
        let fits = packer.push(&name(&server));
        fits.then(|| self.parcel(packer.finish(Kind::Ask, header, ""), Priority::Background, Sent::Hint))
    }

    /// Tells as many as a frame holds; the rest follows at once. Whose name does not even fit alone is left out.
    pub(super) fn build_roster(&mut self, context: &mut Context<'_>, header: &Header) -> Option<Parcel> {
        let (_, from) = self.members.tell.take()?;
        let mut packer = Packer::new(&context.settings.limit, Kind::Roster, header, "");
        for living in self.peers.roster(&from, context.now) {
            let fits = packer.push(&member(&living));
            if !fits && !packer.is_empty() {
                self.members.tell = Some((context.now, living.header.server));
                break;
            }
            if !fits {
                count(&mut context.stats.oversized, "a server's name is too long to be told of on this bus");
            }
        }
        let frame = (!packer.is_empty()).then(|| packer.finish(Kind::Roster, header, ""))?;
        Some(self.parcel(frame, Priority::Background, Sent::Hint))
    }
}
