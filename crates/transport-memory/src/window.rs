//! A limit that holds in every sliding window, not only in those of a token bucket or of the clock's minutes.

use std::collections::VecDeque;
use std::time::Duration;

use transport_traits::limits::{FleetRate, Load, Throughput};
use transport_traits::{ErrorKind, Instant};

/// At most `allowed` units in every half-open window `(t - length, t]`.
///
/// It keeps a log of what was taken within the last window, so its memory is bounded by what is allowed:
/// 16 bytes a distinct instant.
pub(crate) struct Window {
    allowed: u64,
    length: Duration,
    /// When how much was taken, oldest first.
    log: VecDeque<(Instant, u64)>,
    /// The sum of the log.
    used: u64,
}

/// Why something does not fit, ordered by how long that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shortage {
    /// It fits at this instant, if nobody else takes anything meanwhile.
    Until(Instant),
    /// It is more than an empty window allows.
    Always,
}

impl Shortage {
    /// The error for a caller who asked at `now`.
    pub(crate) fn throttled(self, now: Instant) -> ErrorKind {
        let retry_after = match self {
            Self::Until(then) => Some(then.since(now)),
            Self::Always => None,
        };
        ErrorKind::Throttled { retry_after }
    }
}

impl Window {
    /// Requests at `rate`, under `load`.
    pub(crate) fn of_rate(rate: FleetRate, load: Load) -> Self {
        Self::new(rate.allowed(load).into(), rate.window)
    }

    /// Bytes at `throughput`. Amounts are to be rounded up by the caller.
    pub(crate) fn of_throughput(throughput: Throughput) -> Self {
        Self::new(throughput.bytes, throughput.window)
    }

    fn new(allowed: u64, length: Duration) -> Self {
        Self { allowed, length, log: VecDeque::new(), used: 0 }
    }

    /// How much more fits at `now`.
    pub(crate) fn room(&mut self, now: Instant) -> u64 {
        self.expire(now);
        self.allowed - self.used
    }

    /// Whether nothing was taken in the window that ends at `now`.
    pub(crate) fn is_idle(&mut self, now: Instant) -> bool {
        self.expire(now);
        self.used == 0
    }

    /// Whether `amount` fits at `now`, and if not, when it does.
    pub(crate) fn check(&mut self, now: Instant, amount: u64) -> Result<(), Shortage> {
        let room = self.room(now);
        if amount <= room {
            return Ok(());
        }
        let mut missing = amount - room;
        for &(at, taken) in &self.log {
            if taken >= missing {
                return Err(Shortage::Until(at + self.length));
            }
            missing -= taken;
        }
        Err(Shortage::Always)
    }

    /// Takes `amount`, which must fit.
    ///
    /// Threads read the clock before they come here, so `now` may be behind the log's end; it then counts
    /// as that end, which keeps the log in order and errs towards the limit.
    pub(crate) fn record(&mut self, now: Instant, amount: u64) {
        if amount == 0 {
            return;
        }
        self.used += amount;
        assert!(self.used <= self.allowed, "what is taken was checked to fit");
        match self.log.back_mut() {
            Some((at, taken)) if *at >= now => *taken += amount,
            _ => self.log.push_back((now, amount)),
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some(&(at, taken)) = self.log.front() {
            if at + self.length > now {
                break;
            }
            self.used -= taken;
            self.log.pop_front();
        }
    }
}

/// Takes `amount` from all of the windows there are, or, if it does not fit into one of them, from none.
pub(crate) fn take<const N: usize>(
    mut windows: [Option<&mut Window>; N],
    now: Instant,
    amount: u64,
) -> Result<(), Shortage> {
    let shortages = windows.iter_mut().flatten().filter_map(|window| window.check(now, amount).err());
    match shortages.max() {
        Some(longest) => Err(longest),
        None => {
            windows.iter_mut().flatten().for_each(|window| window.record(now, amount));
            Ok(())
        }
    }
}
