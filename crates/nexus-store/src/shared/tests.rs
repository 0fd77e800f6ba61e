//! A machine that fails: it takes nobody along.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures::executor::block_on;
use futures::future::{join, poll_immediate};
use futures::{FutureExt, StreamExt};
use transport_memory::{MemoryBus, MemoryStore};
use transport_mocks::ManualTimer;
use transport_traits::RecordKey;

use crate::{Config, Driver, Failed, FlushError, NexusStore, SaveData};

fn opened() -> (NexusStore, Driver, SaveData) {
    let (data, timer) = (Arc::new(MemoryStore::unlimited()), Arc::new(ManualTimer::new()));
    let bus = Arc::new(MemoryBus::unlimited().join());
    let (store, mut driver) = NexusStore::new(data, bus.clone(), bus, timer, Config::default());
    let opening = store.open(RecordKey::new("players", "7"));
    let (save, _) = block_on(join(opening, async { assert!(poll_immediate(&mut driver).await.is_none()) }));
    (store, driver, save.unwrap())
}

#[test]
fn a_panic_inside_the_machine_unwinds_through_every_handle_and_ends_the_driver() {
    let (store, mut driver, save) = opened();
    save.set("a", 1).unwrap();
    let (kept, mut updates) = (save.clone(), save.on_any_update());
    let mut flush = Box::pin(async move { kept.flush().await });
    assert!((&mut flush).now_or_never().is_none());
    let closing = store.clone();
    let mut shutdown = Box::pin(async move { closing.shutdown().await });
    assert!((&mut shutdown).now_or_never().is_none());
    let failed = catch_unwind(AssertUnwindSafe(move || {
        let save = save; // Dropped while the panic unwinds.
        save.shared().with(|_, _| panic!("on purpose"));
    }));
    assert!(failed.is_err());
    assert!((&mut driver).now_or_never().is_some(), "there is nothing more to do");
    drop(driver);
    assert!(matches!(block_on(flush), Err(FlushError::Closed)));
    assert!(matches!(block_on(shutdown), Err(Failed)), "it does not say that all is saved");
    assert!(block_on(updates.next()).is_none());
    assert!(catch_unwind(AssertUnwindSafe(|| store.clone().shared().with(|_, _| ()))).is_err());
}

#[test]
fn a_panic_of_the_machine_in_a_flush_holds_nobody_up() {
    let (store, driver, save) = opened();
    save.set("a", 1).unwrap();
    store.shared().state.lock().fails_to_drain = true;
    let flush = || save.flush().now_or_never().is_some();
    assert!(catch_unwind(AssertUnwindSafe(flush)).is_err());
    drop(driver);
    assert!(matches!(block_on(store.shutdown()), Err(Failed)), "also where it failed before");
}

#[test]
fn a_flush_that_is_dropped_is_forgotten() {
    let (store, _driver, save) = opened();
    save.set("a", 1).unwrap();
    assert!(save.flush().now_or_never().is_none());
    assert!(store.flush_all().now_or_never().is_none());
    assert!(store.shared().state.lock().replies.is_empty());
}

#[test]
fn a_panic_of_the_users_own_gives_its_handles_back() {
    let (store, mut driver, save) = opened();
    save.set("a", 1).unwrap();
    let failed = catch_unwind(AssertUnwindSafe(move || {
        let _save = save;
        panic!("the user's");
    }));
    assert!(failed.is_err());
    drop(store);
    assert!((&mut driver).now_or_never().is_some(), "it saved and ended");
}
