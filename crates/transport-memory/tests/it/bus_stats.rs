//! Requests used against allowed.

use std::sync::Arc;
use std::time::Duration;

use transport_memory::MemoryBus;
use transport_mocks::ManualTimer;
use transport_traits::limits::{FleetRate, Load};
use transport_traits::{BusLimits, presets};

use crate::support::{SECOND, a_second, bus, publish, read, subscribe};

#[test]
fn each_topic_is_counted_and_all_together() {
    let bus = MemoryBus::unlimited();
    let server = bus.join();
    let _listeners = [subscribe(&server, "a"), subscribe(&server, "a")];
    (0..3).for_each(|_| publish(&server, "a", "x").unwrap());
    publish(&server, "b", "x").unwrap();

    let stats = bus.stats();
    let counted = |topic: &str| (stats.topics[topic].published, stats.topics[topic].delivered);
    assert_eq!((counted("a"), counted("b")), ((3, 6), (1, 0)));
    assert_eq!((stats.total.published, stats.total.delivered, stats.total.dropped()), (4, 6, 0));
}

#[test]
fn what_is_allowed_grows_evenly_with_time() {
    let load = Load { servers: 8, players: 50 };
    let bus = MemoryBus::new(presets::ROBLOX_MESSAGING, load, Arc::new(ManualTimer::new()));
    let allowed = bus.allowed(20 * SECOND);
    assert_eq!(allowed.sends_per_server, Some((600 + 240 * 50) / 3));
    assert_eq!(allowed.receives_per_topic, Some((40 + 80 * 8) / 3));
    assert_eq!(allowed.receives_total, Some((400 + 200 * 8) / 3));
    assert_eq!(bus.allowed(Duration::ZERO).receives_total, Some(0));
}

#[test]
fn without_a_limit_or_a_window_there_is_no_allowance() {
    assert_eq!(MemoryBus::unlimited().allowed(SECOND).sends_per_server, None);
    let mut limits = BusLimits::default();
    limits.send = Some(FleetRate { window: Duration::ZERO, ..FleetRate::per_second(1) });
    let bus = MemoryBus::new(limits, Load::default(), Arc::new(ManualTimer::new()));
    assert_eq!(bus.allowed(SECOND).sends_per_server, None);
}

#[test]
fn topics_out_of_use_are_forgotten_but_stay_counted() {
    let bus = MemoryBus::unlimited();
    let server = bus.join();
    let mut listener = subscribe(&server, "kept");
    for n in 0..10_000 {
        publish(&server, &format!("passing {n}"), "x").unwrap();
    }
    publish(&server, "kept", "x").unwrap();
    let stats = bus.stats();
    assert_eq!(stats.total.published, 10_001);
    assert!(stats.topics.len() <= 1_024, "{} topics", stats.topics.len());
    assert_eq!(read(&mut listener), ["x"]);
}

#[test]
fn a_topic_is_not_forgotten_while_its_limit_is_in_use() {
    let (bus, timer) = bus(|limits| limits.receive_topic = a_second(1));
    let server = bus.join();
    let crowd = |count: usize| {
        (0..count).for_each(|n| publish(&server, &format!("passing {n}"), "x").unwrap());
    };
    publish(&server, "full", "x").unwrap();
    crowd(2_000);
    let mut listener = subscribe(&server, "full");
    publish(&server, "full", "x").unwrap();
    assert_eq!(read(&mut listener), ["GAP"]);
    drop(listener);

    timer.advance(SECOND);
    crowd(2_000);
    assert!(bus.stats().topics.len() < 2_002);
}
