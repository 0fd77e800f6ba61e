//! Past states: bounded, deletions among them.

use futures::executor::block_on;
use transport_memory::MemoryStore;
use transport_traits::limits::Throughput;
use transport_traits::{DataStore, Precondition, Record, Version};

use crate::support::{SECOND, kind, player, store, throttled_for};

fn put(store: &MemoryStore, name: &str, number: usize) -> Version {
    let record = Record::new(format!(r#"{{"n":{number}}}"#));
    block_on(store.put(player(name), record, Precondition::Always)).unwrap()
}

fn delete(store: &MemoryStore, name: &str) {
    block_on(store.delete(player(name), Precondition::Always)).unwrap();
}

fn value(store: &MemoryStore, version: &Version) -> Option<String> {
    let stored = block_on(store.get_version(player("ann"), version.clone())).unwrap();
    stored
        .inspect(|stored| assert_eq!(stored.version, *version))
        .map(|stored| stored.record.value.to_string())
}

#[test]
fn past_states_are_listed_latest_first_and_can_be_read() {
    let store = MemoryStore::unlimited();
    assert!(store.capabilities().history);
    let (first, second) = (put(&store, "ann", 1), put(&store, "ann", 2));
    delete(&store, "ann");
    let third = put(&store, "ann", 3);

    let known = block_on(store.versions(player("ann"))).unwrap();
    let deletion = known[1].version.clone();
    let listed: Vec<_> = known.iter().map(|info| (&info.version, info.deleted)).collect();
    assert_eq!(listed, [(&third, false), (&deletion, true), (&second, false), (&first, false)]);
    assert_eq!(value(&store, &first).as_deref(), Some(r#"{"n":1}"#));
    assert_eq!(value(&store, &third).as_deref(), Some(r#"{"n":3}"#));
    assert_eq!(value(&store, &deletion), None);
    assert_eq!(value(&store, &Version::new("another")), None);
}

#[test]
fn a_key_keeps_so_many_states_before_the_latest() {
    for bound in [0, 1, 3] {
        let store = MemoryStore::unlimited().with_history(bound);
        let written: Vec<_> = (0..6).map(|n| put(&store.join(), "ann", n)).collect();
        let known = block_on(store.versions(player("ann"))).unwrap();
        let kept = written.iter().rev().take(bound + 1);
        assert!(known.iter().map(|info| &info.version).eq(kept), "{bound}");
        assert_eq!(value(&store, &written[5 - bound - 1]), None);
    }
}

#[test]
fn deleting_what_is_not_there_leaves_no_trace() {
    let store = MemoryStore::unlimited();
    delete(&store, "ann");
    assert!(block_on(store.versions(player("ann"))).unwrap().is_empty());
    put(&store, "ann", 1);
    delete(&store, "ann");
    delete(&store, "ann");
    assert_eq!(block_on(store.versions(player("ann"))).unwrap().len(), 2);
}

#[test]
fn of_deleted_keys_the_history_of_those_deleted_last_is_kept() {
    const KEYS: usize = 40_000;
    let store = MemoryStore::unlimited();
    put(&store, "alive", 0);
    put(&store, "returned", 0);
    delete(&store, "returned");
    put(&store, "returned", 1);
    for n in 0..KEYS {
        put(&store, &n.to_string(), n);
        delete(&store, &n.to_string());
    }
    let history = |name: &str| block_on(store.versions(player(name))).unwrap().len();
    let kept = (0..KEYS).filter(|n| history(&n.to_string()) > 0).count();
    assert_eq!(kept, 16 * 1_024);
    assert_eq!(history("0"), 0);
    assert_eq!((history("alive"), history("returned"), history(&(KEYS - 1).to_string())), (1, 3, 2));
}

#[test]
fn a_deleted_key_is_not_forgotten_while_its_throughput_is_in_use() {
    let (store, timer) = store(|limits| {
        limits.key_writes = Some(Throughput { bytes: 10, granularity: 10, window: SECOND });
    });
    let pass = |from: usize, to: usize| {
        for name in (from..to).map(|n| n.to_string()) {
            put(&store, &name, 0);
            delete(&store, &name);
        }
    };
    pass(0, 20_000);
    let again = || kind(block_on(store.put(player("0"), Record::new("{}"), Precondition::Always)));
    assert_eq!(again(), throttled_for(SECOND));

    timer.advance(SECOND);
    pass(20_000, 21_000);
    assert!(block_on(store.versions(player("0"))).unwrap().is_empty());
    assert_eq!(again(), None);
}
