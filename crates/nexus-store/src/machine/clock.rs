//! A hybrid logical clock, in microseconds.

use std::time::Duration;

use transport_traits::{Instant, WallTime};

/// No clock is at or past this, in the year 2112, and no stamp from outside: half of what a stamp can be, so that there
/// is always one that follows.
pub(crate) const LATEST: u64 = 1 << 52;

/// A stamp this far ahead of our own clock comes from a clock that is wrong, and does not move ours.
const MAX_AHEAD: Duration = Duration::from_secs(60);

/// Gives stamps that rise, follow the wall clock, and exceed every stamp seen before (Kulkarni et al.,
/// "Logical Physical Clocks", 2014, with both parts in one number).
#[derive(Debug)]
pub(crate) struct Clock {
    wall: WallTime,
    at: Instant,
    last: u64,
}

impl Clock {
    pub(crate) const fn new(wall: WallTime, at: Instant) -> Self {
        Self { wall, at, last: 0 }
    }

    /// Follows a jump of the wall clock.
    pub(crate) const fn set(&mut self, wall: WallTime, at: Instant) {
        self.wall = wall;
        self.at = at;
    }

    pub(crate) fn wall(&self, now: Instant) -> WallTime {
        self.wall + now.since(self.at)
    }

    /// The next stamp of our own.
    pub(crate) fn tick(&mut self, now: Instant) -> u64 {
        self.last = self.wall(now).as_micros().min(LATEST - 1).max(self.last + 1);
        self.last
    }

    /// Takes notice of another server's stamp.
    pub(crate) fn observe(&mut self, now: Instant, stamp: u64) {
        if stamp <= (self.wall(now) + MAX_AHEAD).as_micros() {
            self.last = self.last.max(stamp);
        }
    }
}
