//! Who goes first, and that nobody starves.

use bulk_messaging::Budget;
use transport_traits::Priority::{Background, Normal, Urgent};
use transport_traits::limits::SizeLimit;
use transport_traits::{Instant, Outgoing, Priority};

use crate::support::{drain_outputs, machine, parse, publishes};

/// A message so long that a frame holds one.
fn long(topic: &str, priority: Priority) -> Outgoing {
    Outgoing::new(topic, format!("\"{}\"", "x".repeat(200))).with_priority(priority)
}

/// The topic of each frame, all messages queued at once.
fn order(messages: impl IntoIterator<Item = (&'static str, Priority)>) -> Vec<String> {
    let mut machine = machine(SizeLimit::bytes(320), |config| {
        config.budget = Budget::Unlimited;
        config.max_in_flight = 64;
        config.max_topic_bytes = 30;
    });
    for (topic, priority) in messages {
        machine.push(Instant::ZERO, long(topic, priority), None).expect("room");
    }
    let frames = publishes(&drain_outputs(&mut machine, Instant::ZERO));
    let topic = |frame: &[u8]| parse(frame).keys().find(|topic| *topic != "~").cloned();
    frames.iter().filter_map(|(_, frame)| topic(frame)).collect()
}

#[test]
fn urgent_goes_before_normal_before_background() {
    let order = order([("background", Background), ("normal", Normal), ("urgent", Urgent)]);
    assert_eq!(order, ["urgent", "normal", "background"]);
}

#[test]
fn an_urgent_message_pulls_along_what_must_go_before_it() {
    let order = order([("other", Normal), ("mixed", Background), ("mixed", Urgent)]);
    assert_eq!(order, ["mixed", "mixed", "other"]);
}

#[test]
fn background_leaves_with_the_fourth_frame_however_much_is_urgent() {
    let urgent = std::iter::repeat_n(("urgent", Urgent), 20);
    let order = order([("background", Background)].into_iter().chain(urgent));
    assert_eq!(order.iter().position(|topic| topic == "background"), Some(3));
}

#[test]
fn within_a_frame_the_oldest_of_equal_urgency_comes_first() {
    let order = order([("c", Normal), ("a", Normal), ("b", Normal)]);
    assert_eq!(order, ["c", "a", "b"]);
}
