//! A thousand servers with a pool: what a minute of theirs costs, and when all of them see the same.

mod member;

use std::time::Duration;

use fleet_sim::{Delay, HostId, Sim};
use transport_traits::presets;

use super::{POOL, seconds};
use member::Member;

/// How many servers are asked row by row what they see; all are asked for the digest of what they know.
const WATCHED: usize = 20;

/// How long all are waited for to see the same, once the time is over.
const PATIENCE: Duration = seconds(120);

/// How often it is looked whether all see the same.
const LOOK: Duration = Duration::from_millis(100);

/// A fleet of servers that all start at once with a pool each and nothing else, no save data and no bulk messages, straight
/// on a bus with the limits of NATS, which has none for the rate, where every message takes 2 ms. They show each other that
/// they live every 5 s, and of all entries 1 % a second gets another value; no server comes or goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crowd {
    /// Servers, at least one.
    pub servers: usize,
    /// Entries of each, at least one.
    pub entries: usize,
    /// Simulated time, s, at least one; longer if all see the same only later.
    pub seconds: u64,
    /// The chance that a delivery to one server is lost.
    pub loss: f64,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Frames published until the time was over and all saw the same.
    pub publishes: u64,
    /// Deliveries until then, each to one server.
    pub deliveries: u64,
    /// Of the frames, requests for something missing.
    pub pulls: u64,
    /// Of the frames, parts of logs sent again.
    pub repeated: u64,
    /// The fewest entries that a server knew at the end of the time.
    pub fewest: usize,
    /// The entries that there are.
    pub entries: usize,
    /// How long after the last changes, which are made one second before the time is over, all servers saw the same, while
    /// messages still got lost, exact to 100 ms; `None` if not within 121 s.
    pub equal_after: Option<Duration>,
}

impl Crowd {
    /// One to which nothing is lost. Of 1,000 servers with 10 entries for 60 s `cargo xtask sim --report` tells.
    #[must_use]
    pub const fn new(servers: usize, entries: usize, seconds: u64) -> Self {
        Self { servers, entries, seconds, loss: 0.0 }
    }
}

/// Runs a fleet, with the same outcome every time.
///
/// # Panics
/// If an entry is refused.
#[must_use]
pub fn scale(crowd: Crowd) -> Scale {
    let mut sim = Sim::new(1);
    sim.bus.limits = presets::NATS_CORE;
    sim.bus.faults.delay = Delay::Fixed(Duration::from_millis(2));
    sim.bus.faults.loss = crowd.loss;
    let hosts: Vec<HostId> = (0..crowd.servers).map(|_| launch(&mut sim, crowd.servers)).collect();
    for &host in &hosts {
        (0..crowd.entries).for_each(|entry| put(&mut sim, host, entry, 0));
    }
    for second in 1..crowd.seconds {
        change(&mut sim, crowd, &hosts, second);
        sim.run(seconds(1));
        sim.bus.published.clear();
    }
    change(&mut sim, crowd, &hosts, crowd.seconds);
    let all = crowd.servers * crowd.entries;
    let soon = sim.run_until(seconds(1), LOOK, |sim| see_the_same(sim, &hosts, all));
    sim.run(seconds(1) - soon.unwrap_or(seconds(1)));
    let fewest = members(&sim, &hosts).map(Member::entries).min().unwrap_or(0);
    let mut late = || sim.run_until(PATIENCE, LOOK, |sim| see_the_same(sim, &hosts, all));
    let equal_after = soon.or_else(|| late().map(|time| time + seconds(1)));
    let (bus, stats) = (sim.bus.stats(), members(&sim, &hosts).map(Member::stats).collect::<Vec<_>>());
    let sum = |count: fn(&server_pool::Stats) -> u64| stats.iter().map(count).sum();
    Scale {
        publishes: bus.publishes,
        deliveries: bus.deliveries,
        pulls: sum(|stats| stats.pulls_sent),
        repeated: sum(|stats| stats.parts_repeated),
        fewest,
        entries: all,
        equal_after,
    }
}

/// Gives 1 % of all entries another value, drawn by lot.
fn change(sim: &mut Sim<Member>, crowd: Crowd, hosts: &[HostId], value: u64) {
    for _ in 0..(crowd.servers * crowd.entries).div_ceil(100) {
        let (host, entry) = (hosts[sim.rng.usize(..crowd.servers)], sim.rng.usize(..crowd.entries));
        put(sim, host, entry, value);
    }
}

fn members<'a>(sim: &'a Sim<Member>, hosts: &'a [HostId]) -> impl Iterator<Item = &'a Member> {
    hosts.iter().filter_map(|host| sim.node(*host))
}

/// Whether all know the same and so many rows, none has anything to send, and those asked for rows see as many and the same.
fn see_the_same(sim: &Sim<Member>, hosts: &[HostId], rows: usize) -> bool {
    let all_equal = |mut sums: Box<dyn Iterator<Item = u64> + '_>| {
        let first = sums.next();
        sums.all(|sum| Some(sum) == first)
    };
    let seen = || members(sim, hosts).filter_map(Member::seen);
    all_equal(Box::new(members(sim, hosts).map(Member::digest)))
        && members(sim, hosts).all(|member| member.entries() == rows)
        && seen().all(|(known, _)| known == rows)
        && all_equal(Box::new(seen().map(|(_, sum)| sum)))
}

fn launch(sim: &mut Sim<Member>, servers: usize) -> HostId {
    let host = sim.add_host();
    let seed = sim.rng.u64(..);
    let config = server_pool::Config::new(host.to_string()).with_heartbeat(seconds(5)).with_seed(seed);
    let limits = sim.bus.limits.clone();
    let watched = (host.0 as usize).is_multiple_of(servers.div_ceil(WATCHED));
    sim.start(host, |now| Member::new(now, config, POOL.into(), &limits, watched));
    host
}

fn put(sim: &mut Sim<Member>, host: HostId, entry: usize, value: u64) {
    sim.act(host, |member, now| member.put(now, &format!("{host}-{entry}"), value));
}
