//! Who owns the keys that hop from server to server: whoever contributed last and knew of the one before.

use std::collections::BTreeMap;
use std::time::Duration;

use fleet_sim::{HostId, Sim};
use transport_traits::Instant;

use super::Server;
use super::check::pool_view;
use super::pools::Shown;

/// How long it takes until everybody knows of a contribution in a calm time.
const KNOWN: Duration = Duration::from_secs(5);

/// A contribution, or that it was taken back.
#[derive(Debug)]
struct Hop {
    at: Instant,
    host: HostId,
    life: u64,
    value: Option<String>,
}

/// What happened to keys that several servers contribute.
#[derive(Debug, Default)]
pub(super) struct Hops(BTreeMap<String, Vec<Hop>>);

impl Hops {
    /// A life contributed a value, or took it back.
    pub(super) fn note(
        &mut self,
        at: Instant,
        (host, life): (HostId, u64),
        key: &str,
        value: Option<String>,
    ) {
        self.0.entry(key.to_owned()).or_default().push(Hop { at, host, life, value });
    }

    /// Of each key that was contributed last in a calm time, which began at `calm`, by one who knew of all before and runs
    /// still: whether everybody shows just that, or nothing if he took it back.
    pub(super) fn check(
        &self,
        sim: &Sim<Server>,
        life: &BTreeMap<HostId, u64>,
        calm: Instant,
    ) -> Option<String> {
        let runs = |hop: &Hop| sim.node(hop.host).is_some() && life.get(&hop.host) == Some(&hop.life);
        let lasts = self.0.iter().filter_map(|(key, hops)| Some((key, last_word(hops, calm)?)));
        lasts.filter(|(_, hop)| runs(hop)).find_map(|(key, hop)| {
            let shown = |host: HostId| pool_view(sim, host).and_then(|view| view.get(key.as_str()));
            let host = sim.running().find(|host| !hop.is_shown(shown(*host)))?;
            let Hop { host: owner, at, value, .. } = hop;
            Some(format!("{key} on {host} is {:?}, and {owner} made it {value:?} last, at {at}", shown(host)))
        })
    }
}

impl Hop {
    fn is_shown(&self, shown: Option<&Shown>) -> bool {
        let owner = self.host.to_string();
        shown.map(|shown| (&*shown.owner, &*shown.value))
            == self.value.as_deref().map(|value| (&*owner, value))
    }
}

/// What the last to contribute did last, if everybody else had known before what it was about.
fn last_word(hops: &[Hop], calm: Instant) -> Option<&Hop> {
    let at = hops.iter().rposition(|hop| hop.value.is_some())?;
    let last = &hops[at];
    let before = hops[..at].iter().rfind(|hop| hop.value.is_some() && hop.host != last.host);
    let was_known = before.is_none_or(|before| last.at.since(before.at) >= KNOWN);
    let taken_back = hops[at..].iter().find(|hop| hop.host == last.host && hop.value.is_none());
    let in_time = taken_back.is_none_or(|taken_back| taken_back.at.since(last.at) >= KNOWN);
    (last.at >= calm && was_known && in_time).then_some(taken_back.unwrap_or(last))
}
