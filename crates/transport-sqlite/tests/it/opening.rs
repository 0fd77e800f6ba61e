//! Files that are opened, and files that are refused and left as they were.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use futures::executor::block_on;
use rusqlite::Connection;
use transport_sqlite::{OpenError, Options, SqliteStore};
use transport_traits::DataStore;

use crate::child::{self, Lines};
use crate::support::{Place, bulky, files_in, key, number, number_of, put};

/// Opening what `prepare` left must fail, change nothing, and say what `expected` accepts in one line.
fn check_refused(prepare: impl FnOnce(&Path), expected: impl FnOnce(&OpenError) -> bool) {
    let place = Place::new();
    prepare(&place.path);
    let before = (fs::read(&place.path).unwrap(), files_in(place.folder.path()));
    let error = SqliteStore::open(&place.path).unwrap_err();
    assert!(expected(&error), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("saves.sqlite") && !text.contains('\n'), "{text}");
    assert_eq!(before, (fs::read(&place.path).unwrap(), files_in(place.folder.path())));
}

fn sql(path: &Path, statements: &str) {
    Connection::open(path).unwrap().execute_batch(statements).unwrap();
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    for content in ["hello", "{}", &"x".repeat(100_000), "SQLite format 3\0 but no more"] {
        check_refused(
            |path| fs::write(path, content).unwrap(),
            |error| matches!(error, OpenError::NotADatabase { .. }),
        );
    }
}

#[test]
fn a_database_of_another_program_is_refused() {
    let foreign = |id| move |e: &OpenError| matches!(e, OpenError::Foreign { application_id, .. } if *application_id == id);
    check_refused(|path| sql(path, "CREATE TABLE t (x)"), foreign(0));
    check_refused(|path| sql(path, "PRAGMA application_id = 77; CREATE TABLE t (x)"), foreign(77));
    check_refused(|path| sql(path, "PRAGMA journal_mode = wal; CREATE TABLE t (x)"), foreign(0));
}

/// As a crash leaves it: with a log that whoever opens the file for writing folds into it.
#[test]
fn the_log_of_another_program_is_left_alone() {
    check_refused(
        |path| {
            let place = Place::new();
            let crashed = place.outside();
            crashed.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (x)").unwrap();
            crashed.execute_batch("PRAGMA wal_checkpoint; INSERT INTO t VALUES (1)").unwrap();
            fs::copy(&place.path, path).unwrap();
            fs::copy(log_of(&place.path), log_of(path)).unwrap();
        },
        |error| matches!(error, OpenError::Foreign { .. }),
    );
}

/// A file grows when the log is folded into it, and its header comes first.
#[test]
fn a_file_that_is_being_extended_is_opened() {
    let growing = Place::new();
    let store = SqliteStore::open(&growing.path).unwrap();
    let length = fs::metadata(&growing.path).unwrap().len();
    put(&store, "k", bulky(100_000)).unwrap();
    growing.ask::<i32>("PRAGMA wal_checkpoint");

    let place = Place::new();
    fs::copy(&growing.path, &place.path).unwrap();
    fs::copy(log_of(&growing.path), log_of(&place.path)).unwrap();
    fs::OpenOptions::new().write(true).open(&place.path).unwrap().set_len(length).unwrap();
    let opened = SqliteStore::open(&place.path).unwrap();
    assert_eq!(block_on(opened.get(key("k"))).unwrap().unwrap().record, bulky(100_000));
}

fn log_of(path: &Path) -> PathBuf {
    path.with_extension("sqlite-wal")
}

#[test]
fn a_newer_format_is_refused() {
    check_refused(
        |path| {
            let store = SqliteStore::open(path).unwrap();
            block_on(store.close());
            sql(path, "PRAGMA user_version = 2");
        },
        |error| matches!(error, OpenError::TooNew { found: 2, supported: 1, .. }),
    );
}

#[test]
fn a_damaged_file_is_refused() {
    check_refused(
        |path| {
            let store = SqliteStore::open(path).unwrap();
            block_on(store.close());
            fs::OpenOptions::new().write(true).open(path).unwrap().set_len(2 * 4_096).unwrap();
        },
        |error| matches!(error, OpenError::Damaged { .. }),
    );
}

#[test]
fn a_newer_format_is_noticed_in_the_log_too() {
    let place = Place::new();
    drop(SqliteStore::open(&place.path).unwrap());
    let migrated = place.outside();
    migrated.execute_batch("PRAGMA user_version = 2").unwrap();
    let error = SqliteStore::open(&place.path).unwrap_err();
    assert!(matches!(error, OpenError::TooNew { .. }), "{error:?}");
}

#[test]
fn an_empty_file_is_filled() {
    let place = Place::new();
    fs::write(&place.path, "").unwrap();
    let store = SqliteStore::open(&place.path).unwrap();
    put(&store, "k", number(1)).unwrap();
}

#[test]
fn folders_and_what_is_in_none_are_refused() {
    let place = Place::new();
    for path in [place.folder.path().to_owned(), place.folder.path().join("no/such"), "".into()] {
        let error = SqliteStore::open(&path).unwrap_err();
        assert!(matches!(error, OpenError::CannotOpen { .. }), "{error:?}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    assert_eq!(files_in(place.folder.path()), [""; 0]);
}

#[test]
fn a_file_that_is_held_is_refused() {
    let place = Place::new();
    drop(SqliteStore::open(&place.path).unwrap());
    let holder = place.outside();
    holder.execute_batch("PRAGMA locking_mode = exclusive; BEGIN IMMEDIATE; DELETE FROM history").unwrap();
    let patience = Options::default().busy_timeout(std::time::Duration::ZERO);
    let error = patience.open(&place.path).unwrap_err();
    assert!(matches!(error, OpenError::Busy { .. }), "{error:?}");
}

#[test]
fn any_file_name_is_a_file() {
    let place = Place::new();
    for name in [":memory:", "file:x?mode=memory", "a b%41#?&.sqlite", "\u{e9}"] {
        let path = place.folder.path().join(name);
        for n in 1..3 {
            let store = SqliteStore::open(&path).unwrap();
            put(&store, "k", number(n)).unwrap();
            assert_eq!(number_of(&store, "k"), n);
        }
        assert!(path.exists(), "{name}");
    }
}

#[test]
fn names_without_a_folder_are_files_too() {
    let place = Place::new();
    for name in [":memory:", "file:x?mode=memory"] {
        let program = Command::new(std::env::current_exe().unwrap());
        let mut child = child::command(program, "open", Path::new(name));
        let mut child = child.current_dir(place.folder.path()).spawn().unwrap();
        assert_eq!(Lines::of(&mut child).collect::<Vec<_>>(), ["opened"]);
        child.wait().unwrap();
        assert!(place.folder.path().join(name).exists(), "{name}");
    }
}
