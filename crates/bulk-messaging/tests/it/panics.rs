//! A panic in code that is not ours ends what it happened in, and nothing else: it never becomes an abort.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bulk_messaging::{BulkMessaging, Config};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use transport_mocks::{ManualTimer, MockPublisher, MockSubscriber};
use transport_traits::{BusLimits, Instant, PublisherExt, Subscriber, Timer, WallTime};

/// A clock that breaks.
#[derive(Default)]
struct Brittle {
    timer: ManualTimer,
    broken: AtomicBool,
}

impl Timer for Brittle {
    fn now(&self) -> Instant {
        assert!(!self.broken.load(Ordering::Relaxed), "the clock is broken");
        self.timer.now()
    }

    fn wall_clock(&self) -> WallTime {
        self.timer.wall_clock()
    }

    fn sleep_until(&self, deadline: Instant) -> BoxFuture<'_, ()> {
        self.timer.sleep_until(deadline)
    }
}

fn build(timer: Arc<Brittle>, publisher: MockPublisher) -> (BulkMessaging, bulk_messaging::Driver) {
    let mut subscriber = MockSubscriber::new();
    subscriber.expect_hears_own_echo().return_const(true);
    subscriber.expect_subscribe().returning(|_| async { Ok(futures::stream::pending().boxed()) }.boxed());
    let config = Config::new("real");
    BulkMessaging::new(Arc::new(publisher), Arc::new(subscriber), timer, config).expect("they go together")
}

fn publisher() -> MockPublisher {
    let mut publisher = MockPublisher::new();
    publisher.expect_limits().return_const(BusLimits::default());
    publisher
}

#[test]
fn a_publisher_that_panics_takes_the_driver_along_and_a_drain_gives_back_what_was_not_sent() {
    let mut publisher = publisher();
    publisher.expect_publish().returning(|_| panic!("the publisher is broken"));
    let (bulk, driver) = build(Arc::default(), publisher);
    bulk.send("t", "1").now_or_never().expect("room").expect("accepted");
    assert!(catch_unwind(AssertUnwindSafe(|| driver.now_or_never())).is_err());
    let rest = bulk.drain().now_or_never().expect("the driver is gone");
    assert_eq!(rest.len(), 1);
    assert!(bulk.send("t", "2").now_or_never().expect("at once").is_err());
}

#[test]
fn a_clock_that_panics_aborts_nothing_when_handles_subscriptions_and_driver_are_dropped_by_that_panic() {
    let timer = Arc::<Brittle>::default();
    let (bulk, mut driver) = build(timer.clone(), publisher());
    let mut subscribing = bulk.subscribe("t".into());
    assert!((&mut subscribing).now_or_never().is_none());
    assert!((&mut driver).now_or_never().is_none());
    let subscription = subscribing.now_or_never().expect("connected").expect("subscribed");
    timer.broken.store(true, Ordering::Relaxed);
    let all = (bulk, driver, subscription);
    let used = catch_unwind(AssertUnwindSafe(move || {
        let (bulk, ..) = &all;
        drop(bulk.send("t", "1").now_or_never());
    }));
    assert!(used.is_err());
}
