//! The bytes of frames, as the crate's documentation describes them.

use bulk_messaging::Budget;
use bulk_messaging::machine::{Input, Output};
use transport_traits::Outgoing;
use transport_traits::limits::SizeLimit;

use crate::support::{at, drain_outputs, machine, publishes};

#[test]
fn the_worked_example_of_the_documentation_is_what_is_sent() {
    let mut machine = machine(SizeLimit::bytes(1_024), |config| {
        config.sender = Some("k3Jx_9aQ".into());
        config.budget = Budget::Unlimited;
    });
    machine.push(at(0), Outgoing::new("chat", "\"hi\""), None).expect("room");
    machine.push(at(0), Outgoing::new("coins", "{\"ada\":5}"), None).expect("room");
    machine.push(at(0), Outgoing::new("chat", "\"all\""), None).expect("room");
    let frames = publishes(&drain_outputs(&mut machine, at(0)));
    let expected = br#"{"~":["1k3Jx_9aQ...1"],"chat":["hi","all"],"coins":[{"ada":5}]}"#;
    assert_eq!(frames[0].1, expected[..]);
}

#[test]
fn a_message_that_is_a_small_part_of_a_large_frame_does_not_keep_the_frame_alive() {
    let mut machine = machine(SizeLimit::bytes(1_024), |_| ());
    machine.handle(at(0), Input::Watch("t".into()));
    let frame = bytes::Bytes::from(format!("{{\"t\":[1,\"{}\"]}}", "x".repeat(5_000)));
    machine.handle(at(0), Input::Received(frame.clone()));
    let outputs = drain_outputs(&mut machine, at(0));
    let bodies: Vec<_> = outputs
        .into_iter()
        .filter_map(|output| if let Output::Deliver { body, .. } = output { Some(body) } else { None })
        .collect();
    let within = |body: &bytes::Bytes| frame.as_ptr_range().contains(&body.as_ptr());
    assert_eq!(bodies.iter().map(within).collect::<Vec<_>>(), [false, true]);
}
