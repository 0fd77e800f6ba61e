//! Inner topics over several real topics: each keeps one lane, in its order, within the budgets.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bulk_messaging::machine::{Input, Machine};
use bulk_messaging::{Budget, Config, Format};
use futures::FutureExt;
use proptest::prelude::*;
use transport_traits::limits::{FleetRate, SizeLimit};
use transport_traits::{BusLimits, Instant, Outgoing, Priority, PublisherExt, Subscriber, presets};

use crate::fleet::Fleet;
use crate::support::{
    Faults, SECOND, World, at, drain_outputs, formats, header, machine, numbers, parse, publishes,
};

const TOPICS: [&str; 6] = ["a", "b", "c", "d", "e", "g"];
const MINUTE: Duration = Duration::from_secs(60);

/// Two topics of different lanes, if so many lanes have them.
fn apart(lanes: u16) -> (String, String) {
    let lane = |topic: &str| {
        let mut machine = machine(SizeLimit::bytes(320), |config| config.lanes = lanes);
        machine.push(at(0), Outgoing::new(topic, "1"), None).expect("room");
        lane_of(&publishes(&drain_outputs(&mut machine, at(0)))[0].1)
    };
    let other = (0..100).map(|number| format!("t{number}")).find(|topic| lane(topic) != lane("busy"));
    ("busy".into(), other.expect("topics are spread over the lanes"))
}

#[test]
fn a_busy_lane_starves_no_other_one_of_messages_or_heads() {
    for lanes in [2, 3, 7] {
        let (busy, quiet) = apart(lanes);
        let mut machine = machine(SizeLimit::bytes(320), |config| {
            config.lanes = lanes;
            config.budget = Budget::AtMost { publishes: 60, window: MINUTE };
        });
        let urgent = || {
            Outgoing::new(busy.as_str(), format!("\"{}\"", "x".repeat(150))).with_priority(Priority::Urgent)
        };
        let idle = Outgoing::new(quiet.as_str(), "1").with_priority(Priority::Background);
        machine.push(at(0), idle, None).expect("room");
        let mut published = Vec::new();
        for second in 0..120 {
            // More than the budget lets out.
            for _ in 0..2 {
                machine.push(at(1_000 * second), urgent(), None).expect("room");
            }
            for (id, frame) in publishes(&drain_outputs(&mut machine, at(1_000 * second))) {
                published.push(lane_of(&frame));
                machine.handle(at(1_000 * second), Input::Published { id, result: Ok(()) });
            }
        }
        let quiet = published.iter().enumerate().filter(|&(_, lane)| *lane != published[0]);
        let quiet: Vec<usize> = quiet.map(|(at, _)| at).collect();
        // The message, and then heads after 1, 2, 4 … 30 s.
        assert!(quiet.len() >= 5 && quiet[0] < 8, "{lanes} lanes: {quiet:?} of {}", published.len());
    }
}

/// The lane that a header names.
fn lane_of(frame: &[u8]) -> u32 {
    let header = header(frame);
    let digits = header.trim_end_matches('+').split('.').nth(2).expect("a lane").to_owned();
    u32::from_str_radix(&digits, 36).unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn each_topic_keeps_its_order_over_any_number_of_lanes(
        seed in any::<u64>(),
        lanes in 1u16..5,
        fail in 0.0..0.5,
        double in 0.0..0.3,
        publishes in 10u32..200,
        format in formats(),
    ) {
        let mut world = World::new(2, seed, SizeLimit::bytes(300), &TOPICS, |config| {
            config.lanes = lanes;
            config.format = format;
            config.max_topic_bytes = 20;
            config.max_retry_backoff = SECOND;
            config.budget = Budget::AtMost { publishes, window: SECOND };
        });
        let slow = SECOND / 10;
        world.faults = Faults { fail, unknown: 0.1, double, lose: 0.0, delay: slow, publish: slow };
        for number in 0..40 {
            TOPICS.iter().for_each(|topic| world.say(0, topic, number));
            world.run(SECOND / 50);
        }
        // Publishes stay slow, or more frames overtake the last delayed one than a receiver holds.
        world.faults = Faults { publish: slow, ..Faults::default() };
        world.run(200 * SECOND);
        for topic in TOPICS {
            prop_assert_eq!(world.heard(1, topic), numbers(0..40));
        }
        prop_assert_eq!(world.gaps(1), 0);
        let mut lanes_of: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        for frame in world.frames(0).into_iter().filter(|_| format == Format::Nexus) {
            for topic in parse(&frame).keys().filter(|topic| *topic != "~") {
                lanes_of.entry(topic.clone()).or_default().insert(lane_of(&frame));
            }
        }
        prop_assert!(lanes_of.values().all(|lanes| lanes.len() == 1), "{:?}", lanes_of);
        prop_assert!(lanes_of.values().flatten().all(|lane| *lane < u32::from(lanes)));
    }

    #[test]
    fn no_window_has_more_publishes_than_each_lane_and_all_together_may_make(
        seed in any::<u64>(),
        lane in 8u32..60,
        total in 8u32..100,
        send in 8u32..100,
        pause in 20u64..1_000,
    ) {
        let mut bus = BusLimits::default();
        bus.body = Some(SizeLimit::bytes(300));
        bus.receive_topic = Some(FleetRate::per_minute(40).plus_per_server(lane));
        bus.receive_total = Some(FleetRate::per_minute(40).plus_per_server(total));
        bus.send = Some(FleetRate::per_minute(send));
        let mut config = Config::new("real");
        (config.lanes, config.max_topic_bytes, config.seed) = (3, 20, Some(seed));
        let mut machine = Machine::new(config, &bus, Instant::ZERO).expect("a fitting configuration");
        let mut times: BTreeMap<u32, Vec<Instant>> = BTreeMap::new();
        for step in 0..(150_000 / pause) {
            let now = at(step * pause);
            let topic = TOPICS[step as usize % TOPICS.len()];
            // A full queue refuses, which is no matter here.
            let _refused = machine.push(now, Outgoing::new(topic, "1"), None);
            for (id, frame) in publishes(&drain_outputs(&mut machine, now)) {
                times.entry(lane_of(&frame)).or_default().push(now);
                machine.handle(now, Input::Published { id, result: Ok(()) });
            }
        }
        let most = |times: &[Instant]| {
            let within = |start: &Instant| {
                times.iter().filter(|at| **at >= *start && at.since(*start) < MINUTE).count()
            };
            times.iter().map(within).max().unwrap_or(0)
        };
        prop_assert!(times.values().all(|times| most(times) <= lane as usize));
        let all: Vec<_> = times.into_values().flatten().collect();
        prop_assert!(most(&all) <= total.min(send) as usize);
    }
}

#[test]
fn lanes_multiply_what_one_real_topic_allows_up_to_the_limit_of_all() {
    let sent = |lanes: u16| {
        let mut config = Config::new("real");
        config.lanes = lanes;
        let mut machine =
            Machine::new(config, &presets::ROBLOX_MESSAGING, Instant::ZERO).expect("a fitting configuration");
        let mut sent = 0;
        for step in 0..60 * 20 {
            let now = at(step * 50);
            for topic in 0..16 {
                let long = Outgoing::new(format!("topic{topic}"), format!("\"{}\"", "x".repeat(700)));
                let _refused = machine.push(now, long, None);
            }
            for (id, _) in publishes(&drain_outputs(&mut machine, now)) {
                sent += 1;
                machine.handle(now, Input::Published { id, result: Ok(()) });
            }
        }
        sent
    };
    assert!((79..=80).contains(&sent(1)));
    assert!((158..=160).contains(&sent(2)));
    assert!((198..=200).contains(&sent(4)), "200 a minute in all");
}

#[test]
fn tokens_are_what_may_be_published_at_once_over_all_lanes() {
    let tokens = |lanes: u16| {
        let mut config = Config::new("real");
        config.lanes = lanes;
        let machine = Machine::new(config, &presets::ROBLOX_MESSAGING, Instant::ZERO);
        machine.expect("a fitting configuration").stats(Instant::ZERO).tokens
    };
    assert_eq!([1, 2, 3].map(tokens), [Some(10), Some(20), Some(25)]);
}

#[test]
fn each_lane_publishes_on_a_real_topic_of_its_own_and_repeats_its_own_head() {
    let mut machine = machine(SizeLimit::bytes(300), |config| {
        (config.lanes, config.budget, config.max_topic_bytes) = (3, Budget::Unlimited, 20);
    });
    let real: Vec<String> = machine.real_topics().map(|topic| topic.to_string()).collect();
    assert_eq!(real, ["real", "real-1", "real-2"]);
    for topic in TOPICS {
        machine.push(at(0), Outgoing::new(topic, "1"), None).expect("room");
    }
    let mut lanes = BTreeSet::new();
    for now in [at(0), at(1_000)] {
        for output in drain_outputs(&mut machine, now) {
            let bulk_messaging::machine::Output::Publish { id, topic, body } = output else { continue };
            assert_eq!(real[lane_of(&body) as usize], *topic);
            assert_eq!(header(&body).ends_with('+'), now == at(1_000));
            lanes.insert((now, lane_of(&body)));
            machine.handle(now, Input::Published { id, result: Ok(()) });
        }
    }
    assert_eq!(
        lanes.len(),
        6,
        "six topics use all three lanes, and each of those repeats its head: {lanes:?}"
    );
}

#[test]
fn an_urgent_message_in_one_lane_goes_before_others_in_another() {
    let mut machine = machine(SizeLimit::bytes(300), |config| {
        (config.lanes, config.max_topic_bytes) = (3, 20);
        config.budget = Budget::AtMost { publishes: 2, window: MINUTE };
    });
    for topic in TOPICS {
        machine.push(at(0), Outgoing::new(topic, "1"), None).expect("room");
    }
    let first = publishes(&drain_outputs(&mut machine, at(0)));
    assert_eq!(first.len(), 1, "one token at once");
    let urgent =
        TOPICS.into_iter().find(|topic| !parse(&first[0].1).contains_key(*topic)).expect("other lanes");
    let message = Outgoing::new(urgent, "2").with_priority(transport_traits::Priority::Urgent);
    machine.push(at(1), message, None).expect("room");
    machine.handle(at(1), Input::Published { id: first[0].0, result: Ok(()) });
    let second = publishes(&drain_outputs(&mut machine, at(60_000)));
    assert!(parse(&second[0].1).contains_key(urgent), "{second:?}");
}

#[test]
fn servers_subscribe_to_every_lane_and_wait_until_all_are_there() {
    let mut fleet = Fleet::new();
    let bulk = fleet.join(|config| config.lanes = 3);
    fleet.bus.subscribe_errors.lock().push(transport_traits::ErrorKind::Denied);
    assert!(fleet.subscribe(&bulk, "a").is_err(), "one of three cannot be had");
    let mut subscriptions: Vec<_> =
        TOPICS.iter().map(|topic| fleet.subscribe(&bulk, topic).expect("subscribed")).collect();
    assert_eq!(fleet.bus.subscriptions(), 3);
    for topic in TOPICS {
        bulk.send(topic, "1").now_or_never().expect("room").expect("accepted");
    }
    for subscription in &mut subscriptions {
        assert_eq!(fleet.read(subscription), ["1"]);
    }
    assert!(bulk.hears_own_echo());
}
