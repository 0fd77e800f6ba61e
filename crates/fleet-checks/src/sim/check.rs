//! Checkers: what must hold of a fleet, judged from outside by what was asked, seen, sent and stored.

use std::collections::BTreeMap;
use std::time::Duration;

use fleet_sim::{HostId, Published, Sim, SlidingWindow};
use nexus_store::Object;
use serde_json::Value;
use transport_traits::{Instant, RecordKey};

use super::Server;
use super::run::POOL;

/// One server's share of what a topic may carry in a minute: what `ROBLOX_MESSAGING` gives each server.
const SHARE: usize = 80;

/// Budget: no process publishes more than a server's share in any minute. `starts` says when processes began; one that
/// begins anew has a share of its own, since it knows nothing of the last.
pub(super) fn budget(published: &[Published], starts: &[(Instant, HostId)]) -> Option<String> {
    let mut windows = BTreeMap::new();
    for publish in published {
        let of_host = starts.iter().filter(|(at, host)| *host == publish.from && *at <= publish.at);
        let window = windows
            .entry((publish.from, of_host.count()))
            .or_insert_with(|| SlidingWindow::new(Duration::from_secs(60)));
        let count = window.record(publish.at);
        if count > SHARE {
            return Some(format!("{} publishes {count} times in the minute to {}", publish.from, publish.at));
        }
    }
    None
}

/// Order: on no topic a message came late or twice.
pub(super) fn order(sim: &Sim<Server>) -> Option<String> {
    let broken = |host: HostId| {
        let (sender, before, number) = sim.node(host)?.order.as_ref()?.broken?;
        Some(format!("{host} hears message {number} of life {sender} after {before}"))
    };
    sim.running().find_map(broken)
}

/// Save data: every server sees what is stored.
pub(super) fn saves(sim: &Sim<Server>, key: &RecordKey) -> Option<String> {
    let stored = stored(sim, key);
    let differs = |host: HostId| {
        let seen = object(sim.node(host)?.saves.as_ref()?.seen(key));
        (seen != stored).then(|| format!("{key} on {host} is {seen}, and {stored} is stored"))
    };
    sim.running().find_map(differs)
}

/// What the store holds.
pub(super) fn stored(sim: &Sim<Server>, key: &RecordKey) -> Value {
    let text = sim.store.get(key).map_or("{}", |stored| &stored.record.value);
    serde_json::from_str(text).unwrap_or(Value::Null)
}

fn object(seen: &Object) -> Value {
    seen.iter()
        .map(|(field, value)| (field.to_string(), (**value).clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Pools: every server sees just what the servers that run have contributed last, by key.
pub(super) fn pools(
    sim: &Sim<Server>,
    contributed: &BTreeMap<HostId, BTreeMap<String, String>>,
) -> Option<String> {
    let expected: BTreeMap<&str, &str> = sim
        .running()
        .filter_map(|host| contributed.get(&host))
        .flat_map(|entries| entries.iter().map(|(key, value)| (key.as_str(), value.as_str())))
        .collect();
    let differs = |host: HostId| {
        let view = pool_view(sim, host)?;
        let seen: BTreeMap<&str, &str> = view.iter().map(|(key, shown)| (&**key, &*shown.value)).collect();
        (seen != expected).then(|| {
            format!("the pool on {host} has {} entries, not {}: {seen:?}", seen.len(), expected.len())
        })
    };
    sim.running().find_map(differs)
}

fn pool_view(sim: &Sim<Server>, host: HostId) -> Option<&super::pools::View> {
    let pools = &sim.node(host)?.pools;
    Some(pools.view(pools.id(POOL)))
}

/// Ghosts: nobody sees an entry of a server that has been gone for longer than the timeout and what may come to it.
pub(super) fn ghosts(sim: &Sim<Server>, gone: &BTreeMap<HostId, Instant>, most: Duration) -> Option<String> {
    let is_late = |since: &Instant| sim.now().since(*since) > most;
    let late: Vec<(String, HostId)> =
        gone.iter().filter(|(_, since)| is_late(since)).map(|(host, _)| (host.to_string(), *host)).collect();
    let sees = |host: HostId| {
        let view = pool_view(sim, host)?;
        let ghost = late.iter().find(|(name, _)| view.values().any(|shown| *shown.owner == **name))?;
        Some(format!("{host} still sees entries of {}", ghost.1))
    };
    sim.running().find_map(sees)
}

/// False deaths: nobody was taken for dead more often than servers ended.
pub(super) fn false_deaths(sim: &Sim<Server>, ended: u64) -> Option<String> {
    let took = |host: HostId| {
        let expired = sim.node(host)?.pools.machine().stats().expired;
        (expired > ended).then(|| format!("{host} took {expired} servers for dead, and {ended} were"))
    };
    sim.running().find_map(took)
}
