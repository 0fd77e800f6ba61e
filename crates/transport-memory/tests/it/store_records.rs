//! Reading, writing, deleting, and the conditions for it.

use futures::executor::block_on;
use transport_memory::MemoryStore;
use transport_mocks::ManualTimer;
use transport_traits::{DataStore, DataStoreExt, Record, Timer};

use crate::support::{player, store};

#[test]
fn a_record_is_read_as_it_was_written_by_every_server_at_once() {
    let (store, timer) = store(|_| {});
    let record = Record::new(r#" {"coins": 1}"#).with_metadata("m").with_users(["7".into()]);
    let version = block_on(store.create(player("ann"), record.clone())).unwrap();
    let read = block_on(store.join().get(player("ann"))).unwrap().unwrap();
    assert_eq!((read.record, read.version, read.modified), (record, version, timer.wall_clock()));
    assert_eq!(block_on(store.get(player("bob"))).unwrap(), None);
}

#[test]
fn nothing_happens_before_the_first_poll() {
    let store = MemoryStore::unlimited();
    drop(store.create(player("ann"), Record::new("{}")));
    assert_eq!(block_on(store.get(player("ann"))).unwrap(), None);
    assert_eq!((store.stats().reads, store.stats().writes), (1, 0));
}

#[test]
fn a_write_is_dated_by_the_stores_clock() {
    let timer = ManualTimer::new();
    let limits = transport_traits::StoreLimits::default();
    let store = MemoryStore::new(limits, crate::support::ALONE, std::sync::Arc::new(timer.clone()));
    timer.advance(crate::support::SECOND);
    block_on(store.create(player("ann"), Record::new("{}"))).unwrap();
    let read = block_on(store.get(player("ann"))).unwrap().unwrap();
    assert_eq!(read.modified, timer.wall_clock());
}
