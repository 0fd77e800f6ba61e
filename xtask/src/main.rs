//! The project's own commands: `cargo xtask test`, `lint`, `bench`, `replay` and `sim`.

mod bench;
mod cargo;
mod files;
mod layers;
mod lint;
mod metadata;
mod replay;
mod report;
mod sim;
mod test;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// The project's own commands.
#[derive(Parser)]
enum Command {
    /// Run every test that needs no setup, and list what was skipped and why.
    ///
    /// With CI=true in the environment a skipped test fails the run.
    Test,
    /// Check format, lints, docs, file lengths and headers, and the layers. Runs every step.
    Lint,
    /// Measure: a table for each topic, and its figures as JSON, Markdown and a chart in target/bench.
    Bench(bench::Bench),
    /// Replay recordings of the original sources: a line a scenario, and the sums. Exits 1 if one fails.
    Replay {
        /// The recordings. Default: the project's own.
        file: Option<PathBuf>,
    },
    /// Run simulated fleets through random trouble, a seed each. Exits 1 if a checker finds something.
    Sim(sim::Sim),
}

fn main() -> ExitCode {
    let passed = match Command::parse() {
        Command::Test => test::run(),
        Command::Lint => Ok(lint::run_all()),
        Command::Bench(bench) => bench.run().map_err(io::Error::other),
        Command::Replay { file } => replay::run(file.as_deref()),
        Command::Sim(sim) => sim.run(),
    };
    match passed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
