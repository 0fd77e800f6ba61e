//! `cargo xtask sim --mutants`: bugs put into the machines of a copy of the workspace, which the simulated fleet must find.

#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::cargo;

/// Where the bugs are listed.
const LIST: &str = "crates/fleet-checks/mutants.toml";

/// The folder below `target` for the copy and what is built from it.
const FOLDER: &str = "target/mutants";

/// A change of one place, and who must notice.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    name: String,
    /// What goes wrong, in a sentence.
    #[expect(dead_code, reason = "it is for who reads the list")]
    about: String,
    file: PathBuf,
    /// What stands in the file, exactly once.
    text: String,
    /// What takes its place.
    with: String,
    checker: String,
    scenario: String,
    /// Seeds in which the checker must find it.
    seeds: u64,
}

#[derive(Debug, Deserialize)]
struct List {
    mutant: Vec<Mutant>,
}

impl Mutant {
    /// The text of its file with the bug.
    fn plant(&self, text: &str) -> Result<String, String> {
        match text.matches(&self.text).count() {
            1 => Ok(text.replace(&self.text, &self.with)),
            count => Err(format!("{}: its text stands {count} times in {}", self.name, self.file.display())),
        }
    }
}

/// Builds the simulated fleet with each bug in turn, those whose name contains `name` alone, and says whether each was found
/// by the checker that is named for it.
///
/// # Errors
/// A text for people, if the list or a file cannot be used, or a command not be started.
pub(super) fn run(name: &str) -> Result<bool, String> {
    let mut list = read()?;
    list.retain(|mutant| mutant.name.contains(name));
    if list.is_empty() {
        return Err(format!("{LIST} has no bug whose name contains {name}"));
    }
    let (copy, mut all) = (copy()?, true);
    for mutant in &list {
        let found = attempt(mutant, &copy)?;
        all &= found.is_ok();
        println!("{}: {}", mutant.name, found.unwrap_or_else(|why| why));
    }
    Ok(all)
}

fn read() -> Result<Vec<Mutant>, String> {
    let text = fs::read_to_string(cargo::root().join(LIST)).map_err(|error| format!("{LIST}: {error}"))?;
    toml::from_str(&text).map(|list: List| list.mutant).map_err(|error| format!("{LIST}: {error}"))
}

/// What the checker found, or else why it did not.
fn attempt(mutant: &Mutant, copy: &Path) -> Result<Result<String, String>, String> {
    let file = copy.join(&mutant.file);
    let at = |error: io::Error| format!("{}: {error}", file.display());
    let healthy = fs::read_to_string(&file).map_err(at)?;
    let ill = mutant.plant(&healthy)?;
    fs::write(&file, ill).map_err(at)?;
    let found = build(copy).and_then(|()| search(mutant, copy));
    fs::write(&file, healthy).map_err(at)?;
    Ok(found)
}

fn build(copy: &Path) -> Result<(), String> {
    let mut command = command("cargo", copy);
    command.args(["build", "--release", "--quiet", "--package", "fleet-checks"]);
    // One file differs from build to build, and each build is run for seconds.
    command.args(["--config", "profile.release.package.fleet-checks.opt-level=1"]);
    command.env("CARGO_INCREMENTAL", "1").env("RUSTFLAGS", "--allow warnings");
    cargo::output(command).map(drop).map_err(|error| format!("not built: {error}"))
}

/// The line of what the checker found first.
fn search(mutant: &Mutant, copy: &Path) -> Result<String, String> {
    let program = folder().join("target/release/fleet-checks");
    let mut command = command(&program.to_string_lossy(), copy);
    command.args(["sim", "--scenario", &mutant.scenario, "--seeds", &mutant.seeds.to_string()]);
    command.args(["--find", &mutant.checker]);
    let output = command.output().map_err(|error| format!("{}: {error}", program.display()))?;
    let said = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    if output.status.success() { Ok(said) } else { Err(format!("NOT FOUND by {}: {said}", mutant.checker)) }
}

fn command(program: &str, copy: &Path) -> Command {
    let program = if program == "cargo" {
        std::env::var("CARGO").unwrap_or_else(|_| program.into())
    } else {
        program.into()
    };
    let mut command = Command::new(program);
    command.current_dir(copy).env("CARGO_TARGET_DIR", folder().join("target"));
    command
}

fn folder() -> PathBuf {
    cargo::root().join(FOLDER)
}

/// Copies every file that git tracks or would track, and leaves alone what is the same already, so that cargo need not build it
/// again. Where files came or went it begins anew.
fn copy() -> Result<PathBuf, String> {
    let (copy, listed) = (folder().join("workspace"), folder().join("files"));
    let mut command = cargo::command("git");
    command.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let files = cargo::output(command)?;
    let same = fs::read_to_string(&listed).is_ok_and(|before| before == files);
    if !same && copy.exists() {
        fs::remove_dir_all(&copy).map_err(|error| format!("{}: {error}", copy.display()))?;
    }
    for file in files.split_terminator('\0') {
        let from = cargo::root().join(file);
        // Git knows it still, and it is gone.
        if from.is_file() {
            copy_one(&from, &copy.join(file)).map_err(|error| format!("{file}: {error}"))?;
        }
    }
    fs::write(&listed, files).map_err(|error| format!("{}: {error}", listed.display()))?;
    Ok(copy)
}

fn copy_one(from: &Path, to: &Path) -> io::Result<()> {
    let content = fs::read(from)?;
    if fs::read(to).is_ok_and(|there| there == content) {
        return Ok(());
    }
    to.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(to, content)
}
