//! A receiver that is sent whatever comes to mind.

use std::time::Duration;

use bulk_messaging::machine::{Input, Machine, Output};
use bulk_messaging::{Config, Fragmentation};
use bytes::Bytes;
use transport_traits::{BusLimits, Instant};

const SENDERS: usize = 2;
const HELD_FRAMES: usize = 4;
const MESSAGE: usize = 4_096;

fn receiver() -> Machine {
    let mut config = Config::new("real");
    (config.sender, config.seed) = (Some("me".into()), Some(1));
    (config.max_senders, config.max_held_frames, config.max_held_bytes) = (SENDERS, HELD_FRAMES, 8_192);
    let fragments = config.fragmentation.insert(Fragmentation::new(MESSAGE));
    (fragments.max_partial_messages, fragments.max_partial_bytes) = (2, 2 * MESSAGE);
    fragments.timeout = Duration::from_secs(5);
    Machine::new(config, &BusLimits::default(), Instant::ZERO).expect("the configuration fits any bus")
}

/// Hands frames to a receiver. Each is told by how many times 10 ms pass before it (one byte), its length (two bytes, lowest
/// first) and its bytes.
///
/// # Panics
/// If the receiver keeps or delivers more than it may, publishes, or wants to wake at once again and again.
pub fn receive(mut script: &[u8]) {
    let mut machine = receiver();
    ["t", "u"].into_iter().for_each(|topic| machine.handle(Instant::ZERO, Input::Watch(topic.into())));
    let (mut now, mut received, mut delivered) = (Instant::ZERO, 0, 0);
    while let Some((&[wait, low, high], rest)) = script.split_first_chunk() {
        let (frame, rest) = rest.split_at(usize::from(u16::from_le_bytes([low, high])).min(rest.len()));
        script = rest;
        now += Duration::from_millis(10 * u64::from(wait));
        received += frame.len();
        machine.handle(now, Input::Received(Bytes::copy_from_slice(frame)));
        while let Some(output) = machine.poll(now) {
            match output {
                Output::Deliver { body, .. } => delivered += body.len(),
                Output::Gap | Output::Malformed(_) => {}
                other => panic!("{other:?}"),
            }
        }
        assert!(delivered <= 16 * received, "{delivered} bytes of messages from {received}");
        let stats = machine.stats(now);
        assert!(stats.streams <= SENDERS as u64 && stats.held_frames <= (SENDERS * HELD_FRAMES) as u64);
        assert!(machine.next_wakeup().is_none_or(|at| at > now), "nothing is due any more");
    }
}
