//! The port to time: what a driver reads the clock and sleeps with.

use futures::future::BoxFuture;

use crate::{Instant, WallTime};

/// A clock, and a way to wait for it.
///
/// Drivers own the only timer of a component; the machines they feed get `now` as an argument.
pub trait Timer: Send + Sync {
    /// The time on a clock that never goes back.
    fn now(&self) -> Instant;

    /// The time on the calendar. It may jump in either direction.
    fn wall_clock(&self) -> WallTime;

    /// Ends when [`now`](Self::now) has reached `deadline`, at once if it already has.
    ///
    /// Dropping the future cancels the wait and does nothing else.
    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'_, ()>;
}

/// A [`Timer`] on the tokio runtime's clock, behind the feature `tokio`, which is off by default. Its futures
/// must be polled inside a runtime whose time driver is enabled; `tokio::time::pause` stops it as it stops
/// tokio's own clock.
#[cfg(feature = "tokio")]
#[derive(Clone, Debug)]
pub struct TokioTimer {
    origin: tokio::time::Instant,
}

#[cfg(feature = "tokio")]
impl TokioTimer {
    /// A timer whose origin is now.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: tokio::time::Instant::now() }
    }
}

#[cfg(feature = "tokio")]
impl Default for TokioTimer {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "tokio")]
impl Timer for TokioTimer {
    fn now(&self) -> Instant {
        Instant::ZERO + self.origin.elapsed()
    }

    fn wall_clock(&self) -> WallTime {
        WallTime::from_system_clock()
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'_, ()> {
        let wake = self.origin + deadline.since(Instant::ZERO);
        Box::pin(tokio::time::sleep_until(wake))
    }
}
