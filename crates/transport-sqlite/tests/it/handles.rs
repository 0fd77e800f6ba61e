//! Handles, dropped futures and the end.

use futures::FutureExt;
use futures::executor::block_on;
use transport_sqlite::SqliteStore;
use transport_traits::{DataStore, ErrorKind, Precondition};

use crate::support::{files_in, key, number, number_of, put, store};

/// Polls a future once and drops it.
fn begin<T>(future: impl Future<Output = T>) {
    drop(future.now_or_never());
}

#[test]
fn nothing_happens_before_the_first_poll() {
    let (_place, store) = store();
    drop(store.put(key("k"), number(1), Precondition::Always));
    put(&store, "other", number(1)).unwrap();
    assert_eq!(number_of(&store, "k"), 0);
}

#[test]
fn a_write_whose_future_was_dropped_is_still_done() {
    let (_place, store) = store();
    begin(store.put(key("k"), number(1), Precondition::Always));
    put(&store, "behind it", number(1)).unwrap();
    assert_eq!(number_of(&store, "k"), 1);
}

#[test]
fn closing_finishes_what_was_queued_and_leaves_one_file() {
    let (place, store) = store();
    let holder = place.outside();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    for n in 0..20 {
        begin(store.put(key(&n.to_string()), number(n), Precondition::Always));
    }
    let mut closing = Box::pin(store.close());
    assert!((&mut closing).now_or_never().is_none());
    holder.execute_batch("COMMIT").unwrap();
    drop(holder);
    block_on(closing);
    assert_eq!(files_in(place.folder.path()), ["saves.sqlite"]);
    assert_eq!(place.ask::<u32>("SELECT count(*) FROM records"), 20);
}

#[test]
fn a_closed_store_says_so() {
    let (_place, store) = store();
    let other = store.clone();
    block_on(store.close());
    block_on(other.close());
    let kinds = [
        put(&other, "k", number(1)).unwrap_err().kind(),
        block_on(other.get(key("k"))).unwrap_err().kind(),
        block_on(other.delete(key("k"), Precondition::Always)).unwrap_err().kind(),
        block_on(other.versions(key("k"))).unwrap_err().kind(),
    ];
    assert_eq!(kinds, [ErrorKind::Closed; 4]);
}

#[test]
fn the_last_handle_finishes_what_was_queued_and_closes_the_file() {
    let (place, store) = store();
    let clone = store.clone();
    drop(store);
    put(&clone, "first", number(1)).unwrap();
    for n in 0..20 {
        begin(clone.put(key(&n.to_string()), number(n), Precondition::Always));
    }
    drop(clone);
    // The threads end by themselves; who closes the file last removes its log.
    while files_in(place.folder.path()) != ["saves.sqlite"] {
        std::thread::yield_now();
    }
    assert_eq!(place.ask::<u32>("SELECT count(*) FROM records"), 21);
}

#[test]
fn handles_can_be_sent_and_shared() {
    fn check<T: Send + Sync + Clone + std::fmt::Debug + 'static>(_: &T) {}
    let (_place, store) = store();
    check(&store);
    let port: std::sync::Arc<dyn DataStore> = std::sync::Arc::new(store.clone());
    assert!(port.capabilities().history);
    assert_eq!(port.limits(), store.limits());
    drop::<SqliteStore>(store);
}
