//! Past states: which are kept, and reading them.

use futures::executor::block_on;
use transport_sqlite::{Options, SqliteStore};
use transport_traits::{DataStore, ErrorKind, Precondition, Version, VersionInfo};

use crate::support::{Place, key, number, number_in, put, store_with};

fn store(versions: u32) -> (Place, SqliteStore) {
    store_with(Options::default().history_versions(versions))
}

fn versions(store: &SqliteStore) -> Vec<VersionInfo> {
    block_on(store.versions(key("k"))).unwrap()
}

fn past(store: &SqliteStore, version: &Version) -> Option<u64> {
    let stored = block_on(store.get_version(key("k"), version.clone())).unwrap()?;
    assert_eq!(stored.version, *version);
    Some(number_in(&stored))
}

#[test]
fn the_last_states_are_kept_and_no_more() {
    let (place, store) = store(3);
    put(&store, "other", number(0)).unwrap();
    let written: Vec<Version> = (0..10).map(|n| put(&store, "k", number(n)).unwrap()).collect();
    let known: Vec<Version> = versions(&store).into_iter().map(|info| info.version).collect();
    let expected: Vec<Version> = written[6..].iter().rev().cloned().collect();
    assert_eq!(known, expected, "the present one and three past ones, latest first");
    let readable: Vec<_> = written.iter().map(|version| past(&store, version)).collect();
    assert_eq!(readable[..6], [None; 6]);
    assert_eq!(readable[6..], [Some(6), Some(7), Some(8), Some(9)]);
    assert_eq!(place.ask::<u32>("SELECT count(*) FROM history"), 3);
}

#[test]
fn a_deletion_is_a_state_and_leaves_what_was_before() {
    let (_place, store) = store(4);
    let first = put(&store, "k", number(1)).unwrap();
    block_on(store.delete(key("k"), Precondition::Always)).unwrap();
    let known = versions(&store);
    assert_eq!(known.iter().map(|info| info.deleted).collect::<Vec<_>>(), [true, false]);
    assert_eq!(past(&store, &first), Some(1));
    assert_eq!(past(&store, &known[0].version), None, "a deletion holds nothing");

    put(&store, "k", number(2)).unwrap();
    let deleted: Vec<bool> = versions(&store).iter().map(|info| info.deleted).collect();
    assert_eq!(deleted, [false, true, false]);
}

#[test]
fn times_do_not_go_back_in_a_history() {
    let (_place, store) = store(16);
    (0..5).for_each(|n| drop(put(&store, "k", number(n)).unwrap()));
    let times: Vec<_> = versions(&store).into_iter().map(|info| info.modified).collect();
    assert!(times.is_sorted_by(|later, earlier| later >= earlier), "{times:?}");
    assert!(times.iter().all(|time| time.as_micros() > 1_700_000_000_000_000), "{times:?}");
}

#[test]
fn without_history_the_store_says_so_and_nothing_of_a_deleted_record_remains() {
    let (place, store) = store(0);
    assert!(!store.capabilities().history);
    let refused = block_on(store.versions(key("k"))).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    put(&store, "k", number(1)).unwrap();
    put(&store, "k", number(2)).unwrap();
    assert_eq!(place.ask::<u32>("SELECT count(*) FROM history"), 0);
    block_on(store.delete(key("k"), Precondition::Always)).unwrap();
    assert_eq!(place.ask::<u32>("SELECT count(*) FROM history"), 0);
}

#[test]
fn a_shorter_history_takes_effect_when_the_record_is_written() {
    let (place, store) = store(10);
    (0..6).for_each(|n| drop(put(&store, "k", number(n)).unwrap()));
    block_on(store.close());
    let store = Options::default().history_versions(2).open(&place.path).unwrap();
    put(&store, "k", number(6)).unwrap();
    assert_eq!(versions(&store).len(), 3);
}

#[test]
fn the_states_of_another_record_are_not_found() {
    let (_place, store) = store(4);
    put(&store, "k", number(1)).unwrap();
    let other = put(&store, "other", number(2)).unwrap();
    put(&store, "other", number(3)).unwrap();
    assert_eq!(past(&store, &other), None);
    for name in ["", "x", "-1", "00", "99999999999999999999"] {
        assert_eq!(past(&store, &Version::new(name)), None, "{name}");
    }
    let padded = Version::new(format!("0{other}"));
    assert_eq!(block_on(store.get_version(key("other"), padded)).unwrap(), None);
}
