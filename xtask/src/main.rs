//! The project's own commands: `cargo xtask test`, `cargo xtask lint` and `cargo xtask bench`.

mod bench;
mod cargo;
mod files;
mod layers;
mod lint;
mod metadata;
mod report;
mod test;

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
    /// Measure: a table for each topic, and its figures as JSON in target/bench.
    Bench(bench::Bench),
}

fn main() -> ExitCode {
    let passed = match Command::parse() {
        Command::Test => test::run(),
        Command::Lint => Ok(lint::run_all()),
        Command::Bench(bench) => bench.run(),
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
