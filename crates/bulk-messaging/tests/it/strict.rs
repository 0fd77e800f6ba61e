//! The strict profile: the original's frames and times.

use bulk_messaging::machine::{Input, Machine, Output};
use bulk_messaging::{Config, ConfigError, Refusal};
use transport_traits::limits::{SizeLimit, json_encoded_len};
use transport_traits::{BusLimits, ErrorKind, Instant, Outgoing, Priority};

use crate::support::{at, drain_outputs, publishes};

fn strict(body: Option<SizeLimit>) -> Machine {
    let mut bus = BusLimits::default();
    bus.body = body;
    Machine::new(Config::strict_nexus("real"), &bus, at(0)).expect("a fitting configuration")
}

/// What to do at which millisecond.
enum Step<'a> {
    Push(u64, &'a str),
    Flush(u64),
    Poll(u64),
}

use Step::{Flush, Poll, Push};

/// The frames that leave, with the millisecond; every publish succeeds at once.
fn frames(machine: &mut Machine, script: &[Step<'_>]) -> Vec<(u64, String)> {
    let mut frames = Vec::new();
    for step in script {
        let (Push(millis, _) | Flush(millis) | Poll(millis)) = *step;
        match *step {
            Push(_, body) => {
                machine.push(at(millis), Outgoing::new("T", body.to_owned()), None).expect("room")
            }
            Flush(_) => machine.handle(at(millis), Input::Flush(1)),
            Poll(_) => {}
        }
        let is_call_in_a_row = matches!(step, Push(..));
        if !is_call_in_a_row {
            frames.extend(publish_all(machine, at(millis), Ok(())));
        }
    }
    frames
}

fn publish_all(machine: &mut Machine, now: Instant, result: Result<(), ErrorKind>) -> Vec<(u64, String)> {
    let mut frames = Vec::new();
    while let Some(output) = machine.poll(now) {
        if let Output::Publish { id, body, .. } = output {
            frames.push((now.as_micros() / 1_000, String::from_utf8(body.to_vec()).expect("text")));
            machine.handle(now, Input::Published { id, result });
        }
    }
    frames
}

fn check(script: &[Step<'_>], expect: &[(u64, &str)]) {
    let found = frames(&mut strict(None), script);
    let found: Vec<_> = found.iter().map(|(millis, frame)| (*millis, frame.as_str())).collect();
    assert_eq!(found, expect);
}

#[test]
fn a_frame_leaves_at_the_full_seconds_since_the_start_and_has_no_header() {
    check(&[Push(500, "1"), Poll(999), Poll(1_000)], &[(1_000, r#"{"T":[1]}"#)]);
    check(&[Push(1_000, "1"), Push(1_000, "2"), Poll(1_000)], &[(1_000, r#"{"T":[1,2]}"#)]);
    check(&[Poll(1_000), Push(1_001, "1"), Poll(1_999)], &[]);
    let mut machine = strict(None);
    machine.push(at(2_500), Outgoing::new("T", "1"), None).expect("room");
    assert_eq!(machine.next_wakeup(), Some(at(3_000)));
    publish_all(&mut machine, at(3_000), Ok(()));
    assert_eq!(machine.next_wakeup(), None, "an empty buffer wakes nobody, and no head is repeated");
}

#[test]
fn a_late_driver_does_not_mix_what_came_after_the_tick_into_its_frame() {
    let script = [Push(500, "1"), Push(1_001, "2"), Poll(1_001), Poll(2_000)];
    check(&script, &[(1_001, r#"{"T":[1]}"#), (2_000, r#"{"T":[2]}"#)]);
}

#[test]
fn a_flush_sends_what_is_there_and_an_empty_one_nothing() {
    check(&[Push(500, "1"), Flush(500), Flush(500), Poll(1_000)], &[(500, r#"{"T":[1]}"#)]);
}

#[test]
fn a_message_that_would_bring_the_frame_over_800_bytes_flushes_it_first() {
    // As the originals count: `{"T":["…"]}` JSON-encoded once more is 16 bytes and the text; another one is 5 more.
    let text = |len: usize| format!("\"{}\"", "m".repeat(len));
    for (len, together) in [(390, true), (391, false)] {
        let (one, other) = (text(389), text(len));
        let script = [Push(500, &one), Push(500, &other), Poll(500), Poll(1_000)];
        let found = frames(&mut strict(None), &script);
        let sizes: Vec<_> =
            found.iter().map(|(at, frame)| (*at, json_encoded_len(frame.as_bytes()))).collect();
        let apart = [(500, 405), (1_000, 407)];
        assert_eq!(sizes, if together { vec![(1_000, 800)] } else { apart.to_vec() }, "{len}");
    }
}

#[test]
fn a_message_that_is_too_long_by_itself_goes_out_alone() {
    let long = format!("\"{}\"", "x".repeat(1_000));
    let script = [Push(500, "1"), Push(500, &long), Push(500, "2"), Poll(500), Poll(1_000)];
    let frame = format!("{{\"T\":[{long}]}}");
    check(&script, &[(500, r#"{"T":[1]}"#), (500, &frame), (1_000, r#"{"T":[2]}"#)]);
}

#[test]
fn what_the_bus_itself_cannot_take_is_refused_however_it_counts() {
    for (limit, fits) in [(SizeLimit::json_encoded(1_024), 1_008), (SizeLimit::bytes(1_024), 1_014)] {
        let mut machine = strict(Some(limit));
        let body = |len: usize| Outgoing::new("T", format!("\"{}\"", "x".repeat(len)));
        assert_eq!(machine.push(at(0), body(fits), None), Ok(()));
        assert!(matches!(machine.push(at(0), body(fits + 1), None), Err(Refusal::Body { .. })));
        let frames = publish_all(&mut machine, at(1_000), Ok(()));
        assert_eq!(limit.counting.measure(frames[0].1.as_bytes()), 1_024);
    }
}

#[test]
fn all_topics_share_a_frame_and_priorities_and_keys_change_nothing() {
    let mut machine = strict(None);
    for (topic, number, priority) in
        [("a", 1, Priority::Background), ("b", 2, Priority::Urgent), ("a", 3, Priority::Normal)]
    {
        let message =
            Outgoing::new(topic, number.to_string()).with_priority(priority).with_conflation_key("k");
        machine.push(at(500), message, None).expect("room");
    }
    assert!(drain_outputs(&mut machine, at(500)).is_empty());
    assert_eq!(publish_all(&mut machine, at(1_000), Ok(())), [(1_000, r#"{"a":[1,3],"b":[2]}"#.to_owned())]);
    assert_eq!(machine.stats(at(1_000)).conflated, 0);
}

#[test]
fn a_failed_publish_is_not_repeated_and_its_messages_are_counted_as_refused() {
    let mut machine = strict(None);
    machine.push(at(500), Outgoing::new("T", "1"), Some(7)).expect("room");
    let (id, _) = publishes(&drain_outputs(&mut machine, at(1_000)))[0].clone();
    machine.handle(at(1_000), Input::Published { id, result: Err(ErrorKind::Unavailable) });
    let told = drain_outputs(&mut machine, at(1_000));
    let confirmed = Output::Confirmed { ids: vec![7], result: Err(ErrorKind::Unavailable) };
    assert_eq!(told, [Output::Refused { messages: 1, kind: ErrorKind::Unavailable }, confirmed]);
    assert!(publish_all(&mut machine, at(60_000), Ok(())).is_empty());
    assert_eq!(machine.stats(at(60_000)).refused, 1);
}

#[test]
fn a_drain_sends_the_buffer_at_once() {
    let mut machine = strict(None);
    machine.push(at(500), Outgoing::new("T", "1"), None).expect("room");
    machine.handle(at(500), Input::Drain);
    assert_eq!(publish_all(&mut machine, at(500), Ok(())).len(), 1);
}

#[test]
fn what_the_original_does_not_have_is_refused() {
    let mut config = Config::strict_nexus("real");
    config.lanes = 2;
    let error = Machine::new(config, &BusLimits::default(), at(0)).expect_err("one topic");
    assert!(matches!(error, ConfigError::NotStrict("lanes")));
}
