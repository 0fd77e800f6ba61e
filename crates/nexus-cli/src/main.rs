//! The `nexus` program: command line in, exit code out.

mod args;
mod demo;
mod failure;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Arguments, Command};
use failure::Failure;

/// An invariant was broken: the run or the file is not what was promised.
const BROKEN: u8 = 1;
/// The run could not be made: wrong arguments, an unusable data file.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let outcome = match Arguments::try_parse() {
        Ok(Arguments { command: Command::Demo(arguments) }) => demo::run(&arguments),
        Ok(Arguments { command: Command::DemoServer }) => demo::serve(),
        Err(error) => Err(wrong_arguments(&error)),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(BROKEN),
        Err(failure) => {
            eprintln!("nexus: {failure}");
            ExitCode::from(UNUSABLE)
        }
    }
}

/// One line about arguments that cannot be used. Where help or the version is what there is to say, that is printed, and
/// the program ends.
fn wrong_arguments(error: &clap::Error) -> Failure {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        error.exit();
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    Failure::new(format!("{}; --help tells more", first.trim_start_matches("error: ")))
}
