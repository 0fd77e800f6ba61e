//! What async code gets from its process.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex};

use transport_traits::{BusLimits, StoreLimits};

use super::desk::Desk;
use super::{SimBus, SimStore, SimTimer, lock};
use crate::HostId;

/// The ports of a process: bus, store and clock of the simulation as this process has them, and a way to spawn tasks.
/// Cheap to clone.
#[derive(Clone)]
pub struct Ports {
    desk: Arc<Mutex<Desk>>,
    host: HostId,
    seed: u64,
    limits: Arc<(BusLimits, StoreLimits)>,
    echo: bool,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Ports {
    pub(super) fn new(
        desk: Arc<Mutex<Desk>>,
        host: HostId,
        seed: u64,
        limits: (BusLimits, StoreLimits),
        echo: bool,
    ) -> Self {
        Self { desk, host, seed, limits: Arc::new(limits), echo }
    }

    /// The host on which the process runs.
    #[must_use]
    pub const fn host(&self) -> HostId {
        self.host
    }

    /// A seed of this process's own. Whatever in it draws at random has to draw from this, or runs cannot be repeated.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The simulation's clock: virtual time, and this host's calendar.
    #[must_use]
    pub fn timer(&self) -> Arc<SimTimer> {
        Arc::new(SimTimer::new(self.desk.clone()))
    }

    /// The simulation's bus, with the limits that it had when the process began.
    #[must_use]
    pub fn bus(&self) -> Arc<SimBus> {
        Arc::new(SimBus::new(self.desk.clone(), self.limits.clone(), self.echo))
    }

    /// The simulation's data store, with the limits that it had when the process began.
    #[must_use]
    pub fn store(&self) -> Arc<SimStore> {
        Arc::new(SimStore::new(self.desk.clone(), self.limits.clone()))
    }

    /// Runs a task beside the main one. It ends with the process at the latest.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        lock(&self.desk).spawned.push(Box::pin(task));
    }
}
