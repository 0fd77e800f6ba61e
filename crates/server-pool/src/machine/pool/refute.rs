//! A server that restarted with a lesser incarnation than its past life's: it is told, and goes on above that.
//!
//! Whoever drops such a server's frames names the incarnation that it knows, and the server itself refutes it by a
//! greater one (as in Das, Gupta, Motivala: SWIM, 2002, §4.2, where a server that is suspected does so).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use transport_traits::{Instant, Priority};

use super::send::{Parcel, Sent};
use super::{Context, Pool};
use crate::stats::count;
use crate::wire::{Header, Kind, MAX_INT, Member, Packer, member};

/// Of so many random waits the longest is taken.
const DRAWS: usize = 4;

/// Servers that are to be told of a later incarnation of theirs.
#[derive(Debug, Default)]
pub(super) struct Refuted {
    at: Option<Instant>,
    servers: BTreeSet<Arc<str>>,
}

impl Refuted {
    pub(super) fn due(&self) -> Option<Instant> {
        self.at
    }
}

impl Pool {
    /// Plans to tell a server that a later incarnation of it is known.
    ///
    /// All who know do so, within a heartbeat, and whoever hears another leaves it. Most wait nearly as long as they
    /// may and few do not, so that those few are heard before the many speak: of 100 servers on a bus that takes an
    /// eighth of a heartbeat four speak on average, where of equally likely waits thirteen would. (Nonnenmacher,
    /// Biersack: Scalable feedback for large groups, 1999, chooses the distribution by the number of servers.)
    pub(super) fn plan_refutation(&mut self, context: &mut Context<'_>, header: &Header) {
        if self.peers.incarnation(&header.server) <= Some(header.incarnation) {
            return;
        }
        self.refuted.servers.insert(header.server.clone());
        if self.refuted.at.is_none() {
            let longest = (0..DRAWS).map(|_| context.rng.f64()).fold(0.0, f64::max);
            self.refuted.at = Some(context.now + context.settings.config.heartbeat.mul_f64(longest));
        }
    }

    /// Somebody else told a server of an incarnation of its.
    pub(super) fn leave_refutation(&mut self, told: &Header) {
        if self.peers.incarnation(&told.server) <= Some(told.incarnation) {
            self.refuted.servers.remove(&told.server);
        }
    }

    /// Lines of a list of who lives, which nobody adopts: they are as old as can be.
    pub(super) fn build_refutation(&mut self, context: &mut Context<'_>, header: &Header) -> Option<Parcel> {
        self.refuted.at = None;
        let mut packer = Packer::new(&context.settings.limit, Kind::Roster, header, "");
        while let Some(server) = self.refuted.servers.pop_first() {
            let Some(incarnation) = self.peers.incarnation(&server) else { continue };
            let header =
                Header { server: server.clone(), incarnation, sequence: 0, head: 0, pruned: 0, hash: 0 };
            let fits = packer.push(&member(&Member { header, age: Duration::from_millis(MAX_INT) }));
            if !fits && !packer.is_empty() {
                self.refuted.servers.insert(server);
                self.refuted.at = Some(context.now + context.settings.config.heartbeat);
                break;
            }
            if !fits {
                count(&mut context.stats.oversized, "a server's name is too long to be told of on this bus");
            }
        }
        let frame = (!packer.is_empty()).then(|| packer.finish(Kind::Roster, header, ""))?;
        Some(self.parcel(frame, Priority::Background, Sent::Hint))
    }

    /// Goes on under a new incarnation: to the others it is a new server, of whose log they know nothing.
    pub(crate) fn restart(&mut self, context: &mut Context<'_>) {
        self.outbox.rejoin(context.now, !self.synced);
        self.outbox.answer(context, 0, self.own.log.head());
    }
}
