//! `cargo xtask bench guard`: the instructions of a step of each hot path, counted by callgrind, beside the budget.
//!
//! Each path runs twice, with few steps and with many; what both do, starting and getting ready, drops out of the
//! difference. Counts do not depend on what else the machine does. To make them depend little on which machine it is, the
//! C library is told to use what every processor has, and the program starts with an empty environment. Paths through hash
//! tables with random keys still differ by less than 1 % from run to run, the others by less than 0.1 %. With another
//! compiler, C library or kind of processor than the budget's nothing is judged, only said; with `CI=true` that fails, so
//! that a gate never passes by checking less.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::budget::{Budget, Ground, Line, TOLERANCE};
use crate::cargo;
use crate::metadata::Metadata;

/// How many steps are made before those that count, and with them.
const STEPS: [u64; 2] = [200, 2_000];

/// Copies and comparisons of the C library differ by processor unless it is told so. The last is a size beyond which copies
/// are made another way, by default one that depends on the processor's cache.
const ALIKE: &str = "glibc.cpu.hwcaps=-AVX2,-AVX,-AVX512F,-AVX512VL,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM:\
                     glibc.cpu.x86_non_temporal_threshold=0x10000000";

/// Counts, and prints each path beside its budget; `update` makes the counts the budget. Says whether nothing exceeds it.
///
/// # Errors
/// A text for people, if valgrind is missing, the program cannot be built or run, or a file cannot be read or written.
pub(super) fn run(metadata: &Metadata, update: bool) -> Result<bool, String> {
    let valgrind = cargo::output(valgrind(&["--version"]))
        .map_err(|error| format!("{error}\nvalgrind counts the instructions: apt-get install valgrind"))?;
    let program = build(metadata)?;
    let counted = count_all(&program)?;
    let (ground, file) = (ground()?, cargo::root().join("hot-paths/budget.json"));
    let budget = if update {
        let budget = Budget { counted_on: ground.clone(), instructions: counted.clone() };
        write(&file, &budget)?;
        budget
    } else {
        read(&file)?
    };
    let lines = budget.compare(&counted);
    println!("{:<20} {:>12} {:>12} {:>9}", "instructions a step", "counted", "budget", "change");
    lines.iter().for_each(|line| println!("{line}"));
    println!("\ncounted on {ground}, by {}, {TOLERANCE} % more are allowed", valgrind.trim());
    write(&metadata.target_directory.join("bench/guard.json"), &rows(&lines))?;
    if ground != budget.counted_on {
        println!("NOT JUDGED: the budget was counted on {}; --update counts it anew", budget.counted_on);
        return Ok(!std::env::var("CI").is_ok_and(|ci| ci == "true"));
    }
    Ok(!lines.iter().any(|line| line.verdict().fails()))
}

fn valgrind(arguments: &[&str]) -> std::process::Command {
    let mut command = cargo::command("valgrind");
    command.args(arguments);
    command
}

/// Builds the program, and says where it is.
fn build(metadata: &Metadata) -> Result<PathBuf, String> {
    let mut build = cargo::cargo(&["build", "--release", "--package", "hot-paths", "--bin", "hot-paths"]);
    let status = build.status().map_err(|error| format!("{build:?}: {error}"))?;
    if !status.success() {
        return Err(format!("{build:?}: {status}"));
    }
    Ok(metadata.target_directory.join("release/hot-paths"))
}

fn count_all(program: &Path) -> Result<BTreeMap<String, u64>, String> {
    let listed = cargo::output(cargo::command(&program.to_string_lossy()))?;
    let names = listed.lines().filter_map(|line| line.split('\t').next());
    names.map(|name| Ok((name.to_owned(), count(program, name)?))).collect()
}

/// The instructions of a step.
fn count(program: &Path, name: &str) -> Result<u64, String> {
    let [before, all] = STEPS.map(|steps| collected(program, name, steps));
    let [few, many] = STEPS;
    Ok((all? - before?) / (many - few))
}

/// The instructions of a run of so many steps.
fn collected(program: &Path, name: &str, steps: u64) -> Result<u64, String> {
    // The counts themselves go to a file descriptor, and the profile nowhere.
    let mut command = valgrind(&["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.arg(program).args([name, &steps.to_string()]);
    command
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("GLIBC_TUNABLES", ALIKE);
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    // "==123== Collected : 8212217"
    let count = said.lines().find_map(|line| line.split("Collected :").nth(1)?.trim().parse().ok());
    count.filter(|_| output.status.success()).ok_or_else(|| format!("{command:?}: {}\n{said}", output.status))
}

/// On what is counted here.
fn ground() -> Result<Ground, String> {
    let mut rustc = cargo::command("rustc");
    rustc.arg("--version");
    let rustc = cargo::output(rustc)?;
    // "ldd (Debian GLIBC 2.36-9+deb12u10) 2.36"; other C libraries have other answers, or none.
    let mut ldd = cargo::command("ldd");
    ldd.arg("--version");
    let libc = cargo::output(ldd).unwrap_or_default();
    let libc = libc.lines().next().and_then(|line| line.split_whitespace().last()).unwrap_or("unknown");
    Ok(Ground {
        rustc: rustc.split_whitespace().nth(1).unwrap_or("unknown").to_owned(),
        system: format!("{} {}", std::env::consts::ARCH, std::env::consts::OS),
        libc: format!("libc {libc}"),
    })
}

/// The figures in the form that those of topics have.
fn rows(lines: &[Line]) -> serde_json::Value {
    let row = |line: &Line| {
        json!({
            "name": line.name, "unit": "instructions", "value": line.counted, "reference": line.budget,
            "ratio": line.ratio(), "goal": format!("≤ {} × the reference", 1.0 + TOLERANCE / 100.0),
            "met": line.ratio().map(|_| !line.verdict().fails()),
        })
    };
    lines.iter().map(row).collect()
}

fn read(file: &Path) -> Result<Budget, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
}

fn write(file: &Path, value: &impl serde::Serialize) -> Result<(), String> {
    let text = serde_json::to_string_pretty(value).expect("it has names for keys");
    let made = file.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(file, text + "\n")).map_err(|error| format!("{}: {error}", file.display()))
}
