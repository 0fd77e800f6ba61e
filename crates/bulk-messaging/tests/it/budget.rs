//! The budget in every window, and the linger that follows it.

use std::time::Duration;

use bulk_messaging::machine::Input;
use bulk_messaging::{Budget, Format};
use proptest::prelude::*;
use transport_traits::limits::SizeLimit;
use transport_traits::{ErrorKind, Instant, Outgoing, presets};

use crate::support::{Faults, SECOND, World, at, drain_outputs, formats, machine, publishes};

const MINUTE: Duration = Duration::from_secs(60);

fn world(seed: u64, publishes: u32) -> World {
    world_of(Format::Nexus, seed, publishes)
}

fn world_of(format: Format, seed: u64, publishes: u32) -> World {
    World::new(1, seed, SizeLimit::bytes(1_024), &["t"], |config| {
        config.budget = Budget::AtMost { publishes, window: MINUTE };
        config.format = format;
    })
}

/// The most publishes in any window that begins with one.
fn most_in_a_window(times: &[Instant], window: Duration) -> usize {
    let count =
        |start: &Instant| times.iter().filter(|at| **at >= *start && at.since(*start) < window).count();
    times.iter().map(count).max().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn no_window_has_more_publishes_than_the_budget_retries_and_heads_included(
        seed in any::<u64>(),
        share in 2u32..120,
        fail in 0.0..0.9,
        pause in 1u64..3_000,
        format in formats(),
    ) {
        let mut world = world_of(format, seed, share);
        world.faults = Faults { fail, publish: SECOND / 10, ..Faults::default() };
        for number in 0..100 {
            world.say(0, "t", number);
            world.run(Duration::from_millis(pause));
        }
        world.run(MINUTE);
        let times: Vec<_> = world.servers[0].published.iter().map(|(at, _)| *at).collect();
        prop_assert!(most_in_a_window(&times, MINUTE) <= share as usize);
        let stats = world.servers[0].machine.stats(world.now);
        prop_assert_eq!(stats.publishes, times.len() as u64);
    }
}

#[test]
fn roblox_gives_a_server_10_publishes_at_once_and_70_a_minute() {
    let mut machine = bulk_messaging::machine::Machine::new(
        bulk_messaging::Config::new("real"),
        &presets::ROBLOX_MESSAGING,
        Instant::ZERO,
    )
    .expect("a fitting configuration");
    assert_eq!(machine.stats(Instant::ZERO).tokens, Some(10));
    let mut sent = 0;
    for step in 0..60_000 / 50 {
        let now = at(step * 50);
        machine.push(now, Outgoing::new("t", format!("\"{}\"", "x".repeat(700))), None).expect("room");
        for (id, _) in publishes(&drain_outputs(&mut machine, now)) {
            sent += 1;
            machine.handle(now, Input::Published { id, result: Ok(()) });
        }
    }
    assert!((79..=80).contains(&sent), "{sent}");
}

#[test]
fn a_frame_leaves_at_once_while_half_the_bucket_is_there() {
    let mut world = world(1, 80);
    for number in 0..5 {
        world.say(0, "t", number);
        world.settle();
        assert_eq!(world.servers[0].published.len(), number + 1);
        world.run(SECOND / 100);
    }
}

#[test]
fn the_linger_grows_to_its_maximum_as_the_bucket_empties() {
    let mut world = world(1, 80);
    let mut waits = Vec::new();
    for number in 0..40 {
        world.say(0, "t", number);
        let (said, before) = (world.now, world.servers[0].published.len());
        while world.servers[0].published.len() == before {
            world.run(Duration::from_millis(10));
        }
        waits.push(world.now.since(said));
    }
    assert!(waits[..5].iter().all(|wait| *wait <= Duration::from_millis(10)), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= SECOND), "{waits:?}");
    assert!(waits[30..].iter().all(|wait| *wait > SECOND / 2), "{waits:?}");
}

#[test]
fn a_full_frame_and_an_urgent_message_do_not_linger() {
    for (urgent, count) in [(true, 1), (false, 300)] {
        let mut world = world(1, 80);
        for number in 0..6 {
            world.say(0, "t", number);
            world.settle();
        }
        let before = world.servers[0].published.len();
        world.run(SECOND / 100);
        for number in 0..count {
            let message = Outgoing::new("t", number.to_string());
            let priority =
                if urgent { transport_traits::Priority::Urgent } else { transport_traits::Priority::Normal };
            world.push(0, message.with_priority(priority), None).expect("room");
        }
        world.settle();
        assert!(world.servers[0].published.len() > before, "urgent: {urgent}");
    }
}

#[test]
fn a_throttled_publish_pauses_everything_for_as_long_as_the_service_asks_up_to_a_minute() {
    for (asked, millis) in [(20 * SECOND, 20_100), (3_600 * SECOND, 60_100), (Duration::MAX, 60_100)] {
        let mut machine = machine(SizeLimit::bytes(200), |config| {
            config.budget = Budget::Unlimited;
            config.max_topic_bytes = 20;
        });
        machine.push(at(0), Outgoing::new("t", "1"), None).expect("room");
        let first = publishes(&drain_outputs(&mut machine, at(0)));
        let throttled = ErrorKind::Throttled { retry_after: Some(asked) };
        machine.handle(at(100), Input::Published { id: first[0].0, result: Err(throttled) });
        machine.push(at(200), Outgoing::new("t", "2"), None).expect("room");
        assert_eq!(drain_outputs(&mut machine, at(millis - 1)), []);
        assert_eq!(machine.next_wakeup(), Some(at(millis)));
        assert_eq!(publishes(&drain_outputs(&mut machine, at(millis))).len(), 2);
    }
}
