//! One file, many writers: threads, stores and processes.

use std::thread;

use futures::executor::block_on;
use transport_sqlite::SqliteStore;
use transport_traits::{DataStore, ErrorKind, Precondition};

use crate::child;
use crate::support::{Place, key, number, number_in, number_of, put, store};

/// Adds one to the number in a record by compare-and-swap, as often as it takes.
pub(crate) fn add_one(store: &SqliteStore, name: &str) {
    loop {
        let (seen, condition) = match block_on(store.get(key(name))).unwrap() {
            Some(seen) => (number_in(&seen), Precondition::Is(seen.version)),
            None => (0, Precondition::Absent),
        };
        match block_on(store.put(key(name), number(seen + 1), condition)) {
            Ok(_) => return,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
        }
    }
}

#[test]
fn no_increment_of_racing_threads_is_lost() {
    let (place, store) = store();
    let second = SqliteStore::open(&place.path).unwrap();
    thread::scope(|scope| {
        for n in 0..16 {
            let store = if n % 2 == 0 { &store } else { &second };
            scope.spawn(move || (0..25).for_each(|_| add_one(store, "shared")));
        }
    });
    assert_eq!(number_of(&store, "shared"), 400);
}

#[test]
fn no_increment_of_racing_processes_is_lost() {
    let (place, store) = store();
    let children: Vec<_> = (0..3).map(|_| child::start("add", &place.path)).collect();
    (0..100).for_each(|_| add_one(&store, "shared"));
    for (mut child, lines) in children {
        assert_eq!(lines.collect::<Vec<_>>(), ["done"]);
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(number_of(&store, "shared"), 400);
    place.check_integrity();
}

#[test]
fn one_of_many_racing_creations_wins() {
    let (_place, store) = store();
    let wins = thread::scope(|scope| {
        let create = |n| block_on(store.put(key("k"), number(n), Precondition::Absent)).is_ok();
        let racers: Vec<_> = (0..32).map(|n| scope.spawn(move || create(n))).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).filter(|won| *won).count()
    });
    assert_eq!(wins, 1);
}

#[test]
fn many_may_create_the_file_at_once() {
    for _ in 0..20 {
        let place = Place::new();
        let opened: Vec<SqliteStore> = thread::scope(|scope| {
            let open = || SqliteStore::open(&place.path).unwrap();
            let racers: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        for (n, store) in (0_u64..).zip(&opened) {
            put(store, &n.to_string(), number(n)).unwrap();
        }
        assert_eq!(place.ask::<u32>("SELECT count(*) FROM records"), 8);
    }
}

#[test]
fn what_one_store_was_told_the_other_reads() {
    let (place, store) = store();
    let second = SqliteStore::open(&place.path).unwrap();
    for n in 1..100 {
        let (writer, reader) = if n % 2 == 0 { (&store, &second) } else { (&second, &store) };
        put(writer, "k", number(n)).unwrap();
        assert_eq!(number_of(reader, "k"), n);
    }
}
