//! The `nexus` program: command line in, exit code out.

mod args;
mod demo;
mod failure;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

/// An invariant was broken: the run or the file is not what was promised.
const BROKEN: u8 = 1;
/// The run could not be made: wrong arguments, an unusable data file. clap's own code for wrong arguments.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let Command::Demo(arguments) = Arguments::parse().command;
    match demo::run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(BROKEN),
        Err(failure) => {
            eprintln!("nexus: {failure}");
            ExitCode::from(UNUSABLE)
        }
    }
}
