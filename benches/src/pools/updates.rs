//! Every player of every server changes once a second: what is sent, and how late it is seen.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fleet_sim::{HostId, SlidingWindow};
use server_pool::machine::Change;
use transport_traits::Instant;
use transport_traits::limits::Load;

use super::fleet::{Fleet, key, put, value};

/// Two pools whose topics have different lanes, each with half of a server's players.
const POOLS: [&str; 2] = ["players-a", "players-b"];

/// Servers whose views are looked at; the others' are like theirs.
const LOOKED_AT: usize = 5;

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Seconds from an update until a server sees it or a later one of its key, the median.
    pub p50: f64,
    /// The same: one of a hundred took longer.
    pub p99: f64,
    /// The greatest part of a limit of the bus that any window used: 1 is all of it.
    pub of_limit: f64,
    /// Updates that some server never saw, nor a later one.
    pub unseen: usize,
}

/// So many servers with so many players, each with an update every second at a time of its own, for so many seconds.
#[must_use]
pub fn every_second(servers: usize, players: usize, seconds: u64) -> Measured {
    let mut fleet = Fleet::new(7, &POOLS, 2);
    let hosts = fleet.start(servers, 0);
    hosts.iter().take(LOOKED_AT).for_each(|&host| {
        fleet.sim.act(host, |server, _| server.pools.watch = true);
    });
    fleet.sim.run(Duration::from_secs(30));
    let mut told = Told::default();
    let mut turns: Vec<(u64, HostId, usize)> = hosts
        .iter()
        .flat_map(|&host| (0..players).map(move |player| (host, player)))
        .map(|(host, player)| (fleet.sim.rng.u64(..1_000), host, player))
        .collect();
    turns.sort_unstable();
    for second in 0..seconds {
        let begin = fleet.sim.now();
        for &(at, host, player) in &turns {
            let due = begin + Duration::from_millis(at);
            fleet.sim.run(due.since(fleet.sim.now()));
            told.update(&mut fleet, host, player, second);
        }
        fleet.sim.run((begin + Duration::from_secs(1)).since(fleet.sim.now()));
        told.collect(&mut fleet, &hosts);
    }
    fleet.sim.run(Duration::from_secs(30));
    told.collect(&mut fleet, &hosts);
    told.judge(&fleet, servers, players)
}

/// What was updated when, and who saw it.
#[derive(Default)]
struct Told {
    /// By key, the time of each update.
    updates: BTreeMap<String, Vec<Instant>>,
    /// By server looked at and key, how many updates it has seen.
    seen: BTreeMap<(HostId, Arc<str>), usize>,
    /// Seconds from an update to its being seen.
    delays: Vec<f64>,
}

impl Told {
    fn update(&mut self, fleet: &mut Fleet, host: HostId, player: usize, second: u64) {
        let value = value(second, &mut fleet.sim.rng);
        let key = key(host, player);
        fleet.sim.act(host, |server, now| put(server, now, POOLS[player % 2], &key, &value));
        self.updates.entry(key).or_default().push(fleet.sim.now());
    }

    fn collect(&mut self, fleet: &mut Fleet, hosts: &[HostId]) {
        for &host in hosts.iter().take(LOOKED_AT) {
            let changes = fleet.sim.act(host, |server, _| std::mem::take(&mut server.pools.changes));
            for (at, _, change) in changes.into_iter().flatten() {
                if let Change::Set { key, value, .. } = change {
                    self.see(host, at, key, &value);
                }
            }
        }
    }

    fn see(&mut self, host: HostId, at: Instant, key: Arc<str>, value: &str) {
        // The number stands behind the quotation mark.
        let number: usize = value[1..9].parse().expect("values begin with their number");
        let times = &self.updates[&*key];
        let seen = self.seen.entry((host, key)).or_default();
        for time in &times[*seen..=number] {
            self.delays.push(at.since(*time).as_secs_f64());
        }
        *seen = number + 1;
    }

    fn judge(mut self, fleet: &Fleet, servers: usize, players: usize) -> Measured {
        self.delays.sort_unstable_by(f64::total_cmp);
        let all: usize = self.updates.values().map(Vec::len).sum();
        let at = |share: f64| self.delays[(self.delays.len() as f64 * share) as usize];
        Measured {
            p50: at(0.5),
            p99: at(0.99),
            of_limit: fullest(fleet, servers, players),
            unseen: all * LOOKED_AT.min(servers) - self.delays.len(),
        }
    }
}

/// The greatest part of a limit that any window used. The publishes are counted here, not by the bus.
fn fullest(fleet: &Fleet, servers: usize, players: usize) -> f64 {
    let limits = &fleet.sim.bus.limits;
    let load = Load { servers: servers as u32, players: players as u32 };
    let (Some(topic), Some(total)) = (limits.receive_topic, limits.receive_total) else { return f64::NAN };
    let mut windows = BTreeMap::new();
    let mut all = SlidingWindow::new(total.window);
    let mut most = 0.0_f64;
    for published in &fleet.sim.bus.published {
        let window = windows.entry(&published.topic).or_insert_with(|| SlidingWindow::new(topic.window));
        let of_topic = window.record(published.at) as f64 / f64::from(topic.allowed(load));
        let of_all = all.record(published.at) as f64 / f64::from(total.allowed(load));
        most = most.max(of_topic).max(of_all);
    }
    most
}
