//! The program `fleet-checks`.

mod command;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use fleet_checks::replay::{DEVIATIONS, Recording, replay};

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
    /// Exits 1 if they found something, 2 if there is no such scenario or a file cannot be written.
    Sim(command::Sim),
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Replay { file } => run_replay(file),
        Command::Sim(sim) => sim.run(),
    }
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
