//! What time is taken by.

use std::time::{Duration, Instant};

/// The time of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// Of the world: what passes.
    Wall,
    /// Of the calling thread: what the processor spends on it, the system's work for it included.
    ThisThread,
}

impl Clock {
    /// How long `run` takes.
    pub(super) fn nanoseconds(self, run: impl FnOnce()) -> f64 {
        match self {
            Self::Wall => wall(run),
            Self::ThisThread => this_thread(run),
        }
        .as_nanos() as f64
    }
}

fn wall(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// The account of the thread costs a call of the system, some 200 ns, on either side.
#[cfg(unix)]
fn this_thread(run: impl FnOnce()) -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    let spent = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("accounts begin at 0");
    let start = spent();
    run();
    spent() - start
}

#[cfg(not(unix))]
fn this_thread(run: impl FnOnce()) -> Duration {
    wall(run)
}
