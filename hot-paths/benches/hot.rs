//! The times of the hot paths, by criterion.

use std::time::{Duration, Instant};

use criterion::Criterion;
use hot_paths::{PATHS, Path, STEPS};

fn main() {
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    for path in PATHS {
        criterion.bench_function(path.name, |bench| bench.iter_custom(|steps| time(path, steps as usize)));
    }
    criterion.final_summary();
}

/// The time of so many steps, in as many runs as they need. Getting ready for a run is not timed.
fn time(path: Path, steps: usize) -> Duration {
    let mut spent = Duration::ZERO;
    for first in (0..steps).step_by(STEPS) {
        let mut step = (path.ready)();
        let begun = Instant::now();
        (0..STEPS.min(steps - first)).for_each(&mut step);
        spent += begun.elapsed();
    }
    spent
}
