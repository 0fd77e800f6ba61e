//! Frames: never over the limit, and as full as the messages allow.

use bulk_messaging::wire::Frame;
use bulk_messaging::{Budget, Config, Refusal};
use proptest::prelude::*;
use transport_traits::Outgoing;
use transport_traits::limits::SizeLimit;

use crate::support::{COUNTINGS, SECOND, World, header, parse};

fn no_budget(config: &mut Config) {
    config.budget = Budget::Unlimited;
}

/// JSON strings of every kind of character that counts differently.
fn text() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec!["a", "\"", "\\", "\n", "\u{1}", "ß", "語", "😀", "/", "{\"k\":1}"]);
    prop::collection::vec(parts, 0..120).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// weakness 12 (unchecked-length)
    #[test]
    fn no_frame_is_over_the_limit_and_every_message_arrives_unchanged(
        texts in prop::collection::vec((0usize..4, text()), 1..60),
        counting in prop::sample::select(COUNTINGS.to_vec()),
        max in 400usize..2_000,
    ) {
        let topics = ["plain", "q\"uote", "语", "n\nl"];
        let limit = SizeLimit { max, counting };
        let mut world = World::new(2, 7, limit, &topics, |config| {
            no_budget(config);
            config.max_topic_bytes = 30;
        });
        let mut accepted = vec![Vec::new(); topics.len()];
        for (topic, text) in &texts {
            let body = serde_json::to_string(text).expect("a string");
            match world.push(0, Outgoing::new(topics[*topic], body.clone()), None) {
                Ok(()) => accepted[*topic].push(body),
                Err(Refusal::Body { size, limit }) => prop_assert!(size > limit),
                Err(other) => prop_assert!(false, "{other:?}"),
            }
        }
        world.run(10 * SECOND);
        for (topic, bodies) in topics.iter().zip(&accepted) {
            prop_assert_eq!(&world.heard(1, topic), bodies);
        }
        let frames = world.frames(0);
        let stats = world.servers[0].machine.stats(world.now);
        let counted: usize = frames.iter().map(|frame| counting.measure(frame)).sum();
        prop_assert_eq!(stats.frame_bytes, counted as u64);
    }

    #[test]
    fn what_the_limits_promise_fits_under_any_topic_they_allow(
        counting in prop::sample::select(COUNTINGS.to_vec()),
        unit in prop::sample::select(vec!["\"", "\\", "a", "\u{1}", "語"]),
        max in 400usize..2_000,
    ) {
        let mut world = World::new(1, 7, SizeLimit { max, counting }, &[], no_budget);
        let limits = world.servers[0].machine.limits().clone();
        let (body_limit, topic_limit) = (limits.body.expect("a limit"), limits.topic.expect("a limit"));
        let mut topic = String::new();
        while topic_limit.check("topic", (topic.clone() + unit).as_bytes()).is_ok() {
            topic.push_str(unit);
        }
        let mut body = String::from("\"\"");
        while body_limit.check("body", format!("\"a{}", &body[1..]).as_bytes()).is_ok() {
            body.insert(1, 'a');
        }
        prop_assert_eq!(world.push(0, Outgoing::new(topic.as_str(), body), None), Ok(()));
        topic.push_str(unit);
        let refused = world.push(0, Outgoing::new(topic.as_str(), "1"), None);
        prop_assert!(matches!(refused, Err(Refusal::Topic { .. })), "{:?}", refused);
    }
}

#[test]
fn a_message_that_fits_exactly_is_sent_and_one_byte_more_is_refused() {
    for counting in COUNTINGS {
        let mut world = World::new(1, 7, SizeLimit { max: 1_024, counting }, &["t"], no_budget);
        let body = |len: usize| Outgoing::new("t", format!("\"{}\"", "x".repeat(len)));
        let fits =
            (0..1_024).rev().find(|&len| world.push(0, body(len), None).is_ok()).expect("something fits");
        assert!(fits > 900);
        assert!(matches!(
            world.push(0, body(fits + 1), None),
            Err(Refusal::Body { size, limit }) if size == limit + 1
        ));
        world.run(SECOND);
        assert_eq!(world.frames(0).len(), 1);
    }
}

#[test]
fn a_frame_is_the_original_shape_with_one_more_topic() {
    let mut world = World::pair(&["a", "b"]);
    for number in 0..3 {
        world.say(0, "a", number);
        world.say(0, "b\"", number);
    }
    world.run(SECOND / 2);
    let [frame] = &world.frames(0)[..] else { panic!("one frame") };
    assert_eq!(&frame[..], br#"{"~":["1s0...1"],"a":[0,1,2],"b\"":[0,1,2]}"#);
}

/// Publishes strings of random lengths in this range over so many topics, and returns the fill of the frames.
fn fill(lengths: std::ops::Range<usize>, topics: usize) -> f64 {
    let names: Vec<String> = (0..topics).map(|topic| format!("topic{topic}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut world = World::new(1, 7, SizeLimit::bytes(1_024), &names, no_budget);
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..4_000 {
        let body = format!("\"{}\"", "x".repeat(random.usize(lengths.clone())));
        let topic = names[random.usize(..topics)];
        world.push(0, Outgoing::new(topic, body), None).expect("room in the queue");
    }
    world.run(10 * SECOND);
    let stats = world.servers[0].machine.stats(world.now);
    assert_eq!(stats.messages, 4_000);
    stats.frame_bytes as f64 / (stats.frames * stats.frame_limit) as f64
}

/// weakness 18 (poor-packing)
#[test]
fn frames_are_full_where_messages_are_short() {
    let fill = fill(10..50, 1);
    assert!(fill >= 0.975, "{fill}");
}

#[test]
fn frames_are_as_full_as_order_allows_on_one_topic() {
    let fill = fill(50..200, 1);
    assert!(fill >= 0.92, "{fill}");
}

#[test]
fn frames_are_filled_from_many_topics_where_messages_are_long() {
    let fill = fill(200..700, 16);
    assert!(fill >= 0.90, "{fill}");
}

#[test]
fn a_frame_is_full_and_holds_the_oldest_first_however_many_topics_there_are() {
    let names: Vec<String> = (0..200).map(|topic| format!("t{topic}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut world = World::new(1, 1, SizeLimit::bytes(1_024), &names, no_budget);
    // The first topics have a second message each, which is younger than all the first ones.
    for number in (0..200).chain(0..40) {
        world.say(0, names[number], number);
    }
    world.run(SECOND);
    let frame = Frame::decode(world.frames(0)[0].clone()).expect("a frame of ours");
    let topics: Vec<&str> = frame.messages().map(|(topic, _)| topic).collect();
    let stats = world.servers[0].machine.stats(world.now);
    assert!(topics.len() >= 80 && world.frames(0)[0].len() >= 1_010, "{topics:?}");
    // The last two are the ones that fit best.
    assert_eq!(topics[..topics.len() - 2], names[..topics.len() - 2]);
    assert_eq!(stats.messages, 240);
}

#[test]
fn header_numbers_count_up_from_one_in_base_36() {
    let mut world = World::pair(&["t"]);
    for _ in 0..36 {
        world.say(0, "t", 0);
        world.run(SECOND / 10);
    }
    let frames = world.frames(0);
    assert_eq!(header(&frames[0]), "1s0...1");
    assert_eq!(header(&frames[9]), "1s0...a");
    assert_eq!(header(&frames[35]), "1s0...10");
    assert_eq!(parse(&frames[35]).len(), 2);
}
