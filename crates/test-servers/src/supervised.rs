//! A process that does not outlive this one.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;

/// Starts the server, and kills it when its own standard input ends: when the pipe is closed on purpose, or because
/// the process that held it is gone. The server's children go with it; it is stopped first, so that it makes no more.
/// The shell's own end of the output is closed, so that a server that ends at once shows as the end of what it says.
const SUPERVISOR: &str = r#""$@" & server=$!; exec >&-; read -r _; kill -STOP $server
kill -KILL $(cat /proc/$server/task/$server/children) $server; wait $server"#;

/// Starts a program that can write files of so many half KiB at most, and is told so by errors, not by a signal.
const LIMITED: &str = r#"trap "" XFSZ; ulimit -f "$0"; exec "$@""#;

/// What stands before a command so that it finds the disk full as soon as a file has so many KiB.
pub(crate) fn on_a_disk_of(kib: u64) -> [String; 4] {
    ["sh", "-c", LIMITED, &(2 * kib).to_string()].map(str::to_owned)
}

/// A server under its supervisor.
pub(crate) struct Supervised {
    supervisor: Child,
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
        let mut said = BufReader::new(supervisor.stdout.take().expect("it is piped"));
        let supervised = Self { supervisor };
        let mut line = String::new();
        while !line.contains(ready) {
            line.clear();
            if said.read_line(&mut line)? == 0 {
                return Err(io::Error::other(format!("{command:?} ended before it was ready")));
            }
        }
        // To the end, or a server that has much to say would wait for a reader.
        thread::spawn(move || io::copy(&mut said, &mut io::sink()));
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
