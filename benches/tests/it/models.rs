//! The models do what they are models of.

use std::collections::BTreeMap;

use benches::Packer;
use benches::models::{Bare, Copy, Original};
use benches::tally::{self, Tally};
use benches::workloads::{Message, player_sets, strings, text_bytes};
use transport_traits::limits::SizeLimit;

const REQUEST: SizeLimit = SizeLimit::bytes(1_024);

fn messages(topic: &str, texts: &[&str]) -> Vec<Message> {
    texts.iter().map(|&text| Message { topic: topic.into(), text: text.into() }).collect()
}

fn frames(packer: &mut impl Packer, messages: &[Message]) -> Vec<String> {
    let frames = tally::frames(packer, messages);
    frames.iter().map(|frame| String::from_utf8(frame.to_vec()).expect("frames are text")).collect()
}

fn original(messages: &[Message]) -> Tally {
    Tally::of(&mut Original::new(Original::LIMIT), messages, REQUEST)
}

#[track_caller]
fn about(measured: f64, recorded: f64, tolerance: f64) {
    assert!((measured - recorded).abs() <= tolerance, "{measured} instead of {recorded}");
}

#[test]
fn the_original_fills_as_little_as_it_was_measured_to() {
    about(original(&strings(1, 4_000, 10..=50, 1)).fill(1_024), 0.72, 0.01);
    about(original(&strings(1, 4_000, 50..=200, 1)).fill(1_024), 0.70, 0.01);
    about(original(&strings(1, 4_000, 200..=700, 16)).fill(1_024), 0.56, 0.01);
}

#[test]
fn the_original_carries_as_few_messages_a_request_as_it_was_measured_to() {
    about(original(&strings(1, 4_000, 200..=700, 16)).per_frame(), 1.23, 0.02);
    let sets = original(&player_sets(1, 4_000));
    about(sets.per_frame(), 3.44, 0.05);
    about(sets.fill(1_024), 0.54, 0.01);
}

#[test]
fn the_original_cuts_where_its_frame_encoded_again_exceeds_the_limit() {
    let twenty = "m".repeat(20);
    let sizes: Vec<_> = frames(&mut Original::new(800), &messages("T", &[&*twenty; 60]))
        .iter()
        .map(|frame| frame.len())
        .collect();
    assert_eq!(sizes, [720, 674]);
}

#[test]
fn the_original_sends_a_message_that_is_too_long_alone() {
    let long = "x".repeat(900);
    let sent = frames(&mut Original::new(800), &messages("T", &["a", "b", &long, "c"]));
    let expected =
        [r#"{"T":["a","b"]}"#.to_owned(), format!(r#"{{"T":["{long}"]}}"#), r#"{"T":["c"]}"#.to_owned()];
    assert_eq!(sent, expected);
}

#[test]
fn the_bare_packer_loses_nothing_keeps_the_order_and_the_limit() {
    for sent in [player_sets(2, 500), strings(2, 500, 10..=50, 3), strings(2, 500, 200..=700, 2)] {
        let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for message in &sent {
            expected.entry(message.topic.to_string()).or_default().push(message.text.clone());
        }
        let mut arrived: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for frame in frames(&mut Bare::new(1_024), &sent) {
            assert!(frame.len() <= 1_024, "{frame}");
            read_into(&frame, &mut arrived);
        }
        assert_eq!(arrived, expected);
    }
}

/// Reads a frame in which a topic may come more than once.
fn read_into(frame: &str, arrived: &mut BTreeMap<String, Vec<String>>) {
    let inner = frame.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).expect("an object");
    let parts = inner.split("],\"").map(|part| part.trim_start_matches('"').trim_end_matches(']'));
    for part in parts {
        let (topic, texts) = part.split_once("\":[").expect("a member");
        let texts: Vec<String> = serde_json::from_str(&format!("[{texts}]")).expect("an array of strings");
        arrived.entry(topic.to_owned()).or_default().extend(texts);
    }
}

#[test]
fn the_copy_holds_every_byte_once() {
    let sent = player_sets(3, 500);
    let copied = Tally::of(&mut Copy::new(1_024), &sent, REQUEST);
    assert_eq!(copied.size, text_bytes(&sent));
    assert!(copied.largest <= 1_024);
}
