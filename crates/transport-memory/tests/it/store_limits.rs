//! What the store refuses: names, sizes, rates.

use futures::TryStreamExt;
use futures::executor::block_on;
use transport_memory::MemoryStore;
use transport_traits::limits::{SizeLimit, Throughput};
use transport_traits::{DataStore, ErrorKind, Precondition, Record, RecordKey, StoreLimits, Version};

use crate::support::{SECOND, a_second, kind, player, store, throttled_for};

const fn too_large(size: usize, limit: usize) -> Option<ErrorKind> {
    Some(ErrorKind::TooLarge { size, limit })
}

fn put(store: &MemoryStore, key: RecordKey, record: Record) -> Option<ErrorKind> {
    kind(block_on(store.put(key, record, Precondition::Always)))
}

#[test]
fn names_values_and_metadata_are_measured_as_the_limits_count() {
    let (store, _) = store(|limits| {
        limits.value = Some(SizeLimit::chars(9));
        limits.metadata = Some(SizeLimit::chars(3));
        limits.key = Some(SizeLimit::chars(3));
        limits.store_name = Some(SizeLimit::bytes(7));
    });
    let check = |key: RecordKey, record: Record, expect| {
        assert_eq!(put(&store, key.clone(), record), expect, "{key}");
    };
    let empty = || Record::new("{}");
    check(player("äöü"), empty(), None);
    check(player("four"), empty(), too_large(4, 3));
    check(player(""), empty(), Some(ErrorKind::Invalid));
    check(RecordKey::new("", "ann"), empty(), Some(ErrorKind::Invalid));
    check(RecordKey::new("playérs", "ann"), empty(), too_large(8, 7));
    check(player("ann"), Record::new(r#"{"a":"ä"}"#), None);
    check(player("ann"), Record::new(r#"{"a":"äö"}"#), too_large(10, 9));
    check(player("ann"), empty().with_metadata("123"), None);
    check(player("ann"), empty().with_metadata("1234"), too_large(4, 3));
}

#[test]
fn every_call_checks_the_names_it_is_given() {
    let (store, _) = store(|limits| limits.key = Some(SizeLimit::chars(3)));
    let long = || player("four");
    let results = [
        kind(block_on(store.get(long()))),
        put(&store, long(), Record::new("{}")),
        kind(block_on(store.delete(long(), Precondition::Always))),
        kind(block_on(store.versions(long()))),
        kind(block_on(store.get_version(long(), Version::new("1")))),
    ];
    assert_eq!(results, [too_large(4, 3); 5]);
}

/// One call of each kind: read, write, remove, list.
fn one_of_each(store: &MemoryStore) -> [Option<ErrorKind>; 4] {
    [
        kind(block_on(store.get(player("ann")))),
        put(store, player("ann"), Record::new("{}")),
        kind(block_on(store.delete(player("bob"), Precondition::Always))),
        kind(block_on(store.list("players".into(), "".into()).try_collect::<Vec<_>>())),
    ]
}

#[test]
fn each_kind_of_request_has_its_own_rate_for_each_server() {
    let rates: [fn(&mut StoreLimits); 4] = [
        |limits| limits.reads = a_second(1),
        |limits| limits.writes = a_second(1),
        |limits| limits.removes = a_second(1),
        |limits| limits.lists = a_second(1),
    ];
    for (limited, set) in rates.into_iter().enumerate() {
        let (store, timer) = store(set);
        assert_eq!(one_of_each(&store), [None; 4]);
        let mut expected = [None; 4];
        expected[limited] = throttled_for(SECOND);
        assert_eq!(one_of_each(&store), expected);
        assert_eq!(one_of_each(&store.clone()), expected);
        assert_eq!(one_of_each(&store.join()), [None; 4]);
        timer.advance(SECOND);
        assert_eq!(one_of_each(&store), [None; 4]);
    }
}

#[test]
fn past_states_are_read_and_listed_at_the_same_rates() {
    let (store, _) = store(|limits| {
        limits.reads = a_second(1);
        limits.lists = a_second(1);
    });
    assert_eq!(one_of_each(&store), [None; 4]);
    let read = block_on(store.get_version(player("ann"), Version::new("1")));
    assert_eq!(kind(read), throttled_for(SECOND));
    assert_eq!(kind(block_on(store.versions(player("ann")))), throttled_for(SECOND));
}

#[test]
fn the_applications_requests_are_counted_over_all_servers() {
    let (store, timer) = store(|limits| limits.requests = a_second(5));
    assert_eq!(one_of_each(&store), [None; 4]);
    assert_eq!(kind(block_on(store.join().get(player("ann")))), None);
    assert_eq!(one_of_each(&store.join()), [throttled_for(SECOND); 4]);
    timer.advance(SECOND);
    assert_eq!(one_of_each(&store), [None; 4]);
    assert_eq!((store.stats().reads, store.stats().lists), (3, 2));
}

#[test]
fn a_conflict_uses_up_a_request_but_no_bytes() {
    let (store, _) = store(|limits| {
        limits.writes = a_second(3);
        limits.key_writes = Some(Throughput { bytes: 4, granularity: 1, window: SECOND });
    });
    let write = |condition| kind(block_on(store.put(player("ann"), Record::new("{}"), condition)));
    assert_eq!(write(Precondition::Absent), None);
    assert_eq!(write(Precondition::Absent), Some(ErrorKind::Conflict));
    assert_eq!(write(Precondition::Always), None);
    assert_eq!(write(Precondition::Always), throttled_for(SECOND));
}

#[test]
fn a_throttled_write_changes_nothing() {
    let (store, timer) = store(|limits| {
        limits.key_writes = Some(Throughput { bytes: 9, granularity: 1, window: SECOND });
    });
    assert_eq!(put(&store, player("ann"), Record::new(r#"{"n":1}"#)), None);
    assert_eq!(put(&store, player("ann"), Record::new(r#"{"n":2}"#)), throttled_for(SECOND));
    let read = block_on(store.get(player("ann"))).unwrap().unwrap();
    assert_eq!(&*read.record.value, r#"{"n":1}"#);
    assert_eq!(block_on(store.versions(player("ann"))).unwrap().len(), 1);
    // A deletion writes no bytes, and does not clear what was written before it.
    block_on(store.delete(player("ann"), Precondition::Always)).unwrap();
    assert_eq!(put(&store, player("ann"), Record::new(r#"{"n":2}"#)), throttled_for(SECOND));
    assert_eq!(put(&store, player("bob"), Record::new(r#"{"n":2}"#)), None);
    timer.advance(SECOND);
    assert_eq!(put(&store, player("ann"), Record::new(r#"{"n":2}"#)), None);
}

#[test]
fn a_value_above_a_keys_whole_throughput_is_too_large_rather_than_throttled_for_ever() {
    let (store, _) = store(|limits| {
        limits.key_writes = Some(Throughput { bytes: 10, granularity: 8, window: SECOND });
    });
    assert_eq!(put(&store, player("ann"), Record::new(r#"{"n":10}"#)), None);
    assert_eq!(put(&store, player("bob"), Record::new(r#"{"n":100}"#)), too_large(9, 10));
    assert!(block_on(store.versions(player("bob"))).unwrap().is_empty());
}

#[test]
fn reads_of_a_key_are_counted_in_bytes_and_what_is_not_there_costs_none() {
    let (store, timer) = store(|limits| {
        limits.key_reads = Some(Throughput { bytes: 2_048, granularity: 1_024, window: SECOND });
    });
    let read = || kind(block_on(store.get(player("ann"))));
    (0..5).for_each(|_| assert_eq!(read(), None));
    assert_eq!(put(&store, player("ann"), Record::new("{}")), None);
    assert_eq!([read(), read(), read()], [None, None, throttled_for(SECOND)]);
    timer.advance(SECOND);
    assert_eq!(read(), None);
}
