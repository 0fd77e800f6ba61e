//! A private NATS server.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::address;
use crate::supervised::{Supervised, on_a_disk_of};

/// The variable that names another program than the one on the path.
const VARIABLE: &str = "NATS_SERVER";
const PROGRAM: &str = "nats-server";
const PORT: u16 = 4222;

/// A NATS server with JetStream, on a loopback address and in a folder of its own. Killed when dropped.
///
/// The program is `nats-server`, or what the environment variable `NATS_SERVER` names.
pub struct Nats {
    program: PathBuf,
    folder: TempDir,
    address: SocketAddr,
    running: Option<Supervised>,
}

impl Nats {
    /// Starts a server with a configuration such as `max_payload: 65536`, on top of what makes it private; lines that
    /// begin with `jetstream.` go into the block of that name. Waits until it takes connections.
    ///
    /// `None`, with a line that `cargo xtask test` counts as a skip of `test`, if there is no program.
    ///
    /// # Panics
    /// If there is one and it does not start.
    #[must_use]
    pub fn start(test: &str, configuration: &str) -> Option<Self> {
        let Some(program) = program() else {
            println!("skipped: {test}: no {PROGRAM} on the path; install it with: apt-get install {PROGRAM}");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let mut nats = Self { program, folder, address: address::free(PORT), running: None };
        nats.configure(configuration);
        nats.restart();
        Some(nats)
    }

    /// Starts a server that has written to the disk what it acknowledged, where it can be told to: from 2.10 on. See
    /// [`start`](Self::start).
    ///
    /// # Panics
    /// As there.
    #[must_use]
    pub fn start_durable(test: &str) -> Option<Self> {
        let old = program().is_none_or(|program| is_before_2_10(&program));
        Self::start(test, if old { "" } else { "jetstream.sync_interval: always" })
    }

    /// Kills the server with SIGKILL, and is back when it is gone.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Starts it again with the same data at the same address, killing it first if it runs.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&mut self) {
        self.start_by(&[]);
    }

    /// The same, on a disk that is full as soon as a file of the server's has so many KiB.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart_on_a_disk_of(&mut self, kib: u64) {
        self.start_by(&on_a_disk_of(kib));
    }

    fn start_by(&mut self, starter: &[String]) {
        self.kill();
        let fixed = [self.program.display().to_string(), "-c".to_owned(), self.path("nats.conf")];
        let command = [starter, &fixed].concat();
        self.running = Some(Supervised::start(&command, "Server is ready").expect("the server starts"));
    }

    /// What a client connects to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Has the running server read its configuration again, as much of it as can change while it runs. It may be under
    /// way when this is back.
    ///
    /// # Panics
    /// If the server cannot be told.
    pub fn reload(&self) {
        let signal = format!("reload={}", self.path("pid"));
        let told =
            Command::new(&self.program).args(["--signal", &signal]).status().expect("the program runs");
        assert!(told.success(), "{told}");
    }

    /// Changes the configuration, from the next start or [`reload`](Self::reload) on.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn configure(&self, configuration: &str) {
        let (inner, outer): (Vec<_>, Vec<_>) =
            configuration.lines().map(str::trim).partition(|line| line.starts_with("jetstream."));
        let inner: Vec<_> = inner.into_iter().filter_map(|line| line.strip_prefix("jetstream.")).collect();
        // It logs to standard error unless it is told otherwise.
        let text = format!(
            "listen: \"{}\"\nlog_file: \"/dev/stdout\"\npid_file: \"{}\"\njetstream {{\nstore_dir: \"{}\"\n{}\n}}\n{}\n",
            self.address,
            self.path("pid"),
            self.path("data"),
            inner.join("\n"),
            outer.join("\n"),
        );
        fs::write(self.path("nats.conf"), text).expect("the folder is the server's own");
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

/// Whether a program says that it is `nats-server: v2.9.10` or the like.
fn is_before_2_10(program: &Path) -> bool {
    let said = Command::new(program).arg("--version").output().expect("the program runs").stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    let minor = said.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
    minor.is_some_and(|minor| minor < 10)
}

fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(PROGRAM)).find(|program| program.is_file())
}
