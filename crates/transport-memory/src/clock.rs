//! Where the bus and the store read the time.

use std::sync::Arc;

use transport_traits::{Instant, Timer, WallTime};

/// The caller's timer, or the system's clocks where no limit needs a timer.
pub(crate) enum Clock {
    System { origin: std::time::Instant },
    Timer(Arc<dyn Timer>),
}

impl Clock {
    pub(crate) fn system() -> Self {
        Self::System { origin: std::time::Instant::now() }
    }

    pub(crate) fn now(&self) -> Instant {
        match self {
            Self::System { origin } => Instant::ZERO + origin.elapsed(),
            Self::Timer(timer) => timer.now(),
        }
    }

    pub(crate) fn wall_clock(&self) -> WallTime {
        match self {
            Self::System { .. } => WallTime::from_system_clock(),
            Self::Timer(timer) => timer.wall_clock(),
        }
    }
}
