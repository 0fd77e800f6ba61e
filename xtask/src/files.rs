//! Checks of the text of the Rust files: their length and their first line.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs;

use crate::cargo;

const MAX_LINES: usize = 400;

/// What is wrong with a file of this text, if anything is.
pub(crate) type Check = fn(text: &str) -> Option<String>;

/// A file has at most [`MAX_LINES`] lines.
pub(crate) fn length(text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > MAX_LINES).then(|| format!("{lines} lines; at most {MAX_LINES} are allowed"))
}

/// A file starts with a `//!` line that says what it is.
pub(crate) fn header(text: &str) -> Option<String> {
    let first = text.lines().next().unwrap_or_default();
    let says_something = first.strip_prefix("//! ").is_some_and(|rest| !rest.trim().is_empty());
    (!says_something).then(|| "the first line is no `//!` line that says what the file is".into())
}

/// Runs `check` on every Rust file that git tracks or would track: a line for each problem.
pub(crate) fn problems(check: Check) -> Vec<String> {
    match rust_files() {
        Ok(files) => files.iter().filter_map(|file| problem(file, check)).collect(),
        Err(error) => vec![error],
    }
}

fn problem(file: &str, check: Check) -> Option<String> {
    let found = match fs::read_to_string(cargo::root().join(file)) {
        Ok(text) => check(&text)?,
        Err(error) => error.to_string(),
    };
    Some(format!("{file}: {found}"))
}

/// The paths, from the top of the workspace, of the files that are there and not ignored.
fn rust_files() -> Result<BTreeSet<String>, String> {
    let mut git = cargo::command("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.rs"]);
    let listed = cargo::output(git)?;
    let names = listed.split_terminator('\0');
    // git goes on listing a tracked file that was deleted.
    Ok(names.filter(|name| cargo::root().join(name).exists()).map(String::from).collect())
}
