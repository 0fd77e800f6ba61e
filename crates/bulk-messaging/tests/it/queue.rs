//! The bounds of the queue.

use bulk_messaging::{Budget, Refusal};
use proptest::prelude::*;
use transport_traits::limits::SizeLimit;
use transport_traits::{Instant, Outgoing};

use crate::support::{drain_outputs, formats, machine};

proptest! {
    #[test]
    fn neither_bound_is_ever_passed_and_what_is_refused_changes_nothing(
        pushes in prop::collection::vec((prop::option::of(0u8..4), 0usize..400), 1..100),
        format in formats(),
    ) {
        let mut machine = machine(SizeLimit::bytes(1_024), |config| {
            config.budget = Budget::AtMost { publishes: 2, window: std::time::Duration::from_secs(60) };
            config.max_queued_messages = 10;
            config.max_queued_bytes = 2_000;
            config.format = format;
        });
        for (key, length) in pushes {
            let before = machine.stats(Instant::ZERO);
            let mut message = Outgoing::new("t", format!("\"{}\"", "x".repeat(length)));
            message.conflation_key = key.map(|key| key.to_string().into());
            let pushed = machine.push(Instant::ZERO, message, None);
            let after = machine.stats(Instant::ZERO);
            prop_assert!(after.queued_messages <= 10 && after.queued_bytes <= 2_000);
            match pushed {
                Ok(()) => prop_assert_eq!(after.accepted, before.accepted + 1),
                Err(Refusal::Full) => prop_assert_eq!(after, before),
                Err(other) => prop_assert!(false, "{:?}", other),
            }
        }
    }
}

#[test]
fn a_full_queue_takes_a_replacement_and_has_room_again_once_a_frame_is_sealed() {
    let mut machine = machine(SizeLimit::bytes(1_024), |config| {
        config.budget = Budget::Unlimited;
        config.max_queued_messages = 2;
    });
    let keyed = |body: &'static str| Outgoing::new("t", body).with_conflation_key("k");
    machine.push(Instant::ZERO, keyed("1"), None).expect("room");
    machine.push(Instant::ZERO, Outgoing::new("t", "2"), None).expect("room");
    assert_eq!(machine.push(Instant::ZERO, Outgoing::new("t", "3"), None), Err(Refusal::Full));
    assert_eq!(machine.push(Instant::ZERO, keyed("4"), None), Ok(()));
    drain_outputs(&mut machine, Instant::ZERO);
    assert_eq!(machine.push(Instant::ZERO, Outgoing::new("t", "3"), None), Ok(()));
}

#[test]
fn a_message_must_be_one_json_value_on_a_topic_that_is_not_reserved() {
    let mut machine = machine(SizeLimit::bytes(1_024), |_| ());
    for body in ["", " ", "1 2", "{", "\"", "[1,]", "nul", "\u{feff}1", "{\"a\":1}}", "\"\n\""] {
        let refused = machine.push(Instant::ZERO, Outgoing::new("t", body), None);
        assert_eq!(refused, Err(Refusal::NotJson), "{body:?}");
    }
    let not_utf8 = Outgoing::new("t", vec![b'"', 0xff, b'"']);
    assert_eq!(machine.push(Instant::ZERO, not_utf8, None), Err(Refusal::NotJson));
    assert_eq!(machine.push(Instant::ZERO, Outgoing::new("~", "1"), None), Err(Refusal::ReservedTopic));
    assert_eq!(machine.stats(Instant::ZERO).queued_messages, 0);
}

#[test]
fn white_space_around_a_value_is_dropped_and_kept_within() {
    let mut world = crate::support::World::pair(&["t"]);
    world.push(0, Outgoing::new("t", " \n{ \"a\" : [ 1 ] }\t"), None).expect("room");
    world.run(crate::support::SECOND);
    assert_eq!(world.heard(1, "t"), ["{ \"a\" : [ 1 ] }"]);
}
