//! Receive limits: what is over them is dropped without an error, and seen as a gap.

use std::time::Duration;

use transport_traits::limits::ReceiveCounting;

use crate::support::{SECOND, a_second, bus, publish, read, subscribe};

#[test]
fn a_topic_over_its_limit_is_dropped_for_everyone_and_shows_as_a_gap() {
    let (bus, timer) = bus(|limits| limits.receive_topic = a_second(2));
    let (here, there) = (bus.join(), bus.join());
    let mut listeners = [subscribe(&here, "a"), subscribe(&there, "a")];
    let mut other = subscribe(&there, "b");
    for body in ["1", "2", "3", "4"] {
        publish(&here, "a", body).unwrap();
    }
    publish(&here, "b", "x").unwrap();
    timer.advance(SECOND);
    publish(&here, "a", "5").unwrap();

    listeners.iter_mut().for_each(|listener| assert_eq!(read(listener), ["1", "2", "GAP", "5"]));
    assert_eq!(read(&mut other), ["x"]);
    let topic = bus.stats().topics["a"];
    assert_eq!((topic.published, topic.delivered, topic.over_limit), (5, 6, 4));
    assert_eq!(topic.dropped(), 4);
}

#[test]
fn a_publish_that_is_dropped_takes_nothing_of_the_limits() {
    let (bus, timer) = bus(|limits| limits.receive_topic = a_second(1));
    let server = bus.join();
    let mut listener = subscribe(&server, "a");
    for body in ["1", "2", "3"] {
        publish(&server, "a", body).unwrap();
        timer.advance(Duration::from_millis(500));
    }
    assert_eq!(read(&mut listener), ["1", "GAP", "3"]);
}

#[test]
fn the_limit_in_all_counts_every_topic_and_those_without_listeners() {
    let (bus, _) = bus(|limits| limits.receive_total = a_second(3));
    let server = bus.join();
    let mut listener = subscribe(&server, "a");
    for topic in ["a", "b", "unheard", "a"] {
        publish(&server, topic, topic).unwrap();
    }
    assert_eq!(read(&mut listener), ["a", "GAP"]);
}

#[test]
fn a_topic_that_is_full_takes_nothing_of_the_limit_in_all() {
    let (bus, _) = bus(|limits| {
        limits.receive_topic = a_second(1);
        limits.receive_total = a_second(2);
    });
    let server = bus.join();
    let mut listener = subscribe(&server, "b");
    for topic in ["a", "a", "a", "b"] {
        publish(&server, topic, "x").unwrap();
    }
    assert_eq!(read(&mut listener), ["x"]);
}

#[test]
fn where_deliveries_are_counted_the_first_subscribers_are_served_first() {
    let (bus, _) = bus(|limits| {
        limits.receive_topic = a_second(5);
        limits.receive_counting = ReceiveCounting::PerDelivery;
    });
    let server = bus.join();
    let mut listeners = ["a", "a", "a"].map(|topic| subscribe(&server, topic));
    for body in ["1", "2", "3"] {
        publish(&server, "a", body).unwrap();
    }
    let received = listeners.each_mut().map(|listener| read(listener).join(" "));
    assert_eq!(received, ["1 2 GAP", "1 2 GAP", "1 GAP"]);
    assert_eq!(bus.stats().total.over_limit, 4);
}

#[test]
fn where_deliveries_are_counted_a_message_that_nobody_hears_costs_nothing() {
    let (bus, _) = bus(|limits| {
        limits.receive_total = a_second(1);
        limits.receive_counting = ReceiveCounting::PerDelivery;
    });
    let server = bus.join();
    (0..3).for_each(|_| publish(&server, "unheard", "x").unwrap());
    let mut listener = subscribe(&server, "a");
    publish(&server, "a", "x").unwrap();
    assert_eq!(read(&mut listener), ["x"]);
}
