//! Many writers at once.

use std::collections::BTreeMap;

use futures::future::join_all;
use transport_traits::{DataStore, DataStoreExt, ErrorKind, Precondition, Version};

use super::{Stores, key, number, number_in};
use crate::support::{give_way, kind, ok};

const WRITERS: usize = 100;

/// Adds one to `k` by compare-and-swap, as often as it takes: the version that was replaced, and the new one.
async fn add_one(store: &dyn DataStore) -> (Version, Version) {
    // Each conflict is another writer's success, and each writer has one.
    for _ in 0..WRITERS {
        let seen = ok(store.get(key("k")).await, "reading").expect("nobody deletes it");
        let next = number(number_in(&seen) + 1);
        // Where calls never wait, others would have no chance to come in between.
        give_way().await;
        match store.compare_and_swap(key("k"), seen.version.clone(), next).await {
            Ok(version) => return (seen.version, version),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
        }
    }
    panic!("more conflicts than there are other writers: a read gives a state that is gone");
}

/// One future for each writer, half of them on each server.
fn writers(stores: &Stores) -> impl Iterator<Item = &dyn DataStore> {
    stores.each().into_iter().cycle().take(WRITERS)
}

pub(super) async fn of_the_increments_of_a_hundred_racing_writers_none_is_lost(stores: &Stores) {
    let first = stores.put("k", number(0)).await;
    let swaps = join_all(writers(stores).map(add_one)).await;

    assert_eq!(stores.number("k").await, Some(WRITERS as u64));
    let next: BTreeMap<_, _> = swaps.iter().map(|(seen, new)| (seen.as_str(), new)).collect();
    assert_eq!(next.len(), WRITERS, "no version was replaced twice");
    let chain = std::iter::successors(Some(&first), |version| next.get(version.as_str()).copied());
    assert_eq!(chain.take(WRITERS + 2).count(), WRITERS + 1, "the swaps form one chain");
}

pub(super) async fn of_a_hundred_racing_creations_one_succeeds(stores: &Stores) {
    let create = async |(n, store): (u64, &dyn DataStore)| {
        give_way().await;
        (n, kind(store.create(key("k"), number(n)).await))
    };
    let ends = join_all((0..).zip(writers(stores)).map(create)).await;
    let winners: Vec<u64> = ends.iter().filter(|(_, end)| end.is_none()).map(|(n, _)| *n).collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert!(ends.iter().all(|(_, end)| end.is_none_or(|kind| kind == ErrorKind::Conflict)), "{ends:?}");
    assert_eq!(stores.number("k").await, Some(winners[0]));
}

pub(super) async fn of_a_hundred_racing_deletions_of_one_version_one_succeeds(stores: &Stores) {
    let version = stores.put("k", number(1)).await;
    let delete = async |store: &dyn DataStore| {
        give_way().await;
        kind(store.delete(key("k"), Precondition::Is(version.clone())).await)
    };
    let ends = join_all(writers(stores).map(delete)).await;
    let refusals: Vec<ErrorKind> = ends.into_iter().flatten().collect();
    assert_eq!(refusals, [ErrorKind::Conflict; WRITERS - 1]);
    assert_eq!(stores.get("k").await, None);
}
