//! Handles and driver over mocked ports and a clock turned by hand.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::executor::block_on;
use futures::future::{BoxFuture, join, poll_immediate};
use futures::task::noop_waker_ref;
use futures::{FutureExt, StreamExt};
use nexus_store::{
    Config, Driver, FlushError, LoadState, NexusStore, OpenError, SaveData, Update, UpdateError, WriteError,
};
use serde_json::{Value, json};
use transport_memory::{MemoryBus, MemoryStore};
use transport_mocks::{ManualTimer, MockDataStore, MockSubscriber};
use transport_traits::{DataStore, Delivery, Error, ErrorKind, RecordKey, StoreLimits, Subscription};

pub(crate) fn key() -> RecordKey {
    RecordKey::new("players", "7")
}

pub(crate) struct Setup {
    pub(crate) store: NexusStore,
    pub(crate) driver: Driver,
    pub(crate) timer: ManualTimer,
}

pub(crate) fn setup(data: Arc<dyn DataStore>, config: Config) -> Setup {
    let timer = ManualTimer::new();
    let bus = Arc::new(MemoryBus::unlimited().join());
    let (store, driver) = NexusStore::new(data, bus.clone(), bus, Arc::new(timer.clone()), config);
    Setup { store, driver, timer }
}

pub(crate) fn in_memory() -> (Setup, Arc<MemoryStore>) {
    let data = Arc::new(MemoryStore::unlimited());
    (setup(data.clone(), Config::default()), data)
}

impl Setup {
    /// Polls the driver until it has nothing to do.
    pub(crate) fn turn(&mut self) -> Poll<()> {
        self.driver.poll_unpin(&mut Context::from_waker(noop_waker_ref()))
    }

    /// Runs a call while the driver works.
    pub(crate) fn run<T>(&mut self, call: impl Future<Output = T>) -> T {
        let driver = &mut self.driver;
        let mut call = Box::pin(call);
        block_on(std::future::poll_fn(|cx| {
            let result = call.poll_unpin(cx);
            if result.is_pending() {
                let _ = driver.poll_unpin(cx);
                return call.poll_unpin(cx);
            }
            result
        }))
    }

    pub(crate) fn open(&mut self) -> SaveData {
        let store = self.store.clone();
        self.run(async move { store.open(key()).await }).unwrap()
    }
}

pub(crate) fn stored(data: &MemoryStore) -> Value {
    let stored = block_on(data.get(key())).unwrap();
    stored.map_or(Value::Null, |stored| serde_json::from_str(&stored.record.value).unwrap())
}

#[test]
fn a_write_is_visible_at_once_and_stored_after_the_flush_delay() {
    let (mut setup, data) = in_memory();
    let ann = setup.open();
    ann.set("name", "Ann").unwrap();
    ann.increment("coins", 5).unwrap();
    ann.max("best", 3).unwrap();
    ann.min("worst", -1).unwrap();
    ann.set("gone", 1).unwrap();
    ann.remove("gone").unwrap();
    let expected = json!({"name": "Ann", "coins": 5, "best": 3, "worst": -1});
    assert_eq!(serde_json::to_value(&*ann.snapshot()).unwrap(), expected);
    assert!(setup.turn().is_pending());
    assert_eq!(stored(&data), Value::Null);
    setup.timer.advance(Duration::from_secs(2));
    assert!(setup.turn().is_pending());
    assert_eq!(stored(&data), expected);
}

#[test]
fn an_update_returns_what_its_function_returns() {
    let (mut setup, data) = in_memory();
    let ann = setup.open();
    ann.set("coins", 5).unwrap();
    let spend = |cost: i64| {
        move |fields: &mut nexus_store::Fields| {
            let coins = fields.get("coins").and_then(Value::as_i64).unwrap_or(0);
            if coins < cost {
                return Err("not enough");
            }
            fields.set("coins", coins - cost);
            fields.set("sword", true);
            Ok(coins - cost)
        }
    };
    let left = setup.run(ann.update(&["coins", "sword"], spend(3)));
    assert_eq!(left.unwrap(), 2);
    assert_eq!(stored(&data), json!({"coins": 2, "sword": true}));
    let refused = setup.run(ann.update(&["coins", "sword"], spend(3)));
    assert!(matches!(refused, Err(UpdateError::Aborted("not enough"))));
    let not_named = setup.run(ann.update(&["coins"], spend(1)));
    assert!(matches!(not_named, Err(UpdateError::NotNamed(field)) if &*field == "sword"));
    assert_eq!(stored(&data), json!({"coins": 2, "sword": true}));
}

#[test]
fn a_panicking_update_harms_nothing_else() {
    // Weakness 13 (throwing-update).
    let (mut setup, data) = in_memory();
    let ann = setup.open();
    ann.set("coins", 5).unwrap();
    let update = ann.update(&["coins"], |_| -> Result<(), ()> { panic!("on purpose") });
    assert!(matches!(setup.run(update), Err(UpdateError::Panicked)));
    setup.run(ann.flush()).unwrap();
    assert_eq!(stored(&data), json!({"coins": 5}));
}

#[test]
fn a_dropped_update_that_was_not_tried_never_runs() {
    let (mut setup, data) = in_memory();
    let ann = setup.open();
    let inner = ann.clone(); // A function may own handles of its own record.
    let update = ann.update(&["n"], move |fields| {
        let _ = &inner;
        fields.set("n", 1);
        Ok::<(), ()>(())
    });
    assert!(block_on(poll_immediate(update)).is_none());
    let _ = setup.turn();
    setup.run(ann.flush()).unwrap();
    assert_eq!(stored(&data), Value::Null);
}

#[test]
fn listeners_get_each_change_once_and_slow_ones_learn_that_they_lag() {
    // Weakness 17 (idle-listeners-fire).
    let data = Arc::new(MemoryStore::unlimited());
    let mut setup = setup(data, Config { update_buffer: 2, ..Config::default() });
    let ann = setup.open();
    let (mut one, mut any) = (ann.on_update("a"), ann.on_any_update());
    ann.set("a", 1).unwrap();
    ann.set("a", 1.0).unwrap();
    ann.set("b", 1).unwrap();
    ann.set("c", 1).unwrap();
    let next = |stream: &mut nexus_store::Updates| stream.next().now_or_never().flatten();
    let (old, new) = (None, Some(Arc::new(json!(1))));
    assert_eq!(next(&mut one), Some(Update::Changed { field: "a".into(), old, new }));
    assert_eq!(next(&mut one), None);
    assert_eq!(next(&mut any), Some(Update::Lagged(1)));
    assert!(matches!(next(&mut any), Some(Update::Changed { field, .. }) if &*field == "b"));
    setup.run(ann.flush()).unwrap();
    assert!(matches!(next(&mut any), Some(Update::Changed { field, .. }) if &*field == "c"));
    assert_eq!(any.next().now_or_never(), None, "a commit changes nothing visible");
}

#[test]
fn a_load_that_fails_still_opens_the_record() {
    let mut data = MockDataStore::new();
    data.expect_limits().return_const(StoreLimits::default());
    data.expect_get().returning(|_| -> BoxFuture<'_, _> {
        Box::pin(std::future::ready(Err(Error::new(ErrorKind::Unavailable, "down"))))
    });
    data.expect_put().never();
    let mut setup = setup(Arc::new(data), Config::default());
    let ann = setup.open();
    assert!(matches!(ann.load_state(), LoadState::Failed(_)));
    ann.set("a", 1).unwrap();
    assert_eq!(ann.get_as::<Value>("a").unwrap(), Some(json!(1)));
    assert!(block_on(poll_immediate(ann.flush())).is_none(), "it waits for the store");
    setup.timer.advance(Duration::from_secs(60));
    assert!(setup.turn().is_pending());
}

#[test]
fn dropping_the_last_handle_saves_and_ends_the_driver() {
    let (mut setup, data) = in_memory();
    let ann = setup.open();
    ann.set("a", 1).unwrap();
    let Setup { store, mut driver, .. } = setup;
    drop(store);
    assert!(driver.poll_unpin(&mut Context::from_waker(noop_waker_ref())).is_pending());
    drop(ann);
    assert!(driver.poll_unpin(&mut Context::from_waker(noop_waker_ref())).is_ready());
    assert_eq!(stored(&data), json!({"a": 1}));
}

#[test]
fn a_record_that_nobody_holds_is_saved_and_then_forgotten() {
    // Weakness 16 (remove-from-cache).
    let (mut setup, data) = in_memory();
    let ann = setup.open();
    let mut updates = ann.on_any_update();
    ann.set("a", 1).unwrap();
    drop(ann);
    assert!(setup.turn().is_pending());
    assert_eq!((stored(&data), setup.store.stats().records), (json!({"a": 1}), 1));
    for _ in 0..3 {
        setup.timer.advance(Duration::from_secs(10));
        assert!(setup.turn().is_pending());
    }
    assert_eq!(setup.store.stats().records, 0);
    assert!(matches!(block_on(updates.next()), Some(Update::Changed { .. })));
    assert_eq!(block_on(updates.next()), None);
}

#[test]
fn after_a_shutdown_everything_is_closed() {
    let (mut setup, data) = in_memory();
    let ann = setup.open();
    let mut updates = ann.on_any_update();
    ann.set("a", 1).unwrap();
    let store = setup.store.clone();
    let report = setup.run(async move { store.shutdown().await });
    assert!(report.unwrap().unsaved.is_empty());
    assert_eq!(stored(&data), json!({"a": 1}));
    assert!(setup.turn().is_ready());
    assert_eq!(ann.set("a", 2), Err(WriteError::Closed));
    assert!(matches!(block_on(ann.flush()), Err(FlushError::Closed)));
    assert!(matches!(block_on(setup.store.open(key())), Err(OpenError::Closed)));
    let update = ann.update(&["a"], |_| Ok::<(), ()>(()));
    assert!(matches!(block_on(update), Err(UpdateError::Closed)));
    assert!(matches!(block_on(updates.next()), Some(Update::Changed { .. })));
    assert_eq!(block_on(updates.next()), None);
}

#[test]
fn a_dropped_driver_closes_every_call() {
    let (mut setup, _) = in_memory();
    let ann = setup.open();
    ann.set("a", 1).unwrap();
    let flush = ann.flush();
    let drop_driver = async { drop(setup.driver) };
    let (result, ()) = block_on(join(flush, drop_driver));
    assert!(matches!(result, Err(FlushError::Closed)));
    assert_eq!(ann.set("a", 2), Err(WriteError::Closed));
}

#[tokio::test(start_paused = true)]
async fn two_stores_share_a_record_over_tokio() {
    let (bus, data) = (MemoryBus::unlimited(), Arc::new(MemoryStore::unlimited()));
    let join = || {
        let bus = Arc::new(bus.join());
        let timer = Arc::new(transport_traits::TokioTimer::new());
        let (store, driver) = NexusStore::new(data.clone(), bus.clone(), bus, timer, Config::default());
        tokio::spawn(driver);
        store
    };
    let (here, there) = (join(), join());
    let (a, b) = (here.open(key()).await.unwrap(), there.open(key()).await.unwrap());
    let mut updates = b.on_update("coins");
    a.increment("coins", 5).unwrap();
    assert!(matches!(updates.next().await, Some(Update::Changed { .. })));
    assert_eq!(b.get_as::<Value>("coins").unwrap(), Some(json!(5)));
    b.increment("coins", 1).unwrap();
    b.flush().await.unwrap();
    assert!(here.flush_all().await.unsaved.is_empty());
    assert_eq!(stored(&data), json!({"coins": 6}));
}

#[test]
fn a_subscription_that_comes_after_its_record_was_closed_is_ended() {
    let (answer, late) = futures::channel::oneshot::channel::<Subscription>();
    let late = std::sync::Mutex::new(Some(late));
    let mut subscriber = MockSubscriber::new();
    subscriber.expect_subscribe().times(1).returning(move |_| -> BoxFuture<'_, _> {
        let late = late.lock().unwrap().take().unwrap();
        Box::pin(async move { Ok(late.await.unwrap()) })
    });
    let (timer, bus) = (ManualTimer::new(), Arc::new(MemoryBus::unlimited().join()));
    let (data, clock) = (Arc::new(MemoryStore::unlimited()), Arc::new(timer.clone()));
    let (store, driver) = NexusStore::new(data, bus, Arc::new(subscriber), clock, Config::default());
    let mut setup = Setup { store, driver, timer };
    let opening = setup.store.clone();
    let mut opening = Box::pin(async move { opening.open(key()).await });
    assert!((&mut opening).now_or_never().is_none());
    for _ in 0..2 {
        assert!(setup.turn().is_pending());
        setup.timer.advance(Duration::from_secs(6));
    }
    drop(opening.now_or_never().unwrap().unwrap());
    setup.timer.advance(Duration::from_secs(20));
    assert!(setup.turn().is_pending());
    assert_eq!(setup.store.stats().records, 0);
    let (ending, stream) = futures::channel::mpsc::unbounded::<Delivery>();
    let _ = answer.send(Box::pin(stream));
    assert!(setup.turn().is_pending());
    assert!(ending.is_closed(), "nobody listens");
}
