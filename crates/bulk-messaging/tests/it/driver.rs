//! Handles and the driver: publishing, waiting, ending.

use std::time::Duration;

use bulk_messaging::{Budget, Config, OnFull};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use transport_mocks::{ManualTimer, MockPublisher, MockSubscriber};
use transport_traits::{
    BusLimits, Delivery, Error, ErrorKind, Outgoing, Priority, Publisher, PublisherExt, Subscriber,
};

use crate::fleet::Fleet;

const SECOND: Duration = Duration::from_secs(1);

fn long(number: usize) -> Outgoing {
    Outgoing::new("t", format!("\"{number}{}\"", "x".repeat(700)))
}

#[test]
fn a_message_goes_from_one_server_to_all_and_back_to_itself() {
    let mut fleet = Fleet::new();
    let (one, other) = (fleet.join(|_| ()), fleet.join(|_| ()));
    let mut at_one = fleet.subscribe(&one, "t").expect("subscribed");
    let mut at_other = fleet.subscribe(&other, "t").expect("subscribed");
    one.send("t", "1").now_or_never().expect("room").expect("accepted");
    one.publish_text("t", "two \"quoted\"").now_or_never().expect("room").expect("accepted");
    one.send("elsewhere", "3").now_or_never().expect("room").expect("accepted");
    assert_eq!(fleet.read(&mut at_one), ["1", "\"two \\\"quoted\\\"\""]);
    assert_eq!(fleet.read(&mut at_other), ["1", "\"two \\\"quoted\\\"\""]);
    assert_eq!(fleet.bus.published.lock().len(), 1, "one frame, without any wait");
    assert_eq!(one.stats().messages, 3);
}

#[test]
fn publish_does_nothing_before_it_is_polled() {
    let mut fleet = Fleet::new();
    let bulk = fleet.join(|_| ());
    drop(bulk.send("t", "1"));
    drop(bulk.publish_confirmed(Outgoing::new("t", "1")));
    fleet.settle();
    assert_eq!(bulk.stats().accepted, 0);
}

#[test]
fn publish_refuses_what_is_too_large_or_no_json() {
    let fleet = Fleet::new();
    let (bulk, _driver) = fleet.build(|_| ());
    let kind = |message| bulk.publish(message).now_or_never().expect("at once").expect_err("refused").kind();
    assert!(matches!(
        kind(Outgoing::new("t", format!("\"{}\"", "x".repeat(1_100)))),
        ErrorKind::TooLarge { .. }
    ));
    assert!(matches!(kind(Outgoing::new("x".repeat(200), "1")), ErrorKind::TooLarge { .. }));
    assert_eq!(kind(Outgoing::new("t", "no")), ErrorKind::Invalid);
    assert_eq!(kind(Outgoing::new("~", "1")), ErrorKind::Invalid);
}

#[test]
fn publish_confirmed_ends_when_the_bus_has_accepted_or_refused_the_frame() {
    let mut fleet = Fleet::new();
    fleet.bus.publish_errors.lock().extend([ErrorKind::Denied, ErrorKind::Unavailable]);
    let bulk = fleet.join(|_| ());
    let confirm = |number| {
        let bulk = bulk.clone();
        async move { bulk.publish_confirmed(long(number)).await }
    };
    let mut first = fleet.start(confirm(1));
    fleet.settle();
    assert!(first().is_none(), "its publish failed and will be repeated");
    let mut second = fleet.start(confirm(2));
    fleet.settle();
    assert_eq!(second().expect("over").expect_err("refused").kind(), ErrorKind::Denied);
    fleet.advance(SECOND);
    assert!(first().expect("over").is_ok());
}

#[test]
fn a_full_queue_makes_publishers_wait_in_line() {
    let mut fleet = Fleet::new();
    *fleet.bus.stuck.lock() = true;
    let bulk = fleet.join(|config| {
        config.max_queued_messages = 1;
        config.max_in_flight = 1;
    });
    let mut publishes = Vec::new();
    for number in 0..4 {
        let bulk = bulk.clone();
        publishes.push(fleet.start(async move { bulk.publish(long(number)).await }));
        fleet.settle();
    }
    let done: Vec<bool> = publishes.iter_mut().map(|done| done().is_some()).collect();
    assert_eq!(done, [true, true, false, false], "one in flight, one queued");
    assert_eq!(bulk.stats().queued_messages, 1);
}

#[test]
fn who_waits_in_line_gets_room_in_order_and_whoever_gives_up_lets_others_through() {
    let mut fleet = Fleet::new();
    let (bulk, driver) = fleet.build(|config| config.max_queued_messages = 1);
    let mut sub = fleet.start({
        let bulk = bulk.clone();
        async move { transport_traits::Subscriber::subscribe(&bulk, "t".into()).await }
    });
    bulk.publish(Outgoing::new("t", "0")).now_or_never().expect("room").expect("accepted");
    let mut gives_up = bulk.publish(Outgoing::new("t", "1"));
    assert!((&mut gives_up).now_or_never().is_none());
    let mut publishes = Vec::new();
    for number in 2..5 {
        let bulk = bulk.clone();
        publishes.push(fleet.start(async move { bulk.send("t", number.to_string()).await }));
    }
    fleet.settle();
    drop(gives_up);
    fleet.spawn(driver);
    fleet.advance(20 * SECOND);
    assert!(publishes.iter_mut().all(|done| done().is_some_and(|result| result.is_ok())));
    let mut sub = sub().expect("over").expect("subscribed");
    let read = fleet.read(&mut sub);
    assert!(read.ends_with(&["2".into(), "3".into(), "4".into()]), "{read:?}");
}

#[test]
fn a_newcomer_does_not_overtake_the_line_and_a_place_given_up_passes_on() {
    for gives_up in [false, true] {
        let mut fleet = Fleet::new();
        let bulk = fleet.join(|config| config.max_queued_messages = 1);
        fleet.settle();
        bulk.publish(long(0)).now_or_never().expect("room").expect("accepted");
        let mut first = bulk.publish(long(1));
        assert!((&mut first).now_or_never().is_none());
        fleet.settle();
        assert_eq!(bulk.stats().queued_messages, 0, "there is room");
        let newcomer = bulk.clone();
        let mut newcomer = fleet.start(async move { newcomer.publish(long(2)).await });
        fleet.settle();
        assert!(newcomer().is_none());
        if gives_up {
            drop(first);
        } else {
            first.now_or_never().expect("room").expect("accepted");
        }
        fleet.settle();
        assert!(newcomer().expect("over").is_ok());
    }
}

#[test]
fn a_full_queue_fails_at_once_where_that_is_configured() {
    let fleet = Fleet::new();
    let (bulk, _driver) = fleet.build(|config| {
        config.on_full = OnFull::Fail;
        config.max_queued_messages = 1;
    });
    assert!(bulk.publish(long(1)).now_or_never().expect("at once").is_ok());
    let refused = bulk.publish(long(2)).now_or_never().expect("at once");
    assert_eq!(refused.expect_err("full").kind(), ErrorKind::Unavailable);
}

#[test]
fn flush_waits_for_the_bus() {
    let mut fleet = Fleet::new();
    fleet.bus.publish_errors.lock().push(ErrorKind::Unavailable);
    let bulk = fleet.join(|_| ());
    bulk.send("t", "1").now_or_never().expect("room").expect("accepted");
    let flushing = bulk.clone();
    let mut flushed = fleet.start(async move { flushing.flush().await });
    fleet.settle();
    assert!(flushed().is_none());
    fleet.advance(SECOND);
    assert!(flushed().is_some());
}

#[test]
fn flushes_given_up_leave_nothing_behind_while_the_bus_is_away() {
    let mut fleet = Fleet::new();
    let bulk = fleet.join(|config| {
        config.budget = Budget::AtMost { publishes: 60, window: 60 * SECOND };
        config.linger = 20 * SECOND;
    });
    while bulk.stats().tokens > Some(1) {
        let urgent = long(0).with_priority(Priority::Urgent);
        bulk.publish(urgent).now_or_never().expect("room").expect("accepted");
        fleet.settle();
    }
    *fleet.bus.stuck.lock() = true;
    bulk.publish(long(1)).now_or_never().expect("room").expect("accepted");
    for _ in 0..100 {
        let mut flushing = Box::pin(bulk.flush());
        assert!((&mut flushing).now_or_never().is_none());
        fleet.settle();
    }
    assert_eq!(bulk.stats().in_flight, 1, "what was flushed has left");
    bulk.publish(long(2)).now_or_never().expect("room").expect("accepted");
    fleet.advance(4 * SECOND);
    let stats = bulk.stats();
    assert!(stats.tokens > Some(0), "it could be paid for");
    assert_eq!((stats.in_flight, stats.queued_messages), (1, 1), "nobody is in a hurry");
}

#[test]
fn drain_gives_back_what_could_not_be_sent_and_closes() {
    let mut fleet = Fleet::new();
    *fleet.bus.stuck.lock() = true;
    let bulk = fleet.join(|config| config.max_in_flight = 1);
    for number in 0..3 {
        bulk.publish(long(number)).now_or_never().expect("room").expect("accepted");
    }
    let draining = bulk.clone();
    let mut drained = fleet.start(async move { draining.drain().await });
    fleet.advance(9 * SECOND);
    assert!(drained().is_none());
    let refused = bulk.publish(long(3)).now_or_never().expect("at once");
    assert_eq!(refused.expect_err("closed").kind(), ErrorKind::Closed);
    fleet.advance(2 * SECOND);
    assert_eq!(drained(), Some((0..3).map(long).collect()));
    assert!(bulk.drain().now_or_never().is_some_and(|rest| rest.is_empty()));
}

#[test]
fn the_driver_ends_after_a_last_drain_when_the_last_handle_is_dropped() {
    let mut fleet = Fleet::new();
    fleet.bus.publish_errors.lock().push(ErrorKind::Unavailable);
    let (bulk, driver) = fleet.build(|_| ());
    let mut ended = fleet.start(driver);
    let clone = bulk.clone();
    bulk.send("t", "1").now_or_never().expect("room").expect("accepted");
    drop(bulk);
    fleet.settle();
    assert!(ended().is_none());
    drop(clone);
    fleet.settle();
    assert!(ended().is_none(), "the publish failed and is repeated first");
    fleet.advance(SECOND);
    assert!(ended().is_some());
    assert_eq!(fleet.bus.published.lock().len(), 1);
}

#[test]
fn an_idle_driver_ends_at_once() {
    let fleet = Fleet::new();
    let (bulk, driver) = fleet.build(|_| ());
    drop(bulk);
    assert!(driver.now_or_never().is_some());
}

#[test]
fn a_dropped_driver_closes_everything_and_loses_nothing_that_drain_could_give_back() {
    let mut fleet = Fleet::new();
    let (bulk, driver) = fleet.build(|config| config.max_queued_messages = 2);
    let start = |number| {
        let bulk = bulk.clone();
        fleet.start(async move { bulk.publish_confirmed(long(number)).await })
    };
    let mut confirmed: Vec<_> = (0..3).map(start).collect();
    let flushing = bulk.clone();
    let mut flushed = fleet.start(async move { flushing.flush().await });
    let subscribing = bulk.clone();
    let mut subscribed = fleet
        .start(async move { transport_traits::Subscriber::subscribe(&subscribing, "t".into()).await.err() });
    fleet.settle();
    drop(driver);
    fleet.settle();
    for confirmed in &mut confirmed {
        assert_eq!(confirmed().expect("over").expect_err("not sent").kind(), ErrorKind::Closed);
    }
    assert!(flushed().is_some());
    assert_eq!(subscribed().flatten().map(|error| error.kind()), Some(ErrorKind::Closed));
    assert!(bulk.flush().now_or_never().is_some());
    let rest = bulk.drain().now_or_never().expect("at once");
    assert_eq!(rest, [long(0), long(1)]);
}

#[test]
fn a_publish_pending_at_the_bus_does_not_hold_up_others() {
    let mut publisher = MockPublisher::new();
    publisher.expect_limits().return_const(BusLimits::default());
    let mut calls = 0;
    publisher.expect_publish().times(2).returning(move |_| {
        calls += 1;
        let stuck = calls == 1;
        async move {
            if stuck {
                futures::future::pending::<()>().await;
            }
            Ok::<(), Error>(())
        }
        .boxed()
    });
    let mut subscriber = MockSubscriber::new();
    subscriber.expect_hears_own_echo().return_const(false);
    subscriber.expect_subscribe().never();
    let (bulk, driver) = bulk_messaging::BulkMessaging::new(
        std::sync::Arc::new(publisher),
        std::sync::Arc::new(subscriber),
        std::sync::Arc::new(ManualTimer::new()),
        Config::new("real"),
    )
    .expect("a fitting configuration");
    let mut fleet = Fleet::new();
    fleet.spawn(driver);
    for number in 0..2 {
        bulk.publish(long(number)).now_or_never().expect("room").expect("accepted");
        fleet.settle();
    }
    assert_eq!(bulk.stats().messages, 1);
    assert_eq!(bulk.stats().in_flight, 1);
}

#[tokio::test(start_paused = true)]
async fn it_runs_on_tokio_from_several_threads_of_control() {
    let fleet = Fleet::new();
    let timer = std::sync::Arc::new(transport_traits::TokioTimer::new());
    let (bulk, driver) =
        bulk_messaging::BulkMessaging::new(fleet.bus.clone(), fleet.bus.clone(), timer, Config::new("real"))
            .expect("a fitting configuration");
    let driver = tokio::spawn(driver);
    let publishes = (0..100).map(|number| bulk.publish_confirmed(long(number)));
    let results = futures::future::join_all(publishes).await;
    assert!(results.iter().all(Result::is_ok));
    drop(bulk);
    // In the clock's time, which runs as fast as there is nothing to do.
    tokio::time::timeout(60 * SECOND, driver).await.expect("the driver ends").expect("it does not panic");
}

#[tokio::test]
async fn a_publisher_that_never_has_to_wait_lets_the_driver_on_its_thread_have_turns() {
    let fleet = Fleet::new();
    let timer = std::sync::Arc::new(transport_traits::TokioTimer::new());
    let (bulk, driver) =
        bulk_messaging::BulkMessaging::new(fleet.bus.clone(), fleet.bus.clone(), timer, Config::new("real"))
            .expect("a fitting configuration");
    tokio::spawn(driver);
    for number in 0..200 {
        bulk.publish(long(number)).await.expect("accepted");
    }
    assert!(bulk.stats().queued_messages < 200, "the queue has room for all, and still some have left");
}

#[tokio::test]
async fn publishes_under_way_together_keep_their_order_where_one_gives_way() {
    for on_full in [OnFull::Wait, OnFull::Fail] {
        let fleet = Fleet::new();
        let timer = std::sync::Arc::new(transport_traits::TokioTimer::new());
        let mut config = Config::new("real");
        config.on_full = on_full;
        config.budget = bulk_messaging::Budget::Unlimited;
        let (bulk, driver) =
            bulk_messaging::BulkMessaging::new(fleet.bus.clone(), fleet.bus.clone(), timer, config)
                .expect("a fitting configuration");
        tokio::spawn(driver);
        let mut reads = bulk.subscribe("t".into()).await.expect("subscribed");
        let mut publishes: FuturesUnordered<_> = (0..400).map(|number| bulk.publish(long(number))).collect();
        while let Some(accepted) = publishes.next().await {
            accepted.expect("there is room");
        }
        for number in 0..400 {
            assert_eq!(reads.next().await, Some(Delivery::Message(long(number).body)), "{on_full:?}");
        }
    }
}
