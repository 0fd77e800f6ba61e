//! The bounds of the queue.

use bulk_messaging::machine::Machine;
use bulk_messaging::{Budget, Config, Refusal};
use proptest::prelude::*;
use transport_traits::limits::{Counting, SizeLimit};
use transport_traits::{BusLimits, Instant, Outgoing};

use crate::support::{at, drain_outputs, formats, machine};

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
fn what_the_queue_can_never_hold_is_too_large_and_not_a_matter_of_waiting() {
    let too_large =
        |machine: &mut Machine, body: String| match machine.push(at(0), Outgoing::new("t", body), None) {
            Err(Refusal::Body { size, limit }) => assert!(size > limit, "{size} of {limit}"),
            other => panic!("{other:?}"),
        };
    let chars = SizeLimit { max: 1_024, counting: Counting::Chars };
    let mut machine = machine(chars, |config| config.max_queued_bytes = 1_024);
    too_large(&mut machine, format!("\"{}\"", "語".repeat(500)));
    let text = "語\n".repeat(250);
    let escaped = machine.push_text(at(0), "t".into(), &text, None);
    assert_eq!(escaped, Err(Refusal::Body { size: 1_252, limit: 1_024 }));
    let mut bus = BusLimits::default();
    bus.body = Some(SizeLimit::bytes(16 << 20));
    let mut strict =
        Machine::new(Config::strict_nexus("real"), &bus, at(0)).expect("a fitting configuration");
    too_large(&mut strict, format!("\"{}\"", "x".repeat(5 << 20)));
    let fits = format!("\"{}\"", "x".repeat(3 << 20));
    assert_eq!(strict.push(at(0), Outgoing::new("t", fits), None), Ok(()));
}

#[test]
fn a_body_far_over_the_limit_is_refused_with_its_exact_size() {
    let mut machine = machine(SizeLimit::bytes(1_024), |config| config.fragmentation = None);
    let body = format!("\"{}\"", "\\n".repeat(50_000));
    let text = "\n".repeat(50_000);
    let as_bytes = machine.push(at(0), Outgoing::new("t", body.clone()), None);
    assert_eq!(machine.push_text(at(0), "t".into(), &text, None), as_bytes);
    assert!(matches!(as_bytes, Err(Refusal::Body { size, .. }) if size == body.len()), "{as_bytes:?}");
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
