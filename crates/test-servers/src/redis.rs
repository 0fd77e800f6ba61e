//! A private Redis server.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::supervised::Supervised;

const PROGRAM: &str = "redis-server";

/// A Redis server on a Unix socket in a folder of its own. Killed when dropped.
pub struct Redis {
    folder: TempDir,
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
        if !is_installed(PROGRAM) {
            println!("skipped: {test}: no {PROGRAM} on the path; install it with: apt-get install {PROGRAM}");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let settings = settings.iter().map(ToString::to_string).collect();
        let mut redis = Self { folder, settings, running: None };
        redis.restart();
        Some(redis)
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
        self.kill();
        let folder = self.folder.path().display().to_string();
        let socket = self.socket().display().to_string();
        let fixed = [PROGRAM, "--port", "0", "--unixsocket", &socket, "--dir", &folder, "--save", ""];
        let command: Vec<String> =
            fixed.into_iter().map(str::to_owned).chain(self.settings.iter().cloned()).collect();
        let started = Supervised::start(&command, "eady to accept connections");
        self.running = Some(started.expect("the server starts"));
    }

    /// What a client connects to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
