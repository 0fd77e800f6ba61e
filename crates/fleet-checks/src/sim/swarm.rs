//! Many seeds of the swarm on all cores, and how they came out.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::{Planted, Report, Scenario, run};

/// What came of some seeds.
#[derive(Clone, Debug, Default)]
pub struct Swarm {
    /// How many seeds ran.
    pub seeds: u64,
    /// Simulated seconds of all of them.
    pub seconds: u64,
    /// What the checkers found, by seed: their name, and what.
    pub violations: BTreeMap<u64, Vec<(&'static str, String)>>,
}

/// One seed of the swarm. A machine that panics is a violation, found by the checker `panic`.
#[must_use]
pub fn seed(seed: u64, planted: Option<Planted>) -> Report {
    let scenario = Scenario::random(seed);
    catch_unwind(AssertUnwindSafe(|| run(seed, &scenario, planted))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text");
        Report { violations: vec![("panic", text.to_owned())], trace_hash: 0, seconds: scenario.seconds }
    })
}

/// Runs `count` seeds from `first` on. `done` is told of each that is over; it may be called from several threads.
#[must_use]
pub fn swarm(first: u64, count: u64, done: &(dyn Fn(u64, &Report) + Sync)) -> Swarm {
    let next = AtomicU64::new(first);
    let end = first.saturating_add(count);
    let work = || {
        let mut part = Swarm::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= end {
                return part;
            }
            let report = seed(number, None);
            done(number, &report);
            part.add(number, report);
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let parts = threads.into_iter().map(|thread| thread.join().expect("panics of runs are caught"));
        parts.fold(Swarm::default(), Swarm::with)
    })
}

impl Swarm {
    fn add(&mut self, seed: u64, report: Report) {
        self.seeds += 1;
        self.seconds += report.seconds;
        if !report.violations.is_empty() {
            self.violations.insert(seed, report.violations);
        }
    }

    fn with(mut self, other: Self) -> Self {
        self.seeds += other.seeds;
        self.seconds += other.seconds;
        self.violations.extend(other.violations);
        self
    }
}

/// A line a violation with the command that repeats it, and a line with the sums.
impl fmt::Display for Swarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (seed, violations) in &self.violations {
            for (checker, what) in violations {
                writeln!(f, "seed {seed}: {checker}: {what}")?;
            }
            writeln!(f, "    cargo xtask sim --seed {seed} --seeds 1")?;
        }
        let (seeds, hours, failed) = (self.seeds, self.seconds / 3_600, self.violations.len());
        write!(f, "{seeds} seeds, {hours} simulated hours, {failed} with violations")
    }
}
