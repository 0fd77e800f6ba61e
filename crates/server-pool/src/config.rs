//! Every knob of the pools of a server, with its unit and default.

use std::sync::Arc;
use std::time::Duration;

use transport_traits::BusLimits;

use crate::error::ConfigError;
use crate::wire::{FrameLimit, MAX_INT};

/// The longest name of a server, in bytes. It stands in every frame.
pub const MAX_SERVER_NAME: usize = 128;

/// How the pools of one server behave. Start from [`Config::new`] and set fields.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The name of this server: unique among the servers that run at the same time, 1 to
    /// [`MAX_SERVER_NAME`] bytes. A server that restarts may keep its name.
    pub server: Arc<str>,
    /// Which life of the server this is: it must rise with every start under the same name, and stay
    /// below 2⁵³. Default (`None`): milliseconds of the wall clock at the start.
    pub incarnation: Option<u64>,
    /// The seed of all jitter. Default (`None`): made from the name and the incarnation.
    pub seed: Option<u64>,
    /// How often each pool shows the others that this server lives. Default 2 s.
    pub heartbeat: Duration,
    /// How long a server may be silent before its entries are removed here. At least four heartbeats.
    /// Default 30 s.
    pub timeout: Duration,
    /// How long changes wait for company before they are sent; a key changed again meanwhile is sent
    /// once. Default 100 ms.
    pub coalesce: Duration,
    /// How long something missing is waited for before it is asked for; with jitter of half as much
    /// again, doubling with each unanswered request up to 4-fold. Default 400 ms.
    pub repair_delay: Duration,
    /// Frames handed to the publisher and not yet accepted by it. At least 1. Default 4.
    pub max_in_flight: usize,
    /// Servers known in a pool, the recently dead included. Frames of further ones are dropped.
    /// Default 4,096.
    pub max_origins: usize,
    /// Entries that one server may have in a pool, this one included. Default 65,536.
    pub max_origin_entries: usize,
    /// Bytes of keys and values that all other servers together may have in a pool, where each entry
    /// counts [`ENTRY_OVERHEAD`](crate::ENTRY_OVERHEAD) bytes more. Default 64 MiB.
    pub max_pool_bytes: usize,
    /// Events that wait for a slow reader before they are replaced by [`Event::Lagged`](crate::Event).
    /// At least 1. Default 1,024.
    pub event_capacity: usize,
}

impl Config {
    /// The defaults for a server of this name.
    pub fn new(server: impl Into<Arc<str>>) -> Self {
        Self {
            server: server.into(),
            incarnation: None,
            seed: None,
            heartbeat: Duration::from_secs(2),
            timeout: Duration::from_secs(30),
            coalesce: Duration::from_millis(100),
            repair_delay: Duration::from_millis(400),
            max_in_flight: 4,
            max_origins: 4_096,
            max_origin_entries: 65_536,
            max_pool_bytes: 64 * 1024 * 1024,
            event_capacity: 1_024,
        }
    }

    /// The same with another heartbeat.
    #[must_use]
    pub const fn with_heartbeat(mut self, heartbeat: Duration) -> Self {
        self.heartbeat = heartbeat;
        self
    }

    /// The same with another timeout.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same with a given incarnation.
    #[must_use]
    pub const fn with_incarnation(mut self, incarnation: u64) -> Self {
        self.incarnation = Some(incarnation);
        self
    }

    /// The same with a given seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Checks the values by themselves and against the bus, and says how large frames may be.
    pub(crate) fn check(&self, bus: &BusLimits) -> Result<FrameLimit, ConfigError> {
        if self.server.is_empty() || self.server.len() > MAX_SERVER_NAME {
            return Err(ConfigError::Server { length: self.server.len() });
        }
        if self.incarnation.is_some_and(|incarnation| incarnation > MAX_INT) {
            return Err(ConfigError::Incarnation);
        }
        if self.heartbeat.is_zero() || self.timeout < 4 * self.heartbeat {
            return Err(ConfigError::Timeout { heartbeat: self.heartbeat, timeout: self.timeout });
        }
        let counts = [
            (self.max_in_flight, "max_in_flight"),
            (self.max_origins, "max_origins"),
            (self.max_origin_entries, "max_origin_entries"),
            (self.event_capacity, "event_capacity"),
        ];
        if let Some((_, field)) = counts.into_iter().find(|(count, _)| *count == 0) {
            return Err(ConfigError::Zero { field });
        }
        FrameLimit::new(bus.body, &self.server).ok_or(ConfigError::FrameTooSmall)
    }
}
