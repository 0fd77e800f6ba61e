//! The times of the hot paths, by criterion: the topic `hot`. Nothing stands beside them, and nothing is demanded of them:
//! what a step costs beside a peer is in the other topics, and its instructions have a budget.

use std::path::Path as File;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use benches::{Figure, Run};
use criterion::Criterion;
use hot_paths::{PATHS, Path, STEPS};
use serde_json::Value;

/// By so much criterion multiplies the median absolute deviation, so that it is the standard deviation of what is normal.
const NORMAL: f64 = 1.4826;

fn main() -> ExitCode {
    let run = Run::from_args("hot", env!("CARGO_TARGET_TMPDIR"));
    if run.is_smoke() {
        PATHS.into_iter().for_each(|path| (0..3).for_each((path.ready)()));
        return ExitCode::SUCCESS;
    }
    let target =
        File::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is a folder of the target folder");
    let folder = target.join("criterion");
    let milliseconds = run.by_depth(3_000, 300, 0) as u64;
    let mut criterion = Criterion::default()
        .output_directory(&folder)
        .sample_size(20)
        .warm_up_time(Duration::from_millis(milliseconds / 3))
        .measurement_time(Duration::from_millis(milliseconds));
    for path in PATHS {
        criterion.bench_function(path.name, |bench| bench.iter_custom(|steps| time(path, steps as usize)));
    }
    let figures = PATHS.map(|path| figure(path, &folder.join(path.name).join("new/estimates.json")));
    run.finish(&figures)
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

/// The median that criterion has found, and about half of the range of the middle half of its samples.
fn figure(path: Path, estimates: &File) -> Figure {
    let text = std::fs::read_to_string(estimates).expect("criterion has written what it found");
    let estimates: Value = serde_json::from_str(&text).expect("criterion writes JSON");
    let point = |name: &str| estimates[name]["point_estimate"].as_f64().expect("criterion estimates it");
    let (median, deviation) = (point("median"), point("median_abs_dev"));
    Figure::noisy(format!("{}: {}", path.name, path.step), "ns", median, deviation / NORMAL / median)
}
