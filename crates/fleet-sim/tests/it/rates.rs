//! Rates are kept in every window.

use fleet_sim::{OverRate, SlidingWindow};
use transport_traits::limits::{FleetRate, ReceiveCounting};
use transport_traits::{ErrorKind, Instant};

use crate::support::{fleet, heard, ms, publish, secs};

const THROTTLED: Result<(), ErrorKind> = Err(ErrorKind::Throttled { retry_after: None });

#[test]
fn a_window_counts_what_is_less_old_than_it_is_long() {
    let mut window = SlidingWindow::new(secs(60));
    let at = Instant::from_millis;
    assert_eq!((window.record(at(0)), window.record(at(59_999))), (1, 2));
    assert_eq!(window.count(at(59_999)), 2);
    assert_eq!(window.count(at(60_000)), 1, "the first is a whole window old");
    assert_eq!(window.record(at(119_998)), 2);
    assert_eq!(window.count(at(200_000)), 0);
}

#[test]
fn no_server_sends_more_than_its_rate() {
    let (mut sim, hosts) = fleet(2, 1);
    sim.bus.limits.send = Some(FleetRate::per_minute(3));
    for _ in 0..5 {
        publish(&mut sim, hosts[0], "x");
    }
    publish(&mut sim, hosts[1], "y");
    sim.run(secs(59));
    publish(&mut sim, hosts[0], "x");
    sim.run(secs(1) + ms(1));
    publish(&mut sim, hosts[0], "x");
    sim.run(secs(1));
    let expected = [Ok(()), Ok(()), Ok(()), THROTTLED, THROTTLED, THROTTLED, Ok(())];
    assert_eq!(sim.node(hosts[0]).unwrap().published, expected);
    assert_eq!(heard(&sim, hosts[1]).len(), 5);
    assert_eq!(sim.bus.stats().over_rate, 3);
}

#[test]
fn receives_are_limited_for_the_fleet_by_its_size() {
    let (mut sim, hosts) = fleet(2, 1);
    sim.bus.limits.receive_topic = Some(FleetRate::per_minute(1).plus_per_server(2));
    for _ in 0..4 {
        hosts.iter().for_each(|&host| publish(&mut sim, host, "x"));
    }
    sim.run(secs(1));
    assert_eq!(heard(&sim, hosts[0]).len(), 5, "of 8");
}

#[test]
fn what_is_over_a_rate_can_be_dropped_without_a_word() {
    let (mut sim, hosts) = fleet(2, 1);
    sim.bus.limits.receive_total = Some(FleetRate::per_minute(2));
    sim.bus.over_rate = OverRate::Drop;
    for _ in 0..3 {
        publish(&mut sim, hosts[0], "x");
    }
    sim.run(secs(1));
    assert_eq!(sim.node(hosts[0]).unwrap().published, [Ok(()); 3]);
    assert_eq!(heard(&sim, hosts[1]).len(), 2);
}

#[test]
fn receives_can_be_counted_for_each_server() {
    let (mut sim, hosts) = fleet(3, 1);
    sim.bus.limits.receive_total = Some(FleetRate::per_minute(4));
    sim.bus.limits.receive_counting = ReceiveCounting::PerDelivery;
    publish(&mut sim, hosts[0], "x");
    publish(&mut sim, hosts[0], "y");
    sim.run(secs(1));
    let counts: Vec<usize> = hosts.iter().map(|&host| heard(&sim, host).len()).collect();
    assert_eq!(counts, [2, 1, 1]);
}
