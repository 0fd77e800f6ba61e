//! Running the program.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

pub(crate) fn nexus(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nexus"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn run(args: &[&str]) -> Output {
    nexus(args).output().expect("the program starts")
}

pub(crate) fn start(args: &[&str]) -> Child {
    nexus(args).stderr(Stdio::null()).spawn().expect("the program starts")
}

/// Sends a signal (`INT`, `KILL`) to a process of ours by its id.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status();
    assert!(sent.expect("`kill` runs").success());
}

/// Waits until the side ledger of `data` reports so many durable operations.
pub(crate) fn wait_for_durable(data: &Path, operations: usize) {
    let ledger = format!("{}.ledger", data.display());
    loop {
        let text = std::fs::read_to_string(&ledger).unwrap_or_default();
        if text.lines().filter(|line| line.starts_with('=')).count() >= operations {
            return;
        }
        // Another process is at work: there is nothing to be told by, so look again.
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the program prints text")
}

/// The run could not be made, and the program says why in one line and nothing else.
pub(crate) fn assert_refused(output: &Output, says: &str) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    let last = stderr.lines().rfind(|line| line.starts_with("nexus: ")).unwrap_or_default();
    assert!(last.contains(says), "{stderr}");
    assert!(output.stdout.is_empty());
}

/// Runs what needs a runtime.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("threads can be had").block_on(work)
}
