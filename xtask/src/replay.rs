//! `cargo xtask replay`: recordings of the original sources, replayed by `fleet-checks`.

use std::io;
use std::path::Path;

use crate::cargo;

/// Replays a file, or the project's own recordings, and says whether nothing failed.
///
/// # Errors
/// If cargo cannot be started, or the current folder is gone.
pub(crate) fn run(file: Option<&Path>) -> io::Result<bool> {
    let mut command = cargo::cargo(&["run", "--quiet", "--package", "fleet-checks", "--", "replay"]);
    // The program runs at the top of the workspace, the path is meant from here.
    command.args(file.map(std::path::absolute).transpose()?);
    Ok(command.status()?.success())
}
