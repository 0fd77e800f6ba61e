//! The same test with many seeds.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::{Process, Sim};

/// How many of the latest happenings are shown of a run that fails.
const SHOWN: usize = 30;

/// The variable that says which seed is to run alone.
const VARIABLE: &str = "FLEET_SIM_SEED";

/// Runs a test once a seed, each in a simulation of its own.
///
/// A test fails by a panic, from an assertion in a task or in the test itself. What happened last and the seed are printed
/// then; with the environment variable `FLEET_SIM_SEED` set to it, that seed alone runs, exactly as before.
///
/// # Panics
/// As the test does. If `FLEET_SIM_SEED` is no number.
pub fn swarm(seeds: Range<u64>, test: impl Fn(&mut Sim<Process>)) {
    let alone = std::env::var(VARIABLE).ok();
    let alone = alone.map(|seed| seed.parse().expect("FLEET_SIM_SEED is a seed: a whole number"));
    match alone {
        Some(seed) => run(seed, &test),
        None => seeds.for_each(|seed| run(seed, &test)),
    }
}

fn run(seed: u64, test: &impl Fn(&mut Sim<Process>)) {
    let mut sim = Sim::new(seed);
    sim.keep_trace(SHOWN);
    // Nothing of the simulation is used after a panic but its trace, which is whole at any time.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| test(&mut sim))) {
        sim.trace().for_each(|entry| eprintln!("    {entry}"));
        eprintln!("seed {seed} fails; {VARIABLE}={seed} runs it alone");
        resume_unwind(panic);
    }
}
