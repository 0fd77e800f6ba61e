//! Bulk messages: from a push to a frame, and from a frame to the inner topics.

use std::hint::black_box;

use bulk_messaging::machine::{Input, Machine, Output};
use bulk_messaging::wire::Frame;
use bulk_messaging::{Budget, Config};
use bytes::Bytes;
use transport_traits::limits::SizeLimit;
use transport_traits::{BusLimits, Instant, Topic};

use crate::{STEPS, Step};

/// It stands still, since nothing here waits.
const NOW: Instant = Instant::ZERO;

/// More Sets than fit into a frame.
const SETS_A_FRAME: usize = 7;

/// Inner topics: the records of so many players.
const PLAYERS: usize = 64;

/// A machine without a budget on a bus that takes 1,024 bytes.
fn machine() -> Machine {
    let mut bus = BusLimits::default();
    bus.body = Some(SizeLimit::bytes(1_024));
    let mut config = Config::new("real");
    (config.sender, config.seed) = (Some("k3Jx_9aQ".into()), Some(1));
    config.budget = Budget::Unlimited;
    (config.max_queued_messages, config.max_queued_bytes) = (usize::MAX, usize::MAX);
    Machine::new(config, &bus, NOW).expect("the configuration fits the bus")
}

fn topic(player: usize) -> Topic {
    format!("NSD_PlayerList${}", 1_000_000_000 + player % PLAYERS * 7_777).into()
}

/// As the original sends it: about 111 bytes, every sixth a quotation mark.
fn set(number: usize) -> String {
    let (value, id) = (number * 7_919 % 1_000_000, number * 104_729);
    format!(
        r#"{{"Action":"Set","Key":"Coins","Value":{value},"SyncId":"{{{id:08X}-4A5B-4C6D-8E7F-{id:012X}}}"}}"#
    )
}

fn sets(count: usize) -> Vec<(Topic, String)> {
    (0..count).map(|number| (topic(number), set(number))).collect()
}

fn push_all(machine: &mut Machine, sets: &[(Topic, String)]) {
    sets.iter().for_each(|(topic, text)| {
        machine.push_text(NOW, topic.clone(), text, None).expect("the queue has no bounds");
    });
}

/// Hands out a frame, which the bus accepts.
fn next_frame(machine: &mut Machine) -> Option<Bytes> {
    while let Some(output) = machine.poll(NOW) {
        if let Output::Publish { id, body, .. } = output {
            machine.handle(NOW, Input::Published { id, result: Ok(()) });
            return Some(body);
        }
    }
    None
}

/// So many full frames in order.
fn frames(count: usize) -> Vec<Bytes> {
    let mut machine = machine();
    push_all(&mut machine, &sets(count * SETS_A_FRAME));
    (0..count).map(|_| next_frame(&mut machine).expect("there are messages for so many frames")).collect()
}

pub(crate) fn push() -> Step {
    let (mut machine, sets) = (machine(), sets(STEPS));
    Box::new(move |number| push_all(&mut machine, &sets[number..=number]))
}

pub(crate) fn seal() -> Step {
    let mut machine = machine();
    push_all(&mut machine, &sets(STEPS * SETS_A_FRAME));
    Box::new(move |_| drop(black_box(next_frame(&mut machine).expect("there are messages for all steps"))))
}

pub(crate) fn decode() -> Step {
    let frames = frames(64);
    Box::new(move |number| {
        let frame = Frame::decode(frames[number % frames.len()].clone()).expect("frames of ours can be read");
        frame.messages().for_each(|message| {
            black_box(message);
        });
    })
}

pub(crate) fn route() -> Step {
    let (mut machine, frames) = (machine(), frames(STEPS));
    (0..PLAYERS).for_each(|player| machine.handle(NOW, Input::Watch(topic(player))));
    Box::new(move |number| {
        machine.handle(NOW, Input::Received(frames[number].clone()));
        let mut delivered = 0;
        while let Some(output) = machine.poll(NOW) {
            delivered += usize::from(matches!(black_box(output), Output::Deliver { .. }));
        }
        assert!(delivered >= SETS_A_FRAME - 2, "a full frame was received: {delivered} messages");
    })
}
