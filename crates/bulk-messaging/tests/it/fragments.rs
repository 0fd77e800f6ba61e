//! Messages longer than a frame: whole or not at all, in their order, within bounds.

use std::time::Duration;

use bulk_messaging::machine::{Input, Machine, Output};
use bulk_messaging::{Budget, Config, ConfigError, Format, Fragmentation, Refusal};
use proptest::prelude::*;
use transport_traits::limits::SizeLimit;
use transport_traits::{BusLimits, ErrorKind, Outgoing};

use crate::support::{COUNTINGS, Faults, Item, SECOND, World, at, drain_outputs, machine, publishes};

const TOPICS: [&str; 2] = ["a", "b"];

fn fragmented(config: &mut Config) {
    config.budget = Budget::Unlimited;
    config.max_topic_bytes = 20;
    config.fragmentation = Some(Fragmentation::new(20_000));
}

/// A JSON value with a number and much else, so long at least.
fn long(number: usize, len: usize) -> String {
    let mut random = fastrand::Rng::with_seed(number as u64);
    let letters: Vec<char> = "abcdefghijklmnopqrstuvwxyz0123456789\"\\\n语😀".chars().collect();
    let text: String = (0..len).map(|_| letters[random.usize(..letters.len())]).collect();
    serde_json::json!({ "n": number, "text": text }).to_string()
}

fn number(body: &str) -> usize {
    let value: serde_json::Value = serde_json::from_str(body).expect("never half a message");
    value["n"].as_u64().expect("a number") as usize
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn messages_of_any_length_arrive_unchanged_once_and_in_order_on_a_bus_without_loss(
        seed in any::<u64>(),
        lens in prop::collection::vec(0usize..3_000, 1..20),
        counting in prop::sample::select(COUNTINGS.to_vec()),
        format in prop::sample::select(vec![Format::Nexus, Format::Compact, Format::CompactText]),
        fail in 0.0..0.4,
        lanes in 1u16..3,
    ) {
        let mut world = World::new(2, seed, SizeLimit { max: 1_200, counting }, &TOPICS, |config| {
            fragmented(config);
            (config.lanes, config.format, config.max_retry_backoff) = (lanes, format, SECOND);
        });
        let slow = SECOND / 20;
        world.faults = Faults { fail, unknown: 0.1, double: 0.2, lose: 0.0, delay: slow, publish: slow };
        let mut sent = Vec::new();
        for (at, len) in lens.iter().enumerate() {
            sent.push(long(at, *len));
            for topic in TOPICS {
                let accepted = world.push(0, Outgoing::new(topic, long(at, *len)), Some(at as u64 * 2 + u64::from(topic == "a")));
                prop_assert_eq!(accepted, Ok(()));
            }
            world.run(SECOND / 50);
        }
        // Publishes stay slow, or more frames overtake the last delayed one than a receiver holds.
        world.faults = Faults { publish: slow, ..Faults::default() };
        world.run(100 * SECOND);
        for topic in TOPICS {
            let heard = world.heard(1, topic);
            let numbers: Vec<usize> = heard.iter().map(|body| number(body)).collect();
            prop_assert_eq!(numbers, (0..sent.len()).collect::<Vec<_>>());
            prop_assert!(heard == sent, "a message has changed");
        }
        let (sender, receiver) = (&world.servers[0], &world.servers[1]);
        prop_assert!(sender.confirmed.len() == 2 * sent.len() && sender.confirmed.values().all(Result::is_ok));
        let (sender, receiver) = (sender.machine.stats(world.now), receiver.machine.stats(world.now));
        prop_assert_eq!((sender.accepted, sender.messages), (2 * sent.len() as u64, 2 * sent.len() as u64));
        prop_assert_eq!((receiver.reassembled, receiver.gaps, receiver.lost_partials), (sender.split, 0, 0));
    }

    #[test]
    fn a_lost_fragment_is_a_gap_and_never_half_a_message(
        seed in any::<u64>(),
        lose in 0.02..0.3,
    ) {
        let mut world = World::new(2, seed, SizeLimit::bytes(300), &TOPICS, fragmented);
        world.faults = Faults { lose, delay: SECOND / 10, publish: SECOND / 20, ..Faults::default() };
        let mut random = fastrand::Rng::with_seed(seed);
        for at in 0..30 {
            let message = Outgoing::new("a", long(at, random.usize(0..1_500)));
            prop_assert_eq!(world.push(0, message, None), Ok(()));
            world.run(Duration::from_millis(random.u64(0..300)));
        }
        world.run(1_000 * SECOND);
        let (mut next, mut gap) = (0, false);
        for item in &world.servers[1].received {
            match item {
                Item::Gap => gap = true,
                Item::Message(_, body) => {
                    let number = number(body);
                    prop_assert!(number == next || (gap && number > next), "{number} after {next}, {gap}");
                    (next, gap) = (number + 1, false);
                }
            }
        }
        prop_assert!(next == 30 || gap);
    }
}

#[test]
fn fragments_look_as_documented_and_fill_their_frames() {
    let mut world = World::new(2, 1, SizeLimit::bytes(200), &["t"], fragmented);
    let body = format!("\"{}\"", "x".repeat(300));
    world.push(0, Outgoing::new("t", body.clone()), None).expect("room");
    world.run(SECOND / 2);
    let frames = world.frames(0);
    assert_eq!(frames.len(), 3);
    let text = String::from_utf8_lossy(&frames[0]).into_owned();
    assert!(text.starts_with(r#"{"~":["1s0...1"],"t":[{"~":"1/3:\"xxx"#), "{text}");
    assert!(frames[..2].iter().all(|frame| (170..=200).contains(&frame.len())), "{frames:?}");
    assert_eq!(world.heard(1, "t"), [body]);
}

#[test]
fn a_message_that_looks_like_a_fragment_arrives_as_it_is_whether_fragmentation_is_on_or_off() {
    for on in [false, true] {
        for format in [Format::Nexus, Format::Compact] {
            let mut world = World::new(2, 1, SizeLimit::bytes(300), &["t"], |config| {
                fragmented(config);
                config.format = format;
                config.fragmentation = config.fragmentation.filter(|_| on);
            });
            let bodies = [r#"{"~":"2/5:half"}"#, r#"{"~":"no"}"#, r#"{"~":1}"#, r#"{ "~":"1/1:"}"#];
            for body in bodies {
                world.push(0, Outgoing::new("t", body), None).expect("room");
            }
            world.run(SECOND);
            assert_eq!(world.heard(1, "t"), bodies);
            assert_eq!(world.servers[1].machine.stats(world.now).reassembled, 0);
        }
    }
}

#[test]
fn a_message_that_looks_like_a_fragment_is_refused_as_too_large_where_its_wrapping_is_too_much() {
    for format in [Format::Nexus, Format::Compact, Format::CompactText] {
        let mut machine = machine(SizeLimit::bytes(1_024), |config| config.format = format);
        let limit = machine.limits().body.expect("a limit").max;
        let rest = "x".repeat(limit - 8);
        let body =
            if format == Format::Nexus { format!("{{\"~\":\"{rest}\"}}") } else { format!("~/{rest}123456") };
        let topic = "x".repeat(126);
        match machine.push(at(0), Outgoing::new(topic, body), None) {
            Err(Refusal::Body { size, limit }) => assert!(size > limit, "{size} of {limit}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn without_fragmentation_long_messages_are_refused_and_with_it_those_over_its_bound() {
    let push =
        |machine: &mut Machine, len: usize| machine.push(at(0), Outgoing::new("t", long(0, len)), None);
    let mut off = machine(SizeLimit::bytes(300), |config| config.max_topic_bytes = 20);
    assert!(matches!(push(&mut off, 400), Err(Refusal::Body { .. })));
    let mut on = machine(SizeLimit::bytes(300), fragmented);
    assert_eq!(push(&mut on, 400), Ok(()));
    assert!(matches!(push(&mut on, 20_000), Err(Refusal::Body { limit: 20_000, .. })));
    assert_eq!(on.limits().body, Some(SizeLimit::bytes(20_000)));
}

#[test]
fn the_queue_takes_all_fragments_of_a_message_or_none() {
    let mut machine = machine(SizeLimit::bytes(300), |config| {
        fragmented(config);
        config.max_queued_messages = 600;
        config.max_in_flight = 1;
    });
    let mut accepted = 0;
    loop {
        let before = machine.stats(at(0)).queued_messages;
        match machine.push(at(0), Outgoing::new("t", long(0, 5_000)), None) {
            Ok(()) => accepted += 1,
            Err(refusal) => {
                assert_eq!(refusal, Refusal::Full);
                assert_eq!(machine.stats(at(0)).queued_messages, before);
                break;
            }
        }
    }
    assert!(accepted > 1);
}

#[test]
fn a_drain_gives_back_whole_messages_in_their_order() {
    let mut machine = machine(SizeLimit::bytes(300), |config| {
        fragmented(config);
        config.max_in_flight = 1;
    });
    let bodies = ["1".to_owned(), long(2, 900), "3".to_owned(), long(4, 900)];
    for (at_, body) in bodies.iter().enumerate() {
        let message = Outgoing::new("t", body.clone()).with_conflation_key(format!("k{at_}"));
        machine.push(at(0), message, Some(at_ as u64)).expect("room");
    }
    // The first message and a fragment of the second are under way.
    assert_eq!(publishes(&drain_outputs(&mut machine, at(0))).len(), 1);
    machine.handle(at(0), Input::Drain);
    let mut outputs = drain_outputs(&mut machine, at(20_000));
    let Some(Output::Drained(rest)) = outputs.pop() else { panic!("drained: {outputs:?}") };
    let given: Vec<_> =
        rest.iter().map(|message| String::from_utf8_lossy(&message.body).into_owned()).collect();
    assert_eq!(given, bodies);
    assert!(rest.iter().all(|message| message.conflation_key.is_some()));
    let result = |id: u64| {
        let mut told = outputs.iter().filter_map(|output| match output {
            Output::Confirmed { ids, result } if ids.contains(&id) => Some(*result),
            _ => None,
        });
        let result = told.next();
        assert!(told.next().is_none(), "told twice");
        result.and_then(Result::err)
    };
    assert_eq!(
        [0, 1, 2, 3].map(result),
        [
            Some(ErrorKind::Unknown),
            Some(ErrorKind::Unknown),
            Some(ErrorKind::Closed),
            Some(ErrorKind::Closed)
        ]
    );
}

#[test]
fn a_message_of_which_one_fragment_is_refused_counts_and_is_told_as_refused() {
    let mut machine = machine(SizeLimit::bytes(300), fragmented);
    machine.push(at(0), Outgoing::new("t", long(0, 500)), Some(7)).expect("room");
    let (mut published, mut told) = (0, Vec::new());
    while let Some(output) = machine.poll(at(0)) {
        let Output::Publish { id, .. } = output else {
            told.push(output);
            continue;
        };
        published += 1;
        let result = if published == 2 { Err(ErrorKind::Denied) } else { Ok(()) };
        machine.handle(at(0), Input::Published { id, result });
    }
    assert!(published > 2);
    let confirmed = Output::Confirmed { ids: vec![7], result: Err(ErrorKind::Denied) };
    assert_eq!(told, [Output::Refused { messages: 1, kind: ErrorKind::Denied }, confirmed]);
    let stats = machine.stats(at(0));
    assert_eq!((stats.accepted, stats.messages, stats.refused), (1, 0, 1));
}

#[test]
fn a_keyed_message_in_fragments_stays_between_the_ones_before_and_after_it() {
    let mut world = World::new(2, 1, SizeLimit::bytes(300), &["t"], fragmented);
    for body in ["1".to_owned(), long(2, 500), "3".to_owned(), "4".to_owned()] {
        world.push(0, Outgoing::new("t", body).with_conflation_key("k"), None).expect("room");
    }
    world.run(SECOND);
    assert_eq!(world.heard(1, "t"), ["1".to_owned(), long(2, 500), "4".to_owned()]);
}

/// A receiver that is told fragments by a sender who does what it likes.
struct Victim {
    machine: Machine,
    sequence: u32,
}

impl Victim {
    fn new(change: impl FnOnce(&mut Fragmentation)) -> Self {
        let mut bounds = Fragmentation::new(100);
        bounds.max_partial_bytes = 2_000;
        change(&mut bounds);
        let mut machine = machine(SizeLimit::bytes(1_024), |config| config.fragmentation = Some(bounds));
        ["t", "u", "v"].into_iter().for_each(|topic| machine.handle(at(0), Input::Watch(topic.into())));
        Self { machine, sequence: 0 }
    }

    /// What a fragment of sender `a` leads to: messages, "gap", "malformed".
    fn hear(&mut self, millis: u64, topic: &str, message: &str) -> Vec<String> {
        self.sequence += 1;
        let sequence = char::from_digit(self.sequence, 36).expect("few frames");
        let frame = format!("{{\"~\":[\"1a...{sequence}\"],\"{topic}\":[{message}]}}");
        self.machine.handle(at(millis), Input::Received(frame.into()));
        self.outputs(millis)
    }

    fn outputs(&mut self, millis: u64) -> Vec<String> {
        let outputs = drain_outputs(&mut self.machine, at(millis)).into_iter();
        let shown = outputs.map(|output| match output {
            Output::Deliver { body, .. } => String::from_utf8_lossy(&body).into_owned(),
            Output::Gap => "gap".to_owned(),
            Output::Malformed(_) => "malformed".to_owned(),
            other => panic!("{other:?}"),
        });
        shown.collect()
    }
}

#[test]
fn fragments_out_of_place_make_no_message() {
    let mut victim = Victim::new(|_| ());
    assert!(
        victim.hear(0, "t", r#"{"~":"2/2:b"}"#).is_empty(),
        "a message of whose beginning nothing is known"
    );
    assert!(victim.hear(0, "t", r#"{"~":"1/3:a"}"#).is_empty());
    assert_eq!(victim.hear(0, "t", r#"{"~":"3/3:c"}"#), ["gap"], "the second is missing");
    assert!(victim.hear(0, "t", r#"{"~":"1/2:[1"}"#).is_empty());
    assert!(victim.hear(0, "u", r#"{"~":"1/2:[2"}"#).is_empty());
    assert_eq!(victim.hear(0, "t", r#"{"~":"2/2:]"}"#), ["[1]"]);
    assert_eq!(victim.hear(0, "u", r#"{"~":"2/3:]"}"#), ["gap"], "another count");
    assert_eq!(victim.machine.stats(at(0)).lost_partials, 2);
}

#[test]
fn halves_of_two_messages_make_no_message_when_what_was_between_them_is_lost() {
    let mut victim = Victim::new(|_| ());
    assert!(victim.hear(0, "t", r#"{"~":"1/2:[1"}"#).is_empty());
    victim.sequence += 2;
    assert!(victim.hear(0, "t", r#"{"~":"2/2:,2]"}"#).is_empty(), "it waits behind the hole");
    assert_eq!(victim.outputs(500), ["gap"]);
    assert_eq!(victim.machine.stats(at(500)).lost_partials, 1);
}

#[test]
fn what_is_no_fragment_though_it_begins_like_one_is_malformed() {
    let mut victim = Victim::new(|_| ());
    for bad in ["", "1", "1/2", "0/2:", "3/2:", "+1/2:", "1/:", "/2:", "99999999999/99999999999:", "1/2/3:"] {
        assert_eq!(victim.hear(0, "t", &format!("{{\"~\":\"{bad}\"}}")), ["malformed"], "{bad}");
    }
    assert_eq!(victim.hear(0, "t", r#"{"~":"1/1:x","more":1}"#), ["malformed"]);
    assert_eq!(victim.machine.stats(at(0)).malformed, 11);
}

#[test]
fn partial_messages_are_bounded_in_length_number_and_bytes() {
    let long = format!("{{\"~\":\"1/2:{}\"}}", "x".repeat(101));
    assert_eq!(Victim::new(|_| ()).hear(0, "t", &long), ["gap"]);
    let mut victim = Victim::new(|bounds| bounds.max_partial_messages = 2);
    let begin = r#"{"~":"1/2:x"}"#;
    assert!(victim.hear(0, "t", begin).is_empty() && victim.hear(0, "u", begin).is_empty());
    assert_eq!(victim.hear(0, "v", begin), ["gap"]);
    // A part that begins anew takes the place of what was there.
    assert!(victim.hear(0, "t", begin).is_empty());
    let mut victim = Victim::new(|bounds| bounds.max_partial_bytes = 400);
    assert!(victim.hear(0, "t", begin).is_empty());
    assert_eq!(victim.hear(0, "u", begin), ["gap"]);
}

#[test]
fn a_message_that_is_not_continued_expires_with_a_gap() {
    let mut victim = Victim::new(|bounds| bounds.timeout = 10 * SECOND);
    assert!(victim.hear(0, "t", r#"{"~":"1/3:a"}"#).is_empty());
    assert!(victim.hear(9_000, "t", r#"{"~":"2/3:b"}"#).is_empty());
    assert_eq!(victim.machine.next_wakeup(), Some(at(19_000)));
    assert!(victim.outputs(18_999).is_empty());
    assert_eq!(victim.outputs(19_000), ["gap"]);
    assert!(victim.hear(19_001, "t", r#"{"~":"3/3:c"}"#).is_empty());
}

#[test]
fn who_unsubscribes_in_the_middle_of_a_message_keeps_nothing_of_it() {
    let mut victim = Victim::new(|_| ());
    assert!(victim.hear(0, "t", r#"{"~":"1/2:a"}"#).is_empty());
    victim.machine.handle(at(0), Input::Unwatch("t".into()));
    victim.machine.handle(at(0), Input::Watch("t".into()));
    assert_eq!(victim.machine.next_wakeup(), None);
    assert!(victim.hear(0, "t", r#"{"~":"2/2:b"}"#).is_empty());
}

#[test]
fn a_receiver_without_fragmentation_is_told_of_a_gap() {
    let mut world = World::pair(&["t"]);
    world.handle(1, Input::Received(r#"{"~":["1a...1"],"t":[{"~":"1/2:a"},7]}"#.into()));
    world.settle();
    assert_eq!(world.servers[1].received, [Item::Gap, Item::Message("t".to_owned(), "7".to_owned())]);
}

#[test]
fn bounds_that_cannot_work_are_refused() {
    let error = |change: fn(&mut Config)| {
        let mut bus = BusLimits::default();
        bus.body = Some(SizeLimit::bytes(300));
        let mut config = Config::new("real");
        fragmented(&mut config);
        change(&mut config);
        Machine::new(config, &bus, at(0)).err()
    };
    assert!(error(|_| ()).is_none());
    let out_of_range = |error: Option<ConfigError>| match error {
        Some(ConfigError::OutOfRange { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(out_of_range(error(|config| config.max_queued_bytes = 70_000)), "max_message_bytes");
    assert_eq!(out_of_range(error(|config| config.max_queued_messages = 100)), "max_message_bytes");
    let small = |config: &mut Config| {
        config.fragmentation.insert(Fragmentation::default()).max_partial_bytes = 70_000;
    };
    assert_eq!(out_of_range(error(small)), "max_partial_bytes");
    assert!(matches!(error(|config| config.max_topic_bytes = 200), Some(ConfigError::BatchTooSmall { .. })));
}
