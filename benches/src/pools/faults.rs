//! Loss, churn and crashes: what heals, and how soon.

use std::time::Duration;

use fleet_sim::HostId;

use super::fleet::{Fleet, POOL, faults};

/// The loss of these figures.
const LOSS: f64 = 0.2;

/// What came of fleets after a time of loss and churn.
#[derive(Clone, Copy, Debug)]
pub struct Healed {
    /// Seconds from the end of the loss until all views were equal.
    pub seconds: f64,
    /// Ghosts over all views a minute after that end.
    pub ghosts: usize,
}

/// The slowest to heal of so many fleets, and all their ghosts.
#[must_use]
pub fn churn(servers: usize, entries: usize, fleets: usize) -> Healed {
    let all = (0..fleets as u64).map(|seed| churn_one(servers, entries, 4 + seed));
    let worse =
        |a: Healed, b: Healed| Healed { seconds: a.seconds.max(b.seconds), ghosts: a.ghosts + b.ghosts };
    all.fold(Healed { seconds: 0.0, ghosts: 0 }, worse)
}

/// Two minutes of 20 % loss, in which every 5 s a server crashes, one leaves and two start; then none is lost.
fn churn_one(servers: usize, entries: usize, seed: u64) -> Healed {
    let mut fleet = Fleet::new(seed, &[POOL], 1);
    fleet.start(servers, entries);
    fleet.sim.run(Duration::from_secs(30));
    fleet.sim.bus.faults = faults(LOSS);
    for _ in 0..24 {
        let [crashed, leaving] = [0, 1].map(|_| some_server(&mut fleet));
        fleet.sim.crash(crashed);
        fleet.sim.act(leaving, |server, now| server.close(now));
        fleet.start(2, entries);
        fleet.sim.run(Duration::from_secs(5));
    }
    fleet.sim.bus.faults = faults(0.0);
    let healed = fleet.sim.now();
    let seconds = fleet.seconds_until(Fleet::agrees);
    fleet.sim.run(Duration::from_secs(60).saturating_sub(fleet.sim.now().since(healed)));
    Healed { seconds, ghosts: fleet.ghosts() }
}

fn some_server(fleet: &mut Fleet) -> HostId {
    let running: Vec<HostId> = fleet.sim.running().collect();
    running[fleet.sim.rng.usize(..running.len())]
}

/// Seconds until the slowest of so many crashes at 20 % loss was known everywhere.
#[must_use]
pub fn crashes(servers: usize, crashes: usize) -> f64 {
    let mut fleet = Fleet::new(5, &[POOL], 1);
    fleet.start(servers, 10);
    fleet.sim.run(Duration::from_secs(30));
    fleet.sim.bus.faults = faults(LOSS);
    fleet.sim.run(Duration::from_secs(30));
    let one = |fleet: &mut Fleet| {
        let crashed = some_server(fleet);
        fleet.sim.crash(crashed);
        let took = fleet.seconds_until(|fleet| fleet.ghosts() == 0);
        fleet.restart(crashed, 10);
        fleet.sim.run(Duration::from_secs(30));
        took
    };
    (0..crashes).map(|_| one(&mut fleet)).fold(0.0, f64::max)
}

/// How often a server that lived was taken for dead, in so many hours of so many servers at 20 % loss.
#[must_use]
pub fn false_deaths(servers: usize, server_hours: usize) -> u64 {
    let mut fleet = Fleet::new(6, &[POOL], 1);
    let hosts = fleet.start(servers, 1);
    fleet.sim.bus.faults = faults(LOSS);
    let minutes = server_hours * 60 / servers;
    for _ in 0..minutes {
        fleet.sim.run(Duration::from_secs(60));
        fleet.sim.bus.published.clear();
    }
    let expired =
        |host: &HostId| fleet.sim.node(*host).map_or(0, |server| server.pools.machine().stats().expired);
    hosts.iter().map(expired).sum()
}
