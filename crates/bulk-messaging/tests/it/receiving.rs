//! Sequences at the receiver: holes, doubles, beginnings, bounds.

use bulk_messaging::Config;
use bulk_messaging::machine::{Input, Machine, Output};
use bytes::Bytes;
use transport_traits::limits::SizeLimit;

use crate::support::{at, drain_outputs, machine};

fn receiver(change: impl FnOnce(&mut Config)) -> Machine {
    let mut machine = machine(SizeLimit::bytes(1_024), change);
    machine.handle(at(0), Input::Watch("t".into()));
    machine
}

/// A frame that says its own header.
fn frame(header: &str) -> Bytes {
    format!("{{\"~\":[\"{header}\"],\"t\":[\"{header}\"]}}").into()
}

/// Receives frames with these headers at these times, polling at each and at the end. Returns what was delivered: the
/// headers, and "gap".
fn hear(machine: &mut Machine, script: &[(u64, &str)], end: u64) -> Vec<String> {
    let mut heard = Vec::new();
    for &(millis, header) in script {
        wake_until(machine, at(millis), &mut heard);
        machine.handle(at(millis), Input::Received(frame(header)));
        collect(drain_outputs(machine, at(millis)), &mut heard);
    }
    wake_until(machine, at(end), &mut heard);
    heard
}

fn wake_until(machine: &mut Machine, end: transport_traits::Instant, heard: &mut Vec<String>) {
    while let Some(wakeup) = machine.next_wakeup().filter(|wakeup| *wakeup <= end) {
        collect(drain_outputs(machine, wakeup), heard);
    }
}

fn collect(outputs: Vec<Output>, heard: &mut Vec<String>) {
    heard.extend(outputs.into_iter().filter_map(|output| match output {
        Output::Deliver { body, .. } => Some(String::from_utf8_lossy(&body).replace('"', "")),
        Output::Gap => Some("gap".to_owned()),
        _ => None,
    }));
}

fn check(script: &[(u64, &str)], end: u64, expect: &[&str]) {
    assert_eq!(hear(&mut receiver(|_| ()), script, end), expect, "{script:?}");
}

#[test]
fn frames_are_delivered_in_sequence_whatever_order_they_come_in() {
    check(&[(0, "1a...1"), (0, "1a...3"), (10, "1a...2")], 10, &["1a...1", "1a...2", "1a...3"]);
    check(&[(0, "1a...3"), (0, "1a...2"), (10, "1a...1")], 10, &["1a...1", "1a...2", "1a...3"]);
}

#[test]
fn doubles_are_dropped() {
    check(
        &[(0, "1a...1"), (0, "1a...1"), (1, "1a...3"), (2, "1a...3"), (3, "1a...2")],
        3,
        &["1a...1", "1a...2", "1a...3"],
    );
}

#[test]
fn a_hole_is_a_gap_after_half_a_second_and_its_late_frame_is_dropped() {
    let script = [(0, "1a...1"), (100, "1a...3"), (200, "1a...4")];
    check(&script, 599, &["1a...1"]);
    check(&script, 600, &["1a...1", "gap", "1a...3", "1a...4"]);
    check(&[(0, "1a...1"), (100, "1a...3"), (700, "1a...2")], 700, &["1a...1", "gap", "1a...3"]);
}

#[test]
fn no_frame_is_held_longer_than_that_however_many_holes_there_are() {
    let script = [(0, "1a...1"), (100, "1a...7"), (200, "1a...3"), (300, "1a...5")];
    check(&script, 600, &["1a...1", "gap", "1a...3", "gap", "1a...5", "gap", "1a...7"]);
}

#[test]
fn a_hole_that_the_sender_may_still_fill_is_waited_for() {
    // Frame 2 was sealed while 1 was under way, and says so.
    let script = [(0, "1a...2.1"), (14_000, "1a...1")];
    check(&script, 14_000, &["1a...1", "1a...2.1"]);
    check(&script[..1], 15_000, &["gap", "1a...2.1"]);
    // Frame 3 tells that 1 was settled: half a second from then on.
    check(&[(0, "1a...2.1"), (5_000, "1a...3")], 5_499, &[]);
    check(&[(0, "1a...2.1"), (5_000, "1a...3")], 5_500, &["gap", "1a...2.1", "1a...3"]);
}

#[test]
fn the_settled_part_of_a_hole_is_given_up_and_the_pending_part_is_not() {
    // 1 and 2 are settled and missing, 3 and 4 may still come.
    let script = [(0, "1a...5.2"), (10_000, "1a...3"), (10_000, "1a...4.1")];
    check(&script, 10_000, &["gap", "1a...3", "1a...4.1", "1a...5.2"]);
}

#[test]
fn a_beginning_far_from_1_is_a_gap_at_once_and_one_near_it_may_be_reordered() {
    check(&[(0, "1a...zz")], 0, &["gap", "1a...zz"]);
    check(&[(0, "1a...zz+")], 0, &["gap"]);
    check(&[(0, "1a...2")], 500, &["gap", "1a...2"]);
    check(&[(0, "1a...2+")], 500, &["gap"]);
}

#[test]
fn a_head_tells_of_what_is_missing_before_it_and_is_no_frame_itself() {
    check(&[(0, "1a...1"), (10, "1a...1+"), (20, "1a...2")], 1_000, &["1a...1", "1a...2"]);
    check(&[(0, "1a...1"), (10, "1a...3+"), (20, "1a...4")], 510, &["1a...1", "gap", "1a...4"]);
    check(
        &[(0, "1a...1"), (10, "1a...3+"), (20, "1a...2"), (30, "1a...3")],
        1_000,
        &["1a...1", "1a...2", "1a...3"],
    );
}

#[test]
fn senders_incarnations_and_lanes_have_sequences_of_their_own() {
    let script = [(0, "1a...1"), (0, "1b...1"), (0, "1a.1..1"), (0, "1a..1.1"), (0, "1a...2")];
    check(&script, 10_000, &["1a...1", "1b...1", "1a.1..1", "1a..1.1", "1a...2"]);
}

#[test]
fn frames_without_a_header_are_delivered_as_they_come() {
    let mut machine = receiver(|_| ());
    for _ in 0..2 {
        machine
            .handle(at(0), Input::Received(Bytes::from_static(b" { \"t\" : [ 1 , \"x\" ] , \"u\" : [2] }")));
    }
    let mut heard = Vec::new();
    collect(drain_outputs(&mut machine, at(0)), &mut heard);
    assert_eq!(heard, ["1", "x", "1", "x"]);
    assert_eq!(machine.stats(at(0)).foreign_frames, 2);
}

#[test]
fn a_gap_of_the_bus_is_a_gap() {
    let mut machine = receiver(|_| ());
    machine.handle(at(0), Input::TransportGap);
    machine.handle(at(0), Input::TransportGap);
    assert_eq!(drain_outputs(&mut machine, at(0)), [Output::Gap], "gaps in a row are one");
}

#[test]
fn what_is_held_behind_a_hole_is_bounded_in_frames_and_bytes() {
    for by_bytes in [false, true] {
        let mut machine = receiver(|config| {
            if by_bytes {
                config.max_held_bytes = 1_000;
            } else {
                config.max_held_frames = 3;
            }
        });
        let headers: Vec<String> =
            (2..=30).map(|number| format!("1a...{}", char::from_digit(number, 36).unwrap_or('z'))).collect();
        let script: Vec<_> = headers.iter().map(|header| (0, header.as_str())).collect();
        let heard = hear(&mut machine, &script, 0);
        assert_eq!(heard[..2], ["gap", "1a...2"]);
        assert_eq!(heard.len(), 30);
        assert_eq!(machine.stats(at(0)).held_frames, 0);
    }
}

#[test]
fn what_is_held_of_all_senders_together_is_bounded_in_bytes() {
    let mut machine = receiver(|config| config.max_held_bytes = 2_000);
    let headers: Vec<String> = (b'a'..=b'z').map(|sender| format!("1{}...2", char::from(sender))).collect();
    for header in &headers {
        hear(&mut machine, &[(0, header)], 0);
    }
    let held = machine.stats(at(0)).held_frames;
    assert!((2..20).contains(&held), "{held}");
}

#[test]
fn every_lane_of_as_many_senders_as_configured_is_followed() {
    let mut machine = receiver(|config| (config.max_senders, config.lanes) = (3, 20));
    let lanes = || (b'a'..=b't').map(char::from);
    for sequence in 1..4 {
        for (sender, lane) in (0..3).flat_map(|sender| lanes().map(move |lane| (sender, lane))) {
            let header = format!("1s{sender}..{lane}.{sequence}");
            assert_eq!(hear(&mut machine, &[(0, &header)], 0), [header.as_str()]);
        }
    }
    assert_eq!((machine.stats(at(0)).streams, machine.stats(at(0)).gaps), (60, 0));
}

#[test]
fn the_sender_not_heard_for_longest_is_forgotten_and_what_it_held_is_delivered() {
    let mut machine = receiver(|config| config.max_senders = 2);
    let script = [(0, "1a...1"), (1, "1b...2"), (2, "1a...2"), (3, "1c...1")];
    assert_eq!(hear(&mut machine, &script, 3), ["1a...1", "1a...2", "gap", "1b...2", "1c...1"]);
    assert_eq!(machine.stats(at(3)).streams, 2);
}

#[test]
fn only_watched_topics_are_delivered() {
    let mut machine = receiver(|_| ());
    machine.handle(at(0), Input::Watch("t".into()));
    machine.handle(at(0), Input::Unwatch("t".into()));
    assert_eq!(hear(&mut machine, &[(0, "1a...1")], 0), ["1a...1"]);
    machine.handle(at(0), Input::Unwatch("t".into()));
    machine.handle(at(0), Input::Unwatch("never".into()));
    assert!(hear(&mut machine, &[(0, "1a...2")], 0).is_empty());
}
