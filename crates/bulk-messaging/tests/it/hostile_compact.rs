//! Compact frames that nobody should send.

use bulk_messaging::WireError;
use bulk_messaging::machine::Input;
use bulk_messaging::wire::Frame;
use bulk_messaging::{Budget, Format};
use bytes::Bytes;
use proptest::prelude::*;
use transport_traits::Outgoing;
use transport_traits::limits::SizeLimit;

use crate::support::{at, drain_outputs, machine, publishes};

/// A header of a sender `a`, its first frame.
const HEADER: [u8; 8] = [0xC1, 0, 1, b'a', 0, 0, 1, 0];

fn decode(frame: impl Into<Bytes>) -> Result<Frame, WireError> {
    Frame::decode(frame.into())
}

/// Decodes a frame of this header and these bytes.
fn behind_header(rest: &[u8]) -> Result<Frame, WireError> {
    decode([&HEADER, rest].concat())
}

fn frame(format: Format) -> Bytes {
    let mut machine = machine(SizeLimit::bytes(1_024), |config| {
        config.budget = Budget::Unlimited;
        config.format = format;
    });
    for number in 0..40 {
        let body = format!("{{\"coins\":{number},\"name\":\"player {}\"}}", number * 7_919);
        machine.push(at(0), Outgoing::new(format!("player/{}", number % 5), body), None).expect("room");
    }
    publishes(&drain_outputs(&mut machine, at(0)))[0].1.clone()
}

#[test]
fn a_header_that_breaks_the_rules_condemns_its_frame() {
    let headers: [&[u8]; 12] = [
        &[0xC1],
        &[0xC1, 0],
        &[0xC1, 4, 1, b'a', 0, 0, 1, 0],
        &[0xC1, 0, 0, 0, 0, 1, 0],
        &[0xC1, 0, 1, b'.', 0, 0, 1, 0],
        &[0xC1, 0, 200, b'a', 0, 0, 1, 0],
        &[0xC1, 0, 1, b'a', 0, 0, 0, 0],
        &[0xC1, 0, 1, b'a', 0, 0, 1, 1],
        &[0xC1, 0, 1, b'a', 0, 0, 0x81, 0, 0],
        &[0xC1, 0, 1, b'a', 0, 0xff, 0xff, 0xff, 0x7f, 1, 0],
        &[0xC1, 0, 1, b'a', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 1, 0],
        &[0xC1, 1, 1, b'a', 0, 0, 1, 0, 2],
    ];
    for header in headers {
        assert_eq!(decode(header.to_vec()), Err(WireError::Header), "{header:02x?}");
    }
    for version in (0xC0..=0xCF).filter(|&version| version != 0xC1) {
        assert_eq!(decode(vec![version, 0, 1]), Err(WireError::Version));
    }
    assert_eq!(decode(vec![0x80]), Err(WireError::NotAFrame));
    assert_eq!(behind_header(&[]).map(|frame| frame.messages().count()), Ok(0));
}

#[test]
fn absurd_lengths_and_counts_are_refused_before_anything_is_allocated_for_them() {
    const MANY: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    let topic = [2, 0, 1, b't'];
    let cases = [
        [&[2, 0][..], &MANY].concat(),
        [&[2][..], &MANY, &[0, 0]].concat(),
        [&topic[..], &MANY].concat(),
        [&topic[..], &[1, b'x', 0xFC], &MANY, &[0]].concat(),
        [&topic[..], &[1, b'x', 1], &MANY, &[0]].concat(),
        [&topic[..], &[1, b'x', 3]].concat(),
        [0, 0].to_vec(),
        [2, 0, 1, 0xff, 0].to_vec(),
        [2, 0, 2, 0xc3, 0xa4, 0, 2, 1, 0, 0].to_vec(),
    ];
    for case in cases {
        let refused = behind_header(&case);
        assert!(
            matches!(refused, Err(WireError::NotAFrame | WireError::Inflated)),
            "{case:02x?}: {refused:?}"
        );
    }
    let mut dense = HEADER.to_vec();
    dense[1] = 2;
    dense.extend(MANY);
    dense.extend([0; 100]);
    assert!(decode(dense).is_err());
}

#[test]
fn a_frame_that_unfolds_to_too_much_is_refused() {
    let mut bomb = HEADER.to_vec();
    bomb.extend([2, 0, 1, b't', 0x80 | 100, 7]);
    bomb.extend([b'x'; 996]);
    // Each of these is the message before once more: 63 and 933 bytes of it, and none more.
    for _ in 0..1_000 {
        bomb.extend([0xFC, 0x80 | 37, 7, 0]);
    }
    assert_eq!(decode(bomb), Err(WireError::Inflated));
}

#[test]
fn the_same_message_again_and_again_stays_within_what_receivers_take() {
    for format in [Format::Compact, Format::CompactText] {
        let mut machine = machine(SizeLimit::bytes(1_024), |config| {
            config.budget = Budget::Unlimited;
            config.format = format;
        });
        let body = format!("\"{}\"", "same ".repeat(60));
        for _ in 0..500 {
            machine.push(at(0), Outgoing::new("t", body.clone()), None).expect("room");
        }
        let mut messages = 0;
        loop {
            let frames = publishes(&drain_outputs(&mut machine, at(0)));
            if frames.is_empty() {
                break;
            }
            for (id, frame) in frames {
                messages += decode(frame).expect("a frame of ours").messages().count();
                machine.handle(at(0), Input::Published { id, result: Ok(()) });
            }
        }
        assert_eq!(messages, 500);
    }
}

#[test]
fn a_truncated_frame_is_no_frame() {
    for format in [Format::Compact, Format::CompactText] {
        let whole = frame(format);
        let messages = decode(whole.clone()).expect("a frame of ours").messages().count();
        for len in 0..whole.len() {
            let cut = decode(whole.slice(..len));
            // A binary frame may end between two messages, and then has fewer; nothing in it is wrong.
            let fewer = |frame: &Frame| format == Format::Compact && frame.messages().count() < messages;
            assert!(cut.as_ref().is_err() || cut.as_ref().is_ok_and(fewer), "{len} of {}", whole.len());
        }
    }
}

proptest! {
    #[test]
    fn damaged_frames_never_panic_nor_unfold_beyond_their_bound(
        text in any::<bool>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 1..6),
    ) {
        let mut bytes = frame(if text { Format::CompactText } else { Format::Compact }).to_vec();
        for (index, bit) in flips {
            let at = index.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        if let Ok(frame) = decode(bytes.clone()) {
            let size: usize = frame.messages().map(|(_, message)| message.len()).sum();
            prop_assert!(size <= 16 * bytes.len());
        }
    }

    #[test]
    fn any_bytes_behind_a_header_are_taken(flags in 0u8..3, rest in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut header = HEADER;
        header[1] = flags & 2;
        let _whatever = decode([&header[..], &rest].concat());
    }
}
