//! A fleet of servers with one or more pools, as a fleet of a game has them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bulk_messaging::Format;
use fleet_checks::sim::pools::View;
use fleet_checks::sim::{Parts, Server};
use fleet_sim::{BusFaults, Delay, HostId, Now, Sim};
use transport_traits::{Topic, presets};

/// How long the bus takes: what the recordings of the original had.
pub const BUS_DELAY: Duration = Duration::from_millis(250);

/// The pool of most figures.
pub const POOL: &str = "players";

/// How often it is looked whether something is so.
pub const STEP: Duration = Duration::from_millis(50);

/// Servers whose pools are of these topics, on a bus with Roblox's limits, which refuses what is over them.
pub struct Fleet {
    /// The simulation.
    pub sim: Sim<Server>,
    topics: Vec<Topic>,
    lanes: u16,
    lives: u64,
}

impl Fleet {
    /// A fleet without servers.
    #[must_use]
    pub fn new(seed: u64, topics: &[&str], lanes: u16) -> Self {
        let mut sim = Sim::new(seed);
        sim.bus.limits = presets::ROBLOX_MESSAGING;
        sim.bus.faults = faults(0.0);
        Self { sim, topics: topics.iter().map(|&topic| topic.into()).collect(), lanes, lives: 0 }
    }

    /// Starts servers that each contribute so many entries at once.
    pub fn start(&mut self, servers: usize, entries: usize) -> Vec<HostId> {
        (0..servers).map(|_| self.launch(entries)).collect()
    }

    /// Starts a server on a host of its own that contributes so many entries at once.
    pub fn launch(&mut self, entries: usize) -> HostId {
        let host = self.sim.add_host();
        self.restart(host, entries);
        host
    }

    /// Starts the server of a host, again if one runs or ran there.
    pub fn restart(&mut self, host: HostId, entries: usize) {
        self.lives += 1;
        let (name, lives) = (name(host), self.lives);
        let seed = self.sim.rng.u64(..);
        let mut bulk = bulk_messaging::Config::new("bulk");
        (bulk.seed, bulk.lanes, bulk.format) = (Some(seed), self.lanes, Format::Compact);
        let pools = server_pool::Config::new(name).with_incarnation(lives).with_seed(seed ^ 1);
        let parts = Parts::new(bulk, pools, self.topics.clone());
        let limits = self.sim.bus.limits.clone();
        self.sim.start(host, |now| {
            let mut server = Server::new(now, parts, &limits);
            let mut random = fastrand::Rng::with_seed(seed);
            (0..entries).for_each(|entry| {
                put(&mut server, now, POOL, &key(host, entry), &value(0, &mut random));
            });
            server
        });
    }

    /// Lets time pass until something is so, and says how many seconds that took; infinite if it was not so within
    /// three minutes.
    pub fn seconds_until(&mut self, is_so: impl Fn(&Self) -> bool) -> f64 {
        let start = self.sim.now();
        while !is_so(self) {
            if self.sim.now().since(start) >= Duration::from_secs(180) {
                return f64::INFINITY;
            }
            self.sim.run(STEP);
        }
        self.sim.now().since(start).as_secs_f64()
    }

    /// Whether all servers that run see the same, and nothing of others.
    #[must_use]
    pub fn agrees(&self) -> bool {
        let mut views = self.views();
        let Some(first) = views.next() else { return true };
        views.all(|view| view == first) && self.ghosts() == 0
    }

    /// Entries of servers that do not run, over all views.
    #[must_use]
    pub fn ghosts(&self) -> usize {
        let living: BTreeSet<String> = self.sim.running().map(name).collect();
        let of = |view: &View| view.values().filter(|shown| !living.contains(&*shown.owner)).count();
        self.views().map(of).sum()
    }

    fn views(&self) -> impl Iterator<Item = &View> {
        self.sim.running().filter_map(|host| view(&self.sim, host))
    }

    /// How many requests the bus has seen.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.sim.bus.stats().publishes
    }
}

/// What a server sees in the pool of most figures.
fn view(sim: &Sim<Server>, host: HostId) -> Option<&View> {
    let pools = &sim.node(host)?.pools;
    Some(pools.view(pools.id(POOL)))
}

/// How many entries a server sees in the pool of most figures.
#[must_use]
pub fn known(sim: &Sim<Server>, host: HostId) -> usize {
    view(sim, host).map_or(0, View::len)
}

/// Roblox's bus with so much loss, as far as its behaviour is known.
#[must_use]
pub fn faults(loss: f64) -> BusFaults {
    let mut faults = BusFaults::default();
    (faults.loss, faults.delay) = (loss, Delay::Fixed(BUS_DELAY));
    faults.accept = Delay::Fixed(Duration::from_millis(100));
    faults
}

/// The name of a host's server.
#[must_use]
pub fn name(host: HostId) -> String {
    format!("server-{:03}", host.0)
}

/// The key of an entry, 10 bytes: what a user id takes.
#[must_use]
pub fn key(host: HostId, entry: usize) -> String {
    format!("{:06}{entry:04}", 100_000 + host.0)
}

/// A value whose JSON text has 30 bytes, so that an entry has 40: a number, and random characters that no compression
/// makes shorter.
#[must_use]
pub fn value(number: u64, random: &mut fastrand::Rng) -> Arc<str> {
    let rest: String = (0..20).map(|_| random.alphanumeric()).collect();
    format!("\"{number:08}{rest}\"").into()
}

/// Contributes an entry.
///
/// # Panics
/// If the server refuses it.
pub fn put(server: &mut Server, now: Now, pool: &str, key: &str, value: &Arc<str>) {
    let pool = server.pools.id(pool);
    let done = server.pools.call(now).contribute(now.instant, pool, key, value.clone());
    assert!(done.is_ok(), "entries of 40 bytes fit: {done:?}");
}
