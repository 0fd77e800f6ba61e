//! Many seeds of scenarios on all cores, and how they came out.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::{Planted, Report, Scenario, Script, run};

/// What came of some seeds of some scenarios.
#[derive(Clone, Debug, Default)]
pub struct Swarm {
    /// How many runs there were: a seed of a scenario each.
    pub runs: u64,
    /// Simulated seconds of all of them.
    pub seconds: u64,
    /// What the checkers found, by the scenario's name and the seed: their name, and what.
    pub violations: BTreeMap<(String, u64), Vec<(&'static str, String)>>,
}

/// One run. A machine that panics is a violation, found by the checker `panic`.
#[must_use]
pub fn seed(seed: u64, scenario: &Scenario, planted: Option<Planted>) -> Report {
    catch_unwind(AssertUnwindSafe(|| run(seed, scenario, planted))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text");
        Report { violations: vec![("panic", text.to_owned())], trace_hash: 0, seconds: scenario.seconds }
    })
}

/// Runs `seeds` of each script, given with its name, on all cores. `done` is told of each run that is over and says whether to
/// go on; it may be called from several threads. What runs already when it says no is run to its end.
#[must_use]
pub fn swarm(
    scripts: &[(String, Script)],
    seeds: Range<u64>,
    done: &(dyn Fn(&str, u64, &Report) -> ControlFlow<()> + Sync),
) -> Swarm {
    let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        let mut part = Swarm::default();
        loop {
            if is_over.load(Ordering::Relaxed) {
                return part;
            }
            let number = next.fetch_add(1, Ordering::Relaxed);
            let of = (number / scripts.len().max(1)) as u64;
            let Some((name, script)) = scripts.get(number % scripts.len().max(1)) else { return part };
            let Some(number) = seeds.start.checked_add(of).filter(|number| seeds.contains(number)) else {
                return part;
            };
            let report = seed(number, &script.scenario(number), None);
            if done(name, number, &report).is_break() {
                is_over.store(true, Ordering::Relaxed);
            }
            part.add(name, number, report);
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
    fn add(&mut self, name: &str, seed: u64, report: Report) {
        self.runs += 1;
        self.seconds += report.seconds;
        if !report.violations.is_empty() {
            self.violations.insert((name.to_owned(), seed), report.violations);
        }
    }

    fn with(mut self, other: Self) -> Self {
        self.runs += other.runs;
        self.seconds += other.seconds;
        self.violations.extend(other.violations);
        self
    }
}

/// A line a violation with the command that repeats it, and a line with the sums.
impl fmt::Display for Swarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((name, seed), violations) in &self.violations {
            for (checker, what) in violations {
                writeln!(f, "{name}, seed {seed}: {checker}: {what}")?;
            }
            writeln!(f, "    cargo xtask sim --scenario {name} --seed {seed} --seeds 1")?;
        }
        let (runs, hours, failed) = (self.runs, self.seconds / 3_600, self.violations.len());
        write!(f, "{runs} runs, {hours} simulated hours, {failed} with violations")
    }
}
