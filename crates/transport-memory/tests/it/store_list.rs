//! Keys by prefix.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use futures::executor::block_on;
use transport_memory::MemoryStore;
use transport_traits::{DataStore, ErrorKind, Precondition, Record, RecordKey};

use crate::support::{kind, player};

fn listed(store: &MemoryStore, name: &str, prefix: &str) -> BTreeSet<String> {
    let keys: Vec<_> = block_on(store.list(name.into(), prefix.into()).try_collect()).unwrap();
    let distinct: BTreeSet<String> = keys.iter().map(|key| key.to_string()).collect();
    assert_eq!(distinct.len(), keys.len(), "each key once");
    distinct
}

fn store_with(keys: &[&str]) -> MemoryStore {
    let store = MemoryStore::unlimited();
    for key in keys {
        block_on(store.put(player(key), Record::new("{}"), Precondition::Absent)).unwrap();
    }
    store
}

#[test]
fn a_prefix_is_taken_literally_whatever_characters_it_has() {
    let keys = ["a", "a%", "a%b", "a_b", "ab", "a\u{0}", "a/b", "ä", "äb", "A", "a*", "aa\u{10ffff}"];
    let store = store_with(&keys);
    for prefix in ["", "a", "a%", "a_", "a\u{0}", "ä", "b", "aa", "a*", "abc"] {
        let expected: BTreeSet<_> =
            keys.iter().filter(|key| key.starts_with(prefix)).map(|key| (*key).to_owned()).collect();
        assert_eq!(listed(&store, "players", prefix), expected, "{prefix:?}");
    }
}

#[test]
fn deleted_keys_and_other_stores_are_not_listed() {
    let store = store_with(&["ann", "bob"]);
    let guild = RecordKey::new("players2", "cat");
    block_on(store.put(guild, Record::new("{}"), Precondition::Absent)).unwrap();
    block_on(store.delete(player("bob"), Precondition::Always)).unwrap();
    assert_eq!(listed(&store, "players", ""), BTreeSet::from(["ann".to_owned()]));
    assert!(listed(&store, "player", "").is_empty());
    let nameless = block_on(store.list("".into(), "".into()).try_collect::<Vec<_>>());
    assert_eq!(kind(nameless), Some(ErrorKind::Invalid));
}

#[test]
fn keys_may_come_and_go_while_a_listing_is_read() {
    let names: Vec<_> = (0..100).map(|n| n.to_string()).collect();
    let store = store_with(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut listing = store.list("players".into(), "".into());
    let first = block_on(listing.try_next()).unwrap().unwrap();
    for name in names.iter().filter(|name| ***name != *first) {
        block_on(store.delete(player(name), Precondition::Always)).unwrap();
    }
    block_on(store.put(player("new"), Record::new("{}"), Precondition::Absent)).unwrap();
    assert!(block_on(listing.try_collect::<Vec<_>>()).unwrap().len() < 100);
}
