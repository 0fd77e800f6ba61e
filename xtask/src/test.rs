//! `cargo xtask test`: every test that needs no setup, and a summary that hides nothing.

use std::io::{self, BufRead, BufReader, IsTerminal, Write};

use crate::cargo;
use crate::report::Report;

/// Doc tests are a run of their own: cargo leaves them out where all targets are asked for.
const RUNS: [&str; 2] = ["--all-targets", "--doc"];

/// Runs the tests, prints the summary, and says whether the run passed.
///
/// # Errors
/// If cargo cannot be started or its output cannot be relayed.
pub(crate) fn run() -> io::Result<bool> {
    let mut report = Report::default();
    let mut passed = true;
    for targets in RUNS {
        passed &= run_cargo(targets, &mut report)?;
    }
    println!("\n---- summary ----\n{report}");
    if !passed {
        println!("FAILED: see above; what does not build is not counted");
    }
    let skips_fail = std::env::var("CI").is_ok_and(|ci| ci == "true") && report.any_skipped();
    if skips_fail {
        println!("CI=true: a skipped test fails the run");
    }
    Ok(passed && !skips_fail)
}

/// Runs `cargo test` on these targets, relays what it prints, and says whether it ended well.
fn run_cargo(targets: &str, report: &mut Report) -> io::Result<bool> {
    let (reader, writer) = io::pipe()?;
    let mut child = {
        let mut command = cargo::cargo(&["test", "--workspace", "--all-features", "--no-fail-fast", targets]);
        command.args(["--", "--show-output"]);
        if io::stdout().is_terminal() {
            command.env("CARGO_TERM_COLOR", "always");
        }
        // One pipe for both, so that cargo's headings stay above the tests that they are about. The command
        // holds its ends: it goes out of scope here, or the pipe would never end.
        command.stdout(writer.try_clone()?).stderr(writer).spawn()?
    };
    let mut out = io::stdout().lock();
    for line in BufReader::new(reader).split(b'\n') {
        let line = line?;
        if report.read(&String::from_utf8_lossy(&line)) {
            out.write_all(&line)?;
            out.write_all(b"\n")?;
        }
    }
    Ok(child.wait()?.success())
}
