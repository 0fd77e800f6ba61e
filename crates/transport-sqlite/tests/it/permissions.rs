//! What an ordinary user may not write. A test that runs as root plays an ordinary user for that.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use futures::executor::block_on;

use crate::child::{self, Lines};
use crate::support::{Place, number, put};

const NOBODY: u32 = 65_534;

fn set(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Whether this process may write where nobody may.
fn writes_anywhere() -> bool {
    let folder = tempfile::tempdir().unwrap();
    set(folder.path(), 0o555);
    fs::write(folder.path().join("probe"), "").is_ok()
}

/// What a process without privileges says when it opens the file.
fn opened_by_anyone(place: &Place) -> String {
    let tools = tempfile::tempdir().unwrap();
    set(tools.path(), 0o755);
    let program = tools.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut command = child::command(Command::new(program), "open", &place.path);
    if writes_anywhere() {
        command.uid(NOBODY);
    }
    let mut child = command.current_dir(tools.path()).spawn().unwrap();
    let said: Vec<String> = Lines::of(&mut child).collect();
    child.wait().unwrap();
    said.concat()
}

fn closed_store() -> Place {
    let place = Place::new();
    let store = transport_sqlite::SqliteStore::open(&place.path).unwrap();
    put(&store, "k", number(1)).unwrap();
    block_on(store.close());
    place
}

fn check_refused(place: &Place, folder: u32) {
    set(place.folder.path(), folder);
    let said = opened_by_anyone(place);
    // So that it can be removed.
    set(place.folder.path(), 0o777);
    assert!(said.starts_with("ReadOnly"), "{said}");
}

#[test]
fn a_read_only_file_is_refused() {
    let place = closed_store();
    set(&place.path, 0o444);
    check_refused(&place, 0o555);
    check_refused(&place, 0o777);
}

#[test]
fn a_file_in_a_read_only_folder_is_refused() {
    let place = closed_store();
    set(&place.path, 0o666);
    check_refused(&place, 0o555);
}

#[test]
fn a_new_file_in_a_read_only_folder_is_refused() {
    let place = Place::new();
    check_refused(&place, 0o555);
}
