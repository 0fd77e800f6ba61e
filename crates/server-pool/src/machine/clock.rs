//! A hybrid logical clock: wall time that never repeats and follows what was seen.

use std::time::Duration;

use transport_traits::{Instant, WallTime};

use crate::wire::MAX_INT;

/// How far ahead of the own clock a stamp may be and still move it.
pub(crate) const MAX_DRIFT: Duration = Duration::from_secs(60);

/// Stamps are milliseconds since 1970 that rise with each one given and stay above those seen (Kulkarni,
/// Demirbas, Madappa, Avva, Leone: Logical physical clocks, 2014), where a seen stamp that is too far
/// ahead does not count: one mad clock must not carry a whole fleet along.
#[derive(Debug)]
pub(crate) struct Clock {
    wall: (Instant, WallTime),
    last: u64,
}

impl Clock {
    pub(crate) const fn new(now: Instant, wall: WallTime) -> Self {
        Self { wall: (now, wall), last: 0 }
    }

    /// Corrects the wall clock. Stamps never go back, whatever it says.
    pub(crate) const fn set_wall(&mut self, now: Instant, wall: WallTime) {
        self.wall = (now, wall);
    }

    /// Milliseconds since 1970 by the wall clock.
    pub(crate) fn wall_millis(&self, now: Instant) -> u64 {
        let (at, wall) = self.wall;
        ((wall + now.since(at)).as_micros() / 1_000).min(MAX_INT)
    }

    /// A new stamp, greater than any given or followed before and than the one it replaces. (At the end of
    /// the range, 285,000 years ahead, it stays there.)
    pub(crate) fn stamp(&mut self, now: Instant, replaced: Option<u64>) -> u64 {
        self.last = self.wall_millis(now).max(self.last + 1).min(MAX_INT);
        let stamp = replaced.map_or(self.last, |replaced| self.last.max(replaced + 1)).min(MAX_INT);
        self.observe(now, stamp);
        stamp
    }

    /// Follows a stamp that was seen, unless it is too far ahead.
    pub(crate) fn observe(&mut self, now: Instant, stamp: u64) {
        if stamp <= self.wall_millis(now).saturating_add(MAX_DRIFT.as_millis() as u64) {
            self.last = self.last.max(stamp);
        }
    }
}
