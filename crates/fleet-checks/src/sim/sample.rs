//! How a fleet stands at one moment: what a picture of a run is drawn from.

use super::check::{self, SHARE};
use super::fleet::Fleet;
use super::staleness::worst_of_pools;

/// How a fleet stood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// When, s.
    pub at: f64,
    /// Servers that run.
    pub servers: usize,
    /// The share of records on servers that are as stored, 0 to 1.
    pub saves: f64,
    /// The share of servers whose pool is just what the servers that run contributed, 0 to 1.
    pub pools: f64,
    /// Since when a server has not seen what another wrote, in the worst case, s.
    pub stale_saves: f64,
    /// The same of pools.
    pub stale_pools: f64,
    /// What the busiest server used of its share of publishes in the last minute, 0 to 1.
    pub budget: f64,
}

impl Fleet<'_> {
    pub(super) fn sample(&mut self) -> Sample {
        let age =
            |worst: Option<(std::time::Duration, String)>| worst.map_or(0.0, |(age, _)| age.as_secs_f64());
        let most = self.budgets.most(self.sim.now());
        Sample {
            at: self.sim.now().as_micros() as f64 / 1e6,
            servers: self.sim.running().count(),
            saves: check::share_of_saves(&self.sim, &self.keys),
            pools: check::share_of_pools(&self.sim, &self.contributed),
            stale_saves: age(self.rises.worst(&self.sim, &self.life)),
            stale_pools: age(worst_of_pools(&self.sim, &self.contributed)),
            budget: most as f64 / SHARE as f64,
        }
    }
}
