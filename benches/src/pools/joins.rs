//! What it costs to join, one server, many at once, and one after the other.

use std::time::Duration;

use super::fleet::{Fleet, POOL, STEP, known};

/// How long a fleet gets to know itself and to fill its budgets before something is measured.
const SETTLE: Duration = Duration::from_secs(60);

/// What a join took.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Publishes of all servers together meanwhile, heartbeats included.
    pub requests: u64,
    /// Seconds until everything was known; infinite if it never was.
    pub seconds: f64,
}

/// One server joins a fleet at rest that has so many servers and entries.
#[must_use]
pub fn one(servers: usize, entries: usize) -> Cost {
    let mut fleet = Fleet::new(1, &[POOL], 1);
    fleet.start(servers, entries);
    fleet.sim.run(SETTLE);
    let before = fleet.requests();
    let joiner = fleet.launch(0);
    let took = fleet.seconds_until(|fleet| known(&fleet.sim, joiner) == servers * entries);
    Cost { requests: fleet.requests() - before, seconds: took }
}

/// All servers of a fleet start at once.
#[must_use]
pub fn all(servers: usize, entries: usize) -> Cost {
    let mut fleet = Fleet::new(2, &[POOL], 1);
    let hosts = fleet.start(servers, entries);
    let took =
        fleet.seconds_until(|fleet| hosts.iter().all(|&host| known(&fleet.sim, host) == servers * entries));
    Cost { requests: fleet.requests(), seconds: took }
}

/// What became of servers that joined one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Queue {
    /// Seconds until the slowest knew everything; infinite if it never did.
    pub slowest: f64,
    /// The part of all entries that the least informed knew 10 s after it joined.
    pub known: f64,
}

/// Twelve servers join a fleet, one every 10 s.
#[must_use]
pub fn every_ten_seconds(servers: usize, entries: usize) -> Queue {
    let mut fleet = Fleet::new(3, &[POOL], 1);
    fleet.start(servers, entries);
    fleet.sim.run(SETTLE);
    let mut queue = Queue { slowest: 0.0, known: 1.0 };
    let (gap, all) = (Duration::from_secs(10), servers * entries);
    for _ in 0..12 {
        let joiner = fleet.launch(0);
        let took = fleet.sim.run_until(gap, STEP, |sim| known(sim, joiner) == all);
        fleet.sim.run(gap.saturating_sub(took.unwrap_or(gap)));
        queue.slowest = queue.slowest.max(took.map_or(f64::INFINITY, |took| took.as_secs_f64()));
        queue.known = queue.known.min(known(&fleet.sim, joiner) as f64 / all as f64);
    }
    queue
}
