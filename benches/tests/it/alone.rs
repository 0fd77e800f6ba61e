//! A test that has a process to itself: the memory that a process holds is also what other tests took and gave back.

use std::process::Command;

/// Says that this process runs one test.
const ALONE: &str = "BENCHES_TEST_ALONE";

/// Runs `test` in a process of its own. `name` is that of the calling test, as the harness lists it.
pub(crate) fn alone(name: &str, test: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some() {
        return test();
    }
    let program = std::env::current_exe().expect("a program knows where it is");
    let output = Command::new(program).args(["--exact", name, "--nocapture"]).env(ALONE, "1").output();
    let output = output.expect("it was started once already");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
