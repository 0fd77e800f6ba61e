//! Listing keys by prefix, odd characters included.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use futures::executor::block_on;
use futures::future::try_join_all;
use transport_sqlite::SqliteStore;
use transport_traits::{DataStore, DataStoreExt, Precondition, RecordKey};

use crate::support::{number, store};

const KEYS: &[&str] = &[
    "a",
    "A",
    "ab",
    "a%",
    "a_",
    "a%b",
    "a_b",
    "aXb",
    "%",
    "_",
    "\\",
    "\\%",
    "a\\",
    "*",
    "a*",
    "?",
    "[a]",
    "\0",
    "\0\0",
    "a\0",
    "a\0b",
    "'",
    "a'b",
    "\"",
    ";--",
    " ",
    "a ",
    "\u{e9}",
    "e\u{301}",
    "\u{7f}",
    "\u{80}",
    "\u{d7ff}",
    "\u{e000}",
    "\u{ffff}",
    "\u{10000}",
    "\u{10ffff}",
    "\u{10ffff}\u{10ffff}",
    "a\u{10ffff}",
    "\n",
];

fn fill(store: &SqliteStore, name: &str, keys: impl Iterator<Item = String>) {
    block_on(try_join_all(keys.map(|key| store.create(RecordKey::new(name, key), number(1))))).unwrap();
}

fn listed(store: &SqliteStore, name: &str, prefix: &str) -> Vec<String> {
    let keys = store.list(name.into(), prefix.into()).map_ok(|key| key.to_string());
    block_on(keys.try_collect()).unwrap()
}

#[test]
fn the_keys_with_a_prefix_are_listed_whatever_their_characters() {
    let (_place, store) = store();
    fill(&store, "store", KEYS.iter().map(ToString::to_string));
    fill(&store, "stor", ["a-elsewhere".to_owned()].into_iter());
    for prefix in KEYS.iter().copied().chain(["", "absent", "a\0c"]) {
        let expected: BTreeSet<&str> = KEYS.iter().copied().filter(|key| key.starts_with(prefix)).collect();
        let found = listed(&store, "store", prefix);
        assert_eq!(found.len(), expected.len(), "{prefix:?}: {found:?}");
        assert!(found.iter().all(|key| expected.contains(&**key)), "{prefix:?}: {found:?}");
    }
    assert_eq!(listed(&store, "no such store", ""), [""; 0]);
}

#[test]
fn long_lists_are_whole_whatever_their_length() {
    let (_place, store) = store();
    let mut there = 0;
    for length in [255, 256, 257, 512, 700] {
        fill(&store, "store", (there..length).map(|n| format!("k\0{n}")));
        there = length;
        let found = listed(&store, "store", "k");
        assert_eq!((found.len(), found.iter().collect::<BTreeSet<_>>().len()), (length, length));
    }
}

#[test]
fn deleted_keys_are_not_listed() {
    let (_place, store) = store();
    fill(&store, "store", ["a", "b"].map(str::to_owned).into_iter());
    block_on(store.delete(RecordKey::new("store", "a"), Precondition::Always)).unwrap();
    assert_eq!(listed(&store, "store", ""), ["b"]);
}

#[test]
fn records_may_change_while_they_are_listed() {
    let (_place, store) = store();
    fill(&store, "store", (0..600).map(|n| format!("{n:03}")));
    let found = block_on(async {
        let mut found = 0;
        let mut keys = store.list("store".into(), "".into());
        while let Some(key) = keys.try_next().await.unwrap() {
            store.delete(RecordKey::new("store", key), Precondition::Always).await.unwrap();
            found += 1;
        }
        found
    });
    assert_eq!((found, listed(&store, "store", "").len()), (600, 0));
}
