//! The order is that of plain texts.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::collection::btree_set;
use proptest::prelude::*;

use super::by_key;
use crate::events::Entry;

fn check(keys: &BTreeSet<String>, seed: u64) {
    let (value, owner): (Arc<()>, Arc<str>) = (Arc::default(), "s".into());
    let entry = |key: &String| Entry { key: key.as_str().into(), value: value.clone(), owner: owner.clone() };
    let mut entries: Vec<_> = keys.iter().map(entry).collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut entries);
    assert!(by_key(entries).iter().map(|entry| &*entry.key).eq(keys.iter()));
}

#[test]
fn nothing_and_one_are_in_order() {
    check(&BTreeSet::new(), 0);
    check(&["k".into()].into(), 0);
}

proptest! {
    #[test]
    fn entries_are_in_the_order_of_their_keys(
        // Few letters, one of them the zero that stands behind short keys: much is alike, and ends anywhere.
        keys in btree_set("[\\x00aä]{0,12}", 0..40),
        begin in "(player:)?",
        seed: u64,
    ) {
        check(&keys.into_iter().map(|key| begin.clone() + &key).collect(), seed);
    }
}
