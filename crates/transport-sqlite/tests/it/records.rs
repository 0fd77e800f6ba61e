//! Reading, writing and preconditions.

use futures::executor::block_on;
use transport_traits::{DataStore, DataStoreExt, ErrorKind, Precondition, Record, Version};

use crate::support::{key, number, number_of, put, store};

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
fn what_was_never_written_is_not_there() {
    let (_place, store) = store();
    assert_eq!(block_on(store.get(key("k"))).unwrap(), None);
    block_on(store.delete(key("k"), Precondition::Always)).unwrap();
    block_on(store.delete(key("k"), Precondition::Absent)).unwrap();
    assert_eq!(block_on(store.versions(key("k"))).unwrap(), []);
}

#[test]
fn stores_and_keys_do_not_mix() {
    let (_place, store) = store();
    let keys = [("a", "bc"), ("ab", "c"), ("A", "bc"), ("a", "bc "), ("a", "bc\0"), ("a", "%")];
    let keys = keys.map(|(store, key)| transport_traits::RecordKey::new(store, key));
    for (n, key) in (0..).zip(&keys) {
        block_on(store.create(key.clone(), number(n))).unwrap();
    }
    for (n, key) in (0..).zip(&keys) {
        assert_eq!(block_on(store.get(key.clone())).unwrap().unwrap().record, number(n));
    }
}

#[test]
fn a_write_happens_only_if_its_precondition_holds() {
    let (_place, store) = store();
    let absent = || Precondition::Absent;
    let other = || Precondition::Is(Version::new("1"));
    let put = |condition| block_on(store.put(key("k"), number(1), condition)).map_err(|e| e.kind());
    let delete = |condition| block_on(store.delete(key("k"), condition)).map_err(|e| e.kind());

    assert_eq!(put(other()), Err(ErrorKind::Conflict));
    assert_eq!(delete(other()), Err(ErrorKind::Conflict));
    let first = put(absent()).unwrap();
    assert_eq!(put(absent()), Err(ErrorKind::Conflict));
    assert_eq!(delete(absent()), Err(ErrorKind::Conflict));
    let second = put(Precondition::Is(first.clone())).unwrap();
    assert_eq!(put(Precondition::Is(first.clone())), Err(ErrorKind::Conflict));
    assert_eq!(put(Precondition::Is(Version::new(format!("0{second}")))), Err(ErrorKind::Conflict));
    assert_eq!(delete(Precondition::Is(first)), Err(ErrorKind::Conflict));
    delete(Precondition::Is(second)).unwrap();
    assert_eq!(number_of(&store, "k"), 0);
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
