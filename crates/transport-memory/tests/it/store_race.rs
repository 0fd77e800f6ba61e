//! Compare-and-swap under racing threads.

use std::collections::BTreeMap;
use std::thread;

use futures::executor::block_on;
use transport_memory::MemoryStore;
use transport_traits::{DataStore, DataStoreExt, ErrorKind, Precondition, Record, Version};

use crate::support::{kind, player};

const THREADS: usize = 8;
const EACH: u64 = 200;

fn count(store: &MemoryStore) -> (u64, Version) {
    let stored = block_on(store.get(player("ann"))).unwrap().unwrap();
    let text = stored.record.value.strip_prefix(r#"{"n":"#).unwrap().strip_suffix('}').unwrap();
    (text.parse().unwrap(), stored.version)
}

fn counter(n: u64) -> Record {
    Record::new(format!(r#"{{"n":{n}}}"#))
}

/// Increments by compare-and-swap until `EACH` have succeeded: the swaps made, from version to version.
fn increment(store: &MemoryStore) -> Vec<(String, String)> {
    let mut swaps = Vec::new();
    while (swaps.len() as u64) < EACH {
        let (n, seen) = count(store);
        match block_on(store.compare_and_swap(player("ann"), seen.clone(), counter(n + 1))) {
            Ok(version) => {
                assert!(count(store).0 > n, "a server reads its own writes");
                swaps.push((seen.to_string(), version.to_string()));
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict),
        }
    }
    swaps
}

/// What `THREADS` threads make of the same work.
fn race<T: Send>(work: impl Fn() -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(&work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn racing_swaps_form_one_chain_without_a_lost_increment() {
    let store = MemoryStore::unlimited();
    let first = block_on(store.create(player("ann"), counter(0))).unwrap();
    let swaps = race(|| increment(&store.join())).concat();

    let (total, last) = count(&store);
    assert_eq!(total, THREADS as u64 * EACH);
    let next: BTreeMap<_, _> = swaps.iter().cloned().collect();
    assert_eq!(next.len(), swaps.len(), "no version was swapped twice");
    let chain = std::iter::successors(Some(first.to_string()), |version| next.get(version).cloned());
    let chain: Vec<_> = chain.collect();
    assert_eq!((chain.len() - 1, chain.last()), (swaps.len(), Some(&last.to_string())));
}

#[test]
fn of_racing_creations_one_succeeds() {
    for _ in 0..20 {
        let store = MemoryStore::unlimited();
        let mut refused = race(|| kind(block_on(store.create(player("ann"), counter(0)))));
        refused.sort_by_key(Option::is_some);
        assert_eq!(refused[0], None);
        assert_eq!(refused[1..], [Some(ErrorKind::Conflict); THREADS - 1]);
    }
}

#[test]
fn of_racing_deletions_of_one_version_one_succeeds() {
    let store = MemoryStore::unlimited();
    let version = block_on(store.create(player("ann"), counter(0))).unwrap();
    let delete = || kind(block_on(store.delete(player("ann"), Precondition::Is(version.clone()))));
    let refused: Vec<_> = race(delete).into_iter().flatten().collect();
    assert_eq!(refused, [ErrorKind::Conflict; THREADS - 1]);
}
