//! Every knob of the pools of a server, with its unit and default.

use std::sync::Arc;
use std::time::Duration;

use transport_traits::BusLimits;
use transport_traits::limits::ReceiveCounting;

use crate::error::ConfigError;
use crate::wire::{FrameLimit, MAX_INT};

/// The longest name of a server, in bytes. It stands in every frame.
pub const MAX_SERVER_NAME: usize = 128;

/// The shortest heartbeat and repair delay, so that neither comes again in the moment in which it came.
const SHORTEST: Duration = Duration::from_millis(1);

/// The longest time that can be set, far from where sums of times end.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How the pools of one server behave. Start from [`Config::new`] and set fields.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The name of this server: unique among the servers that run at the same time, 1 to
    /// [`MAX_SERVER_NAME`] bytes. A server that restarts may keep its name.
    pub server: Arc<str>,
    /// Which life of the server this is: it should rise with every start under the same name, never be the
    /// same, and stay below 2⁵³. Default (`None`): milliseconds of the wall clock at the start.
    ///
    /// Where it does not rise, since the clock is behind that of the past life, the other servers drop the new
    /// life's frames until it has heard from them, within about two heartbeats, which life they know. It goes on above
    /// that, at most 86,400,000 above its own (a day) and 8 times
    /// ([`Stats::refutations`](crate::Stats::refutations)). What is claimed beyond is not believed
    /// ([`Stats::disbelieved`](crate::Stats::disbelieved)): such a server is invisible to the others until the past
    /// life was silent for three timeouts.
    pub incarnation: Option<u64>,
    /// The seed of all jitter. Default (`None`): made from the name and the incarnation.
    pub seed: Option<u64>,
    /// How often each pool shows the others that this server lives, 1 ms at least. Default 2 s.
    pub heartbeat: Duration,
    /// How long a server may be silent before its entries are removed here. At least four heartbeats. Each
    /// pool has its own, so a server that opens many needs a longer timeout: four frames a pool have to fit
    /// into it (25 pools with the default and Roblox's limits). Fewer are warned of when a pool is opened.
    /// Default 30 s, as all times at most a day.
    pub timeout: Duration,
    /// How long changes wait for company before they are sent; a key changed again meanwhile is sent
    /// once. Default 100 ms.
    pub coalesce: Duration,
    /// How long something missing is waited for before it is asked for, 1 ms at least; with jitter of half as much
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
    /// counts [`ENTRY_OVERHEAD`](crate::ENTRY_OVERHEAD) bytes more. Default 64 MiB. Not counted: the values
    /// as decoded (a `serde_json::Value` can take 16 times its text), and up to 3 KiB for each of
    /// `max_origins`.
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
        self.check_times()?;
        if self.timeout < 4 * self.heartbeat {
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
        check_rates(bus)?;
        FrameLimit::new(bus.body, &self.server).ok_or(ConfigError::FrameTooSmall)
    }

    fn check_times(&self) -> Result<(), ConfigError> {
        let times = [
            ("heartbeat", self.heartbeat, SHORTEST),
            ("timeout", self.timeout, SHORTEST),
            ("coalesce", self.coalesce, Duration::ZERO),
            ("repair_delay", self.repair_delay, SHORTEST),
        ];
        let outside = times.into_iter().find(|(_, time, least)| time < least || *time > LONGEST);
        outside.map_or(Ok(()), |(field, time, least)| {
            Err(ConfigError::Time { field, time, least, most: LONGEST })
        })
    }
}

/// Whether a server can tell its share of each rate, and that lets frames out.
fn check_rates(bus: &BusLimits) -> Result<(), ConfigError> {
    let receives = [bus.receive_topic, bus.receive_total];
    if receives.iter().any(Option::is_some) && bus.receive_counting == ReceiveCounting::PerDelivery {
        return Err(ConfigError::NoShare);
    }
    let mut rates = receives.into_iter().chain([bus.send]).flatten();
    let works = rates.all(|rate| rate.share() > 0 && rate.window >= Duration::from_micros(1));
    if works { Ok(()) } else { Err(ConfigError::NoRate) }
}
