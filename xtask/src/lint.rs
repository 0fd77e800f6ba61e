//! `cargo xtask lint`: every check of the project's standards, each run whatever the others say.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::{cargo, files, layers, metadata};

/// A step's name, and what finds its problems: a line each, none if it passes.
type Step = (&'static str, fn() -> Vec<String>);

const STEPS: [Step; 7] = [
    ("layers", layer_problems),
    ("file lengths", || files::problems(files::length)),
    ("file headers", || files::problems(files::header)),
    ("format", || run(cargo::cargo(&["fmt", "--all", "--check"]))),
    ("clippy", clippy),
    ("docs", docs),
    ("without features", without_features),
];

/// Runs all steps, prints the table of their results, and says whether all passed.
pub(crate) fn run_all() -> bool {
    let mut table = String::from("\n---- summary ----\n");
    let mut all_passed = true;
    for (name, step) in STEPS {
        println!("---- {name} ----");
        let start = Instant::now();
        let problems = step();
        problems.iter().for_each(|problem| println!("{problem}"));
        table += &row(name, problems.len(), start.elapsed());
        all_passed &= problems.is_empty();
    }
    println!("{table}");
    all_passed
}

fn row(name: &str, problems: usize, took: Duration) -> String {
    let result = if problems == 0 { "ok".into() } else { format!("FAILED ({problems})") };
    format!("{name:<18} {result:<14} {:>7.1} s\n", took.as_secs_f64())
}

fn layer_problems() -> Vec<String> {
    metadata::load().map_or_else(|error| vec![error], |metadata| layers::problems(&metadata))
}

fn clippy() -> Vec<String> {
    let mut clippy =
        cargo::cargo(&["clippy", "--keep-going", "--workspace", "--all-targets", "--all-features"]);
    clippy.args(["--", "-D", "warnings"]);
    run(clippy)
}

fn docs() -> Vec<String> {
    let mut doc = cargo::cargo(&["doc", "--keep-going", "--workspace", "--no-deps", "--all-features"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    run(doc)
}

/// Builds each crate that must do without a runtime alone, so that no other crate turns on features for it.
fn without_features() -> Vec<String> {
    let metadata = match metadata::load() {
        Ok(metadata) => metadata,
        Err(error) => return vec![error],
    };
    let names = metadata.packages.iter().map(|package| package.name.as_str());
    let checked = names.filter(|name| layers::is_runtime_free(name));
    checked
        .flat_map(|name| run(cargo::cargo(&["check", "--no-default-features", "--package", name])))
        .collect()
}

/// Runs a command that prints its own findings.
fn run(mut command: Command) -> Vec<String> {
    match command.status() {
        Ok(status) if status.success() => Vec::new(),
        Ok(status) => vec![format!("{command:?}: {status}")],
        Err(error) => vec![format!("{command:?}: {error}")],
    }
}
