//! A private Redis server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::Authority;
use crate::address;
use crate::supervised::{Supervised, on_a_disk_of};

const PROGRAM: &str = "redis-server";
const PORT: u16 = 6379;

/// A Redis server on a Unix socket in a folder of its own. Killed when dropped.
pub struct Redis {
    folder: TempDir,
    address: SocketAddr,
    settings: Vec<String>,
    running: Option<Supervised>,
}

impl Redis {
    /// Starts a server with settings such as `["--appendonly", "yes"]`, and waits until it takes connections. Without
    /// any it keeps nothing beyond its own end.
    ///
    /// `None`, with a line that `cargo xtask test` counts as a skip of `test`, if Redis is not installed.
    ///
    /// # Panics
    /// If it is installed and does not start.
    #[must_use]
    pub fn start(test: &str, settings: &[&str]) -> Option<Self> {
        let mut redis = Self::prepare(test, settings)?;
        redis.restart();
        Some(redis)
    }

    /// Starts a server that takes encrypted connections at its [address](Self::address), for which `authority` vouches
    /// as `localhost`, and demands that clients are vouched for too. See [`start`](Self::start).
    ///
    /// # Panics
    /// As there.
    #[must_use]
    pub fn start_encrypted(test: &str, authority: &Authority) -> Option<Self> {
        let mut redis = Self::prepare(test, &[])?;
        let files = authority.files_for("localhost", redis.folder.path());
        let names = ["--tls-cert-file", "--tls-key-file", "--tls-ca-cert-file"];
        let named = names.into_iter().zip(&files);
        redis.settings = named.flat_map(|(name, file)| [name.to_owned(), text(file)]).collect();
        let listening = ["--bind", &redis.address.ip().to_string(), "--tls-port", &PORT.to_string()];
        redis.settings.extend(listening.map(str::to_owned));
        redis.restart();
        Some(redis)
    }

    fn prepare(test: &str, settings: &[&str]) -> Option<Self> {
        if !is_installed(PROGRAM) {
            println!("skipped: {test}: no {PROGRAM} on the path; install it with: apt-get install {PROGRAM}");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let settings = settings.iter().map(ToString::to_string).collect();
        Some(Self { folder, address: address::free(PORT), settings, running: None })
    }

    /// Kills the server with SIGKILL, and is back when it is gone.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Starts it again in the same folder, killing it first if it runs.
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
        let (folder, socket) = (text(self.folder.path()), text(&self.socket()));
        let fixed = [PROGRAM, "--port", "0", "--unixsocket", &socket, "--dir", &folder, "--save", ""];
        let command = starter.iter().cloned().chain(fixed.map(str::to_owned));
        let command: Vec<String> = command.chain(self.settings.iter().cloned()).collect();
        let started = Supervised::start(&command, "eady to accept connections");
        self.running = Some(started.expect("the server starts"));
    }

    /// What a client connects to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Where it takes encrypted connections, if it does.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The Unix socket that it listens on.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
