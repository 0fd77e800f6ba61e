//! A thousand servers: how much happens in a minute of theirs.

use super::{POOL, launch_as, seconds, sim};

/// What happened in the minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Deliveries, each to one server.
    pub deliveries: u64,
    /// The fewest entries that a server knows at the end.
    pub fewest: usize,
    /// The entries that there are.
    pub entries: usize,
}

/// 1,000 servers with 10 entries each for 60 simulated seconds from their start, with a heartbeat every 5 s; of the entries
/// 1 % a second gets another value.
#[must_use]
pub fn scale() -> Scale {
    const SERVERS: usize = 1_000;
    const ENTRIES: usize = 10;
    let mut sim = sim(1);
    let heartbeat = |config: server_pool::Config| config.with_heartbeat(seconds(5));
    let hosts: Vec<_> = (0..SERVERS).map(|_| launch_as(&mut sim, &[], heartbeat)).collect();
    for &host in &hosts {
        (0..ENTRIES).for_each(|entry| super::put(&mut sim, host, &format!("{host}-{entry}"), 0));
    }
    for second in 1..=60 {
        for _ in 0..SERVERS * ENTRIES / 100 {
            let (host, entry) = (hosts[sim.rng.usize(..SERVERS)], sim.rng.usize(..ENTRIES));
            super::put(&mut sim, host, &format!("{host}-{entry}"), second);
        }
        sim.run(seconds(1));
        sim.bus.published.clear();
    }
    let known = |server: &crate::sim::Server| server.pools.view(server.pools.id(POOL)).len();
    let fewest = hosts.iter().filter_map(|host| sim.node(*host).map(known)).min().unwrap_or(0);
    Scale { deliveries: sim.bus.stats().deliveries, fewest, entries: SERVERS * ENTRIES }
}
