//! Processes begin, stand still and end; clocks are wrong.

use fleet_sim::{Action, Event, Node, Now, Sim};
use transport_traits::Instant;

use crate::support::{Puppet, fleet, heard, ms, publish, secs, start};

#[test]
fn a_node_is_woken_when_it_wants_to_be() {
    let (mut sim, hosts) = fleet(1, 1);
    let alarm = |at| move |node: &mut Puppet, _| node.alarm = Some(Instant::from_millis(at));
    sim.act(hosts[0], alarm(900));
    sim.act(hosts[0], alarm(300));
    sim.run(secs(1));
    assert_eq!(sim.node(hosts[0]).unwrap().woken, [300]);
    sim.act(hosts[0], alarm(1_100));
    sim.act(hosts[0], alarm(1_500));
    sim.run(secs(1));
    assert_eq!(sim.node(hosts[0]).unwrap().woken, [300, 1_500], "it may think better of it");
}

#[test]
fn what_comes_during_a_pause_is_told_after_it() {
    let (mut sim, hosts) = fleet(2, 1);
    sim.act(hosts[1], |node, _| node.alarm = Some(Instant::from_millis(500)));
    sim.pause(hosts[1], secs(3));
    publish(&mut sim, hosts[0], "x");
    sim.run(secs(2));
    assert!(sim.is_paused(hosts[1]) && heard(&sim, hosts[1]).is_empty());
    assert!(sim.act(hosts[1], |_, _| ()).is_none(), "a process that stands still does nothing");
    sim.run(secs(2));
    let node = sim.node(hosts[1]).unwrap();
    assert_eq!(node.heard, [(3_000, "x".to_owned())]);
    assert_eq!(node.woken, [3_000]);
}

#[test]
fn a_broken_connection_loses_what_is_under_way_and_says_so_on_every_topic() {
    let (mut sim, hosts) = fleet(2, 1);
    publish(&mut sim, hosts[0], "lost");
    sim.reconnect(hosts[1]);
    publish(&mut sim, hosts[0], "heard");
    sim.run(secs(1));
    assert_eq!(heard(&sim, hosts[0]), ["lost", "heard"]);
    assert_eq!(heard(&sim, hosts[1]), ["(gap)", "heard"]);
}

#[test]
fn a_pause_within_a_pause_makes_it_longer_and_never_shorter() {
    let (mut sim, hosts) = fleet(1, 1);
    sim.pause(hosts[0], secs(3));
    sim.pause(hosts[0], secs(1));
    sim.run(secs(2));
    assert!(sim.is_paused(hosts[0]));
    sim.pause(hosts[0], secs(2));
    sim.run(ms(1_500));
    assert!(sim.is_paused(hosts[0]));
    sim.run(secs(1));
    assert!(!sim.is_paused(hosts[0]));
}

#[test]
fn what_was_on_its_way_to_a_process_that_ended_does_not_reach_the_next() {
    let (mut sim, hosts) = fleet(2, 1);
    publish(&mut sim, hosts[0], "x");
    let left = sim.crash(hosts[1]);
    assert!(left.is_some_and(|node| node.heard.is_empty()));
    assert!(sim.node(hosts[1]).is_none() && sim.running().eq([hosts[0]]));
    start(&mut sim, hosts[1]);
    sim.run(secs(1));
    assert!(heard(&sim, hosts[1]).is_empty());
    publish(&mut sim, hosts[0], "y");
    sim.run(secs(1));
    assert_eq!(heard(&sim, hosts[1]), ["y"]);
}

#[test]
fn a_process_that_exits_is_gone() {
    let (mut sim, hosts) = fleet(1, 1);
    sim.act(hosts[0], |node, _| node.to_do.push_back(Action::Exit));
    assert!(sim.node(hosts[0]).is_none());
    assert_eq!(sim.running().count(), 0);
}

#[test]
fn a_clock_that_jumps_moves_the_calendar_alone() {
    let (mut sim, hosts) = fleet(2, 1);
    sim.run(secs(10));
    sim.set_clock(hosts[0], -3_600_000_000);
    let [wrong, right] = [hosts[0], hosts[1]].map(|host| sim.now_on(host));
    assert_eq!(right.wall.since(wrong.wall), secs(3_600));
    assert_eq!(right.instant, wrong.instant);
}

/// Does nothing, and wants to be woken in the past.
struct Spinning;

impl Node for Spinning {
    fn handle(&mut self, _: Now, _: Event) {}

    fn poll(&mut self, _: Now) -> Option<Action> {
        None
    }

    fn next_wakeup(&mut self, _: Now) -> Option<Instant> {
        Some(Instant::ZERO)
    }
}

#[test]
#[should_panic(expected = "wants to be woken at")]
fn a_node_that_never_comes_to_rest_is_found() {
    Sim::new(1).launch(|_| Spinning);
}
