//! Full disks, failing file systems and files that others hold.

use std::process::Command;

use futures::executor::block_on;
use transport_sqlite::{Options, SqliteStore};
use transport_traits::{DataStore, Effect, ErrorKind, Precondition};

use crate::child;
use crate::support::{Place, bulky, key, number, number_of, put, store_with};

/// Fills the store with records of 10 kB and says how many it took.
fn fill(store: &SqliteStore) -> i64 {
    for n in 0_i64.. {
        if let Err(error) = put(store, &n.to_string(), bulky(10_000)) {
            assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::None), "{error}");
            return n;
        }
    }
    unreachable!("a store with a limit takes no end of records")
}

#[test]
fn a_full_disk_refuses_and_works_again_when_there_is_room() {
    let (place, store) = store_with(Options::default().max_pages(60).history_versions(0));
    let taken = fill(&store);
    assert!(taken > 5, "{taken}");
    assert_eq!(place.ask::<i64>("SELECT count(*) FROM records"), taken, "what was refused is not there");
    assert!(put(&store, "0", bulky(30_000)).is_err());
    assert_eq!(block_on(store.get(key("0"))).unwrap().unwrap().record, bulky(10_000));

    block_on(store.delete(key("0"), Precondition::Always)).unwrap();
    put(&store, "again", bulky(10_000)).unwrap();
    place.check_integrity();
}

#[test]
fn room_made_by_others_is_used() {
    let (place, store) = store_with(Options::default().max_pages(60));
    put(&store, "old", bulky(50_000)).unwrap();
    put(&store, "old", number(1)).unwrap();
    fill(&store);
    place.outside().execute("DELETE FROM history", ()).unwrap();
    put(&store, "again", bulky(40_000)).unwrap();
}

#[test]
fn no_room_for_an_empty_file_is_told_when_opening() {
    let place = Place::new();
    let error = Options::default().max_pages(3).open(&place.path).unwrap_err();
    assert!(matches!(error, transport_sqlite::OpenError::Full { .. }), "{error}");
    SqliteStore::open(&place.path).unwrap();
}

#[test]
fn a_file_that_others_hold_is_unavailable_for_writing_and_readable() {
    let (place, store) = store_with(Options::default().busy_timeout(std::time::Duration::ZERO));
    put(&store, "k", number(1)).unwrap();
    let holder = place.outside();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = put(&store, "k", number(2)).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::None), "{error}");
    assert_eq!(number_of(&store, "k"), 1);
    holder.execute_batch("COMMIT").unwrap();
    put(&store, "k", number(3)).unwrap();
}

/// The file system refuses to let the log grow (by the limit that a shell sets), in the middle of a commit.
#[test]
#[cfg(unix)]
fn a_file_system_that_fails_in_a_commit_leaves_the_outcome_unknown_and_the_file_whole() {
    let place = Place::new();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 1000; exec \"$0\" \"$@\""]);
    shell.arg(std::env::current_exe().unwrap());
    let mut child = child::command(shell, "fill", &place.path).spawn().unwrap();
    let lines: Vec<String> = child::Lines::of(&mut child).collect();
    assert!(child.wait().unwrap().success());

    let (failed, written): (Vec<_>, Vec<_>) = lines
        .iter()
        .map(|line| line.split_once(' ').unwrap())
        .partition(|(_, outcome)| *outcome != "written");
    assert!(written.len() > 5 && failed.len() == 3, "{lines:?}");
    assert!(failed.iter().all(|(_, kind)| *kind == "Unknown"), "{lines:?}");
    let store = SqliteStore::open(&place.path).unwrap();
    for (name, _) in written {
        assert_eq!(block_on(store.get(key(name))).unwrap().unwrap().record, bulky(20_000));
    }
    place.check_integrity();
    put(&store, "again", number(1)).unwrap();
}
