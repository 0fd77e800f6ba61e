//! Rates that depend on the size of the fleet.

use std::time::Duration;

/// The size that a rate depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Servers in the fleet.
    pub servers: u32,
    /// Players (users, sessions) on the server that the rate is asked for.
    pub players: u32,
}

/// A number of requests in every window of time, as a linear function of the fleet's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FleetRate {
    /// What there is in any case.
    pub base: u32,
    /// What each server of the fleet adds.
    pub per_server: u32,
    /// What each player on this server adds.
    pub per_player: u32,
    /// The length of the window.
    pub window: Duration,
}

impl FleetRate {
    /// A rate a minute that depends on nothing.
    #[must_use]
    pub const fn per_minute(base: u32) -> Self {
        Self { base, per_server: 0, per_player: 0, window: Duration::from_secs(60) }
    }

    /// A rate a second that depends on nothing.
    #[must_use]
    pub const fn per_second(base: u32) -> Self {
        Self { base, per_server: 0, per_player: 0, window: Duration::from_secs(1) }
    }

    /// The same rate, with so much more for each server of the fleet.
    #[must_use]
    pub const fn plus_per_server(mut self, per_server: u32) -> Self {
        self.per_server = per_server;
        self
    }

    /// The same rate, with so much more for each player on this server.
    #[must_use]
    pub const fn plus_per_player(mut self, per_player: u32) -> Self {
        self.per_player = per_player;
        self
    }

    /// How many requests a window allows under this load.
    #[must_use]
    pub const fn allowed(&self, load: Load) -> u32 {
        self.base
            .saturating_add(self.per_server.saturating_mul(load.servers))
            .saturating_add(self.per_player.saturating_mul(load.players))
    }

    /// What one server may take of a limit that the fleet shares, without knowing how large the fleet
    /// is: of `base + per_server × servers` each takes `per_server`; of a limit that does not grow with
    /// the fleet there is no such share, so it is `base`.
    #[must_use]
    pub const fn share(&self) -> u32 {
        if self.per_server > 0 { self.per_server } else { self.base }
    }
}

/// A number of bytes in every window of time, each request rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throughput {
    /// Bytes in a window.
    pub bytes: u64,
    /// A request counts as a multiple of so many bytes.
    pub granularity: u64,
    /// The length of the window.
    pub window: Duration,
}
