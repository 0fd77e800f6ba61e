//! Reading, writing and preconditions.

use futures::executor::block_on;
use transport_traits::{DataStore, Precondition, Record};

use crate::support::{key, number, put, store};

#[test]
fn a_record_comes_back_as_it_was_written() {
    let (_place, store) = store();
    let record = Record::new("{ \"a\" : [1, \"\u{1f600}\\u0000\"] }\n")
        .with_metadata("v1;w=3")
        .with_users(["7".into(), "\"quoted\", \u{e9}".into()]);
    let version = put(&store, "k", record.clone()).unwrap();
    let stored = block_on(store.get(key("k"))).unwrap().unwrap();
    assert_eq!((stored.record, stored.version), (record, version));
}

#[test]
fn versions_never_repeat() {
    let (place, store) = store();
    let mut seen = std::collections::HashSet::new();
    let mut write = |store: &_| assert!(seen.insert(put(store, "k", number(1)).unwrap()));
    for _ in 0..50 {
        write(&store);
        block_on(store.delete(key("k"), Precondition::Always)).unwrap();
        write(&store);
    }
    block_on(store.close());
    let reopened = transport_sqlite::SqliteStore::open(&place.path).unwrap();
    write(&reopened);
    // An older copy of the file was put back: its counter is behind.
    place.outside().execute("UPDATE counter SET last_version = 0", ()).unwrap();
    write(&reopened);
    // A clock was ahead once, and does not help.
    place.outside().execute("UPDATE counter SET last_version = 9000000000000000000", ()).unwrap();
    (0..3).for_each(|_| write(&reopened));
}

#[test]
fn a_store_outlives_its_process() {
    let (place, store) = store();
    let version = put(&store, "k", number(7)).unwrap();
    drop(store);
    let reopened = transport_sqlite::SqliteStore::open(&place.path).unwrap();
    assert_eq!(block_on(reopened.get(key("k"))).unwrap().unwrap().version, version);
}
