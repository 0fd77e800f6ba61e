//! Runs steps of one path: `hot-paths NAME STEPS`. Without arguments it lists the paths, a name and a tab before what a step is.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, steps] = arguments.as_slice() else {
        hot_paths::PATHS.iter().for_each(|path| println!("{}\t{}", path.name, path.step));
        return ExitCode::SUCCESS;
    };
    let steps = steps.parse().ok().filter(|steps| *steps <= hot_paths::STEPS);
    let (Some(path), Some(steps)) = (hot_paths::path(name), steps) else {
        eprintln!("no path {name} of so many steps; at most {} are ready", hot_paths::STEPS);
        return ExitCode::FAILURE;
    };
    (0..steps).for_each((path.ready)());
    ExitCode::SUCCESS
}
