//! The program `fleet-checks`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use fleet_checks::replay::{DEVIATIONS, Recording, replay};
use fleet_checks::sim::swarm::swarm;

/// Checks of whole fleets on virtual time.
#[derive(Parser)]
enum Command {
    /// Replay recordings of the original sources, and print a line a scenario and the sums.
    ///
    /// Exits 1 if a scenario fails, 2 if the file cannot be used.
    Replay {
        /// The recordings. Default: the project's own.
        file: Option<PathBuf>,
    },
    /// Run fleets through random trouble, a seed each, on all cores, and print what the checkers found and the sums.
    ///
    /// Exits 1 if they found something.
    Sim {
        /// How many seeds.
        #[arg(long, default_value_t = 200)]
        seeds: u64,
        /// The first seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Replay { file } => run_replay(file),
        Command::Sim { seeds, seed } => run_swarm(seed, seeds),
    }
}

fn run_swarm(first: u64, seeds: u64) -> ExitCode {
    let begin = Instant::now();
    let swarm = swarm(first, seeds, &|seed, report| {
        if !report.violations.is_empty() {
            eprintln!("seed {seed} has a violation");
        }
    });
    println!("{swarm}, {:.1} s", begin.elapsed().as_secs_f64());
    if swarm.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_replay(file: Option<PathBuf>) -> ExitCode {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/nexus-wire.json");
    let recording = match Recording::read(&file.unwrap_or(own)) {
        Ok(recording) => recording,
        Err(error) => {
            eprintln!("fleet-checks: {error}");
            return ExitCode::from(2);
        }
    };
    let report = replay(&recording, DEVIATIONS);
    println!("{report}");
    if report.has_failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
