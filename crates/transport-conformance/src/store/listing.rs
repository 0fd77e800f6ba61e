//! Keys by prefix.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use futures::future::join_all;
use transport_traits::{Precondition, RecordKey};

use super::{STORE, Stores, key, number};
use crate::support::ok;

#[rustfmt::skip]
const KEYS: &[&str] = &[
    "a", "A", "ab", "a%", "a_", "a%b", "a_b", "aXb", "%", "_", "\\", "\\%", "a\\", "*", "a*", "?", "[a]", "[", "]",
    "^", "a[b", "{", "}", "{a}", "a}", ":", "a:", "a:b", "%25", "%2", "/", "a/", "a/b", ".", "a.", "a.b", ">", "$",
    "\0", "\0\0", "a\0", "a\0b", "'", "a'b", "\"", ";--", " ", "a ", "\u{e9}", "e\u{301}", "\u{7f}", "\u{80}",
    "\u{d7ff}", "\u{e000}", "\u{ffff}", "\u{10000}", "\u{10ffff}", "\u{10ffff}\u{10ffff}", "a\u{10ffff}", "\n",
    "\r\n", "-", "=", "a=",
];

async fn fill(stores: &Stores, store: &str, keys: impl Iterator<Item = String>) {
    let create = async |name: String| {
        let key = RecordKey::new(store, name);
        ok(
            stores.here.put(key.clone(), number(1), Precondition::Absent).await,
            format_args!("creating {key:?}"),
        );
    };
    join_all(keys.map(create)).await;
}

/// Asserts that the keys of the store with this prefix are these.
async fn check(stores: &Stores, store: &str, prefix: &str, expect: &BTreeSet<&str>) {
    let found = stores.listed(store, prefix).await;
    let distinct: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(&distinct, expect, "with prefix {prefix:?}");
    assert_eq!(found.len(), distinct.len(), "each key once, with prefix {prefix:?}: {found:?}");
}

pub(super) async fn a_prefix_is_taken_literally_whatever_its_characters(stores: &Stores) {
    fill(stores, STORE, KEYS.iter().map(ToString::to_string)).await;
    for prefix in KEYS.iter().copied().chain(["", "absent", "a\0c", "a?", "[a-z]"]) {
        let expect = KEYS.iter().copied().filter(|key| key.starts_with(prefix)).collect();
        check(stores, STORE, prefix, &expect).await;
    }
}

pub(super) async fn long_lists_are_whole_and_name_each_key_once(stores: &Stores) {
    let names: Vec<String> = (0..700).map(|n| format!("k\0{n}")).collect();
    let mut there = 0;
    for length in [255, 256, 257, 512, 700] {
        fill(stores, STORE, names[there..length].iter().cloned()).await;
        there = length;
        check(stores, STORE, "k", &names[..length].iter().map(String::as_str).collect()).await;
    }
}

pub(super) async fn deleted_keys_and_those_of_other_stores_are_not_listed(stores: &Stores) {
    for store in ["store", "stor", "store2", "Store", "store:", "s%", "*"] {
        fill(stores, store, [format!("in {store}")].into_iter()).await;
    }
    fill(stores, STORE, ["kept", "gone"].map(str::to_owned).into_iter()).await;
    stores.delete("gone").await;
    check(stores, STORE, "", &BTreeSet::from(["in store", "kept"])).await;
    check(stores, "s%", "", &BTreeSet::from(["in s%"])).await;
    check(stores, "*", "", &BTreeSet::from(["in *"])).await;
    check(stores, "sto", "", &BTreeSet::new()).await;
}

pub(super) async fn keys_may_vanish_while_they_are_listed(stores: &Stores) {
    fill(stores, STORE, (0..600).map(|n| format!("{n:03}"))).await;
    let mut found = BTreeSet::new();
    let mut keys = stores.there.list(STORE.into(), "".into());
    while let Some(name) = ok(keys.try_next().await, "listing") {
        ok(stores.here.delete(key(&name), Precondition::Always).await, "deleting");
        assert!(found.insert(name), "each key once");
    }
    assert_eq!(found.len(), 600, "what was there all the time until it was listed is listed");
    check(stores, STORE, "", &BTreeSet::new()).await;
}
