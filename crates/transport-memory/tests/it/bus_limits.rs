//! What the bus refuses: names, sizes, content, rates of one server.

use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use transport_memory::MemoryBus;
use transport_mocks::ManualTimer;
use transport_traits::limits::{Content, Load, SizeLimit};
use transport_traits::{BusLimits, ErrorKind, Publisher, Subscriber, presets};

use crate::support::{SECOND, a_second, bus, kind, publish, read, subscribe, throttled_for};

const fn too_large(size: usize, limit: usize) -> Option<ErrorKind> {
    Some(ErrorKind::TooLarge { size, limit })
}

#[test]
fn topics_and_bodies_are_measured_as_the_limits_count() {
    let check = |set: fn(&mut BusLimits), topic: &str, body: &[u8], expect: Option<ErrorKind>| {
        let (bus, _) = bus(set);
        let server = bus.join();
        let listener = block_on(server.subscribe(topic.into()));
        assert_eq!(kind(publish(&server, topic, body)), expect, "{topic}: {body:?}");
        let heard = listener.map_or(0, |mut listener| read(&mut listener).len());
        assert_eq!(heard, usize::from(expect.is_none()), "{topic}: {body:?}");
    };
    check(|_| {}, "", b"x", Some(ErrorKind::Invalid));
    check(|limits| limits.topic = Some(SizeLimit::chars(3)), "äöü", b"x", None);
    check(|limits| limits.topic = Some(SizeLimit::chars(3)), "news", b"x", too_large(4, 3));
    check(|limits| limits.topic = Some(SizeLimit::bytes(3)), "äöü", b"x", too_large(6, 3));
    check(|limits| limits.body = Some(SizeLimit::bytes(4)), "news", b"1234", None);
    check(|limits| limits.body = Some(SizeLimit::bytes(4)), "news", b"12345", too_large(5, 4));
    check(|limits| limits.body = Some(SizeLimit::json_encoded(6)), "news", b"1234", None);
    check(|limits| limits.body = Some(SizeLimit::json_encoded(6)), "news", b"1\"34", too_large(7, 6));
    check(|limits| limits.content = Content::Text, "news", b"\xff", Some(ErrorKind::Invalid));
    check(|limits| limits.content = Content::Text, "news", "ä".as_bytes(), None);
    check(|_| {}, "elsewhere", b"\xff", None);
}

#[test]
fn a_topic_that_cannot_be_published_on_cannot_be_subscribed_to() {
    let (bus, _) = bus(|limits| limits.topic = Some(SizeLimit::chars(3)));
    let server = bus.join();
    assert_eq!(kind(block_on(server.subscribe("".into()))), Some(ErrorKind::Invalid));
    assert_eq!(kind(block_on(server.subscribe("news".into()))), too_large(4, 3));
}

#[test]
fn a_server_over_its_send_rate_is_told_exactly_how_long_to_wait() {
    let (bus, timer) = bus(|limits| limits.send = a_second(2));
    let (server, other) = (bus.join(), bus.join());
    let send = || kind(publish(&server, "news", "x"));
    assert_eq!(send(), None);
    timer.advance(Duration::from_millis(300));
    assert_eq!(send(), None);
    timer.advance(Duration::from_millis(300));
    assert_eq!(send(), throttled_for(Duration::from_millis(400)));
    assert_eq!(kind(publish(&server.clone(), "news", "x")), throttled_for(Duration::from_millis(400)));
    assert_eq!(kind(publish(&other, "news", "x")), None);

    timer.advance(Duration::from_micros(399_999));
    assert_eq!(send(), throttled_for(Duration::from_micros(1)));
    timer.advance(Duration::from_micros(1));
    assert_eq!(send(), None);
    assert_eq!(send(), throttled_for(Duration::from_millis(300)));
}

#[test]
fn a_refused_publish_uses_up_nothing_and_is_counted() {
    let (bus, _) = bus(|limits| {
        limits.send = a_second(1);
        limits.body = Some(SizeLimit::bytes(4));
    });
    let server = bus.join();
    (0..3).for_each(|_| assert!(publish(&server, "news", "12345").is_err()));
    assert_eq!(kind(publish(&server, "news", "1234")), None);
    assert_eq!((bus.stats().refused, bus.stats().total.published), (3, 1));
}

#[test]
fn a_rate_of_nothing_is_throttled_for_ever() {
    let (bus, _) = bus(|limits| limits.send = a_second(0));
    let refused = kind(publish(&bus.join(), "news", "x"));
    assert_eq!(refused, Some(ErrorKind::Throttled { retry_after: None }));
}

#[test]
fn a_server_listens_to_so_many_topics_at_a_time() {
    let (bus, _) = bus(|limits| limits.subscriptions = a_second(2));
    let server = bus.join();
    let first = subscribe(&server, "a");
    let _second = subscribe(&server, "b");
    let again = subscribe(&server, "a");
    let third = || kind(block_on(server.subscribe("c".into())));
    assert_eq!(third(), Some(ErrorKind::Unavailable));
    drop(first);
    assert_eq!(third(), Some(ErrorKind::Unavailable));
    drop(again);
    assert_eq!(third(), None);
    drop(subscribe(&bus.join(), "c"));
}

#[test]
fn subscribe_requests_have_a_rate_of_their_own() {
    let (bus, timer) = bus(|limits| limits.subscribes = a_second(2));
    let server = bus.join();
    for _ in 0..2 {
        drop(subscribe(&server, "a"));
    }
    assert_eq!(kind(block_on(server.subscribe("a".into()))), throttled_for(SECOND));
    assert_eq!(kind(publish(&server, "a", "x")), None);
    timer.advance(SECOND);
    drop(subscribe(&server, "a"));
}

#[test]
fn a_preset_is_enforced_for_the_fleet_it_is_given() {
    let timer = ManualTimer::new();
    let load = Load { servers: 8, players: 50 };
    let bus = MemoryBus::new(presets::ROBLOX_MESSAGING, load, Arc::new(timer));
    let server = bus.join();
    assert_eq!(server.limits(), &presets::ROBLOX_MESSAGING);
    let accepted = (0..20_000).take_while(|_| publish(&server, "news", "x").is_ok()).count();
    assert_eq!(accepted, 600 + 240 * 50);
    assert_eq!(kind(publish(&server, "n".repeat(81).as_str(), "x")), too_large(81, 80));
    assert_eq!(kind(publish(&server, "news", [b'x'; 1_023])), too_large(1_025, 1_024));
}
