//! Who may be taken for dead although it runs: whom nobody can have heard for a while.

use std::collections::BTreeMap;
use std::time::Duration;

use fleet_sim::HostId;
use transport_traits::Instant;

use super::pools::TIMEOUT;

/// How long a message is under way at most: the longest tail of delays.
pub(super) const DELAY: Duration = Duration::from_secs(5);

/// How short somebody may go on between two pauses without being heard.
const MOMENT: Duration = Duration::from_secs(1);

/// Until when servers cannot be heard, or could not.
#[derive(Debug, Default)]
pub(super) struct Excuses {
    /// Of all: the fleet is cut, or the bus refuses.
    all: Option<Instant>,
    /// Since when and until when each stood still last.
    still: BTreeMap<HostId, (Instant, Instant)>,
    /// The same of those who stood still for longer than a quarter of the timeout, which is more than they may.
    long: BTreeMap<HostId, Instant>,
}

impl Excuses {
    /// Not everybody hears everybody until then.
    pub(super) fn unheard(&mut self, until: Instant) {
        self.all = self.all.max(Some(until));
    }

    /// Everybody hears everybody who goes on.
    pub(super) fn healed(&mut self, now: Instant) {
        self.all = self.all.min(Some(now));
    }

    /// A server stands still.
    pub(super) fn paused(&mut self, host: HostId, now: Instant, until: Instant) {
        let before = self.still.get(&host).filter(|(_, before)| *before + MOMENT >= now);
        let (since, until) = before.map_or((now, until), |(since, before)| (*since, until.max(*before)));
        self.still.insert(host, (since, until));
        if until.since(since) > TIMEOUT / 4 {
            self.long.insert(host, until);
        }
    }

    /// Until when a server may be taken for dead: by then whoever missed it so has heard of it again.
    pub(super) fn until(&self, host: HostId) -> Option<Instant> {
        let last = self.all.max(self.long.get(&host).copied());
        last.map(|last| last + TIMEOUT + DELAY)
    }
}
