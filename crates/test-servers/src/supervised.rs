//! A process that does not outlive this one.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Starts the server, and kills it when its own standard input ends: when the pipe is closed on purpose, or because
/// the process that held it is gone. The server's children go with it; it is stopped first, so that it makes no more.
/// The shell's own end of the output is closed, so that a server that ends at once shows as the end of what it says.
const SUPERVISOR: &str = r#""$@" & server=$!; exec >&-; read -r _; kill -STOP $server
kill -KILL $(cat /proc/$server/task/$server/children) $server; wait $server"#;

/// A server under its supervisor.
pub(crate) struct Supervised {
    supervisor: Child,
    /// Held open, so that the server can go on writing.
    said: BufReader<ChildStdout>,
}

impl Supervised {
    /// Starts `command` and waits until it has said `ready`.
    ///
    /// # Errors
    /// If it cannot be started, or ends before that.
    pub(crate) fn start(command: &[String], ready: &str) -> io::Result<Self> {
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISOR, "supervisor"])
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = supervisor.stdout.take().expect("it is piped");
        let mut supervised = Self { supervisor, said: BufReader::new(stdout) };
        let mut line = String::new();
        while !line.contains(ready) {
            line.clear();
            if supervised.said.read_line(&mut line)? == 0 {
                return Err(io::Error::other(format!("{command:?} ended before it was ready")));
            }
        }
        Ok(supervised)
    }

    fn stop(&mut self) -> io::Result<()> {
        drop(self.supervisor.stdin.take());
        self.supervisor.wait().map(drop)
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.stop().expect("a child that was started can be waited for");
    }
}
