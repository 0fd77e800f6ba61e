//! Checkers: what must hold of a fleet, judged from outside by what was asked, seen, sent and stored.

use std::collections::BTreeMap;
use std::time::Duration;

use bulk_messaging::Fragmentation;
use fleet_sim::{HostId, Published, Sim, SlidingWindow};
use nexus_store::Object;
use serde_json::Value;
use server_pool::machine::ViewState;
use transport_traits::{Instant, RecordKey, Topic};

use super::Server;
use super::run::POOL;
use super::staleness::Contributions;

/// One server's share of what a topic may carry in a minute: what `ROBLOX_MESSAGING` gives each server.
pub(super) const SHARE: usize = 80;

/// Messages that wait in the queue of one server, at most.
pub(super) const QUEUED: usize = 128;

/// Their bytes, at most.
pub(super) const QUEUED_BYTES: usize = 64 << 10;

/// Frames of one sender that wait behind a hole, at most.
pub(super) const HELD: usize = 16;

/// Bytes that the unconfirmed writes of one server take, at most.
pub(super) const JOURNAL: usize = 256 << 10;

/// The same of what all topics together may carry.
const SHARE_OF_ALL: usize = 200;

/// How messages are split that are too long for a frame.
pub(super) const FRAGMENTS: Fragmentation = {
    let mut fragments = Fragmentation::new(8 << 10);
    fragments.max_partial_bytes = 256 << 10;
    fragments
};

/// Publishes of each process in the last minute, on each topic and on all.
#[derive(Debug, Default)]
pub(super) struct Budgets {
    topics: BTreeMap<HostId, BTreeMap<Topic, SlidingWindow>>,
    all: BTreeMap<HostId, SlidingWindow>,
    read: usize,
}

const fn minute() -> SlidingWindow {
    SlidingWindow::new(Duration::from_secs(60))
}

impl Budgets {
    /// A process that begins anew has a share of its own, since it knows nothing of the last.
    pub(super) fn started(&mut self, host: HostId) {
        self.topics.insert(host, BTreeMap::new());
        self.all.insert(host, minute());
    }

    /// No process publishes more than a server's share in any minute. To be called before a process starts, and with all
    /// that was ever published.
    pub(super) fn check(&mut self, published: &[Published]) -> Option<String> {
        let fresh = &published[self.read..];
        self.read = published.len();
        let mut wrong = None;
        for Published { at, from, topic, .. } in fresh {
            let (Some(topics), Some(all)) = (self.topics.get_mut(from), self.all.get_mut(from)) else {
                continue;
            };
            let count = topics.entry(topic.clone()).or_insert_with(minute).record(*at);
            let in_all = all.record(*at);
            if count > SHARE || in_all > SHARE_OF_ALL {
                let text = format!(
                    "{from} publishes {count} times on {topic}, {in_all} in all, in the minute to {at}"
                );
                wrong = wrong.or(Some(text));
            }
        }
        wrong
    }

    /// The most that one process published on one topic in the minute to now.
    pub(super) fn most(&mut self, now: Instant) -> usize {
        let windows = self.topics.values_mut().flat_map(BTreeMap::values_mut);
        windows.map(|window| window.count(now)).max().unwrap_or(0)
    }
}

/// Order: on no topic a message came late or twice.
pub(super) fn order(sim: &Sim<Server>) -> Option<String> {
    let broken = |host: HostId| {
        let (sender, before, number) = sim.node(host)?.order.as_ref()?.broken?;
        Some(format!("{host} hears message {number} of life {sender} after {before}"))
    };
    sim.running().find_map(broken)
}

/// Gaps: nowhere are messages missing without a word.
pub(super) fn gaps(sim: &Sim<Server>) -> Option<String> {
    let missing = |host: HostId| {
        let (sender, before, number) = sim.node(host)?.order.as_ref()?.missing?;
        Some(format!("{host} hears message {number} of life {sender} after {before}, and of no gap"))
    };
    sim.running().find_map(missing)
}

/// No gap is told where nothing is ever lost, but for those that each server was told of while all of them started.
pub(super) fn vain_gaps(sim: &Sim<Server>, first: &BTreeMap<HostId, u64>) -> Option<String> {
    let told = |(host, count): (HostId, u64)| {
        let is_vain = first.get(&host).is_some_and(|first| *first < count);
        is_vain.then(|| format!("{host} is told of {count} gaps, and the bus loses nothing"))
    };
    told_gaps(sim).find_map(told)
}

/// Of how many gaps each server was told.
pub(super) fn told_gaps(sim: &Sim<Server>) -> impl Iterator<Item = (HostId, u64)> {
    sim.running().filter_map(|host| Some((host, sim.node(host)?.order.as_ref()?.gaps)))
}

/// The same of the last messages of those who run and have sent all, which no other follows. `said` is how many there were of each life.
pub(super) fn tails(
    sim: &Sim<Server>,
    life: &BTreeMap<HostId, u64>,
    said: &BTreeMap<u64, u64>,
) -> Option<String> {
    let has_sent = |host: &HostId| {
        let stats = sim.node(*host).map(|server| server.bulk_stats(sim.now_on(*host)));
        stats.is_some_and(|stats| stats.queued_messages == 0 && stats.in_flight == 0)
    };
    let lives = sim.running().filter(has_sent).filter_map(|host| life.get(&host));
    let lasts: Vec<_> = lives.filter_map(|life| Some((life, said.get(life)?))).collect();
    sim.running().find_map(|host| {
        let order = sim.node(host)?.order.as_ref()?;
        let (life, count) = lasts.iter().find(|(life, count)| order.is_short_of(**life, **count))?;
        Some(format!("{host} misses the end of the {count} messages of life {life}, and heard of no gap"))
    })
}

/// Memory: queues, journals and what waits behind holes stay within what they were configured to.
pub(super) fn memory(sim: &Sim<Server>) -> Option<String> {
    sim.running().find_map(|host| {
        let server = sim.node(host)?;
        let bulk = server.bulk_stats(sim.now_on(host));
        let saves = server.saves.as_ref()?.machine().stats();
        let bounded = [
            ("queued messages", bulk.queued_messages, QUEUED as u64),
            ("queued bytes", bulk.queued_bytes, QUEUED_BYTES as u64),
            ("held frames", bulk.held_frames, HELD as u64 * bulk.streams),
            ("journal bytes", saves.journal_bytes as u64, JOURNAL as u64),
        ];
        let (what, count, most) = bounded.into_iter().find(|(_, count, most)| count > most)?;
        Some(format!("{host} has {count} {what}, and may have {most}"))
    })
}

/// Save data: every server sees what is stored.
pub(super) fn saves(sim: &Sim<Server>, key: &RecordKey) -> Option<String> {
    let stored = stored(sim, key);
    sim.running().find_map(|host| saves_on(sim, host, key, &stored))
}

fn saves_on(sim: &Sim<Server>, host: HostId, key: &RecordKey, stored: &Value) -> Option<String> {
    let saves = sim.node(host)?.saves.as_ref().filter(|saves| !saves.is_shut())?;
    let seen = object(saves.seen(key));
    (seen != *stored).then(|| format!("{key} on {host} is {seen}, and {stored} is stored"))
}

/// How many of the records on all servers are as stored, 0 to 1.
pub(super) fn share_of_saves(sim: &Sim<Server>, keys: &[RecordKey]) -> f64 {
    let places: Vec<_> = keys.iter().map(|key| (key, stored(sim, key))).collect();
    let equal = sim
        .running()
        .flat_map(|host| places.iter().map(move |(key, stored)| saves_on(sim, host, key, stored).is_none()));
    share(equal)
}

fn share(of: impl Iterator<Item = bool>) -> f64 {
    let (all, true_ones) = of.fold((0_u32, 0_u32), |(all, some), is| (all + 1, some + u32::from(is)));
    if all == 0 { 1.0 } else { f64::from(true_ones) / f64::from(all) }
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

/// Pools: of the keys that one server alone contributes, every server sees just what the servers that run contributed
/// last.
pub(super) fn pools(sim: &Sim<Server>, contributed: &Contributions) -> Option<String> {
    let expected = union(sim, contributed);
    let differs = sim.running().find_map(|host| pool_on(sim, host, &expected));
    differs.or_else(|| ownership(sim, contributed))
}

/// How many servers see that, 0 to 1.
pub(super) fn share_of_pools(sim: &Sim<Server>, contributed: &Contributions) -> f64 {
    let expected = union(sim, contributed);
    share(sim.running().map(|host| pool_on(sim, host, &expected).is_none()))
}

type Entries<'a> = BTreeMap<&'a str, &'a str>;

fn union<'a>(sim: &Sim<Server>, contributed: &'a Contributions) -> Entries<'a> {
    let running = sim.running().filter_map(|host| contributed.get(&host));
    let entries = running.flatten().filter_map(|(key, (value, _))| Some((key.as_str(), value.as_deref()?)));
    entries.filter(|(key, _)| !is_shared(key)).collect()
}

fn pool_on(sim: &Sim<Server>, host: HostId, expected: &Entries<'_>) -> Option<String> {
    let view = pool_view(sim, host)?.iter().filter(|(key, _)| !is_shared(key));
    let seen: Entries<'_> = view.map(|(key, shown)| (&**key, &*shown.value)).collect();
    let wrong = || format!("the pool on {host} has {} entries, not {}: {seen:?}", seen.len(), expected.len());
    (seen != *expected).then(wrong)
}

/// Whether several servers contribute a key.
pub(super) fn is_shared(key: &str) -> bool {
    key.starts_with("player")
}

/// Of the keys that hop from server to server all show the same owner, which runs and contributed just that last.
fn ownership(sim: &Sim<Server>, contributed: &Contributions) -> Option<String> {
    let shared = |host: HostId| -> Option<Vec<(&str, &str, &str)>> {
        let view = pool_view(sim, host)?.iter().filter(|(key, _)| is_shared(key));
        Some(view.map(|(key, shown)| (&**key, &*shown.value, &*shown.owner)).collect())
    };
    let first = sim.running().next()?;
    let expected = shared(first)?;
    let differs = |host| {
        let seen = shared(host)?;
        (seen != expected).then(|| format!("{host} shows {seen:?}, and {first} shows {expected:?}"))
    };
    let is_foul = |(key, value, owner): &(&str, &str, &str)| {
        let host = sim.running().find(|host| host.to_string() == *owner);
        let last = host.and_then(|host| contributed.get(&host)?.get(*key)?.0.as_deref());
        (last != Some(*value)).then(|| format!("{key} is {value} of {owner}, whose last word is {last:?}"))
    };
    sim.running().find_map(differs).or_else(|| expected.iter().find_map(is_foul))
}

pub(super) fn pool_view(sim: &Sim<Server>, host: HostId) -> Option<&super::pools::View> {
    sim.node(host)?.pools.view_of(POOL)
}

/// Whether anybody's bulk messaging holds frames behind a hole.
pub(super) fn is_held_up(sim: &Sim<Server>) -> bool {
    sim.running()
        .filter_map(|host| Some(sim.node(host)?.bulk_stats(sim.now_on(host)).held_frames))
        .any(|count| count > 0)
}

/// Ghosts: nobody sees an entry of a server that has been gone for longer than `most`, all of it later than `since` and
/// since its view is fresh.
pub(super) fn ghosts(
    sim: &Sim<Server>,
    gone: &BTreeMap<HostId, Instant>,
    since: Instant,
    most: Duration,
) -> Option<String> {
    let is_late = |since: Instant| sim.now().since(since) > most;
    let late: Vec<(String, HostId)> = gone
        .iter()
        .filter(|(_, at)| is_late(since.max(**at)))
        .map(|(host, _)| (host.to_string(), *host))
        .collect();
    let sees = |host: HostId| {
        let pools = &sim.node(host)?.pools;
        let is_fresh_for_long = pools.state() == ViewState::Fresh && is_late(pools.fresh_since());
        let view = pool_view(sim, host).filter(|_| is_fresh_for_long)?;
        let ghost = late.iter().find(|(name, _)| view.values().any(|shown| *shown.owner == **name))?;
        Some(format!("{host} still sees entries of {}", ghost.1))
    };
    sim.running().find_map(sees)
}

/// Every server holds its view for up to date, and once knew everything.
pub(super) fn fresh(sim: &Sim<Server>) -> Option<String> {
    sim.running().filter(|host| pool_view(sim, *host).is_some()).find_map(|host| {
        let pools = &sim.node(host)?.pools;
        let doubts = pools.state() != ViewState::Fresh;
        let doubts = doubts.then(|| format!("{host} holds its view for out of date"));
        doubts.or_else(|| pools.synced_at().is_none().then(|| format!("{host} never knew everything")))
    })
}

/// A process that runs, or ran last on its host.
pub(super) struct Life {
    pub(super) since: Instant,
    pub(super) until: Option<Instant>,
    /// Nobody may take it for dead later than this. `None`: ever.
    pub(super) excused: Option<Instant>,
}

/// False deaths: nobody was taken for dead who had been running for longer than `most` and is not excused.
pub(super) fn false_deaths_of(
    sim: &Sim<Server>,
    lives: &BTreeMap<String, Life>,
    most: Duration,
) -> Option<String> {
    sim.running().find_map(|host| {
        let expired = &sim.node(host)?.pools.expired;
        expired.iter().find_map(|(at, server)| {
            let Life { since, until, excused } = lives.get(&**server)?;
            let lived = at.since(*since) > most && until.is_none_or(|until| until > *at);
            let is_wrong = lived && excused.is_none_or(|excused| *at > excused);
            is_wrong.then(|| format!("{host} took {server} for dead at {at}, which ran since {since}"))
        })
    })
}

/// False deaths: nobody took more servers for dead than ended since it may have known them. `ended` says so of each host.
pub(super) fn false_deaths(sim: &Sim<Server>, ended: impl Fn(HostId) -> usize) -> Option<String> {
    let took = |host: HostId| {
        let (expired, ended) = (sim.node(host)?.pools.machine().stats().expired, ended(host));
        (expired > ended as u64).then(|| format!("{host} took {expired} servers for dead, and {ended} were"))
    };
    sim.running().find_map(took)
}
