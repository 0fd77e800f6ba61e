//! Inner subscriptions, and the real one beneath them.

use std::sync::Arc;
use std::time::Duration;

use bulk_messaging::{BulkMessaging, Config};
use futures::{FutureExt, StreamExt};
use transport_traits::{Delivery, ErrorKind, PublisherExt, Subscriber, TokioTimer};

use crate::fleet::Fleet;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_real_topic_is_subscribed_to_once_and_only_when_wanted() {
    let mut fleet = Fleet::new();
    let bulk = fleet.join(|_| ());
    fleet.settle();
    assert_eq!(fleet.bus.subscriptions(), 0);
    let _a = fleet.subscribe(&bulk, "a").expect("subscribed");
    let _b = fleet.subscribe(&bulk, "b").expect("subscribed");
    assert_eq!(fleet.bus.subscriptions(), 1);
    assert!(bulk.hears_own_echo());
}

#[test]
fn a_failed_real_subscription_fails_the_inner_one_and_the_next_tries_again() {
    let mut fleet = Fleet::new();
    fleet.bus.subscribe_errors.lock().push(ErrorKind::Denied);
    let bulk = fleet.join(|_| ());
    let error = fleet.subscribe(&bulk, "a").err().expect("it fails");
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(fleet.subscribe(&bulk, "a").is_ok());
}

#[test]
fn inner_topics_have_the_names_that_publish_takes() {
    let mut fleet = Fleet::new();
    let bulk = fleet.join(|_| ());
    let kind = |error: Option<transport_traits::Error>| error.map(|error| error.kind());
    assert_eq!(kind(fleet.subscribe(&bulk, "~").err()), Some(ErrorKind::Invalid));
    assert!(matches!(kind(fleet.subscribe(&bulk, &"x".repeat(200)).err()), Some(ErrorKind::TooLarge { .. })));
}

#[test]
fn a_gap_of_the_bus_reaches_every_inner_subscription_once() {
    let mut fleet = Fleet::new();
    let bulk = fleet.join(|_| ());
    let mut a = fleet.subscribe(&bulk, "a").expect("subscribed");
    let mut b = fleet.subscribe(&bulk, "b").expect("subscribed");
    fleet.bus.send(&Delivery::Gap);
    fleet.settle();
    fleet.bus.send(&Delivery::Gap);
    assert_eq!(fleet.read(&mut a), ["gap"]);
    assert_eq!(fleet.read(&mut b), ["gap"]);
}

#[test]
fn a_real_subscription_that_ends_is_made_again_and_then_a_gap_is_told() {
    let mut fleet = Fleet::new();
    let bulk = fleet.join(|_| ());
    let mut a = fleet.subscribe(&bulk, "a").expect("subscribed");
    fleet.bus.subscribe_errors.lock().push(ErrorKind::Unavailable);
    fleet.bus.end();
    assert!(fleet.read(&mut a).is_empty(), "not before the new one is in place");
    fleet.advance(4 * SECOND);
    assert_eq!(fleet.bus.subscriptions(), 1);
    bulk.send("a", "1").now_or_never().expect("room").expect("accepted");
    assert_eq!(fleet.read(&mut a), ["gap", "1"]);
}

#[test]
fn subscriptions_end_when_the_bus_refuses_the_real_one_for_good() {
    let mut fleet = Fleet::new();
    let bulk = fleet.join(|_| ());
    let mut a = fleet.subscribe(&bulk, "a").expect("subscribed");
    fleet.bus.subscribe_errors.lock().push(ErrorKind::Closed);
    fleet.bus.end();
    fleet.advance(2 * SECOND);
    assert_eq!(a.next().now_or_never(), Some(None));
}

#[test]
fn a_consumer_that_lags_finds_a_gap_and_then_the_newest_messages() {
    let mut fleet = Fleet::new();
    let bulk = fleet.join(|config| config.max_inbox_messages = 3);
    let mut lags = fleet.subscribe(&bulk, "a").expect("subscribed");
    let mut reads = fleet.subscribe(&bulk, "a").expect("subscribed");
    let mut read = Vec::new();
    for number in 0..5 {
        bulk.send("a", number.to_string()).now_or_never().expect("room").expect("accepted");
        fleet.settle();
        read.extend(fleet.read(&mut reads));
    }
    assert_eq!(read, ["0", "1", "2", "3", "4"]);
    assert_eq!(fleet.read(&mut lags), ["gap", "3", "4"]);
    assert_eq!(bulk.stats().lagged, 3);
}

#[tokio::test]
async fn a_task_on_the_drivers_thread_keeps_up_with_whatever_comes_at_once() {
    let fleet = Fleet::new();
    let timer = Arc::new(TokioTimer::new());
    let mut config = Config::new("real");
    config.max_inbox_messages = 2_500;
    let (bulk, driver) = BulkMessaging::new(fleet.bus.clone(), fleet.bus.clone(), timer, config)
        .expect("a fitting configuration");
    tokio::spawn(driver);
    let mut reads = bulk.subscribe("a".into()).await.expect("subscribed");
    // A frame of 72 KB, which has no header, again and again.
    let message = format!("\"{}\"", "x".repeat(70));
    let frame = format!(r#"{{"a":[{}]}}"#, vec![message; 1_000].join(","));
    (0..20).for_each(|_| fleet.bus.send(&Delivery::Message(frame.clone().into())));
    let read = async move {
        for number in 0..20_000 {
            assert!(matches!(reads.next().await, Some(Delivery::Message(_))), "a gap at {number}");
        }
    };
    tokio::spawn(read).await.expect("nothing is missing");
    assert_eq!(bulk.stats().lagged, 0);
}

#[test]
fn dropping_a_subscription_unsubscribes_and_the_end_of_the_driver_ends_the_rest() {
    let mut fleet = Fleet::new();
    let bulk = fleet.join(|_| ());
    let a = fleet.subscribe(&bulk, "a").expect("subscribed");
    let mut b = fleet.subscribe(&bulk, "b").expect("subscribed");
    drop(a);
    bulk.send("a", "1").now_or_never().expect("room").expect("accepted");
    fleet.settle();
    assert_eq!(bulk.stats().delivered, 0);
    drop(bulk);
    fleet.settle();
    assert_eq!(b.next().now_or_never(), Some(None));
}
