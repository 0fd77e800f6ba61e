//! What spreads state does so, and what it costs is counted.

use std::sync::Arc;
use std::time::Duration;

use benches::spread::{Cost, Fleet, Gossip, Measured, Pools, Traffic, learn, measure};

fn ours() -> Pools {
    Pools::new(1, |config| config)
}

/// Two servers with an entry each that know both.
fn two(fleet: &mut impl Fleet) -> Cost {
    learn(fleet, 2, 1, Duration::ZERO)
}

fn changes_and_deaths_are_seen_when_they_happen(mut fleet: impl Fleet) {
    two(&mut fleet);
    let (key, text): (_, Arc<str>) = ("1000010000", "another".into());
    assert!(fleet.all_know(2) && !fleet.all_know(3));
    assert!(!fleet.all_see(1, key, &text));
    fleet.set(1, key, &text);
    assert!(!fleet.all_see(1, key, &text), "the other cannot know yet");
    fleet.pass(Duration::from_secs(10));
    assert!(fleet.all_see(1, key, &text));
    assert!(!fleet.is_buried(1));
    fleet.crash(1);
    assert!(!fleet.is_buried(1), "nobody can know yet");
    fleet.pass(Duration::from_secs(60));
    assert!(fleet.is_buried(1));
}

#[test]
fn pools_show_changes_and_deaths_when_they_happen() {
    changes_and_deaths_are_seen_when_they_happen(ours());
}

#[test]
fn gossip_shows_changes_and_deaths_when_they_happen() {
    changes_and_deaths_are_seen_when_they_happen(Gossip::new());
}

#[test]
fn what_a_bus_carries_is_published_once_and_delivered_to_all() {
    let mut fleet = ours();
    two(&mut fleet);
    fleet.pass(Duration::from_secs(10));
    let before = fleet.traffic();
    fleet.pass(Duration::from_secs(60));
    let rest = fleet.traffic().since(before);
    assert!((50.0..80.0).contains(&rest.messages), "a heartbeat of each of two every two seconds: {rest:?}");
    assert_eq!(rest.delivered, 2.0 * rest.published, "both servers hear it");
}

#[test]
fn a_datagram_is_published_and_delivered_once() {
    let mut fleet = Gossip::new();
    let Traffic { messages, published, delivered } = two(&mut fleet).traffic;
    assert!(messages >= 3.0, "a round is three datagrams");
    assert_eq!(published, delivered);
}

#[test]
fn entries_are_published_whole() {
    let cost = learn(&mut ours(), 3, 50, Duration::ZERO);
    let bytes = cost.traffic.published;
    assert!(bytes > 3.0 * 50.0 * 40.0 && bytes < 10.0 * 3.0 * 50.0 * 40.0, "{bytes}");
}

#[test]
fn all_that_is_measured_is_finite_and_takes_the_time_it_must() {
    let fleets: [Measured; 2] = [measure(&mut ours(), 4, 3, 1), measure(&mut Gossip::new(), 4, 3, 1)];
    for measured in fleets {
        let seconds =
            [measured.learn.seconds, measured.join.seconds, measured.change.seconds, measured.death];
        assert!(seconds.iter().all(|seconds| seconds.is_finite()), "{measured:?}");
        assert!(measured.death > 4.0, "nobody is held for dead at once: {measured:?}");
        assert!(measured.rest.messages > 1.0, "{measured:?}");
    }
    let [ours, peer] = fleets;
    assert!(ours.change.seconds < peer.change.seconds && ours.rest.published < peer.rest.published);
}
