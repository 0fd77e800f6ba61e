//! Frames that nobody should send.

use bulk_messaging::WireError;
use bulk_messaging::machine::{Input, Machine, Output};
use bytes::Bytes;
use proptest::prelude::*;
use transport_traits::limits::SizeLimit;

use crate::support::{at, drain_outputs, machine};

fn receiver() -> Machine {
    let mut machine = machine(SizeLimit::bytes(1_024), |_| ());
    machine.handle(at(0), Input::Watch("t".into()));
    machine
}

fn receive(frame: impl Into<Bytes>) -> Vec<Output> {
    let mut machine = receiver();
    machine.handle(at(0), Input::Received(frame.into()));
    drain_outputs(&mut machine, at(0))
}

#[test]
fn what_is_not_a_frame_is_dropped_and_counted() {
    let deep = "[".repeat(100_000);
    let frames = [
        "",
        " ",
        "null",
        "1",
        "[]",
        "\"t\"",
        "{",
        "{}x",
        "{\"t\":1}",
        "{\"t\":{}}",
        "{\"t\":[1}",
        "{\"t\":[1,]}",
        "{\"t\":\"x\"}",
        "{\"t\":null}",
        "{t:[1]}",
        "{\"t\":[1]",
        "{\"t\":[01]}",
        deep.as_str(),
    ];
    for frame in frames {
        assert_eq!(receive(frame.to_owned()), [Output::Malformed(WireError::NotAFrame)], "{frame:.40}");
    }
    assert_eq!(receive(vec![0xff, 0xfe, 0x00]), [Output::Malformed(WireError::NotAFrame)]);
    assert_eq!(receive(b"{\"t\":[\"\xff\"]}".to_vec()), [Output::Malformed(WireError::NotAFrame)]);
}

#[test]
fn a_header_that_breaks_the_rules_condemns_its_frame() {
    let headers = [
        "",
        "1",
        "1a",
        "1a..",
        "1a...",
        "1a...0",
        "1a...01",
        "1a...A",
        "1a...+",
        "1a...1++",
        "1a...+1",
        "1a...1.",
        "1a...1.0",
        "1a...1.1",
        "1a...5.5",
        "1a...5.1.1",
        "1a...5.1+",
        "1...1",
        "1a b...1",
        "1ä...1",
        "1a..1ekg.1",
        "1a...2gosa7pa2gw",
        "1a...zzzzzzzzzzzz",
        "1a.-1..1",
        "1a.. .1",
        "+",
        "\\u0031a...1",
    ];
    for header in headers {
        let frame = format!("{{\"t\":[1],\"~\":[\"{header}\"]}}");
        assert_eq!(receive(frame), [Output::Malformed(WireError::Header)], "{header}");
    }
    for entry in ["[]", "[1]", "[\"1a...1\",\"1a...2\"]", "[[\"1a...1\"]]", "[\"1a...1\"],\"~\":[\"1a...1\"]"]
    {
        let frame = format!("{{\"~\":{entry},\"t\":[1]}}");
        assert_eq!(receive(frame), [Output::Malformed(WireError::Header)], "{entry}");
    }
}

#[test]
fn a_header_of_another_version_is_told_apart() {
    for header in ["2", "2anything at all", "z"] {
        let frame = format!("{{\"~\":[\"{header}\"],\"t\":[1]}}");
        assert_eq!(receive(frame), [Output::Malformed(WireError::Version)]);
    }
}

#[test]
fn the_greatest_numbers_are_read_and_do_not_overflow() {
    let mut machine = receiver();
    for header in
        ["1a.2gosa7pa2gv.1ekf.2gosa7pa2gv", "1a.2gosa7pa2gv.1ekf.2gosa7pa2gv+", "1a.2gosa7pa2gv.1ekf.1"]
    {
        machine.handle(at(0), Input::Received(format!("{{\"~\":[\"{header}\"]}}").into()));
    }
    assert_eq!(drain_outputs(&mut machine, at(0)), [Output::Gap]);
    let stats = machine.stats(at(0));
    assert_eq!((stats.malformed, stats.duplicates), (0, 1));
}

#[test]
fn a_message_may_be_nested_deeply() {
    let message = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let outputs = receive(format!("{{\"t\":[{message}]}}"));
    assert_eq!(outputs, [Output::Deliver { topic: "t".into(), body: message.into() }]);
}

#[test]
fn a_topic_that_comes_twice_and_empty_ones_are_read_in_order() {
    let outputs = receive("{\"t\":[1],\"\":[],\"t\":[2,3],\"t\":[]}");
    let deliver = |body: &'static str| Output::Deliver { topic: "t".into(), body: body.into() };
    assert_eq!(outputs, [deliver("1"), deliver("2"), deliver("3")]);
}

proptest! {
    #[test]
    fn damaged_frames_never_panic_and_memory_stays_bounded(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut machine = receiver();
        for number in 1..200u32 {
            let frame = format!("{{\"~\":[\"1a.1..{number}\"],\"t\":[{{\"k\":\"v\"}},2],\"q\\\"\":[\"\\u0041\"]}}");
            let mut frame = frame.into_bytes();
            for (index, byte) in &flips {
                let at = index.index(frame.len());
                frame[at] = byte.wrapping_add(number as u8);
            }
            frame.truncate(cut.index(frame.len() * 2).max(1));
            machine.handle(at(0), Input::Received(frame.into()));
            drain_outputs(&mut machine, at(0));
        }
        let stats = machine.stats(at(0));
        prop_assert!(stats.held_frames <= 64 * stats.streams);
    }

    #[test]
    fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        receive(bytes);
    }

    #[test]
    fn a_frame_is_what_serde_json_reads_as_an_object_of_arrays(
        parts in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"t\"", "\"", "\\u00e4", "\\ud800", "\\x", "\\\"", "-", "0", "12", ".5", "e", "E+3", "true",
            "nul", "null", " ", "\n", "\u{1}", "\u{7f}", "{\"t\":[", "]}",
        ]), 0..12),
    ) {
        let frame = parts.concat();
        let peer = serde_json::from_str::<std::collections::HashMap<String, Vec<Box<serde_json::value::RawValue>>>>(&frame);
        let ours = bulk_messaging::wire::Frame::decode(frame.clone().into());
        prop_assert_eq!(ours.is_ok(), peer.is_ok(), "{}", frame);
    }
}
