//! Order, loss and doubling, from one machine to another.

use std::time::Duration;

use bulk_messaging::{Budget, Format};
use proptest::prelude::*;
use transport_traits::limits::SizeLimit;

use crate::support::{Faults, Item, SECOND, World, formats, numbers};

const TOPICS: [&str; 3] = ["a", "b", "c"];

fn world(servers: usize, seed: u64, max_in_flight: usize, original_receivers: bool) -> World {
    world_of(Format::Nexus, servers, seed, max_in_flight, original_receivers)
}

fn world_of(
    format: Format,
    servers: usize,
    seed: u64,
    max_in_flight: usize,
    original_receivers: bool,
) -> World {
    World::new(servers, seed, SizeLimit::bytes(300), &TOPICS, |config| {
        config.format = format;
        config.budget = Budget::Unlimited;
        config.max_in_flight = max_in_flight;
        config.original_receivers = original_receivers;
        config.max_topic_bytes = 20;
        // A frame whose publish fails for longer than receivers wait is reported as a gap.
        config.max_retry_backoff = SECOND;
    })
}

/// Every server says 0, 1, 2 … on every topic, at random times.
fn talk(world: &mut World, seed: u64, count: usize) {
    let mut random = fastrand::Rng::with_seed(seed);
    for number in 0..count {
        for server in 0..world.servers.len() {
            for topic in TOPICS {
                world.say(server, topic, number * world.servers.len() + server);
            }
        }
        world.run(Duration::from_millis(random.u64(0..200)));
    }
}

/// What a server heard on a topic from one sender.
fn from(world: &World, receiver: usize, topic: &str, sender: usize) -> Vec<usize> {
    let servers = world.servers.len();
    let all = world.heard(receiver, topic).into_iter().map(|body| body.parse::<usize>().expect("a number"));
    all.filter(|number| number % servers == sender).map(|number| number / servers).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// weakness 10 (failed-publish-loses-batch)
    #[test]
    fn on_a_bus_without_loss_nothing_is_lost_doubled_or_reordered(
        seed in any::<u64>(),
        fail in 0.0..0.5,
        unknown in 0.0..0.3,
        double in 0.0..0.5,
        delay in 0u64..100,
        publish in 0u64..300,
        max_in_flight in 1usize..8,
        format in formats(),
    ) {
        let mut world = world_of(format, 3, seed, max_in_flight, false);
        let (delay, publish) = (Duration::from_millis(delay), Duration::from_millis(publish));
        world.faults = Faults { fail, unknown, double, lose: 0.0, delay, publish };
        talk(&mut world, seed, 30);
        world.faults = Faults::default();
        world.run(200 * SECOND);
        for (receiver, sender) in [(0, 0), (0, 1), (1, 0), (2, 1)] {
            for topic in TOPICS {
                let heard = from(&world, receiver, topic, sender);
                prop_assert_eq!(heard, (0..30).collect::<Vec<_>>());
            }
        }
        prop_assert_eq!(world.gaps(1), 0);
        let stats = world.servers[0].machine.stats(world.now);
        prop_assert_eq!(stats.messages, 90);
        prop_assert_eq!(stats.queued_messages + stats.in_flight, 0);
    }

    /// weakness 5 (lost-message-splits-caches)
    #[test]
    fn what_is_lost_is_reported_and_order_holds(
        seed in any::<u64>(),
        lose in 0.01..0.4,
        format in formats(),
    ) {
        let mut world = world_of(format, 2, seed, 4, false);
        world.faults = Faults { lose, delay: SECOND / 10, publish: SECOND / 20, ..Faults::default() };
        talk(&mut world, seed, 30);
        // Heads repeated after the end tell of a lost tail.
        world.run(1_000 * SECOND);
        for topic in TOPICS {
            let heard = from(&world, 1, topic, 0);
            prop_assert!(heard.is_sorted_by(|a, b| a < b), "{:?}", heard);
            prop_assert!(gap_at_every_loss(&world, topic), "{:?}", world.servers[1].received);
        }
    }

    /// weakness 11 (slow-publish-overfills)
    #[test]
    fn receivers_that_know_no_header_get_each_topic_in_order_too(
        seed in any::<u64>(),
        fail in 0.0..0.5,
    ) {
        let mut world = world(1, seed, 4, true);
        world.faults = Faults { fail, publish: SECOND, ..Faults::default() };
        talk(&mut world, seed, 20);
        world.faults = Faults::default();
        world.run(100 * SECOND);
        // Frames in the order in which their publish succeeded, as a receiver without our header sees them.
        let mut seen: Vec<Vec<String>> = vec![Vec::new(); TOPICS.len()];
        let mut frames = world.servers[0].published.clone();
        // The last publish of a frame is the one that succeeded.
        frames.reverse();
        let mut done = std::collections::BTreeSet::new();
        frames.retain(|(_, frame)| done.insert(frame.clone()));
        frames.reverse();
        for (_, frame) in frames {
            let frame = crate::support::parse(&frame);
            for (topic, seen) in TOPICS.iter().zip(&mut seen) {
                let messages = frame.get(*topic).and_then(|messages| messages.as_array()).cloned();
                seen.extend(messages.unwrap_or_default().iter().map(ToString::to_string));
            }
        }
        for seen in seen {
            prop_assert_eq!(seen, numbers(0..20));
        }
    }
}

/// Whether server 1 read a gap wherever a message of server 0 is missing in its sequence, the tail included.
fn gap_at_every_loss(world: &World, topic: &str) -> bool {
    let (mut next, mut gap) = (0, false);
    for item in &world.servers[1].received {
        match item {
            Item::Gap => gap = true,
            Item::Message(of, body) if of == topic => {
                let number = body.parse::<usize>().expect("a number");
                if number % 2 == 0 {
                    if number / 2 != next && !gap {
                        return false;
                    }
                    (next, gap) = (number / 2 + 1, false);
                }
            }
            Item::Message(..) => {}
        }
    }
    next == 30 || gap
}

#[test]
fn a_lost_tail_is_noticed_by_the_repeated_head() {
    let mut world = world(2, 1, 4, false);
    world.say(0, "a", 0);
    world.run(SECOND / 2);
    world.faults.lose = 1.0;
    world.say(0, "a", 1);
    world.run(SECOND / 10);
    world.faults.lose = 0.0;
    assert_eq!(world.gaps(1), 0);
    world.run(2 * SECOND);
    assert_eq!(world.gaps(1), 1);
}

#[test]
fn an_idle_sender_repeats_its_head_after_1_2_4_to_30_seconds() {
    let mut world = world(1, 1, 4, false);
    world.run(100 * SECOND);
    assert!(world.servers[0].published.is_empty(), "who never sent has no head");
    world.say(0, "a", 0);
    let start = world.now;
    world.run(125 * SECOND);
    let times = world.servers[0].published.iter().map(|(at, _)| at.since(start).as_secs());
    assert_eq!(times.collect::<Vec<_>>(), [0, 1, 3, 7, 15, 31, 61, 91, 121]);
    assert_eq!(world.gaps(0), 0);
}

#[test]
fn a_sender_with_a_heartbeat_repeats_no_head_and_once_it_stops_its_last_frame_is_missed_all_the_same() {
    let mut world = world(2, 1, 4, false);
    for beat in 0..30 {
        world.say(0, "a", beat);
        world.run(SECOND * 19 / 10);
    }
    let published = world.servers[0].published.len();
    assert_eq!(published, 30 + 3, "until it is known to be steady a head follows each frame");
    world.faults.lose = 1.0;
    world.say(0, "a", 30);
    world.run(SECOND / 10);
    world.faults.lose = 0.0;
    world.run(2 * SECOND);
    assert_eq!(world.gaps(1), 0);
    world.run(2 * SECOND);
    assert_eq!(world.gaps(1), 1);
}

#[test]
fn own_messages_come_back_in_order_and_are_counted_as_own() {
    let mut world = world(2, 1, 4, false);
    talk(&mut world, 1, 5);
    world.run(SECOND / 2);
    assert_eq!(from(&world, 0, "a", 0), (0..5).collect::<Vec<_>>());
    let stats = world.servers[0].machine.stats(world.now);
    assert_eq!(stats.own_frames, stats.frames);
    assert_eq!(stats.received_frames, 2 * stats.frames);
}
