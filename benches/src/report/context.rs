//! What a run's figures were measured on and when: without it nobody could repeat them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The circumstances of one run of a topic.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Context {
    /// The topic.
    pub topic: String,
    /// `full` or `quick`: how many rounds were timed.
    pub depth: String,
    /// When the run began, UTC, as in RFC 3339.
    pub date: String,
    /// How long it took, s.
    pub seconds: f64,
    /// The commit, and `with changes` if files differ from it; `unknown` outside of a repository.
    pub commit: String,
    /// The machine.
    pub machine: Machine,
    /// Of the compiler and of the libraries that the benchmarks use directly, peers among them.
    pub versions: BTreeMap<String, String>,
}

/// What the machine says of itself; `unknown` where it says nothing.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// How many threads it runs at once for this program.
    pub cores: usize,
    /// Memory, GiB.
    pub memory: Option<f64>,
    /// Operating system, its version, and the kind of processor.
    pub system: String,
    /// How many threads wanted to run on average in the minute before the run began, and in the one before it ended.
    /// Where the first is not near 0 something else was running.
    pub load: [Option<f64>; 2],
}

impl Context {
    /// The circumstances at the beginning of a run.
    #[must_use]
    pub fn now(topic: &str, depth: &str) -> Self {
        Self {
            topic: topic.to_owned(),
            depth: depth.to_owned(),
            date: date(),
            seconds: 0.0,
            commit: commit(),
            machine: Machine::here(),
            versions: versions(),
        }
    }

    /// Notes what is known at the end.
    pub fn end(&mut self, seconds: f64) {
        self.seconds = seconds;
        self.machine.load[1] = load();
    }

    /// A paragraph in Markdown.
    #[must_use]
    pub fn paragraph(&self) -> String {
        let Self { depth, date, seconds, commit, machine, versions, .. } = self;
        let Machine { processor, cores, memory, system, load } = machine;
        let known =
            |number: Option<f64>| number.map_or_else(|| UNKNOWN.into(), |number| format!("{number:.1}"));
        let versions: Vec<String> =
            versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        format!(
            "A {depth} run of {seconds:.0} s, {date}, commit {commit}. {processor}, {cores} cores, {} GiB, {system}; \
             load {} before and {} at the end. {}.\n",
            known(*memory),
            known(load[0]),
            known(load[1]),
            versions.join(", ")
        )
    }
}

const UNKNOWN: &str = "unknown";

impl Machine {
    fn here() -> Self {
        let memory = field("/proc/meminfo", "MemTotal").and_then(|text| {
            let kibibytes: f64 = text.strip_suffix("kB")?.trim().parse().ok()?;
            Some(kibibytes / f64::from(1 << 20))
        });
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(|| UNKNOWN.into()),
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory,
            system: [std::env::consts::OS, kernel.trim(), std::env::consts::ARCH].join(" "),
            load: [load(), None],
        }
    }
}

/// What stands behind the first `name:` of a file of such lines.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let mut values = text.lines().filter_map(|line| line.split_once(':'));
    values.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
}

fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

fn date() -> String {
    let now = OffsetDateTime::now_utc();
    let seconds = now.replace_nanosecond(0).unwrap_or(now);
    seconds.format(&Rfc3339).unwrap_or_else(|_| UNKNOWN.into())
}

fn commit() -> String {
    let Some(commit) = output("git", &["rev-parse", "--short=12", "HEAD"]) else { return UNKNOWN.into() };
    let is_clean = output("git", &["status", "--porcelain"]).is_some_and(|changes| changes.is_empty());
    if is_clean { commit } else { commit + " with changes" }
}

/// What a program prints, if it ends well.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// Cargo tells the program of a benchmark which package it belongs to and where that lies, next to the lock file or one
/// folder below.
fn versions() -> BTreeMap<String, String> {
    let variable = |name, otherwise: &str| std::env::var(name).unwrap_or_else(|_| otherwise.to_owned());
    let package = variable("CARGO_PKG_NAME", env!("CARGO_PKG_NAME"));
    let folder = variable("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"));
    let lock = fs::read_to_string(Path::new(&folder).join("../Cargo.lock"));
    let mut versions = lock.map(|lock| direct_dependencies(&lock, &package)).unwrap_or_default();
    // "rustc 1.95.0 (59807616e 2026-04-14)"
    let compiler = output(&variable("RUSTC", "rustc"), &["--version"]);
    let version = compiler.as_deref().and_then(|text| text.split_whitespace().nth(1)).unwrap_or(UNKNOWN);
    versions.insert("rustc".into(), version.into());
    versions
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    /// `None` of what is our own.
    source: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// The versions, by a lock file, of the libraries from elsewhere that a package names in its manifest.
#[must_use]
pub fn direct_dependencies(lock: &str, package: &str) -> BTreeMap<String, String> {
    let Ok(Lock { package: all }) = toml::from_str(lock) else { return BTreeMap::new() };
    let Some(user) = all.iter().find(|locked| locked.name == package) else { return BTreeMap::new() };
    // A version stands behind the name where there are several.
    let is_used = |locked: &&Locked| {
        user.dependencies.iter().any(|named| {
            let mut words = named.split(' ');
            words.next() == Some(&locked.name) && words.next().is_none_or(|version| version == locked.version)
        })
    };
    let used = all.iter().filter(|locked| locked.source.is_some()).filter(is_used);
    used.map(|locked| (locked.name.clone(), locked.version.clone())).collect()
}
