//! The fleets that save data is measured with do what the figures say of them.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use benches::saves::{
    Increments, Pair, Rate, Readers, Seen, bytes_a_record, increments, on_two_threads, one_set, runtime,
};
use parking_lot::Mutex;
use transport_memory::MemoryStore;
use transport_traits::{DataStore, Precondition, Record, RecordKey};

use crate::alone::alone;

fn key() -> RecordKey {
    RecordKey::new("players", "ann")
}

#[test]
fn both_readers_hold_the_same_ten_fields() {
    let Readers { record, locked, fields } = Readers::new();
    assert_eq!(fields.len(), 10);
    for field in fields {
        assert!(record.get(&field).is_some_and(|value| Some(value) == locked.get(&field)), "{field}");
    }
    assert_eq!((record.get("other"), locked.get("other")), (None, None));
}

#[test]
fn two_threads_read_as_often_as_was_asked_for() {
    let threads = Mutex::new(Vec::new());
    on_two_threads(100, || threads.lock().push(std::thread::current().id()));
    let threads = threads.into_inner();
    let here = threads.iter().filter(|&&id| id == std::thread::current().id()).count();
    assert_eq!((threads.len(), here), (200, 100));
}

#[test]
fn every_increment_is_counted_once_and_writes_are_few() {
    let Increments { made, writes, lost, doubled, .. } = increments(3, 10, 2_000, Duration::from_secs(1));
    assert_eq!((made, lost, doubled), (2_000, 0, 0));
    assert!((10..=100).contains(&writes), "{writes} writes");
}

#[test]
fn a_set_is_seen_by_all_for_one_write_and_a_long_one_for_a_read_a_receiver() {
    assert_eq!(one_set(5, 100), Seen { by: 5, writes: 1, reads: 0 });
    let long = one_set(5, 4_000);
    assert_eq!((long.by, long.writes), (5, 1));
    assert!((1..=4).contains(&long.reads), "a message cannot carry it: {long:?}");
}

#[test]
fn both_ways_of_counting_up_store_every_increment() {
    let pair = Pair::new(async { Ok::<_, Infallible>(MemoryStore::unlimited()) });
    (0..2).for_each(|_| pair.run(1_000, 10));
    assert_eq!(pair.values(), [Some(2_000), Some(20)]);
}

#[test]
fn what_ours_counts_up_is_in_the_store_when_the_run_is_over() {
    let store = Arc::new(MemoryStore::unlimited());
    let ours = Rate::new(&Rc::new(runtime()), store.clone(), key());
    ours.run(300);
    let mut read = store.get(key());
    let stored = futures::executor::block_on(&mut read).unwrap().unwrap();
    assert_eq!(&*stored.record.value, r#"{"coins":300}"#);
    let next = store.put(key(), Record::new("{}"), Precondition::Is(stored.version));
    assert!(futures::executor::block_on(next).is_ok());
}

#[test]
fn an_open_record_takes_memory_and_not_without_bounds() {
    alone("saves::an_open_record_takes_memory_and_not_without_bounds", || {
        let value = r#"{"coins":1200,"motto":"to be measured"}"#;
        if let Some(bytes) = bytes_a_record(20_000, value) {
            assert!((500.0..20_000.0).contains(&bytes), "{bytes}");
        }
    });
}
