//! The program: what it prints and how it exits.

use std::process::{Command, Output};

fn replay(file: Option<&std::path::Path>) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_fleet-checks"));
    program.arg("replay").args(file).output().expect("it starts")
}

#[test]
fn without_a_file_it_replays_the_own_recordings_and_exits_0() {
    let output = replay(None);
    let said = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("\npassed    bulk-one\n"), "{said}");
    assert!(said.ends_with("99 passed, 0 failed, 0 skipped\n"), "{said}");
}

#[test]
fn it_exits_1_for_a_failure_and_2_with_one_line_for_a_file_that_is_no_use() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("doctored.json");
    let own = include_str!("../../recordings/nexus-wire.json");
    std::fs::write(&file, own.replacen("\"encoded_bytes\":21", "\"encoded_bytes\":22", 1)).expect("written");
    let doctored = replay(Some(&file));
    assert_eq!(doctored.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&doctored.stdout).contains("98 passed, 1 failed"));
    std::fs::write(&file, "no").expect("written");
    for file in [file.as_path(), folder.path(), std::path::Path::new("absent.json")] {
        let useless = replay(Some(file));
        assert_eq!(useless.status.code(), Some(2));
        assert_eq!(String::from_utf8_lossy(&useless.stderr).lines().count(), 1);
    }
}
