//! The fleets that pools are measured with do what the figures say of them.

use std::time::Duration;

use benches::pools::{Fleet, fleet, joins, memory, original, updates};

use crate::alone::alone;

#[test]
fn ghosts_and_disagreement_are_seen_and_so_is_their_end() {
    let mut fleet = Fleet::new(1, &[fleet::POOL], 1);
    let hosts = fleet.start(3, 2);
    fleet.sim.run(Duration::from_secs(5));
    assert!(fleet.agrees());
    assert_eq!((fleet::known(&fleet.sim, hosts[0]), fleet.ghosts()), (6, 0));
    fleet.sim.crash(hosts[2]);
    assert_eq!(fleet.ghosts(), 4, "two entries in each of two views");
    assert!(!fleet.agrees());
    fleet.sim.run(Duration::from_secs(40));
    assert!(fleet.agrees() && fleet.ghosts() == 0);
    fleet.start(1, 1);
    assert!(!fleet.agrees(), "the newcomer knows nothing yet");
}

#[test]
fn what_never_comes_true_takes_forever() {
    let mut fleet = Fleet::new(1, &[fleet::POOL], 1);
    let seconds = fleet.seconds_until(|_| false);
    assert!(seconds.is_infinite());
}

#[test]
fn the_model_of_the_original_sends_every_entry_and_takes_half_a_second_for_each() {
    let cost = original::one(3, 5);
    assert_eq!(cost.requests, 3 * 5 + 1);
    assert!((2.0..=3.0).contains(&cost.seconds), "{cost:?}");
}

#[test]
fn a_join_is_counted_from_its_request_to_the_last_entry() {
    let cost = joins::one(3, 5);
    assert!((4..=12).contains(&cost.requests), "a request and three answers at least: {cost:?}");
    assert!((0.5..=3.0).contains(&cost.seconds), "two ways of 250 ms at least: {cost:?}");
}

#[test]
fn updates_take_the_bus_one_delay_at_least_and_all_are_seen() {
    let measured = updates::every_second(3, 2, 3);
    assert!(measured.p50 >= 0.25 && measured.p50 <= measured.p99, "{measured:?}");
    assert!(measured.of_limit > 0.0 && measured.of_limit <= 1.0, "{measured:?}");
    assert_eq!(measured.unseen, 0);
}

#[test]
fn an_entry_takes_some_memory() {
    alone("pools::an_entry_takes_some_memory", || {
        if let Some(each) = memory::per_entry(4, 5_000) {
            assert!(each.machine > 0.0 && each.pools > each.machine, "{each:?}");
        }
    });
}
