//! The whole program killed in the middle, and its data file checked afterwards.

use std::path::Path;

use crate::program::{run, signal, start, text, wait_for_durable};

fn killed_run(data: &Path) {
    let path = data.to_str().expect("a path of text");
    let mut child = start(&["demo", "--servers", "4", "--players", "60", "--seconds", "600", "--data", path]);
    wait_for_durable(data, 20);
    signal(&child, "KILL");
    child.wait().expect("a child of ours");
}

#[test]
fn a_killed_run_leaves_every_operation_that_was_reported_durable() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo.sqlite");
    killed_run(&data);
    let checked = run(&["demo", "--verify", data.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stdout));
    assert!(text(&checked.stdout).contains(" 0 lost, 0 doubled"), "{}", text(&checked.stdout));
}

#[test]
fn a_file_that_lost_an_operation_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo.sqlite");
    killed_run(&data);
    let file = rusqlite::Connection::open(&data).unwrap();
    let changed = file.execute("UPDATE records SET value = '{}'", []).unwrap();
    assert!(changed > 0);
    drop(file);
    let checked = run(&["demo", "--verify", data.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(1), "{}", text(&checked.stdout));
    assert!(text(&checked.stdout).contains("BROKEN"));
}
